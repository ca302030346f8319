"""The old exporter's function, each argument, and the old places."""

import os
import pathlib
import subprocess
import sys
import warnings

import mx2onnx
import numpy as np
import pytest
from running import assert_same, run

import onnx

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL, PARAMS = str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params")


def node(op, name, inputs=(), **attrs):
    return {"op": op, "name": name, "inputs": [[i, k, 0] for i, k in inputs], "attrs": attrs}


# x(b, 4) -> fc(3) -> act; heads act, fc, and act again; a label.
GRAPH = {
    "nodes": [
        node("null", "x"),
        node("null", "w"),
        node("FullyConnected", "fc", [(0, 0), (1, 0)], num_hidden="3", no_bias="True"),
        node("Activation", "act", [(2, 0)], act_type="relu"),
        node("null", "softmax_label"),
        node("SoftmaxOutput", "softmax", [(3, 0), (4, 0)]),
    ],
    "arg_nodes": [0, 1, 4],
    "heads": [[5, 0, 0], [2, 0, 0], [5, 0, 0]],
}
WEIGHT = np.arange(12, dtype="float32").reshape(3, 4) / 12


class LiveArray:
    """As much of an NDArray as matters."""

    def __init__(self, array):
        self.array = array

    def asnumpy(self):
        return self.array


class LiveSymbol:
    def __init__(self, graph):
        self.graph = graph

    def tojson(self):
        import json

        return json.dumps(self.graph)

    def list_outputs(self):
        return []


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "m.onnx")


def export(out, *args, **kwargs):
    args = args or (LiveSymbol(GRAPH), {"arg:w": LiveArray(WEIGHT)})
    assert mx2onnx.export_model(*args, onnx_file_path=out, **kwargs) == out
    return onnx.load(out)


def ports(values):
    return [
        (v.name, v.type.tensor_type.elem_type, [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim])
        for v in values
    ]


