"""Convolutions with channels last, which MXNet computes on GPUs only: equal to the same convolution with channels first."""

import mx2onnx
import networks
import numpy as np
import pytest
from running import assert_same, check_model, run


def convolution(op, layout, kernel, groups):
    builder = networks.SymbolBuilder()
    inputs = [builder.variable(n) for n in ("data", "weight", "bias")]
    attrs = {"kernel": kernel, "num_filter": 6, "num_group": groups, "pad": (1,) * len(kernel), "no_bias": False}
    if layout:
        attrs["layout"] = layout
    return builder.json(builder.node(op, "conv", *inputs, **attrs))


def channels_last(array):
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("op", ["Convolution", "Deconvolution"])
@pytest.mark.parametrize("layout", ["NWC", "NHWC", "NDHWC"])
def test_channels_last(op, layout, groups):
    rank = len(layout) - 2
    kernel = (3, 2, 2)[:rank]
    random = np.random.RandomState(rank)
    data = random.normal(size=(2, 4) + (5, 6, 4)[:rank]).astype("float32")
    outer, inner = (6, 4 // groups) if op == "Convolution" else (4, 6 // groups)
    weight = random.normal(size=(outer, inner) + kernel).astype("float32")
    bias = random.normal(size=6).astype("float32")
    first = mx2onnx.convert(
        convolution(op, None, kernel, groups), {"weight": weight, "bias": bias}, inputs={"data": data.shape}
    )
    expected = [channels_last(run(first.model, {"data": data})[0])]
    last = mx2onnx.convert(
        convolution(op, layout, kernel, groups),
        {"weight": channels_last(weight), "bias": bias},
        inputs={"data": channels_last(data).shape},
    )
    check_model(last.model)
    assert_same(run(last.model, {"data": channels_last(data)}), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dilate,fits", [((1, 2), True), ((2, 1), False)])
def test_deconvolution_that_mxnets_own_kernel_garbles_is_refused(dilate, fits):
    """Of float64 with a stride and a dilation above 1 along one axis MXNet 1.9.1 gives something else (mshadow's pack_col2patch)."""
    builder = networks.SymbolBuilder()
    inputs = [builder.variable(n) for n in ("data", "weight")]
    attrs = {"kernel": (3, 3), "stride": (2, 1), "dilate": dilate, "num_filter": 2}
    symbol = builder.json(builder.node("Deconvolution", "deconv", *inputs, **attrs))
    shapes = {"data": (1, 2, 4, 4), "weight": (2, 2, 3, 3)}
    mx2onnx.convert(symbol, inputs=shapes)
    double = {name: (shape, "float64") for name, shape in shapes.items()}
    if fits:
        mx2onnx.convert(symbol, inputs=double)
    else:
        with pytest.raises(mx2onnx.UnsupportedError, match="is not the transposed convolution"):
            mx2onnx.convert(symbol, inputs=double)
