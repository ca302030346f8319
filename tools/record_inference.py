#!/usr/bin/env python
"""Records what MXNet's shape and type rules find of a node's inputs and outputs when only a part is known, in
tests/data/inference-mxnet-1.9.1.txt (inference-mxnet-2.0.0b1.txt), for src/ops/record/inference_test.cc and tests/python/test_both_directions.py.

Runs on Python 3.8 with mxnet==1.9.1 numpy==1.19.5, and with mxnet==2.0.0b1 for the operators of cases of MXNet 2.

  record_inference.py [--only REGEX]    operators whose name matches; the others keep what is recorded

The nodes are those of tests/cases that have one operator, as that MXNet means it; of each operator a few, with different attributes and ranks.
Of a node all shapes are taken first. Then one or several of its inputs are hidden, or one size of them, while the
outputs are pinned by an elementwise addition of a variable of known shape, or of a shape that is known but for one
size, or are not. The same with element types.

Format: a node is a line `node OPERATOR ATTRIBUTES-AS-JSON`, with ` np` at the end under NumPy's shapes, followed by

  shapes 2,3;3 > 2,3          the whole truth: inputs, then outputs
  ***=x!                      what MXNet made of each trial, in the order of shape_trials
  ?;3 > ?,3                   for each x
  types float32;int32 > float32
  ...

where * is the whole truth, = no more than what was given, ! a refusal, and x something else. `?` is a shape, a size or
a type that is not known, `?,` a vector of unknown size, and `()` the shape of a scalar.
"""

import argparse
import json
import os
import re
import sys

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))

import case_model  # noqa: E402
import numpy as np  # noqa: E402

# MXNet says much of what it cannot infer.
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
import mxnet as mx  # noqa: E402

MXNET_2 = mx.__version__.startswith("2.")
VERSION = "2.0.0b1" if MXNET_2 else "1.9.1"
RECORD = os.path.join(ROOT, "tests", "data", "inference-mxnet-%s.txt" % VERSION)
NODES_PER_OPERATOR = 6
UNKNOWN = "?"

DISTRIBUTIONS = {
    "exponential": 1,
    "gamma": 2,
    "generalized_negative_binomial": 2,
    "negative_binomial": 2,
    "normal": 2,
    "poisson": 1,
    "uniform": 2,
}
# Nodes that tests/cases does not have: those that draw, and arrays whose size the rest of the model says ("outputs").
MORE_CASES = [
    {"op": op, "attrs": dict(attrs, shape="(0, 3)"), "outputs": ["2,3"]}
    for op, attrs in [("_zeros", {}), ("_ones", {"dtype": "float16"}), ("_full", {"value": "2"})]
]
MORE_CASES += [
    {"op": "_random_" + name, "attrs": dict(attrs, shape=shape), "outputs": ["2,3"]}
    for name in DISTRIBUTIONS
    for shape, attrs in [("(0, 3)", {}), ("(2, 3)", {"dtype": "float64"}), ("(2, 0)", {"dtype": "float16"})]
]
MORE_CASES += [{"op": "_random_%s_like" % name, "inputs": {"data": "2,3:float64"}} for name in DISTRIBUTIONS]
MORE_CASES += [
    {"op": "_sample_" + name, "attrs": attrs, "inputs": {"p%d" % i: "2,4" for i in range(count)}}
    for name, count in DISTRIBUTIONS.items()
    for attrs in [{}, {"shape": "(3,)", "dtype": "float16"}]
]
MORE_CASES += [
    {"op": "_random_randint", "attrs": {"low": "0", "high": "5", "shape": "(0, 3)"}, "outputs": ["2,3"]},
    {"op": "_npi_zeros", "attrs": {"shape": "(-1, 3)"}, "outputs": ["2,3"], "np_shape": True},
    {"op": "_npi_ones", "attrs": {"shape": "(2, -1)", "dtype": "int32"}, "outputs": ["2,3"], "np_shape": True},
    {"op": "_sample_multinomial", "inputs": {"data": "2,4"}},
    {"op": "_sample_multinomial", "inputs": {"data": "2,4"}, "attrs": {"shape": "(3, 5)", "dtype": "float32"}},
    {
        "op": "_sample_multinomial",
        "inputs": {"data": "2,3,4:float64"},
        "attrs": {"shape": "(3,)", "get_prob": "True"},
        "num_outputs": 2,
    },
    {"op": "_sample_unique_zipfian", "attrs": {"range_max": "9", "shape": "(2, 3)"}, "num_outputs": 2},
    {"op": "_shuffle", "inputs": {"data": "3,4:int32"}},
    {"op": "_sparse_retain", "inputs": {"data": "3,4", "indices": "2:int64"}},
    {"op": "_square_sum", "inputs": {"data": "3,4"}, "attrs": {"axis": "1", "keepdims": "True"}},
    {
        "op": "_scatter_set_nd",
        "inputs": {"lhs": "3,4", "rhs": "2", "indices": "2,2:int64"},
        "attrs": {"shape": "(3, 4)"},
    },
    {"op": "_image_random_flip_left_right", "inputs": {"data": "5,4,3:uint8"}},
    {"op": "_image_random_flip_top_bottom", "inputs": {"data": "2,5,4,3"}},
    {"op": "_image_random_lighting", "inputs": {"data": "5,4,3"}, "attrs": {"alpha_std": "0.1"}},
    {
        "op": "_image_random_color_jitter",
        "inputs": {"data": "5,4,3"},
        "attrs": {"brightness": "0.1", "contrast": "0.1", "saturation": "0.1", "hue": "0.1"},
    },
]


