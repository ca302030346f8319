"""The Python package."""

import pathlib

import mx2onnx
import numpy as np
import pytest
from running import assert_same, run

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL = MODELS / "digits_cnn-symbol.json"
PARAMS = MODELS / "digits_cnn-0000.params"


@pytest.fixture(scope="module")
def expected():
    return np.load(MODELS / "digits_cnn-expected.npz")


@pytest.mark.parametrize(
    "inputs",
    [
        {"data": ("batch", 1, 8, 8)},
        {"data": [16, 1, 8, 8]},
        {"data": (("batch", 1, 8, 8), "float32")},
        {"data": (("batch", 1, np.int64(8), 8), np.float32)},
        {"data": (("?", 1, 8, 8), np.dtype("float32"))},
        ["data:batch,1,8,8"],
        "data:batch,1,8,8:float32",
    ],
    ids=repr,
)
def test_forms_of_inputs(inputs, expected):
    result = mx2onnx.convert(SYMBOL, PARAMS, inputs=inputs)
    assert_same(run(result.model, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_writes_a_file(tmp_path, expected):
    result = mx2onnx.convert(str(SYMBOL), [PARAMS], inputs={"data": ("batch", 1, 8, 8)}, output=tmp_path / "o.onnx")
    assert result.model is None
    assert result.outputs == [{"name": "probabilities_output", "dtype": "float32", "shape": ["batch", 10]}]
    assert "batch, 10" in repr(result)
    assert_same(run(str(tmp_path / "o.onnx"), {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_text_and_arrays():
    symbol = (
        '{"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "null", "name": "w", "inputs": []},'
        '{"op": "dot", "name": "d", "inputs": [[0, 0, 0], [1, 0, 0]]}], "heads": [[2, 0, 0]]}'
    )
    weight = np.arange(6, dtype="float32").reshape(2, 3).T  # not contiguous
    result = mx2onnx.convert(symbol, {"arg:w": weight}, inputs={"x": ("N", 3)})
    x = np.ones((2, 3), "float32")
    assert_same(run(result.model, {"x": x}), [x @ weight])


def test_errors_have_fields(tmp_path):
    with pytest.raises(mx2onnx.FileError) as error:
        mx2onnx.convert(tmp_path / "none.json")
    assert error.value.file == str(tmp_path / "none.json")
    assert error.value.message == "cannot be read: No such file or directory"
    assert isinstance(error.value, OSError) and isinstance(error.value, mx2onnx.Error)
    with pytest.raises(mx2onnx.UsageError, match="did you mean 'data'"):
        mx2onnx.convert(SYMBOL, PARAMS, inputs={"date": (1, 1, 8, 8)})
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": (1, 2, 8, 8)})
    assert error.value.op == "Convolution" and error.value.node == "digits_conv0_fwd"
    with pytest.raises(mx2onnx.UsageError, match="opset"):
        mx2onnx.convert(SYMBOL, PARAMS, opset=11)
    with pytest.raises(TypeError, match="size"):
        mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": (1.5, 1, 8, 8)})


def test_problems_of_an_error():
    """One line for each thing that is in the way, as `inspect` has them."""
    symbol = (
        '{"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "NoSuch", "name": "a", "inputs": [[0, 0, 0]]},'
        '{"op": "NorThis", "name": "b", "inputs": [[1, 0, 0]]}], "heads": [[2, 0, 0]]}'
    )
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(symbol)
    assert [line.partition(" ")[0] for line in error.value.problems] == ["NoSuch", "NorThis"]
    assert error.value.problems == mx2onnx.inspect(symbol)["problems"]
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": (1, 2, 8, 8)})
    assert error.value.problems == [str(error.value)]


def test_error_of_an_attribute():
    symbol = (
        '{"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "Activation", "name": "a", "attrs": '
        '{"act_type": "swish"}, "inputs": [[0, 0, 0]]}], "heads": [[1, 0, 0]]}'
    )
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(symbol)
    assert (error.value.node, error.value.op, error.value.attribute) == ("a", "Activation", "act_type")


def test_inspect():
    found = mx2onnx.inspect(SYMBOL, PARAMS, inputs={"data": ("N", 1, 8, 8)})
    assert found["mxnet_version"] == "1.9.1"
    assert found["inputs"] == [{"name": "data", "dtype": "float32", "shape": ["N", 1, 8, 8]}]
    assert found["problems"] == [] and found["missing_parameters"] == []


def test_operators():
    table = {o["name"]: o for o in mx2onnx.operators()}
    (kernel,) = [a for a in table["Convolution"]["attributes"] if a["name"] == "kernel"]
    assert kernel["required"] and kernel["expected"] == "a tuple of 1 to 3 integers of at least 1"
    assert "remove_identities" in mx2onnx.pass_names()


def test_large_buffers_are_not_copied_and_stay_alive():
    symbol = (
        '{"nodes": [{"op": "null", "name": "w", "inputs": []}, {"op": "null", "name": "x", "inputs": []},'
        '{"op": "dot", "name": "d", "inputs": [[1, 0, 0], [0, 0, 0]]}], "heads": [[2, 0, 0]]}'
    )
    result = mx2onnx.convert(symbol, {"w": np.ones((512, 512), "float32")}, inputs={"x": (1, 512)})
    (output,) = run(result.model, {"x": np.ones((1, 512), "float32")})
    assert (output == 512).all()
