"""Operators that changed between versions of MXNet: which record a file gets, by what the file or the user says, and files
from before July 2016, which say nothing and fit together with the Pooling of their time only."""

import json
import re

import mx2onnx
import numpy as np
import pytest
from running import run
from test_cli import tool

GAMMA = {"of a group": 2, "of a channel": 4}


def group_norm(version=None):
    attrs = {} if version is None else {"attrs": {"mxnet_version": ["int", version]}}
    nodes = [{"op": "null", "name": name, "inputs": []} for name in ("data", "gamma", "beta")]
    nodes.append({"op": "GroupNorm", "name": "norm", "attrs": {"num_groups": "2"}, "inputs": [[0, 0], [1, 0], [2, 0]]})
    return json.dumps({"nodes": nodes, "arg_nodes": [0, 1, 2], "heads": [[3, 0]], **attrs})


def gamma_of(symbol, **options):
    """Whose gamma the model's is, found by which one it takes."""
    taken = []
    for whose, size in GAMMA.items():
        params = {name: np.ones(size, np.float32) for name in ("gamma", "beta")}
        try:
            mx2onnx.convert(symbol, params, inputs={"data": (1, 4, 3)}, **options)
            taken.append(whose)
        except mx2onnx.ModelError:
            pass
    (only,) = taken
    return only


@pytest.mark.parametrize("version,whose", [(None, "of a group"), (10600, "of a group"), (10901, "of a group")])
@pytest.mark.parametrize("said", ["2", "2.0", "2.0.0", "2.0.0b1", "2.0.0beta1", "2.0.0.dev3"])
def test_what_the_user_says_holds_against_the_file(version, whose, said):
    assert gamma_of(group_norm(version)) == whose
    assert gamma_of(group_norm(version), mxnet_version=said) == "of a channel"


def test_the_file_says_its_version():
    assert gamma_of(group_norm(20000)) == "of a channel"
    assert gamma_of(group_norm(19999)) == "of a group"
    assert gamma_of(group_norm(20000), mxnet_version="1.9.1") == "of a group"
    assert mx2onnx.inspect(group_norm(20000))["mxnet_version"] == "2.0.0"
    assert mx2onnx.inspect(group_norm(20000), mxnet_version="1.6")["mxnet_version"] == "1.6.0"


@pytest.mark.parametrize(
    "text", ["1.9.1x ", "17", "0", "0.0.9", "0.4", "1.", "1..2", "v1.9", "-1", "1.900", "1.9.1.2", "3.0", "1,9"]
)
def test_malformed_versions(text):
    with pytest.raises(mx2onnx.UsageError) as caught:
        mx2onnx.convert(group_norm(), {}, mxnet_version=text)
    assert str(caught.value) == ('mxnet-version: expected a version of MXNet such as 0.7 or 1.9.1, got "%s"' % text)


@pytest.mark.parametrize("version,sizes", [("1.6", [3, 3, 5]), ("1.7", [4, 4, 3]), (None, [4, 4, 3])])
def test_sections_of_a_free_size(version, sizes):
    nodes = [{"op": "null", "name": "data", "inputs": []}]
    nodes.append(
        {"op": "_split_v2", "name": "cut", "attrs": {"indices": "()", "sections": "3", "axis": "0"}, "inputs": [[0, 0]]}
    )
    said = {"mxnet_version": ["int", 10901]}
    symbol = json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0], [1, 1], [1, 2]], "attrs": said})
    model = mx2onnx.convert(symbol, inputs={"data": ("n", 2)}, mxnet_version=version).model
    x = np.arange(22, dtype=np.float32).reshape(11, 2)
    parts = run(model, {"data": x})
    assert [len(part) for part in parts] == sizes
    np.testing.assert_array_equal(np.concatenate(parts), x)


def old_priors(height, width, sizes, ratios):
    """The boxes of MXNet 0.9.5 and 0.11.0: sizes are parts of the width and of the height, whatever their ratio."""
    boxes = [(size, 1.0) for size in sizes] + [(sizes[0], np.sqrt(ratio)) for ratio in ratios[1:]]
    rows = []
    for y in (np.arange(height) + 0.5) / height:
        for x in (np.arange(width) + 0.5) / width:
            for size, root in boxes:
                w, h = size * root / 2, size / root / 2
                rows.append([x - w, y - h, x + w, y + h])
    return np.array([rows], np.float32)


