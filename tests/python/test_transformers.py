"""Transformers: a past of any length, also none, and graphs in which ONNX Runtime finds its fusions.

tests/transformers is recorded from MXNet by tools/record_transformers.py.
"""

import collections
import pathlib

import mx2onnx
import numpy as np
import onnxruntime
import pytest
from running import assert_same, check_model, run

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent / "transformers"
OPSETS = (12, 13, 14, mx2onnx.DEFAULT_OPSET, 20, 23, mx2onnx.LAST_OPSET)
FREE = {
    "past": {"data": ("B", "T", 6), "past_keys": ("B", "S", 8), "past_values": ("B", "S", 8)},
    "positions": {"data": ("B", "T"), "past": ("B", "S", 3)},
    "bert": {"data": ("T", "B", 16), "position": ("T", 1, 16)},
}


def load(name):
    arrays = dict(np.load(ROOT / (name + ".npz")))

    def group(prefix):
        return {key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)}

    count = len({key.split("/")[0] for key in arrays} - {"param"})
    runs = [(group("%d/in/" % i), list(group("%d/out/" % i).values())) for i in range(count)]
    return group("param/"), runs


def convert(name, inputs, **options):
    return mx2onnx.convert(ROOT / (name + "-symbol.json"), load(name)[0], inputs=inputs, **options)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("name", sorted(FREE))
def test_free_sizes(name, opset):
    result = convert(name, FREE[name], opset=opset)
    assert not result.diagnostics
    check_model(result.model)
    for feeds, expected in load(name)[1]:
        assert_same(run(result.model, feeds), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", sorted(FREE))
def test_fixed_sizes(name):
    for feeds, expected in load(name)[1]:
        result = convert(name, {key: value.shape for key, value in feeds.items()})
        check_model(result.model)
        graph = onnx.load_from_string(result.model).graph
        assert not [node for node in graph.node if node.op_type in ("Shape", "Range")]
        assert_same(run(result.model, feeds), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", (12, mx2onnx.LAST_OPSET))
def test_positions_without_a_past(opset):
    """MXNet cannot run this one without a past; the positions are what they would be from 0 on."""
    result = convert("positions", FREE["positions"], opset=opset)
    feeds = {"data": np.zeros((2, 4), "float32"), "past": np.zeros((2, 0, 3), "float32")}
    assert_same(run(result.model, feeds), [np.arange(4, dtype="int32")])


@pytest.mark.parametrize("opset", OPSETS)
def test_a_past_that_grows(opset):
    """Step by step from no past at all is what MXNet gives for one step after the other."""
    model = convert("past", FREE["past"], opset=opset).model
    data = np.random.RandomState(2).uniform(-1, 1, (2, 4, 6)).astype("float32")
    none = np.zeros((2, 0, 8), "float32")
    past = (none, none)
    for step in range(4):
        feeds = {"data": data[:, step : step + 1], "past_keys": past[0], "past_values": past[1]}
        last, *past = run(model, feeds)
        assert past[0].shape == (2, step + 1, 8)
    whole = run(model, {"data": data, "past_keys": none, "past_values": none})
    assert_same([last[:, 0], *past], [whole[0][:, -1], *whole[1:]], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", (12, 13, 16, 17, 20, 23, mx2onnx.LAST_OPSET))
@pytest.mark.parametrize("sizes", ["free", "fixed"])
def test_fusions(opset, sizes, tmp_path):
    """What ONNX Runtime makes of two layers of BERT."""
    feeds, expected = load("bert")[1][0]
    inputs = FREE["bert"] if sizes == "free" else {key: value.shape for key, value in feeds.items()}
    model = convert("bert", inputs, opset=opset).model
    ours = collections.Counter(node.op_type for node in onnx.load_from_string(model).graph.node)
    assert ours["LayerNormalization"] == (5 if opset >= 17 else 0)
    assert ours["Gelu"] == (2 if opset >= 20 else 0)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    assert_same(session.run(None, feeds), expected, rtol=1e-4, atol=1e-5)
    fused = collections.Counter(node.op_type for node in onnx.load(tmp_path / "fused.onnx").graph.node)
    # Where all sizes are known it turns MatMul and Add into a Gemm first, which takes the bias from Gelu.
    gelu = "BiasGelu" if sizes == "free" else "Gelu"
    expected = {"LayerNormalization": 1, "SkipLayerNormalization": 4, gelu: 2, "FusedMatMul": 2}
    assert {op: fused[op] for op in expected} == expected
    assert not any(fused[op] for op in ("Erf", "ReduceMean", "Pow", "Sqrt", "Div"))
