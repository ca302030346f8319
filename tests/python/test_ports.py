"""What the user may ask of the model's outer side: other outputs, other names, the image's preparation made part of it."""

import pathlib

import mx2onnx
import numpy as np
import pytest
from networks import SymbolBuilder
from running import assert_same, check_model, run

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "tests" / "models"
SYMBOL = MODELS / "digits_cnn-symbol.json"
PARAMS = MODELS / "digits_cnn-0000.params"
IMAGE = np.random.RandomState(3).randint(0, 256, (2, 5, 6, 3)).astype(np.uint8)
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def convert(**options):
    options.setdefault("inputs", {"data": ("batch", 1, 8, 8)})
    return mx2onnx.convert(SYMBOL, PARAMS, **options)


def names(ports):
    return [port["name"] for port in ports]


def identity_net():
    """A symbol whose output is its input, so that what the preparation computes can be seen."""
    net = SymbolBuilder()
    return net.json(net.node("_copy", "same", net.variable("data")))


def split_net():
    net = SymbolBuilder()
    x = net.variable("a_b")
    halves = net.node("SliceChannel", "a", x, num_outputs=2, axis=1)
    return net.json(net.relu("a_output0_x", halves))


def prepared(dims=("n", 3, "h", "w"), **options):
    return mx2onnx.convert(identity_net(), inputs={"data": dims}, **options)


def test_output_of_an_inner_node():
    full = onnx.load_from_string(convert().model)
    inner = convert(outputs=["digits_conv1_fwd_output", "digits_pool1_fwd"])
    check_model(inner.model)
    assert names(inner.outputs) == ["digits_conv1_fwd_output", "digits_pool1_fwd_output"]
    assert len(onnx.load_from_string(inner.model).graph.node) < len(full.graph.node)


def test_the_file_s_own_output_by_name_is_the_same_model():
    (own,) = names(convert().outputs)
    assert convert(outputs=[own]).model == convert().model


def test_every_output_of_a_node_has_a_name():
    result = mx2onnx.convert(split_net(), inputs={"a_b": (2, 4)}, outputs=["a_output1", "a", "a_b"])
    assert names(result.outputs) == ["a_output1", "a_output0", "a_b_output"]
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    assert_same(run(result.model, {"a_b": x}), [x[:, 2:], x[:, :2], x], rtol=0, atol=0)


@pytest.mark.parametrize(
    "name,hint", [("digits_conv1_fwd_outptu", "did you mean 'digits_conv1_fwd_output'?"), ("q" * 60, "")]
)
def test_unknown_output(name, hint):
    with pytest.raises(mx2onnx.UsageError, match="no output or node") as error:
        convert(outputs=[name])
    assert error.value.hint == hint


def test_parameters_that_the_chosen_output_needs_not_may_be_missing():
    net = SymbolBuilder()
    hidden = net.relu("act", net.variable("data"))
    text = net.json(net.dense("fc", hidden, 4, 2))
    result = mx2onnx.convert(text, inputs={"data": (1, 4)}, outputs=["act"])
    assert_same(run(result.model, {"data": np.float32([[-1, 2, -3, 4]])}), [np.float32([[0, 2, 0, 4]])])


