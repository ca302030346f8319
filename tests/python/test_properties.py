"""Random valid attributes, shapes and element types for every operator: whatever comes, the result is a valid model or a clear
refusal, never a bug of the converter."""

import json
import re

import mx2onnx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import check_model

OPERATORS = {o["name"]: o for o in mx2onnx.operators()}
DTYPES = ["float32", "float32", "float32", "float16", "float64", "int32", "int64", "uint8", "bool"]
REFUSALS = (mx2onnx.ModelError, mx2onnx.UnsupportedError, mx2onnx.FormatError)


def integers(expected):
    bounds = re.search(r"from (-?[\d.e+]+) to (-?[\d.e+]+)", expected)
    low, high = (float(bounds.group(1)), float(bounds.group(2))) if bounds else (None, None)
    at_least = re.search(r"at least (-?\d+)", expected)
    if at_least:
        low = float(at_least.group(1))
    low = -3 if low is None else int(low)
    return st.integers(low, min(low + 6, int(high)) if high is not None else max(low + 6, 4))


def values(expected):
    """A strategy for attribute texts, from the sentence that the operator table has."""
    one = integers(expected)
    if expected.startswith("a tuple"):
        sizes = re.search(r"tuple of (\d+)(?: to (\d+))?", expected)
        fewest, most = (int(sizes.group(1)), int(sizes.group(2) or sizes.group(1))) if sizes else (0, 5)
        element = st.one_of(one, st.none()) if "integers or None" in expected else one
        text = st.lists(element, min_size=fewest, max_size=most).map(
            lambda v: "(" + "".join("%s," % i for i in v) + ")"
        )
    elif expected.startswith("an integer"):
        text = one.map(str)
    elif expected.startswith("a number"):
        text = st.sampled_from(["0", "1", "0.5", "-2", "3", "1e-3", "100"])
    elif expected.startswith("a boolean"):
        text = st.sampled_from(["True", "False", "0", "1"])
    elif expected.startswith("an element type"):
        text = st.sampled_from(sorted(set(DTYPES)))
    else:
        return st.sampled_from(re.split(r", | or ", expected))
    return st.one_of(text, st.just("None")) if expected.endswith(", or None") else text


@st.composite
def nodes(draw, name):
    """(symbol JSON, {input: array}) of one node."""
    attrs = {}
    for attribute in OPERATORS[name]["attributes"]:
        required = not attribute["default"]
        if attribute["expected"] and (required or draw(st.booleans())):
            attrs[attribute["name"]] = draw(values(attribute["expected"]))
    count = len(OPERATORS[name]["inputs"])
    if "num_args" in attrs or "num_inputs" in attrs:
        count = draw(st.integers(1, 3))
        attrs["num_args" if "num_args" in attrs else "num_inputs"] = str(count)
    dtype = draw(st.sampled_from(DTYPES))
    shapes = st.lists(st.integers(1, 4), min_size=1, max_size=5)
    first = draw(shapes)
    arrays = {}
    for i in range(count):
        shape = first if draw(st.booleans()) else draw(shapes)
        arrays["in%d" % i] = np.ones(shape, dtype)
    variables = [{"op": "null", "name": n, "inputs": []} for n in arrays]
    node = {"op": name, "name": "op", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(count)]}
    graph = {"nodes": variables + [node], "arg_nodes": list(range(count)), "heads": [[count, 0, 0]]}
    if draw(st.booleans()):
        graph["attrs"] = {"is_np_shape": ["int", 1]}
    return json.dumps(graph), arrays


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_random_nodes(name):
    @settings(max_examples=15, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(nodes(name), st.sampled_from([12, 17, 28]), st.booleans())
    def check(node, opset, free):
        symbol, arrays = node
        shapes = {
            k: ((["%s_%d" % (k, i) for i in range(v.ndim)] if free else v.shape), v.dtype.name)
            for k, v in arrays.items()
        }
        try:
            result = mx2onnx.convert(symbol, inputs=shapes, opset=opset)
        except REFUSALS as error:
            assert error.message and "internal" not in str(error)
            return
        check_model(result.model)

    check()
