"""Conversion of models whose inputs nobody describes: the signature that is found, what is said of it, and that the numbers are right."""

import os
import pathlib
import subprocess
import sys

import mx2onnx
import numpy as np
import pytest
from networks import SymbolBuilder, bert, resnet50, vgg16, write_params
from running import assert_same, check_model, run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "tests" / "models"
TOOL = os.environ.get("MX2ONNX", "mx2onnx")
sys.path.insert(0, str(ROOT / "tests" / "zoo"))

import zoo_corpus  # noqa: E402
import zoo_verify  # noqa: E402


def convert(net, *heads, **options):
    random = np.random.RandomState(1)
    params = {name: random.normal(0, 1, shape).astype("float32") for name, shape in net.shapes.items()}
    return mx2onnx.convert(net.json(*heads), params, **options)


def shapes(result):
    """{input: "batch,3,height,width"}"""
    return {port["name"]: ",".join(map(str, port["shape"])) for port in result.inputs}


def otherwise(name, *shape):
    """The end of a message of a choice."""
    if not shape:
        return '; otherwise say inputs={"%s": SHAPE}' % name
    return '; otherwise say inputs={"%s": (%s)}' % (
        name,
        ", ".join('"%s"' % d if isinstance(d, str) else str(d) for d in shape),
    )


def said(result, prefix=""):
    return [(d["id"], d["message"]) for d in result.diagnostics if d["id"].startswith(prefix)]


@pytest.mark.parametrize("name,shape", [("digits_cnn", "batch,1,8,8"), ("digits_lstm", "batch,8,8")])
def test_own_model(name, shape):
    expected = np.load(MODELS / (name + "-expected.npz"))
    result = mx2onnx.convert(MODELS / (name + "-symbol.json"), MODELS / (name + "-0000.params"))
    check_model(result.model)
    assert shapes(result) == {"data": shape}
    chosen = "sizes 'height' and 'width' can be 8 to 11: 8 is taken" + otherwise("data", "batch", 1, "HEIGHT", "WIDTH")
    assert said(result) == ([("W-size-chosen", chosen)] if name == "digits_cnn" else [])
    for count in (len(expected["data"]), 3):
        found = run(result.model, {"data": expected["data"][:count]})
        assert_same(found, [expected["output"][:count]], rtol=1e-4, atol=1e-6)


def conv_net(layout=None, stride=1):
    net = SymbolBuilder()
    weight = net.parameter("conv_weight", *((4, 3, 3, 3)))
    more = {"layout": layout} if layout else {}
    return net, net.node(
        "Convolution", "conv", net.variable("data"), weight, kernel=(3, 3), num_filter=4, no_bias=True,
        pad=(1, 1), stride=(stride, stride), **more
    )  # fmt: skip


def test_sizes_of_an_image_stay_free():
    result = convert(*conv_net())
    assert shapes(result) == {"data": "batch,3,height,width"}
    assert said(result) == []
    assert run(result.model, {"data": np.zeros((2, 3, 5, 7), "f4")})[0].shape == (2, 4, 5, 7)


def test_layout():
    net, head = conv_net("NHWC")
    net.shapes["conv_weight"] = (4, 3, 3, 3)
    assert shapes(convert(net, head)) == {"data": "batch,height,width,3"}


def test_one_and_three_spatial_axes():
    for kernel, shape in (((3,), "batch,2,length"), ((3, 3, 3), "batch,2,depth,height,width")):
        net = SymbolBuilder()
        weight = net.parameter("weight", 4, 2, *kernel)
        head = net.node("Convolution", "conv", net.variable("data"), weight, kernel=kernel, num_filter=4, no_bias=True)
        assert shapes(convert(net, head)) == {"data": shape}


def test_range_takes_what_people_mean():
    text, params = vgg16()
    result = mx2onnx.convert(text, random_weights=True)
    # Without weights nothing says the channels, and the label needs no input.
    assert list(shapes(result)) == ["data"]
    net, head = conv_net(stride=8)
    pool = net.node("Pooling", "pool", head, kernel=(28, 28), stride=(28, 28), pool_type="avg")
    result = convert(net, net.dense("dense", net.node("Flatten", "flat", pool), 4, 5))
    assert shapes(result) == {"data": "batch,3,224,224"}
    chosen = "sizes 'height' and 'width' can be 217 to 440: 224 is taken"
    assert said(result) == [("W-size-chosen", chosen + otherwise("data", "batch", 3, "HEIGHT", "WIDTH"))]