def test_rename():
    expected = np.load(MODELS / "digits_cnn-expected.npz")
    (own,) = names(convert().outputs)
    result = convert(rename={"data": "image", own: "probability"})
    check_model(result.model)
    assert names(result.inputs) == ["image"] and names(result.outputs) == ["probability"]
    assert_same(run(result.model, {"image": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_renamed_ports_can_trade_names_and_push_inner_ones_aside():
    (own,) = names(convert().outputs)
    swapped = convert(rename={"data": own, own: "data"})
    check_model(swapped.model)
    assert names(swapped.inputs) == [own] and names(swapped.outputs) == ["data"]
    check_model(convert(rename={own: "digits_conv1_fwd_output"}, optimize=False).model)
    check_model(convert(rename={own: "digits_conv1_weight"}).model)


def test_rename_errors():
    (own,) = names(convert().outputs)
    with pytest.raises(mx2onnx.UsageError, match="no input or output 'date'") as error:
        convert(rename={"date": "x"})
    assert error.value.hint == "did you mean 'data'?"
    with pytest.raises(mx2onnx.UsageError, match="same name"):
        convert(rename={"data": own})
    with pytest.raises(mx2onnx.UsageError, match="rename: the new name for 'data' is empty"):
        convert(rename={"data": ""})


@pytest.mark.parametrize("opset", [12, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET])
def test_camera_image(opset):
    result = prepared(mean=MEAN, std=STD, scale="1/255", layout="NHWC", input_type="uint8", opset=opset)
    check_model(result.model)
    assert result.inputs == [{"name": "data", "dtype": "uint8", "shape": ["n", "h", "w", 3]}]
    x = IMAGE.astype(np.float32) / np.float32(255)
    expected = ((x - np.float32(MEAN)) / np.float32(STD)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(run(result.model, {"data": IMAGE})[0], expected)


@pytest.mark.parametrize(
    "options,formula",
    [
        ({"mean": 127.5, "std": 128}, lambda x: (x - np.float32(127.5)) / np.float32(128)),
        ({"scale": 0.017}, lambda x: x * np.float32(0.017)),
        ({"scale": "2/3"}, lambda x: x * np.float32(2) / np.float32(3)),
        ({"mean": [1, 2, 3]}, lambda x: x - np.float32([1, 2, 3]).reshape(3, 1, 1)),
        ({"mean": 0, "std": [1, 1, 1]}, lambda x: x),
        ({"layout": "NCHW"}, lambda x: x),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_formula(options, formula):
    x = IMAGE.transpose(0, 3, 1, 2).astype(np.float32)
    np.testing.assert_array_equal(run(prepared(**options).model, {"data": x})[0], formula(x))


def test_half_precision_model_takes_bytes():
    result = prepared(dims=((2, 3, 5, 6), "float16"), mean=MEAN, scale="1/256", input_type=np.uint8)
    x = IMAGE.transpose(0, 3, 1, 2)
    expected = x.astype(np.float16) / np.float16(256) - np.float16(MEAN).reshape(3, 1, 1)
    np.testing.assert_array_equal(run(result.model, {"data": x})[0], expected)


@pytest.mark.parametrize(
    "dims,options,message",
    [
        (("n", 3, 8, 8), {"mean": [1, 2]}, "expected 1 value or one per channel"),
        (("n", 8, 8, 3), {"std": [1, 2, 3]}, "channels are axis 1"),
        (("n", 3, 8, 8), {"std": 0}, "other than 0"),
        (("n", 3, 8, 8), {"mean": float("nan")}, "finite"),
        (("n", 3, 8, 8), {"scale": "1/0"}, "scale"),
        (("n", 3, 8, 8), {"scale": "one"}, "scale"),
        (("n", 3, 8, 8), {"layout": "CHW"}, "NCHW or NHWC"),
        (("n", 3, 8), {"layout": "NHWC"}, "4 dimensions"),
        (("n", 3, 8, 8), {"input_type": "uint9"}, "element type"),
        (("n", 3, 8, 8), {"scale": 2, "image_input": "dtaa"}, "no input 'dtaa'"),
        (("n", 3), {"scale": 2}, "0 inputs of the model could be the image"),
        (("n",), {"mean": 1, "image_input": "data"}, "no channels"),
    ],
    ids=str,
)
def test_preparation_that_does_not_fit(dims, options, message):
    with pytest.raises(mx2onnx.UsageError, match=message):
        prepared(dims=dims, **options)


def test_only_the_named_input_is_prepared():
    net = SymbolBuilder()
    both = net.node("elemwise_add", "sum", net.variable("left"), net.variable("right"))
    inputs = {"left": (1, 3, 2, 2), "right": (1, 3, 2, 2)}
    with pytest.raises(mx2onnx.UsageError, match="2 inputs"):
        mx2onnx.convert(net.json(both), inputs=inputs, scale=2)
    result = mx2onnx.convert(net.json(both), inputs=inputs, scale=2, image_input="right")
    ones = np.ones((1, 3, 2, 2), np.float32)
    assert_same(run(result.model, {"left": ones, "right": ones}), [3 * ones])


def test_trained_model_takes_the_camera_s_image():
    """The network was trained on digits of 0 to 1 in steps of 1/16; a camera gives bytes, channels last."""
    expected = np.load(MODELS / "digits_cnn-expected.npz")
    pixels = np.rint(expected["data"] * 16).astype(np.uint8).transpose(0, 2, 3, 1)
    result = convert(layout="NHWC", input_type="uint8", scale="1/16")
    check_model(result.model)
    assert result.inputs == [{"name": "data", "dtype": "uint8", "shape": ["batch", 8, 8, 1]}]
    assert_same(run(result.model, {"data": pixels}), [expected["output"]], rtol=1e-4, atol=1e-6)
