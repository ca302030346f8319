"""`mx2onnx lint`: what it finds in small models, ours and others', what it prints, and on broken files."""

import json
import pathlib
import random
import subprocess

import mx2onnx
import numpy as np
import pytest
from test_cli import CNN, TOOL, tool

import onnx
from onnx import TensorProto, helper, numpy_helper

TABLE = pathlib.Path(__file__).parents[2] / "data/runtimes.tsv"
needs_tool = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")


def model(nodes, inputs, outputs=("y",), weights=(), opset=17, types=()):
    """A file as another exporter writes it: without the types of inner values."""
    ports = [helper.make_tensor_value_info(name, dtype, shape) for name, dtype, shape in inputs]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["a", "b", "c", "d"]) for name in outputs]
    graph = helper.make_graph(
        nodes, "g", ports, ends, [numpy_helper.from_array(value, name) for name, value in weights], value_info=types
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


def findings(data, target):
    (result,) = mx2onnx.lint(data, target)
    assert result["target"] == target
    assert result["runs"] == (not {"wrong", "refuse"} & {f["severity"] for f in result["findings"] if f["certain"]})
    return {(f["severity"], f["op"]): f for f in result["findings"]}


F, INT64 = TensorProto.FLOAT, TensorProto.INT64
X = ("x", F, [1, 2, 6, 6])


def pool(**attributes):
    return helper.make_node("AveragePool", ["x"], ["y"], "pool", kernel_shape=[3, 3], **attributes)


def test_padding_that_opencv_does_not_count():
    wrong = findings(model([pool(pads=[1, 1, 1, 1], count_include_pad=1)], [X]), "opencv4")
    assert wrong["wrong", "AveragePool"]["nodes"] == ["pool"] and wrong["wrong", "AveragePool"]["certain"]
    assert wrong["wrong", "AveragePool"]["advice"]
    for attributes in ({"pads": [1, 1, 1, 1]}, {"count_include_pad": 1}, {"pads": [0] * 4, "count_include_pad": 1}):
        assert ("wrong", "AveragePool") not in findings(model([pool(**attributes)], [X]), "opencv4")


@pytest.mark.parametrize("dtype", [INT64, TensorProto.INT32])
def test_clip_of_integers(dtype):
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=dtype),
        helper.make_node("Clip", ["i", "low", "high"], ["c"]),  # a type that only follows of the Cast
        helper.make_node("Gather", ["table", "c"], ["y"]),
    ]
    number = np.int64 if dtype == INT64 else np.int32
    weights = [("low", number(0)), ("high", number(4)), ("table", np.ones((5, 3), np.float32))]
    data = model(nodes, [("x", F, ["n", 2])], weights=weights)
    assert findings(data, "opencv4")["wrong", "Clip"]["nodes"] == ["c"]
    assert findings(data, "tensorrt")["refuse", "Clip"]["certain"]
    assert not findings(data, "onnxruntime")


def test_what_cannot_be_told():
    nodes = [helper.make_node("Op", ["x"], ["i"], domain="d"), helper.make_node("Relu", ["i"], ["y"])]
    found = findings(model(nodes, [X]), "tensorrt")
    assert found["untried", "d/Op"]
    assert not found["refuse", "Relu"]["certain"]


def test_constants():
    """An initializer, a Constant, and what is computed."""
    k = np.array([5000], np.int64)
    topk = helper.make_node("TopK", ["x", "k"], ["y", "i"])
    constant = helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(k))
    for data in (model([topk], [X], weights=[("k", k)]), model([constant, topk], [X])):
        assert "K has to be less than 3840" in findings(data, "tensorrt")["refuse", "TopK"]["message"]
    small = model([topk], [X], weights=[("k", np.array([3], np.int64))])
    assert not findings(small, "tensorrt")
    computed = model([topk], [X, ("k", INT64, [1])])
    assert "constant" in findings(computed, "tensorrt")["refuse", "TopK"]["message"]


def test_bodies():
    x = helper.make_tensor_value_info("s", F, [2])
    out = helper.make_tensor_value_info("o", F, [2])
    inside = helper.make_graph([helper.make_node("NonMaxSuppression", ["s", "w"], ["o"], "deep")], "b", [x], [out])
    scan = helper.make_node("Scan", ["x"], ["y"], "scan", body=inside, num_scan_inputs=1)
    data = model([scan], [("x", F, [4, 2])], weights=[("w", np.ones(2, np.float32))])
    found = findings(data, "opencv4")
    assert found["refuse", "Scan"]["nodes"] == ["scan"]
    assert found["refuse", "NonMaxSuppression"]["nodes"] == ["deep"]
    assert findings(data, "tflite")["refuse", "Scan"]  # its body uses w


