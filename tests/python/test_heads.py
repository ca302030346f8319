"""Graphs as they were trained: losses that cannot be converted are left out, labels that stay are said, and what converts
is offered ready to copy. What becomes the output is the prediction, or nothing does."""

import json
import pathlib

import mx2onnx
import numpy as np
import pytest
from networks import SymbolBuilder
from running import assert_same, run

WALKS = pathlib.Path(__file__).resolve().parent.parent / "walks"
DATA = {"data": ("batch", 3)}
PARAMETERS = {"fc_weight": np.arange(6, dtype="float32").reshape(2, 3) / 6, "fc_bias": np.float32([1, -1])}
X = np.float32([[1, 2, 3], [-1, 0, 1]])
FC = X @ PARAMETERS["fc_weight"].T + PARAMETERS["fc_bias"]


def net():
    builder = SymbolBuilder()
    return builder, builder.dense("fc", builder.variable("data"), 3, 2)


def names(ports):
    return [port["name"] for port in ports]


def of_id(result, wanted):
    return [entry["message"] for entry in result.diagnostics if entry["id"] == wanted]


def convert(text, **options):
    return mx2onnx.convert(text, PARAMETERS, inputs=DATA, **options)


def refusal(text, **options):
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        convert(text, **options)
    return error.value


def test_a_custom_loss_over_the_prediction():
    b, fc = net()
    loss = b.node("Custom", "focal", fc, b.variable("softmax_label"), op_type="focal_loss")
    result = convert(b.json(loss))
    assert names(result.inputs) == ["data"] and names(result.outputs) == ["fc_output"]
    assert of_id(result, "W-loss-left-out") == [
        "output 'focal_output' is left out: Custom:focal_loss is a loss that cannot be converted; the output is "
        "'fc_output', which it is computed from"
    ]
    assert_same(run(result.model, {"data": X}), [FC])
    assert mx2onnx.inspect(b.json(loss), PARAMETERS, inputs=DATA)["problems"] == []


def test_a_loss_beside_the_prediction():
    """What the loss is computed from is an output already, or under one."""
    b, fc = net()
    prediction = b.node("softmax", "prob", fc)
    loss = b.node("Custom", "xent", prediction, b.variable("label"), op_type="my_loss")
    other = b.node("MakeLoss", "reg", b.node("Custom", "r", fc, op_type="regularizer"))
    result = convert(b.json(loss, prediction, other))
    assert names(result.outputs) == ["prob_output"]
    assert of_id(result, "W-loss-left-out") == [
        "output 'xent_output' is left out: Custom:my_loss is a loss that cannot be converted",
        "output 'reg_output' is left out: Custom:regularizer is a loss that cannot be converted",
    ]
    e = np.exp(FC - FC.max(1, keepdims=True))
    assert_same(run(result.model, {"data": X}), [e / e.sum(1, keepdims=True)])


def test_what_is_not_surely_a_loss_is_refused():
    """A Custom with a label may be the softmax itself: its input is not the prediction then."""
    b, fc = net()
    text = b.json(b.node("Custom", "softmax", fc, b.variable("softmax_label"), op_type="softmax"))
    error = refusal(text)
    assert error.hint == (
        "register a translation for 'Custom:softmax', or allow a custom domain; what converts: outputs=[\"fc_output\"]"
    )
    assert_same(run(convert(text, outputs=["fc_output"]).model, {"data": X}), [FC])


def test_a_layer_with_loss_above_it_is_no_loss():
    """Behind the operator that is not known come weights that were trained."""
    b, fc = net()
    layer = b.node("Custom", "lossless", fc, op_type="lossless_compression")
    top = b.node("MakeLoss", "out", b.dense("fc2", layer, 2, 2))
    error = refusal(b.json(top))
    assert 'what converts: outputs=["fc_output"]' in error.hint


def test_a_loss_of_two_values_is_a_question():
    b, fc = net()
    other = b.node("Activation", "act", fc, act_type="relu")
    third = b.node("Activation", "tanh", fc, act_type="tanh")
    error = refusal(b.json(b.node("Custom", "triplet_loss", other, third, op_type="triplet")))
    assert error.hint.endswith('what converts: outputs=["act_output", "tanh_output"]')


