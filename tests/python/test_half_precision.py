"""Half precision: what is float16 in the file and what stays float32, sizes, differences, and the words for it."""

import os
import pathlib
import subprocess
import sys

import mx2onnx
import numpy as np
import onnxruntime
import pytest

import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "zoo"))

import zoo_corpus  # noqa: E402
import zoo_verify  # noqa: E402

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
TOOL = os.environ.get("MX2ONNX")

NAMES = ("digits_cnn", "digits_lstm")


def paths(name):
    return str(MODELS / (name + "-symbol.json")), str(MODELS / (name + "-0000.params"))


def weight_bytes(path):
    return sum(len(t.raw_data) for t in onnx.load(path).graph.initializer if t.data_type != onnx.TensorProto.INT64)


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("opset", [12, 17, 28])
@pytest.mark.parametrize("name", NAMES)
def test_digits_are_told_as_well_as_in_float32(name, opset, tmp_path):
    wide, half = tmp_path / "wide.onnx", tmp_path / "half.onnx"
    mx2onnx.convert(*paths(name), output=wide, opset=opset)
    report = mx2onnx.convert(*paths(name), output=half, opset=opset, float16=True).report
    assert report["precision"]["count"] > 0
    assert report["precision"]["clamped"] == 0
    assert weight_bytes(half) < 0.51 * weight_bytes(wide)
    result = mx2onnx.verify(*paths(name), half, expect=MODELS / (name + "-expected.npz"))
    assert result.ok, result.table()
    assert "the file is float16" in result.note
    # It is float16 that was computed: no float32 net agrees only so far.
    assert all(output["max_abs"] > 1e-6 for case in result.cases for output in case["outputs"])
    session = onnxruntime.InferenceSession(str(half), providers=["CPUExecutionProvider"])
    assert {port.type for port in session.get_inputs() + session.get_outputs()} == {"tensor(float)"}


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("name", NAMES)
def test_ports_become_float16_when_asked_for(name):
    session = mx2onnx.convert(*paths(name), float16=True, float16_io=True).session()
    assert {port.type for port in session.get_inputs() + session.get_outputs()} == {"tensor(float16)"}


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_weights(name, tmp_path):
    path = tmp_path / "half.onnx"
    report = mx2onnx.convert(*paths(name), output=path, bfloat16=True).report
    stored = [t for t in onnx.load(path).graph.initializer if t.data_type == onnx.TensorProto.BFLOAT16]
    assert len(stored) == report["precision"]["count"] > 0
    result = mx2onnx.verify(*paths(name), path, expect=MODELS / (name + "-expected.npz"), atol=0.02)
    assert result.ok, result.table()


NLP = {n: e for n, e in zoo_corpus.load("gluonnlp").items() if e.size < 300_000 and n != "mxrnn_unfused_bucketing_lm"}
"""Small ones; that one's recording feeds a label, which the model does not take."""


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("name", sorted(NLP))
def test_text_models_are_near_mxnet(name):
    """Embeddings, masks, recurrence, attention and loops: 1 % of the largest value, of models of drawn weights."""
    entry = NLP[name]
    result = mx2onnx.convert(entry.symbol(), entry.params(), inputs=entry.fixed_inputs(), float16=True)
    for found, (shape, _, step, expected) in zip(zoo_verify.run(result.model, entry.feeds()), entry.expected()):
        assert found.shape == shape
        difference = np.abs(found.reshape(-1)[::step].astype("float64") - expected)
        assert difference.max(initial=0) <= 0.01 * max(np.abs(expected).max(initial=0), 1e-6)


def fused(path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path) + ".optimised"
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return sorted(
        n.op_type
        for n in onnx.load(options.optimized_model_filepath).graph.node
        if n.op_type not in ("Cast", "ReorderInput", "ReorderOutput")
    )


def test_onnx_runtime_fuses_a_convolution_as_in_float32(tmp_path):
    mx2onnx.convert(*paths("digits_cnn"), inputs=(1, 1, 8, 8), output=tmp_path / "wide.onnx")
    mx2onnx.convert(*paths("digits_cnn"), inputs=(1, 1, 8, 8), output=tmp_path / "half.onnx", float16=True)
    assert fused(tmp_path / "half.onnx") == fused(tmp_path / "wide.onnx")


