"""Weights as int8 and int4 in blocks: NumPy's own quantiser, sizes, differences, what stays float32, and the words for it."""

import json
import os
import pathlib
import subprocess
import sys

import mx2onnx
import numpy as np
import onnxruntime
import pytest

import onnx
from onnx import TensorProto, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "zoo"))

import zoo_corpus  # noqa: E402
import zoo_verify  # noqa: E402

TOOL = os.environ.get("MX2ONNX")
DIFFERENCES = {"int8": 0.006, "int4": 0.1}
"""Of weights that are normally distributed, in blocks of 32: the root of the mean square of what rounding changes."""


def quantised(matrix, axis, dtype, block=32):
    """The integers and scales of a matrix, by the rule of docs/fewer_bits.md; blocks lie along the axis."""
    w = np.moveaxis(matrix, axis, -1)
    length = w.shape[-1]
    blocks = -(-length // block)
    padded = np.zeros((*w.shape[:-1], blocks * block), np.float32)
    padded[..., :length] = w
    padded = padded.reshape(*w.shape[:-1], blocks, block)
    largest = np.abs(padded).max(-1)

    def rounded(steps, lowest, highest):
        scale = np.where(largest == 0, np.float32(1), largest / np.float32(steps))
        codes = np.clip(np.rint(padded / scale[..., None]), lowest, highest)
        error = ((padded.astype("f8") - codes.astype("f8") * scale[..., None].astype("f8")) ** 2).sum(-1)
        return codes, scale, error

    codes, scale, error = rounded(127, -127, 127) if dtype == "int8" else rounded(7, -8, 7)
    if dtype == "int4":
        finer, other, less = rounded(8, -8, 7)
        codes = np.where((less < error)[..., None], finer, codes)
        scale = np.where(less < error, other, scale)
    codes = codes.reshape(*w.shape[:-1], blocks * block)[..., :length].astype(np.int8)
    return np.moveaxis(codes, -1, axis), np.moveaxis(scale.astype(np.float32), -1, axis)


def dequantised(codes, scales, axis, block=32):
    repeated = np.repeat(scales, block, axis)
    return codes.astype(np.float32) * np.take(repeated, range(codes.shape[axis]), axis)


def initializers(model):
    return {tensor.name: tensor for tensor in onnx.load_from_string(model).graph.initializer}


def dense_symbol(flatten, no_bias, hidden):
    inputs = [[0, 0, 0], [1, 0, 0]] + ([] if no_bias else [[2, 0, 0]])
    names = ["data", "fc_weight"] + ([] if no_bias else ["fc_bias"])
    attrs = {"num_hidden": str(hidden), "flatten": str(flatten), "no_bias": str(no_bias)}
    nodes = [{"op": "null", "name": name, "inputs": []} for name in names]
    nodes.append({"op": "FullyConnected", "name": "fc", "attrs": attrs, "inputs": inputs})
    return json.dumps({
        "nodes": nodes, "arg_nodes": list(range(len(names))), "heads": [[len(names), 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    })  # fmt: skip


def embedding_symbol(rows, columns):
    attrs = {"input_dim": str(rows), "output_dim": str(columns)}
    return json.dumps({
        "nodes": [
            {"op": "null", "name": "ids", "inputs": []}, {"op": "null", "name": "table", "inputs": []},
            {"op": "Embedding", "name": "embedding", "attrs": attrs, "inputs": [[0, 0, 0], [1, 0, 0]]},
        ],
        "arg_nodes": [0, 1], "heads": [[2, 0, 0]], "attrs": {"mxnet_version": ["int", 10901]},
    })  # fmt: skip


def run(result, **feeds):
    session = onnxruntime.InferenceSession(result.model, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)[0]


def plain(result, **feeds):
    """As run, without ONNX Runtime's optimiser, which rounds what goes into a product, too."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(result.model, options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)[0]


@pytest.mark.parametrize("block", [16, 32, 128])
@pytest.mark.parametrize("columns", [96, 100, 101], ids=["whole", "part", "odd"])
@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_products_are_numpys(dtype, flatten, columns, block):
    random = np.random.RandomState(1)
    weight = random.normal(0, 0.1, (75, columns)).astype(np.float32)
    weight[3, :40] = 0
    bias = random.normal(0, 1, 75).astype(np.float32)
    data = random.normal(0, 1, (5, columns) if flatten else (2, 5, columns)).astype(np.float32)
    result = mx2onnx.convert(
        dense_symbol(flatten, False, 75), {"fc_weight": weight, "fc_bias": bias}, inputs={"data": data.shape},
        opset=21, weights=dtype, weights_block=block,
    )  # fmt: skip
    codes, scales = quantised(weight.T, 0, dtype, block)
    stored = initializers(result.model)
    name = "fc_weight" if flatten else "fc/Transpose"
    assert stored[name + "_" + dtype].data_type == (TensorProto.INT8 if dtype == "int8" else TensorProto.INT4)
    np.testing.assert_array_equal(numpy_helper.to_array(stored[name + "_" + dtype]).astype(np.int8), codes)
    np.testing.assert_array_equal(numpy_helper.to_array(stored[name + "_scale"]), scales)
    rounded = dequantised(codes, scales, 0, block)
    np.testing.assert_allclose(plain(result, data=data), data @ rounded + bias, rtol=1e-4, atol=1e-4)
    # What ONNX Runtime fuses rounds the data to 8 bits, too.
    found = run(result, data=data)
    assert np.abs(found - (data @ rounded + bias)).max() < 0.02 * np.abs(data @ rounded).max()
    report = result.report["weights"]
    assert (report["dtype"], report["block"], report["count"]) == (dtype, block, 1)
    assert report["bytes_before"] == weight.nbytes
    assert report["bytes_after"] == scales.nbytes + (codes.size if dtype == "int8" else (codes.size + 1) // 2)
    difference = np.sqrt(np.mean((rounded.astype("f8") - weight.T) ** 2) / np.mean(weight.astype("f8") ** 2))
    assert report["difference"] == pytest.approx(difference, rel=1e-5)
    assert report["largest_difference_of"] == name
    assert report["left"] == [{"op": "Gemm" if flatten else "Add", "reason": "has fewer than 4,096 elements",
                               "weights": 1, "bytes": bias.nbytes}]  # fmt: skip


@pytest.mark.parametrize("columns", [96, 100], ids=["whole", "part"])
@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_matmul_nbits_has_the_same_numbers(dtype, flatten, columns):
    random = np.random.RandomState(2)
    weight = random.normal(0, 0.1, (75, columns)).astype(np.float32)
    bias = random.normal(0, 1, 75).astype(np.float32)
    data = random.normal(0, 1, (5, columns) if flatten else (2, 5, columns)).astype(np.float32)
    result = mx2onnx.convert(
        dense_symbol(flatten, False, 75), {"fc_weight": weight, "fc_bias": bias}, inputs={"data": data.shape},
        opset=21, weights=dtype, weights_operator="MatMulNBits",
    )  # fmt: skip
    model = onnx.load_from_string(result.model)
    node = next(node for node in model.graph.node if node.op_type == "MatMulNBits")
    assert node.domain == "com.microsoft"
    assert {entry.domain for entry in model.opset_import} == {"", "com.microsoft"}
    codes, scales = quantised(weight.T, 0, dtype)
    # ONNX Runtime rounds the data to 8 bits, too.
    product = data @ dequantised(codes, scales, 0)
    assert np.abs(run(result, data=data) - (product + bias)).max() < 0.02 * np.abs(product).max()


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_rows_of_embeddings_are_int8(dtype):
    table = np.random.RandomState(3).normal(0, 0.1, (150, 50)).astype(np.float32)
    ids = np.array([[0, 149, 7], [7, 1, 75]], np.float32)
    result = mx2onnx.convert(
        embedding_symbol(150, 50), {"table": table}, inputs={"ids": ("batch", 3)}, opset=21, weights=dtype
    )
    codes, scales = quantised(table, 1, "int8")
    expected = dequantised(codes, scales, 1)[ids.astype(int)]
    np.testing.assert_array_equal(run(result, ids=ids), expected)
    assert result.report["weights"]["count"] == 1
    # No row is made real that is not picked.
    stored = initializers(result.model)
    assert stored["table_int8"].data_type == TensorProto.INT8
    assert [n.op_type for n in onnx.load_from_string(result.model).graph.node][-1] == "DequantizeLinear"


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_a_tied_table_is_stored_for_either_use(dtype):
    """A language model that multiplies with its embedding: rows as int8, and columns as what was asked for."""
    symbol = json.dumps({
        "nodes": [
            {"op": "null", "name": "ids", "inputs": []}, {"op": "null", "name": "table", "inputs": []},
            {"op": "Embedding", "name": "rows", "attrs": {"input_dim": "150", "output_dim": "64"},
             "inputs": [[0, 0, 0], [1, 0, 0]]},
            {"op": "FullyConnected", "name": "scores",
             "attrs": {"num_hidden": "150", "no_bias": "True", "flatten": "False"},
             "inputs": [[2, 0, 0], [1, 0, 0]]},
        ],
        "arg_nodes": [0, 1], "heads": [[3, 0, 0]], "attrs": {"mxnet_version": ["int", 10901]},
    })  # fmt: skip
    table = np.random.RandomState(5).normal(0, 0.1, (150, 64)).astype(np.float32)
    ids = np.array([[0, 149, 7]], np.float32)
    result = mx2onnx.convert(symbol, {"table": table}, inputs={"ids": ids.shape}, weights=dtype)
    assert result.report["opset"] == 21
    kinds = sorted(tensor.data_type for tensor in initializers(result.model).values() if tensor.data_type not in (1, 7))
    assert kinds == sorted([TensorProto.INT8, TensorProto.INT8 if dtype == "int8" else TensorProto.INT4])
    rows = dequantised(*quantised(table, 1, "int8"), 1)[ids.astype(int)]
    columns = dequantised(*quantised(table.T, 0, dtype), 0)
    np.testing.assert_allclose(plain(result, ids=ids), rows @ columns, rtol=1e-4, atol=1e-5)


NLP = {n: e for n, e in zoo_corpus.load("gluonnlp").items() if 30_000 < e.size < 300_000}


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("operator", ["DequantizeLinear", "MatMulNBits"])
@pytest.mark.parametrize("dtype", ["int8", "int4"])
@pytest.mark.parametrize("name", sorted(NLP))
def test_text_models_are_near_mxnet(name, dtype, operator):
    """The root of the mean square of what differs, of models of drawn weights."""
    entry = NLP[name]
    result = mx2onnx.convert(
        entry.symbol(), entry.params(), inputs=entry.fixed_inputs(), weights=dtype, weights_operator=operator
    )
    report = result.report["weights"]
    assert report["count"] == 0 or 0 < report["difference"] < DIFFERENCES[dtype]
    bound = {"int8": 0.03, "int4": 0.25}[dtype]
    for found, (shape, _, step, expected) in zip(zoo_verify.run(result.model, entry.feeds()), entry.expected()):
        assert found.shape == shape
        difference = found.reshape(-1)[::step].astype("float64") - expected
        assert np.sqrt(np.mean(difference**2)) <= bound * np.sqrt(np.mean(np.square(expected, dtype="float64")))


def test_strange_elements():
    """Zeros, subnormals, the largest number, NaN and infinities: nothing that is not finite is written."""
    weight = np.random.RandomState(4).normal(0, 1, (64, 64)).astype(np.float32)
    largest = np.finfo(np.float32).max
    weight[0], weight[1, :32], weight[2], weight[3, 5] = 0, 1e-45, largest, np.nan
    weight[4, 6], weight[5, 40], weight[6, :32] = np.inf, -np.inf, np.nan
    with pytest.warns(mx2onnx.ConversionWarning, match="35 elements of weights are not finite") as warnings:
        result = mx2onnx.convert(dense_symbol(True, True, 64), {"fc_weight": weight}, opset=21, weights="int8")
    assert any("W-weights-not-finite" in str(warning.message) for warning in warnings)
    assert result.report["weights"]["not_finite"] == 35
    stored = initializers(result.model)
    codes, scales = (numpy_helper.to_array(stored["fc_weight_" + part]) for part in ("int8", "scale"))
    with np.errstate(over="raise"):
        real = dequantised(codes, scales, 0).T
    assert np.isfinite(scales).all() and np.isfinite(real).all()
    assert (scales > 0).all()
    assert (real[0] == 0).all() and (real[6, :32] == 0).all()
    assert real[2] == pytest.approx(np.full(64, largest), rel=1e-5)
    assert real[3, 5] == 0
    for row, column, sign in ((4, 6, 1), (5, 40, -1)):
        assert codes.T[row, column] == sign * 127
    regular = np.isfinite(weight) & (np.abs(weight) < 100)
    assert np.abs(real - weight)[regular].max() <= 0.5 * scales[:, 7:].max() * (1 + 1e-6)


def test_ties_go_to_even():
    weight = np.zeros((64, 64), np.float32)
    weight[:, 0] = 127
    weight[:, 1:7] = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5]
    result = mx2onnx.convert(dense_symbol(True, True, 64), {"fc_weight": weight}, opset=21, weights="int8")
    codes = numpy_helper.to_array(initializers(result.model)["fc_weight_int8"]).T
    assert codes[0, :7].tolist() == [127, 0, 2, 2, 0, -2, -2]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"weights": "int2"}, 'weights: expected float32, int8 or int4, got "int2"'),
        ({"weights": "int8", "opset": 20}, 'opset 20 has no weights in blocks, as weights="int8" stores them'),
        ({"weights": "int8", "opset": 28}, "ONNX Runtime has no kernels of DequantizeLinear at opset 28"),
        ({"weights": "int4", "float16": True}, "weights in int4 are those of a model that computes in float32"),
        ({"weights": "int4", "weights_in_place": True}, "weights in int4 cannot stay in the parameter file"),
        ({"weights": "int4", "weights_block": 31}, "weights block: expected 16, 32, 64, 128 or 256, got 31"),
        ({"weights": "int4", "weights_operator": "Conv"}, "weights operator: expected DequantizeLinear or MatMulNBits"),
        ({"weights_operator": "MatMulNBits"}, "weights stay float32 without weights"),
        ({"weights_block": 64}, "weights stay float32 without weights"),
    ],
)
def test_options_that_contradict(options, message, tmp_path):
    weight = np.ones((64, 64), np.float32)
    with pytest.raises(mx2onnx.Error, match=message.replace("(", r"\(")):
        mx2onnx.convert(dense_symbol(True, True, 64), {"fc_weight": weight}, output=tmp_path / "out.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_what_stays_as_asked():
    weight = np.ones((64, 64), np.float32)
    result = mx2onnx.convert(
        dense_symbol(True, True, 64), {"fc_weight": weight}, opset=21, weights="int8", keep_float32=["fc*"]
    )
    assert result.report["weights"]["count"] == 0
    assert [left["reason"] for left in result.report["weights"]["left"]] == [
        "asked for",
        "has fewer than 4,096 elements",
    ]
    with pytest.warns(mx2onnx.ConversionWarning, match="no node has this name"):
        mx2onnx.convert(
            dense_symbol(True, True, 64), {"fc_weight": weight}, opset=21, weights="int8", keep_float32=["nothing"]
        )


@pytest.mark.skipif(TOOL is None, reason="MX2ONNX names no tool")
def test_what_a_person_reads(tmp_path):
    (tmp_path / "net-symbol.json").write_text(dense_symbol(True, False, 256))
    done = subprocess.run(
        [TOOL, "convert", "net-symbol.json", "--random-weights", "-o", "net.onnx", "--weights", "int4", "--input",
         "data:1,256"], cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "opset 21 is written instead of 17: --weights int4 needs it" in done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("  int4: 1 weight, 40 kB of 262 kB; they differ by ") for line in lines), lines
    assert "  float32: 1 weight of 1024 bytes: has fewer than 4,096 elements (Gemm)" in lines
    shown = subprocess.run([TOOL, "inspect", "net.onnx"], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
