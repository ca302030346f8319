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
