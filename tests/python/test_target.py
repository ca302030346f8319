"""`convert --target`: opset, sizes and spellings that a runtime wants, with the numbers as they were; and what is warned of."""

import json
import warnings

import mx2onnx
import numpy as np
import pytest
from running import run
from test_cli import CNN, TOOL, tool

import onnx

POOL = {"kernel": "(3, 3)", "pad": "(1, 2)", "stride": "(2, 2)", "pool_type": "avg", "count_include_pad": "True"}


def convert(nodes, params=None, **options):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = mx2onnx.convert(json.dumps(nodes), params or {}, **options)
    assert [str(w.message).split(":")[0] for w in said] == [entry["id"] for entry in result.diagnostics]
    return result


def one_operator(op, attrs, inputs=("data",)):
    nodes = [{"op": "null", "name": name, "inputs": []} for name in inputs]
    nodes.append({"op": op, "name": "op", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(len(inputs))]})
    return {"nodes": nodes, "arg_nodes": list(range(len(inputs))), "heads": [[len(inputs), 0, 0]]}


def operators(result):
    return [node.op_type for node in onnx.load_from_string(result.to_bytes()).graph.node]


@pytest.mark.parametrize("convention", ["valid", "full"])
def test_padding_that_opencv_4_does_not_count(convention):
    symbol, shape = one_operator("Pooling", dict(POOL, pooling_convention=convention)), (2, 3, 8, 9)
    plain = convert(symbol, inputs={"data": shape})
    assert operators(plain)[0] == "AveragePool"
    assert not mx2onnx.lint(plain, "opencv4")[0]["runs"]
    result = convert(symbol, inputs={"data": shape}, target="opencv4")
    assert operators(result) == ["Pad", *operators(plain)]
    assert mx2onnx.lint(result, "opencv4")[0]["runs"] and not result.diagnostics
    assert result.report["passes"]["pad_before_average_pool"] == 1
    onnx.checker.check_model(onnx.load_from_string(result.to_bytes()), full_check=True)
    x = {"data": np.random.RandomState(20).normal(size=shape).astype(np.float32)}
    np.testing.assert_array_equal(run(result.to_bytes(), x)[0], run(plain.to_bytes(), x)[0])


@pytest.mark.parametrize("attrs", [{"count_include_pad": "False"}, {"pad": "(0, 0)"}])
def test_pooling_that_stays(attrs):
    result = convert(one_operator("Pooling", dict(POOL, **attrs)), inputs={"data": (2, 3, 8, 9)}, target="opencv4")
    plain = convert(
        one_operator("Pooling", dict(POOL, **attrs)), inputs={"data": (2, 3, 8, 9)}, opset=result.report["opset"]
    )
    assert operators(result) == operators(plain)


def test_free_sizes_and_the_padding():
    """With the height free where the runtime takes that: OpenCV's spelling for a model that is also named free."""
    symbol = one_operator("Pooling", POOL)
    result = convert(symbol, inputs={"data": ("n", 3, "h", 9)}, target="opencv4")
    x = {"data": np.random.RandomState(21).normal(size=(1, 3, 8, 9)).astype(np.float32)}
    plain = convert(symbol, inputs={"data": (1, 3, 8, 9)})
    for port in result.inputs:
        x["data"] = x["data"][: port["shape"][0]] if isinstance(port["shape"][0], int) else x["data"]
    if result.inputs[0]["shape"] in (["n", 3, "h", 9], [1, 3, 8, 9]):
        np.testing.assert_array_equal(run(result.to_bytes(), x)[0], run(plain.to_bytes(), x)[0])


def test_batch_norm_for_mnn():
    symbol = one_operator(
        "BatchNorm", {"eps": "0.001", "fix_gamma": "False"}, ["data", "gamma", "beta", "moving_mean", "moving_var"]
    )
    draw = np.random.RandomState(22)
    params = {
        name: draw.uniform(0.5, 2, 3).astype(np.float32) for name in ("gamma", "beta", "moving_mean", "moving_var")
    }
    x = {"data": draw.normal(size=(2, 3, 4, 4)).astype(np.float32)}
    plain = convert(symbol, params, inputs={"data": (2, 3, 4, 4)})
    result = convert(symbol, params, inputs={"data": (2, 3, 4, 4)}, target="mnn")
    assert operators(plain) == ["BatchNormalization"] and operators(result) == ["Mul", "Add"]
    np.testing.assert_allclose(run(result.to_bytes(), x)[0], run(plain.to_bytes(), x)[0], rtol=1e-5, atol=1e-6)


def test_opsets():
    assert convert(one_operator("relu", {}), inputs=(2, 3)).report["opset"] == 17
    for target, opset in [("onnxruntime-1.8", 13), (["tract", "onnxruntime-1.8"], 13), ("tvm", 17), ("opencv4", 13)]:
        assert convert(one_operator("relu", {}), inputs=(2, 3), target=target).report["opset"] == opset
    asked = convert(one_operator("relu", {}), inputs=(2, 3), target="onnxruntime-1.8", opset=17)
    assert asked.report["opset"] == 17
    (warning,) = asked.diagnostics
    assert warning["id"] == "W-target-refuse"
    assert warning[
        "message"
    ] == "onnxruntime-1.8 refuses this: opset 17: it takes 7 to 14; convert with --opset 13" or (
        warning["message"] == "onnxruntime-1.8 refuses this: opset 17: it takes 7 to 14; convert with opset=13"
    )


def test_sizes_are_fixed_where_free_ones_cost():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
        free = mx2onnx.convert(CNN[0], CNN[1], target="openvino")
        fixed = mx2onnx.convert(CNN[0], CNN[1], target="tvm")
    assert free.inputs[0]["shape"][0] == "batch"
    assert all(isinstance(size, int) for size in fixed.inputs[0]["shape"])
    assert any("batch" in entry["message"] for entry in fixed.diagnostics)


def test_misuse():
    with pytest.raises(mx2onnx.UsageError, match='target: expected opencv4, .*got "opencv"'):
        mx2onnx.convert(CNN[0], CNN[1], target="opencv")
    with pytest.raises(TypeError, match="target"):
        mx2onnx.convert(CNN[0], CNN[1], target=3)


@pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
def test_command(tmp_path):
    out = tmp_path / "m.onnx"
    tool("convert", *CNN, "-o", str(out), "--input", "data:1,1,8,8", "--target", "opencv4,tvm")
    assert onnx.load(str(out)).opset_import[0].version == 13
    tool("lint", str(out), "--target", "opencv4,tvm")  # exits with 0
