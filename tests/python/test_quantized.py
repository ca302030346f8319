"""Whole nets that MXNet quantised, in each form, against what MXNet 1.9.1 computed of them with oneDNN's kernels.

digits_cnn_int8_MODE is tests/models/digits_cnn through quantize_model(calib_mode=MODE, quantized_dtype="uint8", excluded
digits_conv1_fwd: MXNet's convolution of integers takes uint8 alone, and after batch normalisation they are int8)."""

import pathlib

import mx2onnx
import numpy as np
import pytest
from running import check_model, run

import onnx

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
# Of a probability. Measured: 1.2e-7; a value half way between two steps that falls to the other side makes some 1e-3.
MOST_DIFFERENT = 1e-3


def converted(mode, **options):
    name = str(MODELS / ("digits_cnn_int8_" + mode))
    return mx2onnx.convert(name + "-symbol.json", name + "-0000.params", inputs={"data": ("batch", 1, 8, 8)}, **options)


def digits():
    return np.load(MODELS / "digits_cnn-expected.npz")


@pytest.mark.parametrize("mode", ["naive", "none"])
@pytest.mark.parametrize("form", ["qdq", "qlinear"])
@pytest.mark.parametrize("opset", [12, mx2onnx.DEFAULT_OPSET, 27])
@pytest.mark.parametrize("optimize", [True, False], ids=["optimised", "plain"])
def test_net(mode, form, opset, optimize):
    result = converted(mode, quantized_form=form, opset=opset, optimize=optimize)
    check_model(result.model)
    expected = np.load(MODELS / ("digits_cnn_int8_%s-expected.npz" % mode))["output"]
    (output,) = run(result.model, {"data": digits()["data"]})
    assert (output.argmax(1) == expected.argmax(1)).all()
    assert np.abs(output - expected).max() < MOST_DIFFERENT


@pytest.mark.parametrize("mode", ["naive", "none"])
@pytest.mark.parametrize("opset", [12, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET])
def test_float_net(mode, opset):
    """The float form is the float net again, but for what was lost of its weights."""
    result = converted(mode, quantized_form="float", opset=opset)
    operators = {node.op_type for node in onnx.load_from_string(result.model).graph.node}
    assert not operators & {"QuantizeLinear", "DequantizeLinear", "ConvInteger", "MatMulInteger", "Cast"}
    (output,) = run(result.model, {"data": digits()["data"]})
    assert (output.argmax(1) == digits()["output"].argmax(1)).all()
    assert np.abs(output - digits()["output"]).max() < 0.05


@pytest.mark.parametrize("name", ["digits_cnn_fused", "digits_cnn_int8_naive", "digits_cnn_int8_none"])
@pytest.mark.parametrize("form", ["qlinear", "float"])
@pytest.mark.parametrize("opset", [13, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET])
def test_fused_net(name, form, opset):
    """The same of oneDNN's fused operators; without calibrated ranges their float form rounds, too."""
    prefix = str(MODELS.parent / "quantized" / name)
    inputs = {"data": ("batch", 1, 8, 8)}
    result = mx2onnx.convert(
        prefix + "-symbol.json", prefix + "-0000.params", inputs=inputs, quantized_form=form, opset=opset
    )
    check_model(result.model)
    recorded = np.load(prefix + "-expected.npz")
    (data,) = (recorded[key] for key in recorded.files if recorded[key].ndim == 4)
    (expected,) = (recorded[key] for key in recorded.files if recorded[key].ndim == 2)
    (output,) = run(result.model, {"data": data})
    assert (output.argmax(1) == expected.argmax(1)).all()
    assert np.abs(output - expected).max() < (0.05 if form == "float" else MOST_DIFFERENT)


def test_weights_are_int8():
    graph = onnx.load_from_string(converted("naive").model).graph
    int8 = {i.name for i in graph.initializer if i.data_type == onnx.TensorProto.INT8 and np.prod(i.dims) > 32}
    assert len(int8) == 2
    assert {"QuantizeLinear", "DequantizeLinear", "Conv", "Gemm"} <= {node.op_type for node in graph.node}
    assert not {"ConvInteger", "MatMulInteger"} & {node.op_type for node in graph.node}


def test_opset_without_kernels():
    with pytest.raises(mx2onnx.UnsupportedError, match="no kernels of QuantizeLinear"):
        converted("naive", opset=28)


def test_unknown_form():
    with pytest.raises(mx2onnx.Error, match='expected qdq, qlinear or float, got "int4"'):
        converted("naive", quantized_form="int4")