@pytest.mark.parametrize("free", [False, True])
def test_priors_until_0_11(free):
    nodes = [{"op": "null", "name": "data", "inputs": []}]
    attrs = {"sizes": "(0.4, 0.2)", "ratios": "(3, 2, 0.5)"}
    nodes.append({"op": "_contrib_MultiBoxPrior", "name": "prior", "attrs": attrs, "inputs": [[0, 0]]})
    symbol = json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0]]})
    x = np.zeros((1, 2, 3, 5), np.float32)
    shape = (1, 2, "h", "w") if free else x.shape
    (found,) = run(mx2onnx.convert(symbol, inputs={"data": shape}).model, {"data": x})
    np.testing.assert_allclose(found, old_priors(3, 5, [0.4, 0.2], [3, 2, 0.5]), atol=1e-6)
    (newer,) = run(mx2onnx.convert(symbol, inputs={"data": shape}, mxnet_version="1.4").model, {"data": x})
    assert np.abs(found - newer).max() > 0.05


def test_the_command_line_takes_a_version(tmp_path):
    path = tmp_path / "m-symbol.json"
    path.write_text(group_norm())
    np.savez(tmp_path / "m.npz", gamma=np.ones(4, np.float32), beta=np.ones(4, np.float32))
    convert = ["convert", path, tmp_path / "m.npz", "--input", "data:1,4,3", "-o", tmp_path / "m.onnx", "-q"]
    tool(*convert, "--mxnet-version", "2.0")
    tool(*convert, "--mxnet-version", "new", code=2)
    assert "saved by MXNet 2.0.0" in tool("inspect", path, "--mxnet-version", "2.0")


def test_the_table_shows_variants():
    by_name = {op["name"]: op for op in json.loads(tool("ops", "--json"))["operators"]}
    (of_2,) = by_name["GroupNorm"]["variants"]
    assert of_2["files"] == "since MXNet 2.0"
    assert of_2["difference"] == "gamma and beta have an element per channel, not per group"
    assert of_2["inputs"] == by_name["GroupNorm"]["inputs"]
    (old,) = by_name["Pooling"]["variants"]
    assert old["files"] == "until MXNet 0.7"
    names = [a["name"] for a in old["attributes"]]
    assert "stride" in names and "pooling_convention" not in names
    assert by_name["Convolution"]["variants"] == []
    assert {op["name"]: op["variants"] for op in mx2onnx.operators()}["Pooling"] == by_name["Pooling"]["variants"]
    text = tool("ops")
    assert re.search(r"\nGroupNorm .*\n +since MXNet 2\.0: gamma and beta", text)
    assert "**In files until MXNet 0.7**: " in tool("ops", "--markdown")


# --- before July 2016