def network(nodes, head):
    """A symbol of `nodes`, each (op, name, attributes, inputs)."""
    import json

    at = {name: i for i, (_, name, _, _) in enumerate(nodes)}
    return json.dumps(
        {
            "nodes": [
                {"op": op, "name": name, "attrs": attrs, "inputs": [[at[n], 0, 0] for n in inputs]}
                for op, name, attrs, inputs in nodes
            ],
            "arg_nodes": [i for i, node in enumerate(nodes) if node[0] == "null"],
            "heads": [[at[head], 0, 0]],
        }
    )


def dense(name="fc"):
    return [
        ("null", "data", {}, []),
        ("null", name + "_weight", {}, []),
        ("FullyConnected", name, {"num_hidden": "3", "no_bias": "True"}, ["data", name + "_weight"]),
    ]


def test_weights_beyond_the_largest_number_are_clamped_and_said(tmp_path):
    weight = np.ones((3, 4), "float32")
    weight[0, 0], weight[1, 1], weight[2, 2] = 1e6, -1e9, 1e-6
    with pytest.warns(mx2onnx.ConversionWarning, match="W-weights-clamped: 2 elements of weights are beyond 65504"):
        result = mx2onnx.convert(
            network(dense(), "fc"), {"fc_weight": weight}, inputs={"data": (1, 4)}, float16=True, float16_io=True
        )
    assert (result.report["precision"]["clamped"], result.report["precision"]["subnormal"]) == (2, 1)
    data = np.zeros((1, 4), "float16")
    data[0, 0] = 1
    (out,) = result.session().run(None, {"data": data})
    assert out.tolist() == [[65504, 1, 1]]


def test_a_mask_stays_finite():
    """-1e18 for what is masked would be -inf in float16, and a row of that NaN after a softmax."""
    nodes = dense() + [
        ("_plus_scalar", "masked", {"scalar": "-1e18"}, ["fc"]),
        ("softmax", "probabilities", {}, ["masked"]),
    ]
    weights = {"fc_weight": np.eye(3, 4, dtype="float32")}
    result = mx2onnx.convert(network(nodes, "probabilities"), weights, inputs={"data": (1, 4)}, float16=True)
    (out,) = result.session().run(None, {"data": np.ones((1, 4), "float32")})
    assert np.allclose(out, 1 / 3)
    kept = result.report["precision"]["kept"]
    assert {"op": "Add", "reason": "has a constant that float16 does not hold", "nodes": 1} in kept


def test_what_is_named_stays():
    weights = {"fc_weight": np.ones((3, 4), "float32")}
    options = {"inputs": {"data": (1, 4)}, "float16": True}
    result = mx2onnx.convert(network(dense(), "fc"), weights, keep_float32=["fc*"], **options)
    assert result.report["precision"]["count"] == 0
    assert result.report["precision"]["kept"][0]["reason"] == "asked for"
    with pytest.warns(mx2onnx.ConversionWarning, match="W-nothing-kept: .*nothing"):
        mx2onnx.convert(network(dense(), "fc"), weights, keep_float32=["nothing"], **options)


@pytest.mark.parametrize(
    "options, text",
    [
        ({"float16": True, "bfloat16": True}, "float16=True and bfloat16=True: a model has one of them"),
        ({"float16_io": True}, "inputs and outputs become float16 only with float16=True"),
        ({"keep_float32": ["a"]}, "all stays float32 without float16=True, bfloat16=True or weights"),
        ({"bfloat16": True, "opset": 12}, "opset 12 has no bfloat16"),
        ({"float16": True, "weights_in_place": True}, "weights in float16 cannot stay in the parameter file"),
    ],
)
def test_options_that_contradict_each_other(options, text, tmp_path):
    with pytest.raises(mx2onnx.UsageError) as error:
        mx2onnx.convert(*paths("digits_cnn"), output=tmp_path / "out.onnx", **options)
    assert str(error.value).startswith(text)


@pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
def test_report_on_the_command_line(tmp_path):
    out = tmp_path / "half.onnx"
    command = [TOOL, "convert", *paths("digits_lstm"), "-o", out, "--float16"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[1].startswith("  float16: ")
    assert all(len(line) <= 80 for line in lines[1:])
