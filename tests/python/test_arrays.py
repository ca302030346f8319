"""Arrays of every kind that NumPy has, as parameters, as examples of inputs and as values for `verify`: the right numbers, or a
refusal that names the array. Never other numbers."""

import warnings

import mx2onnx
import numpy as np
import pytest
from networks import SymbolBuilder
from running import run

import onnx

W = np.arange(12, dtype="float32").reshape(4, 3)
RECORD = np.dtype([("bfloat16", np.uint16)])


def net(dtype="float32"):
    """x + w, which takes any element type."""
    builder = SymbolBuilder()
    return builder.json(builder.node("elemwise_add", "sum", builder.variable("x"), builder.variable("w")))


def stored(w):
    """The numbers that the model has for the parameter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
        model = mx2onnx.convert(net(), {"w": w}, inputs={"x": np.shape(w)}).to_onnx()
    return onnx.numpy_helper.to_array(model.graph.initializer[0])


def frozen(array):
    array.setflags(write=False)
    return array


class Mine(np.ndarray):
    pass


SAME = {
    "big-endian": W.astype(">f4"),
    "big-endian doubles": W.astype(">f8"),
    "big-endian halves": W.astype(">f2"),
    "big-endian integers": W.astype(">i4"),
    "big-endian long integers": W.astype(">i8"),
    "big-endian short integers": W.astype(">i2"),
    "big-endian unsigned": W.astype(">u2"),
    "little-endian": W.astype("<f4"),
    "columns first": np.asfortranarray(W),
    "strided": np.repeat(W, 2, 1)[:, ::2],
    "backwards": np.ascontiguousarray(W[::-1, ::-1])[::-1, ::-1],
    "broadcast": np.broadcast_to(np.float32(2), (4, 3)),
    "transposed big-endian": np.ascontiguousarray(W.T.astype(">f4")).T,
    "unaligned": np.frombuffer(b"\0" + W.tobytes(), "u1")[1:].view("f4").reshape(4, 3),
    "read-only": frozen(W.copy()),
    "a matrix": np.matrix(W),
    "a subclass": W.view(Mine),
    "none masked": np.ma.array(W, mask=False),
    "unsigned 16": W.astype("u2"),
    "unsigned 32": W.astype("u4"),
    "unsigned 64": W.astype("u8"),
    "bytes": W.astype("u1"),
    "nested lists": W.tolist(),
    "0-d": np.array(3.5, "f4"),
    "0-d big-endian": np.array(3.5, ">f4"),
    "a scalar": np.float32(3.5),
    "a number": 3.5,
    "empty": np.zeros((0, 3), ">f4"),
}


@pytest.mark.parametrize("w", SAME.values(), ids=SAME)
def test_numbers_are_the_same_or_refused(w):
    try:
        found = stored(w)
    except (mx2onnx.UnsupportedError, mx2onnx.ModelError) as error:
        # Types that MXNet does not add, and sizes that it does not know.
        assert np.asarray(w).dtype.kind in "u" or np.asarray(w).size == 0 or np.asarray(w).dtype.itemsize == 2, error
        return
    np.testing.assert_array_equal(found, np.asarray(w))
    assert found.dtype.isnative


REFUSED = {
    "masked": (np.ma.array(W, mask=W > 5), "params: 'w': elements are masked, and a model has no masks: fill them in"),
    "masked in a list": ([np.ma.array([1.0, 2.0], mask=[0, 1])], "params: 'w': elements are masked"),
    "the masked constant": (np.ma.masked, "params: 'w': elements are masked"),
    "complex": (W.astype("c8"), "params: 'w' is no array of numbers: MXNet has no complex numbers (complex64)"),
    "big-endian complex": (W.astype(">c16"), "params: 'w' is no array of numbers: MXNet has no complex numbers"),
    "a record": (
        np.zeros(3, [("a", "f4"), ("b", "i4")]),
        "params: 'w' is no array of numbers: ndarray of [('a', '<f4')",
    ),
    "a record of one": (np.zeros(3, [("a", "f4")]), "params: 'w' is no array of numbers: ndarray of [('a', '<f4')]"),
    "a recarray": (np.zeros(3, [("a", "f4")]).view(np.recarray), "params: 'w' is no array of numbers: recarray"),
    "objects": (W.astype(object), "params: 'w' is no array of numbers: ndarray"),
    "texts": (np.array(["a"]), "params: 'w' is no array of numbers: ndarray of <U1"),
    "bytes": (np.array([b"a"]), "params: 'w' is no array of numbers: ndarray of |S1"),
    "void": (np.zeros(3, "V2"), "params: 'w' is no array of numbers: ndarray of |V2"),
    "times": (np.zeros(3, "M8[s]"), "params: 'w' is no array of numbers: ndarray of datetime64[s]"),
    "durations": (np.zeros(3, "m8[s]"), "params: 'w' is no array of numbers: ndarray of timedelta64[s]"),
    "ragged": ([[1, 2], [3]], "params: 'w' is no array of numbers: list"),
    "none": (None, "params: 'w' is no array of numbers: NoneType"),
}


@pytest.mark.parametrize("w,message", REFUSED.values(), ids=REFUSED)
def test_what_would_be_lost_is_refused(w, message):
    with pytest.raises(TypeError) as error:
        mx2onnx.convert(net(), {"w": w}, inputs={"x": (4, 3)})
    assert str(error.value).startswith(message)


def test_long_doubles_are_refused():
    if np.dtype("longdouble").itemsize == 8:
        pytest.skip("long doubles are doubles here")
    with pytest.raises(mx2onnx.UsageError, match="array 'w': element type .* is not supported"):
        mx2onnx.convert(net(), {"w": W.astype("longdouble")}, inputs={"x": (4, 3)})


@pytest.mark.parametrize("order", "<>")
def test_bfloat16_as_mxnet_spells_it(order):
    record = np.dtype([("bfloat16", order + "u2")])
    array, dtype = mx2onnx._live.array_of("w", np.array([(1,), (0x3F80,)], record))
    assert dtype == "bfloat16" and array.tolist() == [1, 0x3F80] and array.dtype.isnative


def test_a_name_in_two_mappings_is_refused():
    with pytest.raises(mx2onnx.UsageError, match="params: 'w' is in two of the mappings"):
        mx2onnx.convert(net(), [{"w": W}, {"w": W + 1}], inputs={"x": (4, 3)})


@pytest.mark.parametrize("example", [np.zeros((4, 3), ">f4"), np.ma.array(W, mask=W > 5), np.matrix(W)], ids=str)
def test_examples_of_inputs_have_a_shape_and_a_type(example):
    result = mx2onnx.convert(net(), {"w": W}, inputs={"x": example})
    assert result.inputs == [{"name": "x", "dtype": "float32", "shape": [4, 3]}]


@pytest.mark.parametrize("dtype", ["c8", "O", "M8[s]", "U3"])
def test_examples_of_no_type_that_a_model_has_are_refused(dtype):
    with pytest.raises(mx2onnx.Error, match="input 'x': expected an element type such as float32"):
        mx2onnx.convert(net(), {"w": W}, inputs={"x": np.zeros((4, 3), dtype)})


@pytest.fixture
def converted(tmp_path):
    symbol = tmp_path / "net-symbol.json"
    symbol.write_text(net())
    mx2onnx.convert(net(), {"w": W}, inputs={"x": (4, 3)}, output=tmp_path / "net.onnx")
    return tmp_path


@pytest.mark.parametrize("order", "<>")
def test_verify_takes_recorded_arrays_of_any_order(converted, order):
    x = (W * 3).astype(order + "f4")
    np.savez(converted / "case.npz", x=x, sum_output=(x + W).astype(order + "f4"))
    result = mx2onnx.verify(converted / "net-symbol.json", None, converted / "net.onnx", expect=converted / "case.npz")
    assert result.ok, result.table()


def test_verify_refuses_masks_and_objects(converted):
    def verify(**options):
        mx2onnx.verify(converted / "net-symbol.json", None, converted / "net.onnx", **options)

    with pytest.raises(TypeError, match="inputs: 'x': elements are masked"):
        verify(inputs={"x": np.ma.array(W, mask=W > 5)})
    np.savez(converted / "objects.npz", x=W.astype(object), sum_output=W)
    with pytest.raises(mx2onnx.FormatError, match="objects.npz: "):
        verify(expect=converted / "objects.npz")


def emitted(do):
    """The model of an operator whose translation is `do(onnx)`."""

    @mx2onnx.register_operator("Custom:given", inputs=["data"])
    def translate(node, onnx):
        onnx.set_output(0, do(onnx))

    builder = SymbolBuilder()
    text = builder.json(builder.node("Custom", "c", builder.variable("data"), op_type="given"))
    try:
        return mx2onnx.convert(text, inputs={"data": (4, 3)})
    finally:
        mx2onnx.unregister_operator("Custom:given")


def test_constants_of_a_translation():
    for w in (W.astype(">f4"), np.asfortranarray(W), np.ma.array(W, mask=False), np.matrix(W)):
        model = emitted(lambda onnx, w=w: onnx.emit("Add", [onnx.input(0), onnx.constant(w)])).model
        np.testing.assert_array_equal(run(model, {"data": W})[0], 2 * W)
    with pytest.raises(TypeError, match="constant: elements are masked"):
        emitted(lambda onnx: onnx.constant(np.ma.array(W, mask=W > 5)))
    with pytest.raises(ValueError, match="whole numbers beyond 2\\*\\*53"):
        emitted(lambda onnx: onnx.constant(2**53 + 1))
    for value in (np.complex64(1 + 2j), np.ma.masked):
        with pytest.raises(TypeError, match="emit: attribute 'alpha': expected numbers or texts"):
            emitted(lambda onnx, value=value: onnx.emit("Elu", [onnx.input(0)], {"alpha": value}))


def test_means_are_numbers():
    for mean in (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), np.array([1, 2, 3j])):
        with pytest.raises(TypeError, match="mean: expected a number or several"):
            mx2onnx.convert(net(), {"w": W}, inputs={"x": (4, 3)}, mean=mean)
