"""A variable that is a parameter by what the file says of it, or by what it is used for, is never an input without a word."""

import json
import pathlib

import mx2onnx
import numpy as np
import pytest

# What Gluon writes of every parameter.
GLUON = {"__dtype__": "0", "__lr_mult__": "1.0", "__shape__": "(4,)", "__storage_type__": "0", "__wd_mult__": "1.0"}


def symbol(*nodes, heads=None):
    """Nodes as (op, name, attrs, names of inputs); the last is the head."""
    names = [name for _, name, _, _ in nodes]
    listed = [
        {"op": op, "name": name, "attrs": attrs, "inputs": [[names.index(i), 0, 0] for i in inputs]}
        for op, name, attrs, inputs in nodes
    ]
    return json.dumps({"nodes": listed, "heads": [[len(nodes) - 1, 0, 0]], "attrs": {"mxnet_version": ["int", 10901]}})


def lstm(marks):
    weights = {"i2h_weight": "(24, 0)", "h2h_weight": "(24, 6)", "i2h_bias": "(24,)", "h2h_bias": "(24,)"}
    nodes = [("null", "data", {}, [])]
    for name, shape in weights.items():
        nodes.append(("null", name, dict(GLUON, __shape__=shape) if marks else {}, []))
        nodes.append(("Reshape", name + "_flat", {"shape": "-1"}, [name]))
    attrs = {"num_args": "4", "dim": "0"}
    nodes.append(("_rnn_param_concat", "all", attrs, [name + "_flat" for name in weights]))
    nodes += [("null", "h", {}, []), ("null", "c", {}, [])]
    attrs = {"mode": "lstm", "num_layers": "1", "state_size": "6", "state_outputs": "True"}
    nodes.append(("RNN", "rnn", attrs, ["data", "all", "h", "c"]))
    return symbol(*nodes)


STATES = {"data": (5, 2, 4), "h": (1, 2, 6), "c": (1, 2, 6)}


@pytest.mark.parametrize("marks", [True, False], ids=["as Gluon marks them", "by what they are used for"])
def test_the_weights_of_an_lstm(marks):
    with pytest.raises(mx2onnx.ModelError, match="4 parameters are in none of the parameter files:\n  'i2h_weight'"):
        mx2onnx.convert(lstm(marks), inputs=STATES)
    assert mx2onnx.inspect(lstm(marks), inputs=STATES)["missing_parameters"] == [
        "i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"]  # fmt: skip
    shapes = {"i2h_weight": (24, 4), "h2h_weight": (24, 6), "i2h_bias": (24,), "h2h_bias": (24,)}
    named = mx2onnx.convert(lstm(marks), inputs={**STATES, **shapes})
    assert {port["name"] for port in named.inputs} == {*STATES, *shapes}
    stored = mx2onnx.convert(lstm(marks), {n: np.zeros(s, "f4") for n, s in shapes.items()}, inputs=STATES)
    assert {port["name"] for port in stored.inputs} == set(STATES)


def scaled(**attrs):
    """data * scale, where the operator gives no role."""
    return symbol(
        ("null", "data", {}, []), ("null", "scale", attrs, []), ("broadcast_mul", "out", {}, ["data", "scale"])
    )


@pytest.mark.parametrize(
    "attrs", [GLUON, {"__lr_mult__": "1.0"}, {"__wd_mult__": "0"}, {"__init__": '["normal", {}]', "__shape__": "(4,)"}],
    ids=str)  # fmt: skip
def test_what_is_trained_is_no_input(attrs):
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(scaled(**attrs), {"other": np.zeros(4, "f4")}, inputs={"data": (2, 4)})
    assert str(error.value).startswith("symbol: 1 parameter is in none of the parameter files:\n  'scale'")
    assert str(error.value).endswith("; what is an input has to be named as one (inputs)")
    result = mx2onnx.convert(scaled(**attrs), inputs={"data": (2, 4), "scale": (4,)})
    assert [port["name"] for port in result.inputs] == ["data", "scale"]


@pytest.mark.parametrize(
    "attrs", [{}, {"__shape__": "(4,)"}, {"__shape__": "(4,)", "__dtype__": "0"},
              {"__shape__": "(0, 4)", "__layout__": "NC", "__init__": '["zero", {}]'}, {"__profiler_scope__": "net:"}],
    ids=str)  # fmt: skip
def test_data_with_a_shape_stays_data(attrs):
    result = mx2onnx.convert(scaled(**attrs), inputs={"data": (2, 4)})
    assert [port["name"] for port in result.inputs] == ["data", "scale"]


def kernel(*more):
    """A product with a matrix that comes from `also` by way of a Reshape."""
    return symbol(
        ("null", "data", {}, []),
        ("null", "also", {}, []),
        ("Reshape", "flat", {"shape": "(4, 4)"}, ["also"]),
        ("FullyConnected", "fc", {"num_hidden": "4", "no_bias": "True"}, ["data", "flat"]),
        *more,
    )


def test_what_only_moves_into_a_weight_is_one():
    with pytest.raises(mx2onnx.ModelError, match="in none of the parameter files:\n  'also'"):
        mx2onnx.convert(kernel(), inputs={"data": (2, 4)})


def test_what_is_used_otherwise_too_is_data():
    text = kernel(("broadcast_add", "out", {}, ["fc", "also"]))
    result = mx2onnx.convert(text, inputs={"data": (2, 4)})
    assert [port["name"] for port in result.inputs] == ["data", "also"]


SHARED = pathlib.Path("../shared/hostile/missing_lstm_params")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/hostile")
def test_the_real_case():
    with pytest.raises(mx2onnx.ModelError, match="in none of the parameter files"):
        mx2onnx.convert(SHARED / "m-symbol.json", inputs={"data0": (5, 2, 4), "data1": (1, 2, 6), "data2": (1, 2, 6)})
