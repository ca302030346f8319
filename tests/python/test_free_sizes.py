"""Sizes that are left free where the graph does not leave them free: what is chosen, what is said, and that the numbers are right."""

import mx2onnx
import numpy as np
import onnxruntime
import pytest
from networks import SymbolBuilder


def down_and_up():
    """Two strides of 2 and back, with a skip connection, as U-nets have it."""
    net = SymbolBuilder()
    data = net.variable("data")
    once = net.conv("once", data, 3, 4, 3, stride=2, pad=1)
    twice = net.conv("twice", once, 4, 4, 3, stride=2, pad=1)
    up = net.node("UpSampling", "up", twice, scale=2, sample_type="nearest", num_args=1)
    return net, net.node("Concat", "join", up, once, num_args=2, dim=1)


def with_dense(stride=8, units=49):
    net = SymbolBuilder()
    x = net.node(
        "Pooling", "pool", net.variable("data"), kernel=(stride, stride), stride=(stride, stride), pool_type="avg"
    )
    return net, net.dense("dense", net.node("Flatten", "flat", x), units, 5)


def convert(net, head, *dims):
    random = np.random.RandomState(1)
    params = {name: random.normal(0, 1, shape).astype("float32") for name, shape in net.shapes.items()}
    return mx2onnx.convert(net.json(head), params, inputs={"data": dims})


def run(result, *shape):
    data = np.random.RandomState(3).normal(0, 1, shape).astype("float32")
    return onnxruntime.InferenceSession(result.model).run(None, {"data": data})[0]


def said(result, name):
    return [d["message"] for d in result.diagnostics if d["id"] == name]


def test_condition():
    """Two ways to a size that agree for some sizes only, as U-nets have them."""
    net, head = down_and_up()
    free = convert(net, head, "N", 3, "H", "W")
    assert free.inputs[0]["shape"] == ["N", 3, "H", "W"]
    text = (
        "size '%s' is free on a condition: 'join' needs (%s + 1)//2 to be 2*((%s + 3)//4), "
        "as for multiples of 4; up to 2, other sizes may give numbers where MXNet gives an error"
    )
    assert said(free, "W-dim-condition") == [text % (x, x, x) for x in "HW"]
    assert said(free, "W-dim-fixed") == []
    # 7 fulfils the condition and is no multiple.
    for shape in ((1, 3, 8, 12), (2, 3, 7, 4)):
        np.testing.assert_allclose(run(free, *shape), run(convert(net, head, *shape), *shape), rtol=1e-6)
    with pytest.raises(Exception, match="join"):
        run(free, 1, 3, 10, 12)


def test_size_behind_a_condition_at_run_time():
    net, head = down_and_up()
    cut = net.node("slice_like", "cut", [0, 0, 0], head, axes=(2, 3))
    free = convert(net, cut, "N", 3, "H", "W")
    assert free.outputs[0]["shape"] == ["N", 3, "2*((H + 3)//4)", "2*((W + 3)//4)"]
    for height in (7, 8):
        assert run(free, 1, 3, height, 12).shape == (1, 3, 4, 6)


def test_conditions_that_follow_each_other():
    net, head = down_and_up()
    wide = net.conv("thrice", net.conv("again", head, 8, 4, 3, stride=2, pad=1), 4, 4, 3, stride=2, pad=1)
    back = net.node("UpSampling", "back", wide, scale=4, sample_type="nearest", num_args=1)
    head = net.node("elemwise_add", "sum", back, net.conv("same", head, 8, 4, 3, pad=1))
    free = convert(net, head, "N", 3, "H", "W")
    assert [d["node"] for d in free.diagnostics if d["id"] == "W-dim-condition"] == ["join", "join", "sum", "sum"]
    for shape in ((1, 3, 8, 16), (2, 3, 24, 7)):
        np.testing.assert_allclose(run(free, *shape), run(convert(net, head, *shape), *shape), rtol=1e-5, atol=1e-5)


def test_square_and_range():
    net, head = with_dense()
    free = convert(net, head, "N", 1, "H", "W")
    assert free.inputs[0]["shape"] == ["N", 1, 56, 56]
    assert said(free, "W-dim-fixed") == [
        "size '%s' is not free: 'dense' needs it to be 56 to 63: 56 is taken" % x for x in "HW"
    ]
    # Another number of the range is the user's to give.
    other = convert(net, head, "N", 1, 63, "W")
    assert other.inputs[0]["shape"] == ["N", 1, 63, 56]
    assert run(other, 2, 1, 63, 56).shape == (2, 5)


def test_no_square():
    net, head = with_dense(units=12)
    with pytest.raises(mx2onnx.ModelError, match="give the input numbers"):
        convert(net, head, "N", 1, "H", "W")
    assert convert(net, head, "N", 1, 24, "W").inputs[0]["shape"] == ["N", 1, 24, 32]