class Node:
    """One node with as many pins as outputs; shapes are tuples with None for an unknown size, or None."""

    def __init__(self, case):
        self.np_shape = bool(case.get("np_shape"))
        self.op, self.attrs = case["op"], {k: str(v) for k, v in case.get("attrs", {}).items()}
        tensors = dict(case.get("inputs", {}), **case.get("params", {}))
        self.names = list(tensors)
        parsed = [case_model.parse_tensor(t) for t in tensors.values()]
        self.shapes, self.types = [p[0] for p in parsed], [p[1] for p in parsed]
        graph = json.loads(case_model.case_symbol(case))
        self.pins = [case_model.parse_tensor(t)[0] for t in case["outputs"]] if "outputs" in case else None
        load = mx.sym.fromjson if MXNET_2 else mx.sym.load_json
        self.free = load(json.dumps(graph))
        heads = []
        for i, head in enumerate(graph["heads"]):
            pin = len(graph["nodes"])
            graph["nodes"].append({"op": "null", "name": "pin%d" % i, "inputs": []})
            graph["nodes"].append(
                {"op": "elemwise_add", "name": "add%d" % i, "attrs": {}, "inputs": [head, [pin, 0, 0]]}
            )
            graph["arg_nodes"].append(pin)
            heads.append([pin + 1, 0, 0])
        graph["heads"] = heads
        self.pinned = load(json.dumps(graph))

    def infer_shapes(self, inputs, outputs):
        """(inputs, outputs) as far as MXNet finds them; raises where it refuses."""
        symbol = self.free if outputs is None else self.pinned
        given = dict(zip(self.names, inputs))
        if outputs is not None:
            given.update(("pin%d" % i, s) for i, s in enumerate(outputs))
        unknown = -1 if self.np_shape else 0
        given = {k: tuple(unknown if d is None else d for d in s) for k, s in given.items() if s is not None}
        args, outs, auxs = symbol.infer_shape_partial(**given)
        found = dict(zip(symbol.list_arguments(), args))
        found.update(zip(symbol.list_auxiliary_states(), auxs))
        return [self.read_shape(found[n]) for n in self.names], [self.read_shape(s) for s in outs]

    def read_shape(self, shape):
        if shape is None or (not self.np_shape and len(shape) == 0):
            return None
        unknown = -1 if self.np_shape else 0
        return tuple(None if d == unknown else int(d) for d in shape)

    def infer_types(self, inputs, outputs):
        symbol = self.free if outputs is None else self.pinned
        given = dict(zip(self.names, inputs))
        if outputs is not None:
            given.update(("pin%d" % i, t) for i, t in enumerate(outputs))
        args, outs, auxs = symbol.infer_type_partial(**{k: v for k, v in given.items() if v is not None})
        found = dict(zip(symbol.list_arguments(), args))
        found.update(zip(symbol.list_auxiliary_states(), auxs))
        name = lambda t: None if t is None else np.dtype(t).name
        return [name(found[n]) for n in self.names], [name(t) for t in outs]


def shape_text(shape):
    if shape is None:
        return UNKNOWN
    if shape == (None,):
        return "?,"
    return ",".join(UNKNOWN if d is None else str(d) for d in shape) or "()"


def line_of(text, inputs, outputs):
    return "%s > %s" % (";".join(map(text, inputs)), ";".join(map(text, outputs)))


def with_holes(shape):
    """The shape with one size not known, for each."""
    return [shape[:i] + (None,) + shape[i + 1 :] for i in range(len(shape))]


def replaced(values, index, value):
    return values[:index] + [value] + values[index + 1 :]