def test_paths_and_positions(out):
    assert mx2onnx.export_model(SYMBOL, PARAMS, [(16, 1, 8, 8)], np.float32, out) == out
    expected = np.load(MODELS / "digits_cnn-expected.npz")
    assert_same(run(out, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_path_object_is_returned_as_it_came(tmp_path):
    path = tmp_path / "m.onnx"
    assert mx2onnx.export_model(SYMBOL, PARAMS, [(16, 1, 8, 8)], onnx_file_path=path) is path


@pytest.mark.parametrize("name", ["w", "arg:w"])
def test_live_objects(out, name):
    model = export(out, LiveSymbol(GRAPH), {name: LiveArray(WEIGHT)}, in_shapes=[(2, 4)])
    assert ports(model.graph.input) == [("x", 1, [2, 4])]
    x = np.random.RandomState(0).rand(2, 4).astype("float32")
    fc = x @ WEIGHT.T
    e = np.exp(np.maximum(fc, 0))
    assert_same(run(out, {"x": x})[:2], [e / e.sum(1, keepdims=True), fc])


BATCH_NORM = {
    "nodes": [node("null", "x"), node("null", "g"), node("null", "b"), node("null", "m"), node("null", "v"),
              node("BatchNorm", "bn", [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)], fix_gamma="False")],
    "heads": [[5, 0, 0]],
}  # fmt: skip


@pytest.mark.parametrize("form", ["one dict", "prefixes", "list", "tuple", "list with prefixes", "file"])
def test_forms_of_params(out, form, tmp_path):
    """`params - str or dict or list of dict`, as the old function's documentation has it."""
    values = {n: np.array(v, "float32") for n, v in (("g", [2, 3]), ("b", [1, 0]), ("m", [0, 1]), ("v", [1, 4]))}
    live = {name: LiveArray(value) for name, value in values.items()}
    arguments, auxiliary = {n: live[n] for n in "gb"}, {n: live[n] for n in "mv"}
    marked = {"arg:" + n: v for n, v in arguments.items()}, {"aux:" + n: v for n, v in auxiliary.items()}
    np.savez(tmp_path / "p.npz", **values)
    forms = {
        "one dict": live,
        "prefixes": {**marked[0], **marked[1]},
        "list": [arguments, auxiliary],
        "tuple": (arguments, auxiliary),
        "list with prefixes": list(marked),
        "file": str(tmp_path / "p.npz"),
    }
    export(out, LiveSymbol(BATCH_NORM), forms[form], in_shapes=[(1, 2)])
    x = np.array([[3, 5]], "float32")
    assert_same(run(out, {"x": x}), [(x - values["m"]) / np.sqrt(values["v"] + 1e-3) * values["g"] + values["b"]])


@pytest.mark.parametrize("symbol", [SYMBOL, pathlib.Path(SYMBOL), open(SYMBOL).read()], ids=["str", "Path", "text"])
@pytest.mark.parametrize("params", [PARAMS, pathlib.Path(PARAMS), [PARAMS]], ids=["str", "Path", "list"])
def test_forms_of_paths(out, symbol, params):
    assert export(out, symbol, params, in_shapes=[(1, 1, 8, 8)]).graph.output[0].name == "probabilities_output"


def test_defaults(tmp_path, monkeypatch):
    """`in_types` and `onnx_file_path` have the old defaults; shapes may stand in the symbol."""
    monkeypatch.chdir(tmp_path)
    assert mx2onnx.export_model(SYMBOL, PARAMS, [(1, 1, 8, 8)]) == "model.onnx"
    assert ports(onnx.load("model.onnx").graph.input) == [("data", 1, [1, 1, 8, 8])]


def test_signature_is_the_old_one():
    import inspect

    parameters = list(inspect.signature(mx2onnx.export_model).parameters.values())
    assert [(p.name, p.default) for p in parameters if p.kind is not p.KEYWORD_ONLY] == [
        ("sym", inspect.Parameter.empty),
        ("params", inspect.Parameter.empty),
        ("in_shapes", None),
        ("in_types", "float32"),
        ("onnx_file_path", "model.onnx"),
        ("verbose", False),
        ("dynamic", False),
        ("dynamic_input_shapes", None),
        ("run_shape_inference", False),
        ("input_type", None),
        ("input_shape", None),
        ("large_model", False),
    ]


def test_failures(tmp_path):
    """What goes wrong leaves no file, and its error says what it is."""
    out = tmp_path / "no such folder" / "m.onnx"
    with pytest.raises(mx2onnx.FileError, match="no such folder"):
        mx2onnx.export_model(SYMBOL, PARAMS, [(1, 1, 8, 8)], onnx_file_path=out)
    out = tmp_path / "m.onnx"
    for arguments, error, text in (
        ((SYMBOL + "x", PARAMS, [(1, 1, 8, 8)]), mx2onnx.FileError, "No such file"),
        ((SYMBOL, PARAMS + "x", [(1, 1, 8, 8)]), mx2onnx.FileError, "No such file"),
        ((SYMBOL, PARAMS, [(1, 3, 8, 8)]), mx2onnx.ModelError, "Convolution"),
        ((SYMBOL, PARAMS, [1]), mx2onnx.ModelError, "data"),
        ((SYMBOL, PARAMS, ["(1, 1, 8, 8)"]), mx2onnx.UsageError, "size"),
        ((SYMBOL, {}, [(1, 1, 8, 8)]), mx2onnx.ModelError, "parameter"),
        ((SYMBOL, PARAMS, [(1, 1, 8, 8)], "float31"), mx2onnx.UsageError, "float31"),
        ((SYMBOL, PARAMS, []), mx2onnx.UsageError, "expected 1 shape, for 'data', got 0"),
    ):
        with pytest.raises(error, match=text):
            mx2onnx.export_model(*arguments, onnx_file_path=out)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("in_shapes", [[(2, 4)], [[2, 4]], (2, 4), [(2, 4), (2,)], [(2, 4), None][:1]], ids=repr)
def test_in_shapes(out, in_shapes):
    assert ports(export(out, in_shapes=in_shapes).graph.input) == [("x", 1, [2, 4])]


@pytest.mark.parametrize("in_types", [np.float32, "float32", [np.float32], ["float32"], np.dtype("float32"), None])
def test_in_types(out, in_types):
    assert ports(export(out, in_shapes=[(2, 4)], in_types=in_types).graph.input) == [("x", 1, [2, 4])]


def test_in_types_of_two_inputs(out):
    graph = {
        "nodes": [node("null", "b"), node("null", "a"), node("Cast", "c", [(1, 0)], dtype="float32"),
                  node("elemwise_sub", "m", [(0, 0), (2, 0)])],
        "heads": [[3, 0, 0]],
    }  # fmt: skip
    model = export(out, LiveSymbol(graph), {}, in_shapes=[(2, 3), (2, 3)], in_types=[np.float32, np.int32])
    assert ports(model.graph.input) == [("b", 1, [2, 3]), ("a", 6, [2, 3])]
    with pytest.raises(mx2onnx.UsageError, match="expected 2 shapes, for 'b', 'a', got 3"):
        export(out, LiveSymbol(graph), {}, in_shapes=[(1,)] * 3)
    with pytest.raises(mx2onnx.UsageError, match="in_types: expected 2"):
        export(out, LiveSymbol(graph), {}, in_shapes=[(1,)] * 2, in_types=["float32"] * 3)


@pytest.mark.parametrize(
    "arguments,shape",
    [
        (dict(in_shapes=[(2, 4)], dynamic=True), ["batch", 4]),
        (dict(in_shapes=[(2, 4)], dynamic=True, dynamic_input_shapes=[(-1, 4)]), ["x_dim0", 4]),
        (dict(in_shapes=[(2, 4)], dynamic=True, dynamic_input_shapes=[("batch", "Width")]), ["batch", 4]),
        (dict(in_shapes=[(2, 4)], dynamic=False, dynamic_input_shapes=None), [2, 4]),
        (dict(in_shapes=[(2, 4)], dynamic=True, dynamic_input_shapes=[("n", 4)]), ["n", 4]),
        (dict(in_shapes=[(2, 4)], dynamic=True, dynamic_input_shapes=[(None, 4)]), ["x_dim0", 4]),
        (dict(dynamic=True, dynamic_input_shapes=[("n", 4)]), ["n", 4]),
        (dict(in_shapes=[("n", 4)]), ["n", 4]),
        (dict(in_shapes=[(2, 4)], run_shape_inference=True), [2, 4]),
        (dict(input_shape=[(2, 4)], input_type=np.float32), [2, 4]),
        (dict(input_shape=[(2, 4)], in_shapes=[(9, 9)]), [2, 4]),
    ],
    ids=repr,
)
def test_dynamic_and_old_names(out, arguments, shape):
    assert ports(export(out, **arguments).graph.input) == [("x", 1, shape)]


def test_dynamic_alone_frees_what_the_model_leaves_open(out):
    graph = {
        "nodes": [node("null", "x"), node("null", "w"),
                  node("Convolution", "c", [(0, 0), (1, 0)], num_filter="2", kernel="(3, 3)", no_bias="True")],
        "heads": [[2, 0, 0]],
    }  # fmt: skip
    arguments = dict(in_shapes=[(1, 3, 8, 8)], dynamic=True)
    weight = {"w": np.ones((2, 3, 3, 3), "float32")}
    assert ports(export(out, LiveSymbol(graph), weight, **arguments).graph.input)[0][2] == [
        "batch",
        3,
        "x_dim2",
        "x_dim3",
    ]
    assert run(out, {"x": np.ones((2, 3, 5, 9), "float32")})[0].shape == (2, 2, 3, 7)
    # A dense layer behind the convolutions needs its sizes.
    mx2onnx.export_model(SYMBOL, PARAMS, [(1, 1, 8, 8)], onnx_file_path=out, dynamic=True)
    assert ports(onnx.load(out).graph.input)[0][2] == ["batch", 1, 8, 8]


def test_dynamic_shapes_need_dynamic(out):
    with pytest.raises(mx2onnx.UsageError, match="dynamic=True"):
        export(out, in_shapes=[(2, 4)], dynamic_input_shapes=[("n", 4)])
    with pytest.raises(mx2onnx.UsageError, match="2 dimensions in in_shapes and 1 here"):
        export(out, in_shapes=[(2, 4)], dynamic=True, dynamic_input_shapes=[("n",)])


def test_output_order(out):
    ours = [v.name for v in export(out, in_shapes=[(2, 4)]).graph.output]
    assert ours[:2] == ["softmax_output", "fc_output"] and len(ours) == 3
    legacy = [v.name for v in export(out, in_shapes=[(2, 4)], legacy_output_order=True).graph.output]
    assert legacy == ["fc_output", "softmax_output"]


def test_large_model(out):
    mx2onnx.export_model(SYMBOL, PARAMS, [(1, 1, 8, 8)], onnx_file_path=out, large_model=True)
    assert sorted(os.listdir(os.path.dirname(out))) == ["m.onnx", "m.onnx.data"]


def test_verbose_and_opset(out, capsys):
    model = export(out, in_shapes=[(2, 4)], verbose=True, opset_version=13)
    assert model.opset_import[0].version == 13
    assert capsys.readouterr().out.startswith(out + ": <ConvertResult opset 13: x float32(2, 4)")


def test_operator_support():
    names = mx2onnx.get_operator_support()
    assert {"Convolution", "elemwise_add", "SoftmaxOutput"} < set(names) and names == sorted(set(names))
    assert mx2onnx.get_operator_support(11) == [] and mx2onnx.get_operator_support(13) == names


def test_the_old_place_warns_and_forwards(out):
    from mx2onnx.contrib import onnx as onnx_mxnet

    with pytest.warns(DeprecationWarning, match="mx2onnx.contrib.export_model is mx2onnx.export_model now"):
        assert onnx_mxnet.export_model(SYMBOL, PARAMS, [(1, 1, 8, 8)], np.float32, out) == out


@pytest.mark.parametrize("name", ["import_model", "import_to_gluon", "get_model_metadata"])
def test_the_way_back_is_refused(name):
    with pytest.raises(mx2onnx.UnsupportedError, match="retired with MXNet itself; .*onnxruntime|ONNX Runtime"):
        getattr(mx2onnx, name)("model.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(mx2onnx.UnsupportedError):
            getattr(mx2onnx.contrib, name)("model.onnx")


def test_result_forms(tmp_path):
    memory = mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)})
    memory.save(tmp_path / "a.onnx")
    file = mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=tmp_path / "b.onnx")
    file.save(tmp_path / "c.onnx")
    assert memory.to_bytes() == file.to_bytes() == (tmp_path / "a.onnx").read_bytes()
    assert (tmp_path / "c.onnx").read_bytes() == memory.to_bytes()
    assert memory.to_onnx() == file.to_onnx()
    split = mx2onnx.convert(
        SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=tmp_path / "d.onnx", external_data=True
    )
    with pytest.raises(mx2onnx.UsageError, match="convert again"):
        split.save(tmp_path / "e.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.onnx", "b.onnx", "c.onnx", "d.onnx", "d.onnx.data"]


