"""Tokens, lengths and masks fed as integers to models that carry them as floating-point numbers."""

import pathlib

import mx2onnx
import networks
import numpy as np
import pytest

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


def test_integers_only_where_they_are_asked_for():
    result = convert(embedded_and_masked(), ids="int64")
    assert not result.diagnostics


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
