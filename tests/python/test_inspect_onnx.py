"""`mx2onnx inspect x.onnx`: what it prints, against the onnx package's own reader, and on broken files."""

import random
import subprocess

import mx2onnx
import numpy as np
import pytest
from test_cli import CNN, TOOL, tool

import onnx
from onnx import TensorProto, helper, numpy_helper

pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("onnx") / "cnn.onnx"
    tool("convert", *CNN, "-o", str(out), "--input", "data:batch,1,8,8", "-q")
    return out


def test_to_the_letter(written):
    process = subprocess.run([TOOL, "inspect", "cnn.onnx"], cwd=written.parent, capture_output=True, text=True)
    assert process.returncode == 0 and process.stderr == ""
    assert process.stdout == (
        """\
cnn.onnx: an ONNX model of mx2onnx %s, opset 17, IR version 8
weights: 6 arrays, 6,090 numbers, 24 kB
inputs
  data: float32 (batch, 1, 8, 8)
outputs
  probabilities_output: float32 (batch, 10)

"""
        % mx2onnx.__version__
        + process.stdout[process.stdout.index("layer ") : process.stdout.index("operators\n")]
        + """\
operators
  1 AveragePool, 2 Conv, 1 Flatten, 1 Gemm, 1 LeakyRelu, 1 MaxPool, 1 Relu, 1 Softmax
metadata
  mxnet_version: 1.9.1
  source: digits_cnn-symbol.json
"""
    )


def test_against_the_package_s_reader(written):
    model = onnx.load(str(written))
    found = mx2onnx.inspect(written)
    assert found["kind"] == "onnx" and found["opset"] == 17 and found["ir_version"] == model.ir_version
    assert [layer["name"] for layer in found["layers"]] == [node.name for node in model.graph.node]
    assert [layer["op"] for layer in found["layers"]] == [node.op_type for node in model.graph.node]
    weights = [numpy_helper.to_array(w) for w in model.graph.initializer]
    assert found["num_parameters"] == len(weights)
    assert found["parameter_count"] == sum(w.size for w in weights)
    assert found["parameter_bytes"] == sum(w.nbytes for w in weights)
    assert found["inputs"] == [{"name": "data", "dtype": "float32", "shape": ["batch", 1, 8, 8]}]
    # What is counted is what is counted in the MXNet model.
    before = mx2onnx.inspect(*CNN, inputs=["data:batch,1,8,8"])
    assert [layer["multiply_adds"] for layer in found["layers"] if layer["multiply_adds"]] == [
        layer["multiply_adds"] for layer in before["layers"] if layer["multiply_adds"]
    ]


def test_weights_beside_the_file(tmp_path):
    out = tmp_path / "o.onnx"
    tool("convert", *CNN, "-o", str(out), "--input", "data:1,1,8,8", "-q", "--external-data")
    inside = mx2onnx.convert(*CNN, inputs={"data": (1, 1, 8, 8)}).save(tmp_path / "i.onnx")
    assert inside is None
    assert mx2onnx.inspect(out)["parameter_bytes"] == mx2onnx.inspect(tmp_path / "i.onnx")["parameter_bytes"]


def test_what_other_programs_write(tmp_path):
    """Inputs that are weights too, a sequence, sizes that are not said, packed sizes, graphs within nodes, no value infos."""
    branch = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])], "b", [], [helper.make_tensor_value_info("y", 1, None)]
    )
    graph = helper.make_graph(
        [
            helper.make_node("If", ["c"], ["z"], "choice", then_branch=branch, else_branch=branch),
            helper.make_node("MatMul", ["x", "w"], ["m"]),
            helper.make_node("Own", ["m"], ["o"], domain="my.domain"),
        ],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, "a + b", 3]),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 4]),
            helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None),
        ],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros((3, 4), "float32"), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("my.domain", 2)])
    onnx.save(model, str(tmp_path / "m.onnx"))
    found = mx2onnx.inspect(tmp_path / "m.onnx")
    assert found["inputs"] == [
        {"name": "x", "dtype": "float32", "shape": ["?", "a + b", 3]},
        {"name": "c", "dtype": "bool", "shape": []},
        {"name": "s", "dtype": "unknown", "shape": ["..."]},
    ]
    assert found["outputs"] == [{"name": "o", "dtype": "float32", "shape": ["..."]}]
    assert {o["op"]: o["nodes"] for o in found["operators"]} == {"If": 1, "MatMul": 1, "Neg": 2, "Own": 1}
    assert found["opsets"] == {"": 18, "my.domain": 2}
    assert [layer["name"] for layer in found["layers"]] == ["choice", "m", "o"]
    assert [layer["multiply_adds"] for layer in found["layers"]] == [None, None, 0]
    assert [layer["parameters"] for layer in found["layers"]] == [0, 12, 0]
    text = tool("inspect", str(tmp_path / "m.onnx"))
    assert "opset 18, opset 2 of my.domain" in text and "  s: ?\n" in text and "  o: float32 ?\n" in text


@pytest.mark.parametrize("seed", range(6))
def test_broken_files(written, tmp_path, seed):
    """Bytes that are left out, changed or repeated: an error with the file's name, or an answer."""
    rng, data = random.Random(seed), written.read_bytes()
    path = tmp_path / "broken.onnx"
    failed = 0
    for _ in range(150):
        broken = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(8)):
            # The graph's structure, not its weights, is where it counts.
            at = rng.randrange(min(len(broken), 3000) or 1)
            broken[at : at + rng.randrange(3)] = bytes(rng.randrange(256) for _ in range(rng.randrange(3)))
        path.write_bytes(broken)
        try:
            mx2onnx.inspect(path)
        except mx2onnx.FormatError as error:
            failed += 1
            assert str(error).startswith(str(path) + ": expected an ONNX model, found ")
    assert failed > 30


def test_graphs_within_graphs_within_graphs(tmp_path):
    def block(number, body):
        length, size = len(body), bytearray()
        while length > 127:
            size.append(length & 127 | 128)
            length >>= 7
        return bytes([number << 3 | 2]) + bytes(size) + bytes([length]) + body

    graph = b""
    for _ in range(2000):
        graph = block(1, block(4, b"If") + block(5, block(6, graph)))
    (tmp_path / "deep.onnx").write_bytes(b"\x08\x08" + block(7, graph) + block(8, b"\x10\x11"))
    with pytest.raises(mx2onnx.FormatError, match="graphs are nested deeper than 32 levels"):
        mx2onnx.inspect(tmp_path / "deep.onnx")


def test_a_model_without_a_graph(tmp_path):
    (tmp_path / "e.onnx").write_bytes(b"\x08\x08")
    with pytest.raises(mx2onnx.FormatError, match="found no graph or no opset"):
        mx2onnx.inspect(tmp_path / "e.onnx")