def test_names_and_opset():
    named = model([helper.make_node("Relu", ["x"], ["y"], "x")], [X])
    assert findings(named, "tract")["refuse", "Relu"]["message"] == "a node has the name of an input"
    old = findings(named, "onnxruntime-1.8")["refuse", ""]
    assert old["message"] == "opset 17: it takes 7 to 14" and old["count"] == 0


def test_every_row_is_well_formed():
    """That the table is read at all is tested in C++; here, that its words are for people."""
    rows = [line.split("\t") for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    assert {row[0] for row in rows} == set(mx2onnx.lint_targets())
    for row in rows:
        assert len(row) == 7 and row[6]
        assert not any(cell.endswith((".", " ")) for cell in row), row
    assert len({tuple(row[:4]) for row in rows}) == len(rows)


def test_our_result_and_several_targets(tmp_path):
    result = mx2onnx.convert(CNN[0], CNN[1])
    path = tmp_path / "m.onnx"
    result.save(path)
    names = ["tvm", "openvino", "tvm"]
    assert [r["target"] for r in mx2onnx.lint(result, names)] == ["tvm", "openvino"]
    assert mx2onnx.lint(path, names) == mx2onnx.lint(result, names) == mx2onnx.lint(result.model, names)
    assert [r["target"] for r in mx2onnx.lint(path)] == mx2onnx.lint_targets()


def test_misuse(tmp_path):
    with pytest.raises(mx2onnx.UsageError, match='target: expected opencv4, .* got "opencv"'):
        mx2onnx.lint(tmp_path / "none.onnx", "opencv")
    with pytest.raises(mx2onnx.FileError):
        mx2onnx.lint(tmp_path / "none.onnx")
    with pytest.raises(TypeError, match="model"):
        mx2onnx.lint(3)
    with pytest.raises(mx2onnx.FormatError):
        mx2onnx.lint(b"no model")


def test_broken_files():
    """Cut and changed: an error of ours, or findings; never anything else."""
    data = model([pool(pads=[1, 1, 1, 1], count_include_pad=1)], [X])
    draw = random.Random(20)
    for i in range(len(data)):
        for broken in (data[:i], data[:i] + bytes([draw.randrange(256)]) + data[i + 1 :]):
            try:
                mx2onnx.lint(broken)
            except mx2onnx.FormatError:
                pass


@needs_tool
def test_to_the_letter(tmp_path):
    data = model([pool(pads=[1, 1, 1, 1], count_include_pad=1)], [X])
    (tmp_path / "m.onnx").write_bytes(data)
    command = [TOOL, "lint", "m.onnx", "--target", "opencv4,tract"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 6 and process.stderr == ""
    assert (
        process.stdout
        == """\
opencv4 (OpenCV 4.14.0's dnn module): 1 problem
  wrong  AveragePool: padding is not counted, although count_include_pad says so
         [pool]
         hint: a Pad before it; convert --target opencv4 writes that
tract (tract 0.23.9): no problem is known
"""
    )
    process = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 6
    assert json.loads(process.stdout) == mx2onnx.lint(tmp_path / "m.onnx", ["opencv4", "tract"])
    fine = subprocess.run([TOOL, "lint", "m.onnx", "--target", "tract"], cwd=tmp_path, capture_output=True, text=True)
    assert fine.returncode == 0


@needs_tool
@pytest.mark.parametrize(
    "words, code", [([], 2), (["m.onnx", "--target", "x"], 2), (["none.onnx"], 3), (["m.onnx"], 4)]
)
def test_exit_codes(tmp_path, words, code):
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08nothing")
    process = subprocess.run([TOOL, "lint", *words], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == code and process.stderr


@needs_tool
def test_list_of_targets():
    lines = tool("lint", "--list-targets").splitlines()
    assert [line.split()[0] for line in lines] == mx2onnx.lint_targets()


def test_onnx_s_checker_takes_the_models():
    """So that the tests above are of models, not of what no runtime is given."""
    onnx.checker.check_model(onnx.load_from_string(model([pool(pads=[1, 1, 1, 1], count_include_pad=1)], [X])))
