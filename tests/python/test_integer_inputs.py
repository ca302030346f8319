"""Tokens, lengths and masks fed as integers to models that carry them as floating-point numbers."""

import pathlib

import mx2onnx
import networks
import numpy as np
import pytest
from running import assert_same, check_model, run

TESTS = pathlib.Path(__file__).resolve().parent.parent
IDS = np.array([[0, 3, 7, 9], [9, 1, 1, 12]])
MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 0]])


def embedded_and_masked():
    """Indices look rows up; the mask is multiplied with them and tells their number."""
    s = networks.SymbolBuilder()
    ids, mask = s.variable("ids"), s.variable("mask")
    rows = s.node("Embedding", "embed", ids, s.variable("weight"), input_dim=10, output_dim=3)
    masked = s.node("broadcast_mul", "masked", rows, s.node("expand_dims", "column", mask, axis=2))
    return s.json(s.node("sum", "summed", masked, axis=1), s.node("sum", "count", mask, axis=1))


def convert(symbol, ids="float32", mask="float32", **options):
    weight = np.arange(30, dtype="float32").reshape(10, 3)
    inputs = {"ids": (("B", "T"), ids), "mask": (("B", "T"), mask)}
    return mx2onnx.convert(symbol, {"weight": weight}, inputs=inputs, **options)


@pytest.mark.parametrize("opset", [12, mx2onnx.LAST_OPSET])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_what_does_not_take_integers_gets_numbers(dtype, opset):
    symbol = embedded_and_masked()
    expected = run(convert(symbol).model, {"ids": IDS.astype("float32"), "mask": MASK.astype("float32")})
    result = convert(symbol, dtype, dtype, opset=opset)
    check_model(result.model)
    assert [(i["name"], i["dtype"]) for i in result.inputs] == [("ids", dtype), ("mask", dtype)]
    # The indices stay integers: nothing says that they may not be.
    assert [(d["id"], d["message"]) for d in result.diagnostics] == [
        (
            "W-input-converted",
            "input 'mask' is converted to float32 inside the model: 'masked' does not take %s" % dtype,
        )
    ]
    assert_same(run(result.model, {"ids": IDS.astype(dtype), "mask": MASK.astype(dtype)}), expected)


def test_integers_only_where_they_are_asked_for():
    result = convert(embedded_and_masked(), ids="int64")
    assert not result.diagnostics


def test_within_a_loop():
    path = TESTS / "control_flow" / "cumulative_sum"
    arrays = np.load(str(path) + ".npz")
    text = pathlib.Path(str(path) + "-symbol.json").read_text()
    data = np.arange(12).reshape(2, 2, 3)
    state = arrays["0/in/state"]
    inputs = {"data": (("T", 2, 3), "int32"), "state": ((2, 3), "float32")}
    result = mx2onnx.convert(text, inputs=inputs)
    assert [d["id"] for d in result.diagnostics] == ["W-input-converted"]
    sums = state + np.cumsum(data, axis=0).astype("float32")
    assert_same(run(result.model, {"data": data.astype("int32"), "state": state}), [sums, sums[-1]])


def test_a_contradiction_of_the_model_itself():
    s = networks.SymbolBuilder()
    whole = s.node("Cast", "whole", s.variable("x"), dtype="int32")
    text = s.json(s.node("elemwise_add", "sum", whole, s.node("Cast", "half", s.variable("ids"), dtype="float16")))
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(text, inputs={"x": (2, 3), "ids": ((2, 3), "int32")})
    assert str(error.value).endswith("'sum' (elemwise_add): input 'rhs': expected int32, found float16")


@pytest.mark.parametrize(
    "op,sizes,dtype,limit",
    [
        ("Embedding", {"input_dim": 2**24 + 2, "output_dim": 1}, "float32", "16777216"),
        ("take", {}, "float32", "16777216"),
        ("Embedding", {"input_dim": 2**24 + 1, "output_dim": 1}, "float32", None),
        ("Embedding", {"input_dim": 2**24 + 2, "output_dim": 1}, "int32", None),
        ("Embedding", {"input_dim": 2050, "output_dim": 1}, "float16", "2048"),
    ],
)
def test_ids_that_are_not_exact(op, sizes, dtype, limit):
    s = networks.SymbolBuilder()
    ids, weight = s.variable("ids"), s.variable("weight")
    head = s.node(op, "lookup", *((ids, weight) if op == "Embedding" else (weight, ids)), **sizes)
    rows = sizes.get("input_dim", 2**24 + 2)
    result = mx2onnx.convert(s.json(head), inputs={"ids": (("B",), dtype), "weight": (rows, 1)})
    found = [d["message"] for d in result.diagnostics if d["id"] == "W-float-ids"]
    expected = "node 'lookup' (%s): its indices are %s, which is exact up to %s only, and there are %d"
    assert found == ([expected % (op, dtype, limit, rows)] if limit else [])