def test_square_of_a_certain_size():
    net, head = conv_net()
    result = convert(net, net.dense("dense", net.node("Flatten", "flat", head), 4 * 28 * 28, 5))
    assert shapes(result) == {"data": "batch,3,28,28"}
    chosen = "sizes 'height' and 'width' are known by their product only: a square of 28 is taken"
    assert said(result) == [("W-size-chosen", chosen + otherwise("data", "batch", 3, "HEIGHT", "WIDTH"))]


def test_sides_that_are_known_apart_are_no_choice():
    net, head = conv_net()
    bias = net.parameter("bias", 1, 1, 28, 28)
    result = convert(net, net.node("broadcast_add", "sum", head, bias))
    assert shapes(result) == {"data": "batch,3,28,28"}
    assert said(result) == []


def test_windows_that_leave_one_place():
    # Two windows of 4 without padding leave (h - 6)*(w - 6) places; 2*2 of them are 4.
    net = SymbolBuilder()
    head = net.conv("conv1", net.variable("data"), 3, 4, 4, pad=0)
    head = net.conv("conv2", head, 4, 4, 4, pad=0)
    result = convert(net, net.dense("dense", net.node("Flatten", "flat", head), 4 * 4, 5))
    assert shapes(result) == {"data": "batch,3,8,8"}


def test_dense_on_the_input():
    net = SymbolBuilder()
    result = convert(net, net.dense("dense", net.variable("data"), 784, 10))
    assert shapes(result) == {"data": "batch,784"}
    text = "input 'data' can have 2 or 3 dimensions: (batch, 784) is taken"
    assert said(result) == [("W-rank-chosen", text + otherwise("data"))]
    # 13 values are those of nothing else.
    net = SymbolBuilder()
    assert said(convert(net, net.dense("dense", net.variable("data"), 13, 10))) == []


def test_product_that_could_be_of_two_sizes():
    # As in GluonTS' MQCNN: what this reshapes has four dimensions, or three and nothing to do.
    net = SymbolBuilder()
    flat = net.node("Reshape", "flat", net.variable("data"), shape=(0, 0, -1))
    weight = net.parameter("weight", 5, 15)
    head = net.node("FullyConnected", "fc", flat, weight, num_hidden=5, no_bias=True, flatten=False)
    result = convert(net, net.node("broadcast_add", "sum", head, net.parameter("bias", 1, 10, 5)))
    assert shapes(result) == {"data": "batch,10,15"}
    text = "input 'data' can have 3 or 4 dimensions: (batch, 10, 15) is taken"
    assert said(result) == [("W-rank-chosen", text + otherwise("data"))]


def test_videos_of_a_recurrent_layer():
    net = SymbolBuilder()
    weight = net.parameter("weight", 2, 1, 3, 3, 3)
    steps = net.node("SliceChannel", "steps", net.variable("data"), num_outputs=1, axis=1, squeeze_axis=True)
    head = net.node("Convolution", "conv", steps, weight, kernel=(3, 3, 3), num_filter=2, no_bias=True)
    result = convert(net, head)
    assert shapes(result)["data"].count(",") == 5 and shapes(result)["data"].startswith("batch,1,1,")


@pytest.mark.parametrize("values,shape", [(784, "batch,1,28,28"), (3072, "batch,3,32,32"), (100 * 7, "batch,700")])
def test_what_is_flattened_first_is_an_image(values, shape):
    net = SymbolBuilder()
    flat = net.node("Flatten", "flat", net.variable("data"))
    result = convert(net, net.dense("dense", flat, values, 10))
    assert shapes(result) == {"data": shape}
    text = "input 'data' is flattened first: (%s) is taken, (batch, %d) would do as well"
    if shape.count(",") == 3:
        text = text % (shape.replace(",", ", "), values) + otherwise("data", "batch", values)
        assert said(result) == [("W-rank-chosen", text)]