def test_the_user_s_own_outputs_are_left_alone():
    b, fc = net()
    text = b.json(fc, b.node("Custom", "loss", fc, b.variable("label"), op_type="loss"))
    error = refusal(text, outputs=["loss"])
    assert "what converts" not in error.hint


def test_nothing_is_left_of_a_model_that_is_all_unknown():
    b = SymbolBuilder()
    error = refusal(b.json(b.node("Custom", "x_loss", b.variable("data"), op_type="x_loss")))
    assert "what converts" not in error.hint


def test_several_problems_and_what_converts():
    b, fc = net()
    heads = [b.node("NoSuch", "a", fc), b.node("NorThis", "b", fc), b.node("softmax", "prob", fc)]
    error = refusal(b.json(*heads))
    assert len(error.problems) == 2
    assert error.hint == 'what converts: outputs=["prob_output"]'


def test_labels_that_stay():
    b, fc = net()
    label = b.variable("softmax_label")
    loss = b.node("MakeLoss", "loss", b.node("broadcast_sub", "error", fc, label))
    prediction = b.node("BlockGrad", "pred", fc)
    result = mx2onnx.convert(b.json(loss, prediction), PARAMETERS, inputs={**DATA, "softmax_label": ("batch", 1)})
    assert of_id(result, "W-label-input") == [
        "input 'softmax_label' looks like a label of training: output 'loss_output' needs it; "
        'without it: outputs=["pred_output"]'
    ]
    # The option does what it says.
    without = convert(b.json(loss, prediction), outputs=["pred_output"])
    assert without.diagnostics == [] and names(without.inputs) == ["data"]


def test_labels_with_nothing_beside_them():
    b, fc = net()
    loss = b.node("MakeLoss", "loss", b.node("broadcast_sub", "error", fc, b.variable("target")))
    result = mx2onnx.convert(b.json(loss), PARAMETERS, inputs={**DATA, "target": ("batch", 1)})
    (message,) = of_id(result, "W-label-input")
    assert message.endswith('without it: outputs=["fc_output"]')


@pytest.mark.parametrize(
    "name", ["label", "softmax_label", "gt_boxes", "bbox_target", "rpn_label1", "targets", "gtlabel"]
)
def test_names_of_labels(name):
    b, fc = net()
    out = b.node("broadcast_add", "out", fc, b.variable(name))
    result = mx2onnx.convert(b.json(out), PARAMETERS, inputs={**DATA, name: (1, 2)})
    assert len(of_id(result, "W-label-input")) == 1


@pytest.mark.parametrize("name", ["labelled_data", "tgt_len", "target_ids", "data1", "gtx", "unlabeled", "im_info"])
def test_names_of_other_inputs(name):
    b, fc = net()
    out = b.node("broadcast_add", "out", fc, b.variable(name))
    result = mx2onnx.convert(b.json(out), PARAMETERS, inputs={**DATA, name: (1, 2)})
    assert result.diagnostics == []


def test_a_weight_that_no_file_has_and_no_operator_asks_for():
    b, fc = net()
    out = b.node("broadcast_mul", "out", fc, b.variable("scale_weight"))
    text = json.loads(b.json(out))
    (variable,) = [node for node in text["nodes"] if node["name"] == "scale_weight"]
    variable["attrs"] = {"__shape__": "(1, 2)"}
    result = convert(json.dumps(text))
    assert of_id(result, "W-parameter-input") == ["input 'scale_weight' is named like a parameter, but no file has it"]
    given = mx2onnx.convert(json.dumps(text), PARAMETERS, inputs={**DATA, "scale_weight": (1, 2)})
    assert given.diagnostics == []


