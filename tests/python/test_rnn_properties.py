"""Configurations of RNN drawn at random and recorded with MXNet (tools/record_rnn.py), at two lengths and batches."""

import json
import pathlib

import mx2onnx
import numpy as np
import pytest
from running import assert_same, check_model, run

GOLDEN = np.load(pathlib.Path(__file__).resolve().parent.parent / "golden" / "nn" / "rnn_properties.npz")
CONFIGURATIONS = json.loads(str(GOLDEN["configurations"]))
ATTRIBUTES = ("mode", "state_size", "num_layers", "bidirectional", "state_outputs", "projection_size", "p")


def arrays(prefix):
    return {k[len(prefix) :]: GOLDEN[k] for k in GOLDEN.files if k.startswith(prefix)}


def symbol(configuration, num_outputs):
    names = ["data", "parameters", "state"] + (["state_cell"] if configuration["mode"] == "lstm" else [])
    nodes = [{"op": "null", "name": n, "inputs": []} for n in names]
    attrs = {n: str(configuration[n]) for n in ATTRIBUTES}
    inputs = [[i, 0, 0] for i in range(len(names))]
    nodes.append({"op": "RNN", "name": "rnn", "attrs": attrs, "inputs": inputs})
    return json.dumps(
        {
            "nodes": nodes,
            "arg_nodes": list(range(len(names))),
            "heads": [[len(names), i, 0] for i in range(num_outputs)],
            "attrs": {"mxnet_version": ["int", 10901]},
        }
    )


@pytest.mark.parametrize("index", range(len(CONFIGURATIONS)))
def test_random_configuration(index):
    configuration = CONFIGURATIONS[index]
    sizes = [(arrays("%d/%d/in/" % (index, k)), arrays("%d/%d/out/" % (index, k))) for k in range(2)]
    graph = symbol(configuration, len(sizes[0][1]))
    parameters = {"parameters": GOLDEN["%d/parameters" % index]}

    def compare(model, k):
        feeds, expected = sizes[k]
        # float64 as well is computed in float32.
        tolerance = 2e-5
        expected = [expected[str(i)] for i in range(len(expected))]
        assert_same(run(model, feeds), expected, rtol=tolerance, atol=tolerance, where=str(configuration))

    free = {"data": ("T", "N"), "state": (None, "N"), "state_cell": (None, "N")}
    for opset in (12, mx2onnx.LAST_OPSET):
        shapes = {n: tuple(f or d for f, d in zip(free[n], a.shape)) + a.shape[2:] for n, a in sizes[0][0].items()}
        model = mx2onnx.convert(graph, parameters, opset=opset, inputs=with_dtypes(shapes, sizes[0][0])).model
        check_model(model)
        compare(model, 0)
        compare(model, 1)
    static = {n: a.shape for n, a in sizes[1][0].items()}
    compare(mx2onnx.convert(graph, parameters, inputs=with_dtypes(static, sizes[1][0])).model, 1)


def with_dtypes(shapes, feeds):
    return {n: (shape, feeds[n].dtype.name) for n, shape in shapes.items()}


@pytest.mark.parametrize(
    "attrs",
    [
        {"use_sequence_length": "True"},
        {"lstm_state_clip_min": "-1", "lstm_state_clip_max": "1"},
    ],
)
@pytest.mark.parametrize("dtype,projection", [("float64", None), ("float16", None), ("float32", "2")])
def test_what_mxnet_has_only_in_its_float32_kernels(attrs, dtype, projection):
    """MXNet 1.9.1: "... is only available for cuDNN", "... is only supported for GPU"."""
    names = ["data", "parameters", "state", "state_cell"] + ["length"] * ("use_sequence_length" in attrs)
    attrs = {"mode": "lstm", "state_size": "3", "num_layers": "1", **attrs}
    if projection:
        attrs["projection_size"] = projection
    nodes = [{"op": "null", "name": name, "inputs": []} for name in names]
    nodes.append({"op": "RNN", "name": "rnn", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(len(names))]})
    graph = json.dumps({"nodes": nodes, "heads": [[len(names), 0, 0]]})
    size = 12 * (3 + int(projection or 3) + 2) + 3 * int(projection or 0)
    shapes = {"data": ((4, 2, 3), dtype), "length": ((2,), dtype)}
    inputs = {name: shapes[name] for name in names if name in shapes}
    inputs["state"] = ((1, 2, int(projection or 3)), dtype)
    inputs["state_cell"] = ((1, 2, 3), dtype)
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(graph, {"parameters": np.zeros(size, dtype)}, inputs=inputs)
    assert "only for float32 without projection" in str(error.value)