def subsets(count):
    """Indices of inputs that are hidden together: all combinations of few; none, one, two or all of many."""
    if count <= 4:
        return [[i for i in range(count) if bits >> i & 1] for bits in range(1 << count)]
    return [[], *(sorted({i, k}) for i in range(count) for k in range(i, count)), list(range(count))]


def hidden(values, chosen):
    return [None if i in chosen else v for i, v in enumerate(values)]


def shape_trials(inputs, outputs):
    """(inputs, outputs) that are given; outputs None without pins."""
    for pins in (outputs, None):
        for chosen in subsets(len(inputs)):
            yield hidden(inputs, chosen), pins
            if len(chosen) > 1:
                yield [(None,) + s[1:] if s and i in chosen else s for i, s in enumerate(inputs)], pins
        for i, shape in enumerate(inputs):
            for holed in with_holes(shape):
                yield replaced(inputs, i, holed), pins
    for i, shape in enumerate(outputs):
        for holed in with_holes(shape):
            for chosen in subsets(len(inputs)):
                yield hidden(inputs, chosen), replaced(outputs, i, holed)


def type_trials(inputs, outputs):
    for pins in (outputs, None):
        for chosen in subsets(len(inputs)):
            yield hidden(inputs, chosen), pins


def record(node, kind):
    shapes = kind == "shapes"
    infer, trials = (node.infer_shapes, shape_trials) if shapes else (node.infer_types, type_trials)
    text = shape_text if shapes else lambda t: t or UNKNOWN
    truth = (node.shapes, node.pins) if shapes else (node.types, None)
    try:
        inputs, outputs = infer(*truth)
    except (mx.MXNetError, TypeError, KeyError):
        return []
    if None in outputs or None in inputs or (shapes and any(None in s for s in inputs + outputs)):
        return []
    if shapes and inputs != truth[0]:
        return []  # MXNet overwrites what it was given (column_stack of vectors)
    complete = line_of(text, inputs, outputs)
    codes, lines = "", []
    for given in trials(inputs, outputs):
        before = line_of(text, given[0], [None] * len(outputs) if given[1] is None else given[1])
        try:
            after = line_of(text, *infer(*given))
        except mx.MXNetError:
            after = None
        code = {None: "!", before: "=", complete: "*"}.get(after, "x")
        codes += code
        if code == "x":
            lines.append(after)
    return ["%s %s" % (kind, complete), codes] + lines


def nodes_of_cases(only):
    """{operator: [node, ...]}: those that differ most come first."""
    found = {}
    for family in case_model.family_names():
        for case in case_model.load_family(family):
            if "op" in case and case_model.is_recorded_by(case, mx.__version__):
                found.setdefault(case["op"], []).append(case)
    for case in [] if MXNET_2 else MORE_CASES:
        found.setdefault(case["op"], []).insert(0, case)
    return {op: cases for op, cases in found.items() if re.search(only, op)}


def record_operator(cases):
    """Lines of at most NODES_PER_OPERATOR nodes that teach something different."""
    lines, lessons = [], set()
    for case in cases:
        if MXNET_2:
            (mx.npx.set_np if case.get("np_shape") else mx.npx.reset_np)()
        with mx.util.np_shape(bool(case.get("np_shape"))):
            try:
                node = Node(case)
            except mx.MXNetError:
                continue
            if any(not s for s in node.shapes) and not node.np_shape:
                continue
            shapes, types = record(node, "shapes"), record(node, "types")
        lesson = "\n".join(re.sub(r"\d+", "1", line) for line in shapes) + "\n".join(types)
        if not shapes or lesson in lessons:
            continue
        if not types or "\n".join(types) in lessons:
            types = []
        lessons.update([lesson, "\n".join(types)])
        head = "node %s %s%s" % (node.op, json.dumps(node.attrs, sort_keys=True), " np" if node.np_shape else "")
        lines += [head] + shapes + types
        if len(lessons) >= 2 * NODES_PER_OPERATOR:
            break
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="operators whose name matches; the others keep what is recorded")
    args = parser.parse_args()
    blocks = {}
    if args.only and os.path.exists(RECORD):
        with open(RECORD) as f:
            for block in re.split(r"(?m)^(?=node )", f.read()):
                if block:
                    blocks.setdefault(block.split()[1], []).append(block)
    blocks = {k: "".join(v) for k, v in blocks.items()}
    for op, cases in sorted(nodes_of_cases(args.only).items()):
        lines = record_operator(cases)
        if lines:
            blocks[op] = "".join(line + "\n" for line in lines)
        else:
            print("nothing is inferred of %s" % op, flush=True)
    with open(RECORD, "w") as f:
        f.write("".join(blocks[op] for op in sorted(blocks)))
    print("%d operators" % len(blocks))


if __name__ == "__main__":
    main()