def test_dense_over_sequences():
    net = SymbolBuilder()
    weight = net.parameter("weight", 5, 16)
    head = net.node("FullyConnected", "fc", net.variable("data"), weight, num_hidden=5, no_bias=True, flatten=False)
    result = convert(net, head)
    assert shapes(result) == {"data": "batch,length,16"}
    text = "input 'data' can have 1 to 5 dimensions: (batch, length, 16) is taken"
    assert said(result) == [("W-rank-chosen", text + otherwise("data"))]


def test_inputs_share_their_batch():
    net = SymbolBuilder()
    table = net.parameter("table", 50, 8)
    rows = net.node("Embedding", "embed", net.variable("tokens"), table, input_dim=50, output_dim=8)
    turned = net.node("SwapAxis", "turned", rows, dim1=0, dim2=1)
    head = net.node("SequenceMask", "mask", turned, net.variable("valid_length"), use_sequence_length=True)
    result = convert(net, head)
    assert shapes(result) == {"tokens": "batch,length", "valid_length": "batch"}
    feeds = {"tokens": np.ones((2, 6), "f4"), "valid_length": np.array([3, 6], "f4")}
    (found,) = run(result.model, feeds)
    assert found.shape == (6, 2, 8) and not found[3:, 0].any() and found[3:, 1].all()


def test_recurrent_layers_have_the_length_first():
    net = SymbolBuilder()
    size = 4 * 6 * (5 + 6 + 2)
    states = [net.node("_zeros", name, shape=(1, 0, 6)) for name in ("h", "c")]
    parameters = net.parameter("rnn_parameters", size)
    head = net.node("RNN", "lstm", net.variable("data"), parameters, *states, state_size=6, num_layers=1, mode="lstm")
    assert shapes(convert(net, head)) == {"data": "length,batch,5"}


def test_transformer():
    text, params = bert(1, 16, 2, 32, vocabulary=100, length=20)
    random = np.random.RandomState(1)
    params = {name: random.normal(0, 1, shape).astype("f4") for name, shape in params.items()}
    result = mx2onnx.convert(text, params)
    assert shapes(result) == {"data": "batch,length", "segments": "batch,length"}


def test_number_that_a_size_is_broadcast_with():
    net, _ = conv_net()
    net = SymbolBuilder()
    scaled = net.node("broadcast_mul", "scaled", net.variable("data"), net.parameter("scale", 1, 3, 1, 1))
    result = convert(net, net.conv("conv", scaled, 3, 4, 3))
    assert shapes(result) == {"data": "batch,3,height,width"}


UNKNOWN = """%(file)s: the shapes of 2 inputs are not known:
  'a': not even the number of dimensions is found
  'b': not even the number of dimensions is found
hint: describe them, for instance: mx2onnx convert %(file)s -o OUT.onnx --input a:batch,length --input b:batch,length
"""


def test_nothing_says_what_inputs_are(tmp_path):
    net = SymbolBuilder()
    head = net.node("elemwise_add", "sum", net.variable("a"), net.variable("b"))
    file = tmp_path / "net-symbol.json"
    file.write_text(net.json(head))
    out = tmp_path / "net.onnx"
    process = subprocess.run([TOOL, "convert", file, "-o", out], capture_output=True, text=True)
    assert process.returncode == 5
    assert process.stderr == UNKNOWN % {"file": file}
    assert not out.exists()
    # The command of the hint does it.
    command = process.stderr.splitlines()[-1].split("mx2onnx ")[1].replace("OUT.onnx", str(out)).split()
    assert subprocess.run([TOOL, *command], capture_output=True).returncode == 0
    assert out.exists()


def test_what_is_known_is_said():
    net, head = conv_net()
    pool = net.node("Pooling", "pool", head, kernel=(8, 8), stride=(8, 8), pool_type="avg")
    dense = net.dense("dense", net.node("Flatten", "flat", pool), 4 * 12, 5)
    with pytest.raises(mx2onnx.ModelError) as error:
        convert(net, dense)
    assert "the shape of input 'data' is not known: (batch, 3, ?, ?) is all that is found; 'flat' (Flatten): " in str(
        error.value
    )
    assert error.value.hint == 'describe them, for instance: inputs={"data": ("batch", 3, 32, 28)}'
    result = convert(net, dense, inputs={"data": ("batch", 3, 32, 28)})
    assert run(result.model, {"data": np.zeros((2, 3, 32, 28), "f4")})[0].shape == (2, 5)