def old_pooling(x, kernel, stride, pad, kind):
    """Pooling of MXNet 0.7 on a CPU (mshadow): windows as long as they begin within the padded input, zeros for padding, and
    averages over whole windows."""
    x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    count = [min(size - kernel + stride - 1, size - 1) // stride + 1 for size in x.shape[2:]]
    result = np.zeros(x.shape[:2] + tuple(count), x.dtype)
    for i in range(count[0]):
        for j in range(count[1]):
            window = x[:, :, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            result[:, :, i, j] = window.max((2, 3)) if kind == "max" else window.sum((2, 3)) / kernel**2
    return result


def old_node(op, name, inputs, **param):
    return {"op": op, "name": name, "param": param, "inputs": inputs, "backward_source_id": -1}


def symbol_of(nodes, **more):
    heads = [[len(nodes) - 1, 0]]
    return json.dumps(
        {"nodes": nodes, "arg_nodes": [i for i, n in enumerate(nodes) if n["op"] == "null"], "heads": heads, **more}
    )


def pooled(**param):
    return [old_node("null", "data", []), old_node("Pooling", "pool", [[0, 0]], **param)]


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize(
    "kernel,stride,pad", [(3, 2, 0), (3, 2, 1), (2, 2, 0), (2, 3, 0), (1, 3, 0), (1, 2, 0), (2, 3, 1), (3, 1, 1)]
)
def test_old_pooling(kernel, stride, pad, kind):
    attrs = {"kernel": (kernel,) * 2, "stride": (stride,) * 2, "pad": (pad,) * 2, "pool_type": kind}
    symbol = symbol_of(pooled(**{k: str(v) for k, v in attrs.items()}))
    free = mx2onnx.convert(symbol, inputs={"data": ("n", "c", "h", "w")}, mxnet_version="0.7").model
    for size in [(6, 7), (8, 9), (5, 10)]:
        x = np.random.RandomState(1).normal(size=(1, 2, *size)).astype(np.float32)
        expected = old_pooling(x, kernel, stride, pad, kind)
        fixed = mx2onnx.convert(symbol, inputs={"data": x.shape}, mxnet_version="0.7").model
        for model in (fixed, free):
            (found,) = run(model, {"data": x})
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_old_pooling_has_no_convention():
    symbol = symbol_of(pooled(kernel="(2, 2)", pool_type="max", pooling_convention="full"))
    with pytest.raises(mx2onnx.ModelError, match="attribute 'pooling_convention': this operator has no such attribute"):
        mx2onnx.convert(symbol, inputs={"data": (1, 1, 5, 5)}, mxnet_version="0.7")


def inception(**more):
    """Half of the size by a convolution and by a pooling, joined: for even sizes the two fit only where pooling rounds up."""
    nodes = [old_node("null", "data", []), old_node("null", "conv_weight", []), old_node("null", "conv_bias", [])]
    size = {"kernel": "(3, 3)", "stride": "(2, 2)"}
    nodes.append(old_node("Convolution", "conv", [[0, 0], [1, 0], [2, 0]], num_filter="2", pad="(1, 1)", **size))
    nodes.append(old_node("Pooling", "pool", [[0, 0]], pool_type="max", **size))
    nodes.append(old_node("Concat", "join", [[3, 0], [4, 0]], num_args="2"))
    return symbol_of(nodes, **more)


INCEPTION = {"conv_weight": np.ones((2, 3, 3, 3), np.float32), "conv_bias": np.zeros(2, np.float32)}
OLD_WARNING = (
    "the model fits together only where Pooling rounds up, as it did until MXNet 0.7 (July 2016): the file does not say its "
    "version, and is taken for one of that time (another one is said by mxnet_version)"
)


def warnings_of(result):
    return [(d["id"], d["message"]) for d in result.report["diagnostics"] if d["id"] == "W-old-pooling-rule"]


@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (1, 3, 16, 12), ("n", 3, 8, 8), ("n", 3, "h", "w")])
def test_a_file_that_fits_only_so_is_old(shape):
    result = mx2onnx.convert(inception(), INCEPTION, inputs={"data": shape})
    assert warnings_of(result) == [("W-old-pooling-rule", OLD_WARNING)]
    x = np.random.RandomState(3).normal(size=[{"n": 1, "h": 10, "w": 6}.get(d, d) for d in shape]).astype(np.float32)
    (found,) = run(result.model, {"data": x})
    np.testing.assert_allclose(found[:, 2:], old_pooling(x, 3, 2, 0, "max"), rtol=1e-6)


def test_a_version_that_is_said_decides():
    inputs = {"data": (1, 3, 16, 16)}
    assert warnings_of(mx2onnx.convert(inception(), INCEPTION, inputs=inputs, mxnet_version="0.7")) == []
    with pytest.raises(mx2onnx.ModelError, match="join"):
        mx2onnx.convert(inception(), INCEPTION, inputs=inputs, mxnet_version="0.8")
    for version in (800, 905, 10901):
        with pytest.raises(mx2onnx.ModelError, match="join"):
            mx2onnx.convert(inception(attrs={"mxnet_version": ["int", version]}), INCEPTION, inputs=inputs)


def test_what_fits_as_it_is_stays_so():
    # A last window that is not whole: nothing says that it was there.
    symbol = symbol_of(pooled(kernel="(3, 3)", stride="(2, 2)", pool_type="max"))
    result = mx2onnx.convert(symbol, inputs={"data": (1, 1, 8, 8)})
    assert warnings_of(result) == []
    assert result.report["outputs"][0]["shape"] == [1, 1, 3, 3]


def test_an_error_is_that_of_the_file_as_it_is():
    with pytest.raises(mx2onnx.ModelError) as new:
        mx2onnx.convert(inception(attrs={"mxnet_version": ["int", 800]}), {}, inputs={"data": (1, 3, 16, 16)})
    with pytest.raises(mx2onnx.ModelError) as unsaid:
        mx2onnx.convert(inception(), {}, inputs={"data": (1, 3, 16, 16)})
    assert str(new.value) == str(unsaid.value)