def test_variables_of_one_name_are_one_input():
    """As MXNet binds them; what one of them is known to be, all are."""
    b = SymbolBuilder()
    x = b.node("exp", "e", b.variable("x"))
    out = b.node("broadcast_add", "out", x, b.variable("x"))
    result = mx2onnx.convert(b.json(out), inputs={"x": (2, 3)})
    assert names(result.inputs) == ["x"]
    value = np.arange(6, dtype="float32").reshape(2, 3)
    assert_same(run(result.model, {"x": value}), [np.exp(value) + value])
    assert names(mx2onnx.inspect(b.json(out))["inputs"]) == ["x"]
    assert mx2onnx.inspect(b.json(out))["labels"] == []


def test_training_graph_of_an_rpn():
    """The label that is also an output has its shape from the loss; the rest is MXNet's."""
    folder = WALKS / "rpn_training"
    golden = np.load(folder / "golden.npz")
    feeds = {k[3:]: v for k, v in golden.items() if k.startswith("in/")}
    feeds["rpn_label"] = golden["out/3"]
    files = folder / "model-symbol.json", folder / "model-0000.params"
    shapes = {"data": (1, 3, 8, 8), "bbox_target2": (1, 8, 8, 8)}
    result = mx2onnx.convert(*files, inputs=shapes)
    (message,) = of_id(result, "W-label-input")
    assert message == (
        "inputs 'rpn_label' and 'bbox_target2' look like labels of training: "
        "outputs 'l1_output' and 'bg_output' need them; without them: "
        'outputs=["rpn_cls_prob_output", "rpn_bbox_output"]'
    )
    assert of_id(result, "W-parameter-input") == ["input 'bbox_weight' is named like a parameter, but no file has it"]
    assert_same(run(result.model, feeds), [golden["out/%d" % i] for i in range(4)], atol=1e-5)
    result = mx2onnx.convert(*files, inputs={"data": (1, 3, 8, 8)}, outputs=["rpn_cls_prob_output", "rpn_bbox_output"])
    assert result.diagnostics == [] and names(result.inputs) == ["data"]
    assert_same(run(result.model, feeds)[:1], [golden["out/0"]], atol=1e-5)


def always_dropping():
    b, fc = net()
    return b.json(b.node("Dropout", "drop", fc, p=0.5, mode="always"))


def test_dropout_that_always_drops():
    result = convert(always_dropping())
    assert of_id(result, "W-random-draws-differ") == [
        "node 'drop' (Dropout): draws random numbers: of the same distribution as in MXNet, but others; "
        "no_dropout=True makes it a plain Dropout"
    ]
    many = np.repeat(X, 200, axis=0)
    (found,) = run(result.model, {"data": many})
    dropped = (found == 0).mean()
    assert 0.4 < dropped < 0.6
    plain = convert(always_dropping(), no_dropout=True)
    assert plain.diagnostics == []
    assert_same(run(plain.model, {"data": X}), [FC])


def test_dropout_that_always_drops_all():
    b, fc = net()
    text = b.json(b.node("Dropout", "drop", fc, p=1, mode="always"))
    assert refusal(text).hint == 'no_dropout=True makes it a plain Dropout; what converts: outputs=["fc_output"]'
    assert_same(run(convert(text, no_dropout=True).model, {"data": X}), [FC])


def test_dropout_in_a_subgraph():
    inner = SymbolBuilder()
    body = inner.node("Dropout", "drop", inner.variable("x"), p=0.5, mode="always")
    graph = json.loads(inner.json(body))
    b, fc = net()
    loop = b.node("_foreach", "loop", fc, num_args=2, num_outputs=1, num_out_data=1, in_data_locs="(0,)",
                  in_state_locs="()", remain_locs="()")  # fmt: skip
    b.nodes[loop[0]]["subgraphs"] = [graph]
    result = convert(b.json(loop), no_dropout=True)
    assert result.diagnostics == []
    assert_same(run(result.model, {"data": X}), [FC])


def test_a_loss_that_another_opset_can_express_is_not_left_out():
    b, fc = net()
    text = b.json(b.node("MakeLoss", "a_loss", b.node("_contrib_fft", "spectrum_loss", fc)))
    assert refusal(text, opset=12).hint.startswith("ask for opset=17 or newer")
    assert convert(text, opset=17).diagnostics == []