def test_sizes_that_are_divided_differently():
    """A reader of lines of text: its image is cut into six pieces."""
    net = SymbolBuilder()
    weight = net.parameter("weight", 4, 1, 3, 3)
    conv = net.node(
        "Convolution", "conv", net.variable("data"), weight, kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True
    )
    piece = net.node("SliceChannel", "pieces", conv, num_outputs=6, axis=3)
    head = net.dense("dense", net.node("Flatten", "flat", piece), 32, 5)
    with pytest.raises(
        mx2onnx.ModelError, match=r"expected shape \(batch, 4\*height\*\(width//6\)\), found \(batch, 32\)"
    ) as error:
        convert(net, head)
    assert error.value.hint == 'describe them, for instance: inputs={"data": ("batch", 1, 8, 6)}'
    assert shapes(convert(net, head, inputs={"data": ("batch", 1, 8, 6)})) == {"data": "batch,1,8,6"}


def test_wrong_weights_are_told_as_before():
    net, head = conv_net()
    net.shapes["conv_weight"] = (5, 3, 3, 3)
    with pytest.raises(mx2onnx.ModelError, match="node 2 'conv' .Convolution.: input 'weight': expected shape"):
        convert(net, head)


def test_batch_and_fixed():
    net, head = conv_net()
    assert shapes(convert(net, head, batch=4)) == {"data": "4,3,height,width"}
    result = convert(net, head, fixed=True)
    assert shapes(result) == {"data": "1,3,224,224"}
    assert said(result) == [
        ("W-size-chosen", "size 'batch' is not left free: 1 is taken"),
        ("W-size-chosen", "sizes 'height' and 'width' are not left free: 224 is taken"),
    ]
    assert shapes(convert(net, head, batch=2, fixed=True)) == {"data": "2,3,224,224"}
    assert shapes(convert(net, head, batch=2, inputs={"data": ("batch", 3, "H", 8)})) == {"data": "2,3,H,8"}
    with pytest.raises(mx2onnx.UsageError, match="batch: no input has a free size 'batch'"):
        convert(net, head, batch=2, inputs={"data": (1, 3, 8, 8)})


@pytest.mark.parametrize("unknown", ["?", None, -1, 0], ids=str)
def test_unknown_sizes(unknown):
    result = convert(*conv_net(), inputs={"data": (unknown, unknown, 8, unknown)})
    assert shapes(result) == {"data": "batch,3,8,width"}


def test_unknown_sizes_on_the_command_line(tmp_path):
    net, head = conv_net()
    (tmp_path / "net-symbol.json").write_text(net.json(head))
    write_params(tmp_path / "net.params", net.shapes)
    command = [TOOL, "convert", tmp_path / "net-symbol.json", tmp_path / "net.params", "-o", tmp_path / "net.onnx"]
    process = subprocess.run([*command, "--input", "data:0,-1,?,None"], capture_output=True, text=True, check=True)
    assert "  input  data: float32 (batch, 3, height, width)\n" in process.stdout
    process = subprocess.run([*command, "--batch", "2", "--fixed"], capture_output=True, text=True, check=True)
    assert "  input  data: float32 (2, 3, 224, 224)\n" in process.stdout


def test_shape_that_the_file_has_is_one_of_the_training():
    net, head = conv_net()
    net.nodes[1]["attrs"]["__shape__"] = "(32, 3, 640, 640)"
    assert shapes(convert(net, head)) == {"data": "batch,3,height,width"}
    # Where the weights leave a choice, it is what is known best.
    net, head = conv_net(stride=8)
    net.nodes[1]["attrs"]["__shape__"] = "(32, 3, 300, 300)"
    pool = net.node("Pooling", "pool", head, kernel=(28, 28), stride=(28, 28), pool_type="avg")
    dense = net.dense("dense", net.node("Flatten", "flat", pool), 4, 5)
    assert shapes(convert(net, dense)) == {"data": "batch,3,300,300"}