LARGE = (
    '{"nodes": [{"op": "null", "name": "w", "inputs": []}, {"op": "null", "name": "x", "inputs": []},'
    '{"op": "dot", "name": "d", "inputs": [[1, 0, 0], [0, 0, 0]]}], "heads": [[2, 0, 0]]}'
)


def test_progress(tmp_path):
    weight = {"w": np.ones((4096, 4096), "float32")}
    seen = []
    mx2onnx.convert(
        LARGE,
        weight,
        inputs={"x": (1, 4096)},
        output=tmp_path / "o.onnx",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen and seen == sorted(seen) and seen[-1][1] >= weight["w"].nbytes

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mx2onnx.convert(LARGE, weight, inputs={"x": (1, 4096)}, output=tmp_path / "p.onnx", progress=stop)
    assert [p.name for p in tmp_path.iterdir()] == ["o.onnx"]


def test_import_is_light():
    """Relative to an interpreter that does nothing, since machines differ; and what makes imports slow is not loaded."""
    code = "import sys, mx2onnx; print({'numpy', 'onnx', 'mxnet', 'json', 'argparse', 'subprocess', 'shlex'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    assert process.stdout.strip() == "set()", process.stderr


def test_python_command_is_the_tool(tmp_path):
    def both(*arguments):
        ours = subprocess.run([sys.executable, "-m", "mx2onnx", *arguments], capture_output=True, text=True)
        tool = subprocess.run([os.environ.get("MX2ONNX", ""), *arguments], capture_output=True, text=True)
        assert (ours.returncode, ours.stdout, ours.stderr) == (tool.returncode, tool.stdout, tool.stderr)
        return ours.returncode

    if "MX2ONNX" not in os.environ:
        pytest.skip("MX2ONNX does not name the command line tool (make test does)")
    assert both("--help") == 0
    assert both("version") == 0
    assert both("convret") == 2
    assert both("inspect", str(tmp_path / "none")) == 3
    assert both("convert", SYMBOL, PARAMS, "-o", str(tmp_path / "o"), "--input", "data:n,1,8,8") == 0


def test_stub_is_up_to_date(tmp_path):
    pytest.importorskip("nanobind")
    subprocess.run(
        [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "mx2onnx._core", "-o", tmp_path / "s.pyi"], check=True
    )
    stub = pathlib.Path(__file__).resolve().parents[2] / "python" / "mx2onnx" / "_core.pyi"
    assert (tmp_path / "s.pyi").read_text() == stub.read_text(), "run python -m nanobind.stubgen -m mx2onnx._core"
