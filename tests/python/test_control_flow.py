"""Loops and branches: symbols with subgraphs, recorded from MXNet by tools/record_control_flow.py, at several sizes of their inputs."""

import json
import pathlib

import mx2onnx
import numpy as np
import pytest
from running import assert_same, check_model, run

ROOT = pathlib.Path(__file__).resolve().parent.parent / "control_flow"
NAMES = sorted(path.name[: -len("-symbol.json")] for path in ROOT.glob("*-symbol.json"))
OPSETS = (12, 13, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET)


def load(name):
    """(parameters, [(feeds, outputs, {output: number of rows that mean something})])"""
    arrays = dict(np.load(ROOT / (name + ".npz")))

    def group(prefix):
        return {key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)}

    runs = []
    while "%d/out/0" % len(runs) in arrays:
        i = len(runs)
        outputs = group("%d/out/" % i)
        rows = {int(k): int(value) for k, value in group("%d/rows/" % i).items()}
        runs.append((group("%d/in/" % i), [outputs[str(k)] for k in range(len(outputs))], rows))
    return group("param/"), runs


def free_shapes(runs):
    """A name for each size that differs between the runs; sizes that always agree with each other get one name."""
    columns = {}
    shapes = {}
    for key in runs[0][0]:
        shapes[key] = []
        for axis, size in enumerate(runs[0][0][key].shape):
            sizes = tuple(feeds[key].shape[axis] for feeds, *_ in runs)
            name = columns.setdefault(sizes, "n%d" % len(columns))
            shapes[key].append(size if len(set(sizes)) == 1 else name)
    return shapes


