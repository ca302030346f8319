"""Whole trained models: our own of tests/models, and those of ../shared/models where that folder exists."""

import pathlib
import re

import mx2onnx
import numpy as np
import pytest
from running import assert_same, check_model, run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "tests" / "models"
SHARED = ROOT.parent / "shared" / "models"
OPSETS = (12, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET)


@pytest.mark.parametrize("name,shape", [("digits_cnn", (1, 8, 8)), ("digits_lstm", (8, 8))])
@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("optimize", [True, False], ids=["optimised", "plain"])
def test_own_model(name, shape, opset, optimize):
    expected = np.load(MODELS / (name + "-expected.npz"))
    result = mx2onnx.convert(
        MODELS / (name + "-symbol.json"),
        MODELS / (name + "-0000.params"),
        inputs={"data": ("batch",) + shape},
        opset=opset,
        optimize=optimize,
    )
    check_model(result.model)
    assert [i["name"] for i in result.inputs] == ["data"]
    (output,) = run(result.model, {"data": expected["data"]})
    assert_same([output], [expected["output"]], rtol=1e-4, atol=1e-6)
    assert (output.argmax(1) == expected["label"]).mean() > 0.9
    # Another batch size gives the same rows.
    assert_same(run(result.model, {"data": expected["data"][:3]}), [expected["output"][:3]], rtol=1e-4, atol=1e-6)


# Partitioned for oneDNN, and quantised with ranges and without (tools/quantize_digits.py).
PARTITIONED = ["digits_cnn_fused", "digits_cnn_int8_naive", "digits_cnn_int8_none"]


@pytest.mark.parametrize("name", PARTITIONED)
@pytest.mark.parametrize("opset", [13, mx2onnx.DEFAULT_OPSET, 21, 27])
def test_partitioned_model(name, opset):
    prefix = ROOT / "tests" / "quantized" / name
    expected = np.load("%s-expected.npz" % prefix)
    symbol, params = "%s-symbol.json" % prefix, "%s-0000.params" % prefix
    for optimize in (True, False):
        result = mx2onnx.convert(symbol, params, inputs={"data": (16, 1, 8, 8)}, opset=opset, optimize=optimize)
        check_model(result.model)
        for optimised in (True, False):
            (output,) = run(result.model, {"data": expected["data"]}, optimised=optimised)
            assert_same([output], [expected["output"]], rtol=1e-4, atol=1e-6)


SHARED_NAMES = sorted(p.name for p in SHARED.iterdir() if (p / "golden.npz").exists()) if SHARED.exists() else []
needs_shared = pytest.mark.skipif(
    not SHARED.exists(), reason="../shared/models is not here: trained models that belong to others are not copied"
)


@needs_shared
@pytest.mark.parametrize("name", SHARED_NAMES or ["none"])
@pytest.mark.parametrize("opset", OPSETS)
def test_shared_model(name, opset):
    golden = dict(np.load(SHARED / name / "golden.npz"))
    feeds = {k[3:]: v for k, v in golden.items() if k.startswith("in/")}
    outputs = sorted((int(re.match(r"out(\d+)", k).group(1)), k) for k in golden if k.startswith("out"))
    expected = [golden[k] for _, k in outputs]
    model = SHARED / name
    result = mx2onnx.convert(
        model / "symbol.json",
        model / "model.params",
        opset=opset,
        inputs={k: (v.shape, v.dtype.name) for k, v in feeds.items()},
    )
    check_model(result.model)
    labels = {k[6:] for k in golden if k.startswith("label/")}
    assert not labels & {i["name"] for i in result.inputs}
    assert_same(run(result.model, feeds), expected, rtol=1e-4, atol=2e-5)
    names = [o["name"] for o in result.outputs]
    assert [k.split("/", 1)[1] for _, k in outputs] == [n.replace("label_output", "label") for n in names]


@needs_shared
def test_model_of_a_fork_is_refused_by_name():
    model = SHARED / "bmx_mnist32"
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(model / "symbol.json", model / "model.params", inputs={"data": (1, 1, 28, 28)})
    for operator in ("QActivation", "QConvolution", "QFullyConnected"):
        assert operator in str(error.value)
