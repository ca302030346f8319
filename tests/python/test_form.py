"""The graphs are what an expert would write: the operators of small models, in order, with free sizes."""

import mx2onnx
import networks
import pytest

import onnx


def operators(build, opset=17, **inputs):
    """The operator types of what `build(builder, data)` becomes, weights made up."""
    builder = networks.SymbolBuilder()
    head = build(builder, builder.variable("data"))
    result = mx2onnx.convert(builder.json(head), random_weights=True, inputs=inputs, opset=opset)
    return [n.op_type for n in onnx.load_from_string(result.model).graph.node]


def block(b, x):
    y = b.relu("relu", b.batch_norm("bn", b.conv("conv", x, 3, 8, 3, pad=1, bias=False), 8))
    y = b.node("Dropout", "drop", y, p=0.5)
    return b.node("elemwise_add", "sum", y, b.conv("short", x, 3, 8, 1))


def dense(b, x):
    y = b.node("Pooling", "pool", x, global_pool=True, pool_type="avg", kernel=(1, 1))
    y = b.node("Flatten", "flat", y)
    y = b.node("FullyConnected", "fc", y, b.variable("fc_weight"), b.variable("fc_bias"), num_hidden=10)
    return b.node("SoftmaxOutput", "softmax", y, b.variable("label"))


FORMS = {
    "batch norm folded, dropout gone": (block, {}, ["Conv", "Relu", "Conv", "Add"]),
    "classifier": (dense, {}, ["GlobalAveragePool", "Flatten", "Gemm", "Softmax"]),
    "reshape without shape arithmetic": (
        lambda b, x: b.node("Reshape", "r", x, shape=(0, -1, 4, 4)),
        {"data": ("N", 48)},
        ["Reshape"],
    ),
    "reshape of free sizes": (
        lambda b, x: b.node("Reshape", "r", x, shape=(0, 0, -1)),
        {"data": ("N", 3, "H", "W")},
        ["Reshape"],
    ),
    "one resize for an upsampling": (
        lambda b, x: b.node("UpSampling", "u", x, scale=2, sample_type="nearest", num_args=1),
        {"data": ("N", 3, "H", "W")},
        ["Resize"],
    ),
    "transposes cancel nothing that is not there": (
        lambda b, x: b.node("transpose", "t", x, axes=(0, 1, 2, 3)),
        {},
        ["Identity"],
    ),
    "gates of a cell": (
        lambda b, x: b.node("SliceChannel", "s", x, num_outputs=4, axis=1),
        {"data": ("N", 8)},
        ["Split"],
    ),
    "ids bounded as float": (
        lambda b, x: b.node("Embedding", "e", x, b.variable("e_weight"), input_dim=9, output_dim=4),
        {"data": ("N", 3)},
        ["Clip", "Cast", "Gather"],
    ),
    "integer ids bounded without a Clip": (
        lambda b, x: b.node(
            "Embedding", "e", b.node("Cast", "c", x, dtype="int32"), b.variable("e_weight"), input_dim=9, output_dim=4
        ),
        {"data": ("N", 3)},
        ["Cast", "Cast", "Max", "Min", "Gather"],
    ),
    "relu6 of a maximum and a minimum": (
        lambda b, x: b.node("_minimum_scalar", "m", b.node("_maximum_scalar", "n", x, scalar=0), scalar=6),
        {},
        ["Clip"],
    ),
    "hard swish": (
        lambda b, x: b.node(
            "elemwise_mul",
            "m",
            x,
            b.node(
                "_div_scalar",
                "d",
                b.node("clip", "c", b.node("_plus_scalar", "p", x, scalar=3), a_min=0, a_max=6),
                scalar=6,
            ),
        ),
        {},
        ["HardSwish"],
    ),
    "resize to fixed sizes without shape arithmetic": (
        lambda b, x: b.node("_contrib_BilinearResize2D", "r", x, height=12, width=20),
        {"data": ("N", 3, 8, 8)},
        ["Resize"],
    ),
    "slice of free sizes": (
        lambda b, x: b.node("slice", "s", x, begin=(None, 1), end=(None, None)),
        {"data": ("N", "L", 3)},
        ["Slice"],
    ),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_form(form):
    build, inputs, expected = FORMS[form]
    assert operators(build, **(inputs or {"data": ("N", 3, 8, 8)})) == expected


def written(build, optimize=True, opset=17, **inputs):
    builder = networks.SymbolBuilder()
    head = build(builder, builder.variable("data"))
    result = mx2onnx.convert(builder.json(head), random_weights=True, inputs=inputs, opset=opset, optimize=optimize)
    return onnx.load_from_string(result.model).graph


def constant(graph, name):
    return next(onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name == name)


def test_non_maximum_suppression_as_other_runtimes_take_it():
    """One-element vectors, and no negative threshold where scores above one are looked at alone."""
    graph = written(
        lambda b, x: b.node("_contrib_box_nms", "nms", x, valid_thresh=0.01, coord_start=1, score_index=0),
        data=(1, 20, 5),
    )
    (node,) = [n for n in graph.node if n.op_type == "NonMaxSuppression"]
    most, overlap, threshold = (constant(graph, name) for name in node.input[2:])
    assert (most.shape, overlap.shape, threshold.shape) == ((1,), (1,), (1,))
    assert threshold[0] == 0


def test_every_gemm_has_a_bias():
    graph = written(
        lambda b, x: b.node("FullyConnected", "fc", x, b.variable("fc_weight"), num_hidden=500, no_bias=True),
        data=("N", 8),
    )
    (node,) = graph.node
    bias = constant(graph, node.input[2])
    assert node.op_type == "Gemm" and bias.shape == (500,) and not bias.any()


@pytest.mark.parametrize("optimize", [True, False])
def test_no_dropout_is_left(optimize):
    def build(b, x):
        return b.node("Dropout", "drop", b.relu("relu", x), p=0.5), b.node("Dropout", "again", x, p=1)

    builder = networks.SymbolBuilder()
    heads = build(builder, builder.variable("data"))
    result = mx2onnx.convert(builder.json(*heads), inputs={"data": (2, 3)}, optimize=optimize)
    assert "Dropout" not in [n.op_type for n in onnx.load_from_string(result.model).graph.node]


def test_no_node_has_the_name_of_an_input():
    builder = networks.SymbolBuilder()
    x = builder.variable("data")
    result = mx2onnx.convert(builder.json(builder.relu("relu", x), x), inputs={"data": (2, 3)})
    graph = onnx.load_from_string(result.model).graph
    assert "data" not in [n.name for n in graph.node]