def check(model, runs):
    check_model(model)
    for feeds, expected, rows in runs:
        got = run(model, feeds)
        assert [g.shape for g in got] == [e.shape for e in expected]
        for i, count in rows.items():
            # Behind the last iteration MXNet has what lies in its memory, and the ONNX model zeros.
            assert count < len(got[i]) or count == len(got[i]) > 0
            assert not got[i][count:].any()
            got[i], expected[i] = got[i][:count], expected[i][:count]
        assert_same(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("name", NAMES)
def test_recorded(name, opset):
    params, runs = load(name)
    for recorded in runs:
        shapes = {key: value.shape for key, value in recorded[0].items()}
        result = mx2onnx.convert(ROOT / (name + "-symbol.json"), params, inputs=shapes, opset=opset)
        check(result.model, [recorded])


@pytest.mark.parametrize("optimize", [True, False], ids=["optimised", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_free_sizes(name, optimize):
    params, runs = load(name)
    result = mx2onnx.convert(ROOT / (name + "-symbol.json"), params, inputs=free_shapes(runs), optimize=optimize)
    # MXNet 2.0 does not write how many iterations there are at most.
    assert [d["id"] for d in result.diagnostics] == ["W-loop-without-end"] * (name == "npx_while_loop")
    check(result.model, runs)


def test_a_loop_of_unknown_length():
    """Of outputs that are stacked the bound is the shape, and MXNet 2.0 does not write it."""
    document = json.loads((ROOT / "npx_while_loop-symbol.json").read_text())
    loop = loop_node(document)
    loop["subgraphs"][1]["heads"].insert(0, [1, 0, 0])
    document["heads"].append([2, 2, 0])
    inputs = {"data0": (1,), "data1": (2,)}
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(json.dumps(document), inputs=inputs)
    assert "attribute 'max_iterations': MXNet 2.0 does not write it" in str(error.value)
    loop["attrs"] = {"max_iterations": "6"}
    result = mx2onnx.convert(json.dumps(document), inputs=inputs)
    feeds = {"data0": np.float32([1]), "data1": np.float32([1, 2])}
    rows, _, last = run(result.model, feeds)
    np.testing.assert_array_equal(rows[:, 0], [2, 3, 4, 0, 0, 0])
    np.testing.assert_array_equal(last, [19, 27])


def loop_node(document):
    return next(node for node in document["nodes"] if "subgraphs" in node)


def broken(name, change):
    document = json.loads((ROOT / (name + "-symbol.json")).read_text())
    change(loop_node(document))
    return json.dumps(document)


def set_attr(key, value):
    return lambda node: node["attrs"].__setitem__(key, value)


def drop_last_output(node):
    body = node["subgraphs"][-1]
    body["heads"] = body["heads"][:-1]


@pytest.mark.parametrize(
    "name,change,message",
    [
        ("several_of_all", lambda node: node.pop("subgraphs"), "expected 1 subgraph, found 0"),
        ("several_of_all", lambda node: node["subgraphs"].append(node["subgraphs"][0]), "expected 1 subgraph, found 2"),
        (
            "several_of_all",
            set_attr("in_data_locs", "[0, 9]"),
            "in_data_locs.*expected numbers of inputs below 4, got 9",
        ),
        ("several_of_all", set_attr("in_state_locs", "[-1, 2]"), "in_state_locs.*got -1"),
        ("several_of_all", set_attr("in_data_locs", "[0, 0]"), "expected 4 different inputs, got 3"),
        ("several_of_all", set_attr("remain_locs", "[1]"), "num_args"),
        ("several_of_all", set_attr("num_args", "1000000000000"), "num_args"),
        ("several_of_all", set_attr("num_outputs", "99999999999"), "num_outputs"),
        ("several_of_all", set_attr("num_out_data", "4"), "num_outputs"),
        ("several_of_all", drop_last_output, "expected 4, as the subgraph has|found"),
        ("several_of_all", lambda node: node["inputs"].pop(), "expected 4 inputs, found 3"),
        ("several_of_all", lambda node: node["subgraphs"][0].pop("heads"), "heads"),
        ("loop_ends_early", set_attr("func_var_locs", "[0, 7]"), "func_var_locs"),
        ("loop_ends_early", set_attr("func_var_locs", "[0, 0]"), "func_var_locs"),
        ("loop_ends_early", set_attr("cond_input_locs", "[2]"), "cond_input_locs"),
        ("loop_ends_early", set_attr("max_iterations", "0"), "max_iterations"),
        ("loop_ends_early", lambda node: node["subgraphs"].pop(), "expected 2 subgraphs, found 1"),
        ("loop_ends_early", lambda node: node["subgraphs"].reverse(), "variables in subgraph|subgraph of 1 output"),
        ("branches", set_attr("else_input_locs", "[0, 99]"), "else_input_locs"),
        ("branches", lambda node: node["subgraphs"].clear(), "expected 3 subgraphs, found 0"),
    ],
)
def test_broken_subgraphs(name, change, message):
    shapes = {key: value.shape for key, value in load(name)[1][0][0].items()}
    with pytest.raises(mx2onnx.Error, match=message) as error:
        mx2onnx.convert(broken(name, change), inputs=shapes)
    assert not isinstance(error.value, mx2onnx.InternalError)


@pytest.mark.parametrize("depth,message", [(20, "nested deeper than 16"), (10000, "nested deeper than 512")])
def test_endless_nesting(depth, message):
    head = '{"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "null", "name": "s", "inputs": []}, '
    head += '{"op": "_foreach", "name": "f", "attrs": {"num_args": "3", "num_outputs": "2", "num_out_data": "1", '
    head += '"in_data_locs": "[0]", "in_state_locs": "[1]", "remain_locs": "[]"}, "inputs": [[0, 0, 0], [1, 0, 0]], '
    tail = '], "arg_nodes": [0, 1], "heads": [[2, 0, 0], [2, 1, 0]]}'
    text = (head + '"subgraphs": [') * depth + head + '"subgraphs": []}' + tail + ("]}" + tail) * depth
    with pytest.raises(mx2onnx.Error, match=message):
        mx2onnx.convert(text, inputs={"x": (2, 3), "s": (3,)})
