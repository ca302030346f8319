"""Numbers that no model has in the attributes of every operator: an error, or a model that ONNX Runtime loads.

src/convert/huge_attributes_test.cc tries more numbers, and looks at the arithmetic.
"""

import json
import pathlib
import re

import mx2onnx
import onnxruntime
import pytest

import onnx

RECORD = pathlib.Path(__file__).resolve().parent.parent / "data" / "inference-mxnet-1.9.1.txt"
NUMBERS = ["2147483647", "4294967296", "1000000000000000000", "-9223372036854775808"]
# These read from data beyond the file's size when the runtime plans its memory, whatever the model says.
INTEGERS = re.compile(r"^[(\[]?\s*-?\d+\s*(,\s*(-?\d+|None)\s*)*,?\s*[)\]]?$")


def nodes():
    """(operator, attributes, shapes, np_shape) of the first node of each operator and set of attributes."""
    seen, node = set(), None
    for line in RECORD.read_text().splitlines():
        if line.startswith("node "):
            text = line[5:]
            np_shape = text.endswith(" np")
            op, attrs = (text[:-3] if np_shape else text).split(" ", 1)
            node = (op, json.loads(attrs), np_shape)
        elif line.startswith("shapes ") and node:
            key = (node[0], tuple(sorted(node[1])))
            if key not in seen:
                seen.add(key)
                yield (*node, [s for s in line[7:].split(" > ")[0].split(";") if s])
            node = None


def symbol_of(op, attrs, np_shape, count):
    variables = [{"op": "null", "name": "x%d" % i, "inputs": []} for i in range(count)]
    node = {"op": op, "name": "op", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(count)]}
    about = {"mxnet_version": ["int", 10901], "is_np_shape": ["int", int(np_shape)]}
    return json.dumps({"nodes": [*variables, node], "heads": [[count, 0, 0]], "attrs": about})


def mutants(value):
    """The value with another number in each of its places."""
    places = [m.span() for m in re.finditer(r"-?\d+", value)]
    for begin, end in places:
        for number in NUMBERS:
            yield value[:begin] + number + value[end:]


def load(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("part", range(8))
def test_an_error_or_a_model_that_loads(part):
    loaded = refused = 0
    faults = []
    for i, (op, attrs, np_shape, shapes) in enumerate(nodes()):
        if i % 8 != part:
            continue
        inputs = {"x%d" % k: [] if s == "()" else [n for n in s.split(",") if n] for k, s in enumerate(shapes)}
        for name, value in attrs.items():
            for mutant in mutants(value) if INTEGERS.match(value) else ():
                text = symbol_of(op, dict(attrs, **{name: mutant}), np_shape, len(shapes))
                try:
                    model = mx2onnx.convert(text, {}, inputs=inputs, random_weights=True).model
                except mx2onnx.Error as error:
                    refused += 1
                    if isinstance(error, mx2onnx.InternalError):
                        faults.append((op, name, mutant, str(error)))
                    continue
                try:
                    onnx.checker.check_model(model)
                    load(model)
                    loaded += 1
                except Exception as error:
                    faults.append((op, name, mutant, str(error)[:300]))
    assert not faults, "\n".join(map(str, faults))
    assert loaded > 10 and refused > 10
