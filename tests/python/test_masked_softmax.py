"""masked_softmax and masked_log_softmax, which MXNet 1.9.1 does not have: what MXNet 2.0.0b1 gives for
[[1, 2, 3], [0.5, -1, 4]]."""

import json

import mx2onnx
import numpy as np
import pytest
from running import check_model, run

DATA = [[1, 2, 3], [0.5, -1, 4]]
ROWS = [[1, 0, 1], [0, 0, 0]]
NO = -np.inf

CASES = [
    ("masked_softmax", {}, ROWS, [[0.11920292202211755, 0, 0.8807970779778823], [0, 0, 0]]),
    ("_npx_masked_softmax", {"normalize": "False"}, ROWS, [[0.11920292202211755, 0, 0.8807970779778823], [0, 0, 0]]),
    ("masked_softmax", {"temperature": "0.25"}, ROWS, [[0.00033535013046647816, 0, 0.9996646498695336], [0, 0, 0]]),
    ("masked_softmax", {"axis": "0"}, ROWS, [[1, 0, 1], [0, 0, 0]]),
    (
        "masked_softmax",
        {},
        [[1, 0, 1]],
        [[0.11920292202211755, 0, 0.8807970779778823], [0.02931223075135632, 0, 0.9706877692486436]],
    ),
    ("masked_softmax", {}, [[1], [0]], [[0.0900305731703804, 0.244728471054797, 0.6652409557748218], [0, 0, 0]]),
    ("masked_log_softmax", {}, ROWS, [[-2.1269280110429727, NO, -0.1269280110429726], [NO, NO, NO]]),
    (
        "_npx_masked_log_softmax",
        {"temperature": "0.25"},
        ROWS,
        [[-8.000335406372896, NO, -0.0003354063728956624], [NO, NO, NO]],
    ),
    ("masked_log_softmax", {"axis": "0"}, ROWS, [[0, NO, 0], [NO, NO, NO]]),
]


def symbol(op, attrs):
    nodes = [{"op": "null", "name": name, "inputs": []} for name in ("data", "mask")]
    nodes.append({"op": op, "name": "soft", "attrs": attrs, "inputs": [[0, 0, 0], [1, 0, 0]]})
    return json.dumps({"nodes": nodes, "heads": [[2, 0, 0]]})


@pytest.mark.parametrize("dtype,rtol", [("float32", 1e-5), ("float64", 1e-12), ("float16", 3e-3)])
@pytest.mark.parametrize("op,attrs,mask,expected", CASES)
def test_values(op, attrs, mask, expected, dtype, rtol):
    feeds = {"data": np.array(DATA, dtype), "mask": np.array(mask, "bool")}
    for opset in (12, mx2onnx.LAST_OPSET):
        inputs = {"data": (("N", 3), dtype), "mask": ((1 if len(mask) == 1 else "N", len(mask[0])), "bool")}
        model = mx2onnx.convert(symbol(op, attrs), inputs=inputs, opset=opset).model
        check_model(model)
        (found,) = run(model, feeds)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, np.array(expected), rtol=rtol, atol=rtol * 1e-2)


def test_infinity_that_counts():
    model = mx2onnx.convert(symbol("masked_softmax", {}), inputs={"data": (1, 3), "mask": (1, 3)}).model
    (found,) = run(model, {"data": np.array([[NO, 2, 3]], "float32"), "mask": np.array([[True, False, False]])})
    assert found.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    "attrs,mask,words",
    [
        ({}, (2,), "'mask': expected 2 dimensions"),
        ({}, (2, 2), "'mask': expected the data's size 3 or 1 in axis 1"),
        ({"temperature": "-1"}, (2, 3), "'temperature': expected a number above 0"),
        ({"axis": "2"}, (2, 3), "'axis'"),
    ],
)
def test_refusals(attrs, mask, words):
    with pytest.raises(mx2onnx.Error) as error:
        mx2onnx.convert(symbol("masked_softmax", attrs), inputs={"data": (2, 3), "mask": mask})
    assert words in str(error.value)