def test_sizes_that_cannot_stay_free_become_numbers():
    net, head = conv_net()
    result = convert(net, net.node("_unravel_index", "rows", head, shape=(2, 3)))
    assert shapes(result) == {"data": "batch,3,224,224"}
    assert said(result) == [
        (
            "W-size-chosen",
            "sizes 'height' and 'width' are not left free: 224 is taken ('rows': needs to know the sizes after the first)"
            + otherwise("data", "batch", 3, "HEIGHT", "WIDTH"),
        )
    ]


def test_opset_is_raised_where_the_model_needs_it():
    @mx2onnx.register_operator("Custom:my_gelu")
    def translate(node, onnx):
        if not onnx.has("Gelu"):
            return onnx.refuse("needs Gelu")
        onnx.set_output(0, onnx.emit("Gelu", [onnx.input(0)]))

    try:
        net = SymbolBuilder()
        conv = net.conv("conv", net.variable("data"), 3, 4, 3)
        head = net.node("Custom", "act", conv, op_type="my_gelu")
        result = convert(net, head)
        assert result.report["opset"] == 20
        assert said(result) == [("W-opset-raised", "opset 20 is written instead of 17: 'act' (Custom) needs it")]
        check_model(result.model)
        with pytest.raises(mx2onnx.UnsupportedError, match="needs Gelu"):
            convert(net, head, opset=17)
    finally:
        mx2onnx.unregister_operator("Custom:my_gelu")


def test_random_weights():
    result = mx2onnx.convert(resnet50()[0], random_weights=True)
    assert shapes(result) == {"data": "batch,3,height,width"}


def test_export_model_solves_the_shapes(tmp_path):
    out = tmp_path / "m.onnx"
    mx2onnx.export_model(
        str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params"), onnx_file_path=out
    )
    expected = np.load(MODELS / "digits_cnn-expected.npz")
    assert_same(run(str(out), {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


ZOO = """
cifar_resnet20_v1 resnet18_v1 mobilenetv2_0.25 mobilenetv3_small squeezenet1.1 densenet121 googlenet dla34 fastscnn_citys
simple_pose_resnet18_v1b ssd_300_mobilenet0.25_custom yolo3_mobilenet0.25_voc i3d_inceptionv1_kinetics400
attention_luong transformer_xl_core textcnn_multichannel layer_lstm_1xbi layer_gru_3xuni bert_small_classifier_head
sentiment_lstm_last esim nmt_transformer_small_one_step mxrnn_unfused_bucketing_lm
xlnet_small xlnet_small_mems elmo_char_encoder cell_conv3d_rnn while_loop_decoder while_loop_sum
""".split()
"""A family each; `make zoo` converts all of them plainly."""

CORPORA = {corpus: zoo_corpus.load(corpus) for corpus in zoo_corpus.CORPORA}


@pytest.mark.parametrize("name", ZOO)
def test_zoo(name):
    (entry,) = [entries[name] for entries in CORPORA.values() if name in entries]
    symbol, params, feeds = entry.symbol(), entry.params(), entry.feeds()
    result = mx2onnx.convert(symbol, params)
    zoo_verify.check(entry, symbol, params, feeds, result.model, result.report["opset"])


@pytest.mark.parametrize("name", ["foreach_beam_greedy", "highway", "softmax_with_length"])
def test_other_ranks_are_said(name):
    """Models that were recorded with another number of dimensions than the one that is taken."""
    (entry,) = [entries[name] for entries in CORPORA.values() if name in entries]
    result = mx2onnx.convert(entry.symbol(), entry.params())
    recorded = {name: feed.ndim for name, feed in entry.feeds().items()}
    others = [port["name"] for port in result.inputs if len(port["shape"]) != recorded[port["name"]]]
    assert others
    for other in others:
        (text,) = [text for id, text in said(result) if id == "W-rank-chosen" and "input '%s'" % other in text]
        assert text.endswith(otherwise(other))
