"""Forty of the models of `make zoo`: one of nearly every family, the small ones. Each converts with the recorded sizes and with free ones."""

import collections
import lzma
import pathlib
import re
import sys

import mx2onnx
import numpy as np
import pytest

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "zoo"))

import zoo_corpus  # noqa: E402
import zoo_verify  # noqa: E402

GLUONCV = """
cifar_resnet20_v1 cifar_residualattentionnet56 resnet18_v1 resnet18_v2 resnest14
mobilenet0.25 mobilenetv2_0.25 mobilenetv3_small squeezenet1.1 shufflenet_v2 densenet121 googlenet
hrnet_w18_small_v1_s dla34 fastscnn_citys mobile_pose_mobilenetv3_small
simple_pose_resnet18_v1b center_net_mobilenetv3_small_duc_voc center_net_resnet18_v1b_dcnv2_voc ssd_300_mobilenet0.25_custom yolo3_mobilenet0.25_voc
siamrpn_alexnet_v2_otb15 inceptionv1_hmdb51 i3d_inceptionv1_kinetics400 monodepth2_resnet18_posenet_kitti_mono_640x192
""".split()
GLUONNLP = """
attention_luong gpt2_small_with_states transformer_xl_core xlnet_small_mems
nmt_transformer_small_one_step cell_conv2d_lstm mxrnn_unfused_bucketing_lm foreach_beam_greedy while_loop_decoder
cond_with_layers textcnn_multichannel layer_lstm_1xbi layer_gru_3xuni bert_small_classifier_head sentiment_lstm_last esim
""".split()
OPSETS = (12, mx2onnx.LAST_OPSET)
"""At which the fixed sizes run, in turn; the free ones run at the default opset."""

BATCH_OF_ONE = {"siamrpn_alexnet_v2_otb15"}
"""The graph itself fixes their batch, and the report says so."""

FIXED = re.compile(r"size '(.)' is not free: .* needs it to be (.*)")

CORPORA = {corpus: zoo_corpus.load(corpus) for corpus in zoo_corpus.CORPORA}
CHOSEN = [("gluoncv", name) for name in GLUONCV] + [("gluonnlp", name) for name in GLUONNLP]


@pytest.mark.parametrize("corpus,name", CHOSEN, ids=[name for _, name in CHOSEN])
def test_model(corpus, name):
    entry = CORPORA[corpus][name]
    symbol, params, feeds = entry.symbol(), entry.params(), entry.feeds()
    opset = OPSETS[CHOSEN.index((corpus, name)) % len(OPSETS)]
    model = zoo_verify.convert(entry, symbol, params, entry.fixed_inputs(), opset).model
    zoo_verify.check(entry, symbol, params, feeds, model, opset)
    if entry.free_inputs() is None:
        return
    result, _, _ = zoo_verify.check_free(entry, symbol, params, feeds, mx2onnx.DEFAULT_OPSET)
    found = [m.groups() for m in (FIXED.match(message) for _, message in zoo_verify.fixed_parts(result)) if m]
    if entry.alt and corpus == "gluoncv":
        fixed, refused = {letter for letter, _ in found}, set(entry.meta.get("not_free", ()))
        assert refused <= fixed, "what MXNet refuses to change is fixed"
        chosen = {letter for letter, needed in found if not needed.isdigit()}
        assert fixed - refused <= chosen, "nothing is one number where MXNet takes others"
    elif name in BATCH_OF_ONE:
        assert found == [("B", "1")]


# Of rounding alone: a number that lies half way between two levels goes one way in MXNet and the other in ONNX Runtime, and each
# layer after it amplifies that. The weights are drawn, and use a few levels only; none of it is the sums' (`W-sum-rounded`).
@pytest.mark.parametrize("name,bound", [("mobilenet1.0_int8", 0.1), ("resnet50_v1_int8", 0.06)])
def test_int8(name, bound):
    entry = CORPORA["gluoncv"][name]
    model = mx2onnx.convert(entry.symbol(), entry.params(), inputs=entry.fixed_inputs()).model
    # A quarter of the weights, but for the last layer, which is float32.
    assert len(model) < 0.5 * 4 * entry.size
    (expected,) = entry.expected()
    (found,) = zoo_verify.run(model, entry.feeds())
    assert zoo_verify.root_mean_square(found, expected) < bound
    assert found.reshape(-1)[:: expected[2]].argmax() == expected[3].argmax()


def test_int8_of_random_weights():
    """They are quantised as stored ones are."""
    entry = CORPORA["gluoncv"]["mobilenet1.0_int8"]
    result = mx2onnx.convert(entry.symbol(), inputs=entry.fixed_inputs(), random_weights=True)
    graph = onnx.load_from_string(result.model).graph
    int8 = [t for t in graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4]
    assert len(int8) == sum(node.op_type == "Conv" for node in graph.node) == 27
    assert np.isfinite(zoo_verify.run(result.model, entry.feeds())[0]).all()


FORMS = ROOT / "tests" / "forms"


def converted(name):
    """(entry, ONNX model at opset 17) with random weights."""
    entry = CORPORA["gluoncv"][name]
    result = mx2onnx.convert(
        entry.symbol(), entry.constants(), random_weights=True, inputs=entry.fixed_inputs(), opset=17
    )
    return entry, onnx.load_from_string(result.model)


@pytest.mark.parametrize("name", sorted(p.stem for p in FORMS.glob("*.txt")))
def test_form(name):
    """The operators of a model, with how many there are; and nothing is folded into constants larger than what it replaces."""
    entry, model = converted(name)
    assert zoo_verify.counts(model.graph) == (FORMS / (name + ".txt")).read_text()
    params = 4 * entry.size + sum(c.nbytes for c in entry.constants().values())
    assert sum(len(t.raw_data) for t in model.graph.initializer) <= 1.01 * params


GLUON2 = {
    "mobilenet0.25": {},
    "resnet18_v1": {},
    "squeezenet1.1": {},
    # Its first block widens by a convolution of its own, which GluonCV's leaves out.
    "mobilenetv2_0.25": {"Conv": 1, "Clip": 1},
}
"""Nets of Gluon 2's model zoo, and what their graphs have beside those of the nets of 1.x of the same name."""


@pytest.mark.parametrize("name", GLUON2)
def test_gluon_2_has_the_form_of_1(name):
    """As many nodes of each operator: what MXNet 2 exports becomes nothing else. (All 30 were compared once.)"""
    symbol = lzma.decompress((ROOT / "tests" / "zoo" / "gluon2" / (name + "-symbol.json.xz")).read_bytes()).decode()
    inputs = {"data": (1, 3, 224, 224)}
    result = mx2onnx.convert(symbol, random_weights=True, inputs=inputs, opset=17)
    of_2 = collections.Counter(n.op_type for n in onnx.load_from_string(result.model).graph.node)
    of_1 = collections.Counter(n.op_type for n in converted(name)[1].graph.node)
    assert of_2 == of_1 + collections.Counter(GLUON2[name])
    assert "BatchNormalization" not in of_2
