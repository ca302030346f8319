"""States whose size the rest of the model says: arrays that a model makes with an unknown size (0), as the begin states of
recurrent cells, and that meet a known shape behind an operator.

What each rule finds is compared with MXNet's in src/ops/record/inference_test.cc, from the same record. Here whole models are:
they have to become what they become with the size written out."""

import collections
import json
import os
import re

import mx2onnx
import numpy as np
import pytest
from running import run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORD = os.path.join(ROOT, "data", "inference-mxnet-1.9.1.txt")

Node = collections.namedtuple("Node", "op attrs inputs outputs types codes")


def shapes_of(text):
    return [() if s == "()" else tuple(int(d) for d in s.split(",")) for s in text.split(";") if s]


def read_record():
    """The nodes without NumPy's shapes, by operator."""
    with open(RECORD) as file:
        blocks = re.split(r"(?m)^node ", file.read())[1:]
    nodes = collections.defaultdict(list)
    for block in blocks:
        head, *lines = block.splitlines()
        op, attrs = head.split(" ", 1)
        if attrs.endswith(" np"):
            continue
        inputs, outputs = lines[0][len("shapes ") :].split(" > ")
        types = [line[len("types ") :].split(" > ") for line in lines if line.startswith("types ")]
        types = [t.split(";") for t in types[0]] if types else None
        nodes[op].append(Node(op, json.loads(attrs), shapes_of(inputs), shapes_of(outputs), types, lines[1]))
    return nodes


NODES = read_record()


def subsets(count):
    """As in tools/record_inference.py."""
    if count <= 4:
        return [[i for i in range(count) if bits >> i & 1] for bits in range(1 << count)]
    return [[], *(sorted({i, k}) for i in range(count) for k in range(i, count)), list(range(count))]


def states(node):
    """The sets of inputs of which MXNet finds the first size, that is not known, where the outputs are known: in the order of
    the record's trials."""
    place = 0
    for chosen in subsets(len(node.inputs)):
        place += 1
        if len(chosen) > 1:
            if node.codes[place] == "*" and all(node.inputs[i] for i in chosen):
                yield chosen
            place += 1
    for i, shape in enumerate(node.inputs):
        if shape and node.codes[place] == "*":
            yield [i]
        place += len(shape)


def model(node, chosen, hole):
    """The node with some inputs made by the model, and its outputs added to variables."""
    nodes, variables = [], {}

    def variable(name, shape, dtype):
        variables[name] = (shape, dtype)
        nodes.append({"op": "null", "name": name, "inputs": []})
        return [len(nodes) - 1, 0, 0]

    inputs = []
    for i, shape in enumerate(node.inputs):
        dtype = node.types[0][i] if node.types else "float32"
        if i in chosen:
            attrs = {"shape": str((0,) + shape[1:] if hole else shape), "dtype": dtype}
            nodes.append({"op": "_zeros", "name": "state%d" % i, "attrs": attrs, "inputs": []})
            inputs.append([len(nodes) - 1, 0, 0])
        else:
            inputs.append(variable("x%d" % i, shape, dtype))
    nodes.append({"op": node.op, "name": "op", "attrs": node.attrs, "inputs": inputs})
    place, heads = len(nodes) - 1, []
    for i, shape in enumerate(node.outputs):
        pin = variable("pin%d" % i, shape, node.types[1][i] if node.types else "float32")
        nodes.append({"op": "elemwise_add", "name": "sum%d" % i, "inputs": [[place, i, 0], pin]})
        heads.append([len(nodes) - 1, 0, 0])
    arguments = [i for i, n in enumerate(nodes) if n["op"] == "null"]
    graph = {"nodes": nodes, "arg_nodes": arguments, "heads": heads, "attrs": {"mxnet_version": ["int", 10901]}}
    try:
        return mx2onnx.convert(json.dumps(graph), inputs=variables, opset=17).model
    except mx2onnx.Error as error:
        return str(error)


@pytest.mark.parametrize("op", sorted(NODES))
def test_sizes_that_the_output_says(op):
    for node in NODES[op]:
        for chosen in states(node):
            assert model(node, chosen, hole=True) == model(node, chosen, hole=False), (node, chosen)


def test_most_operators_are_tried():
    tried, converted = set(), set()
    for op, nodes in NODES.items():
        for node in nodes:
            for chosen in states(node):
                tried.add(op)
                if isinstance(model(node, chosen, hole=True), bytes):
                    converted.add(op)
                break
    assert tried == converted and len(tried) > 250
    assert {"where", "FullyConnected", "Concat", "Reshape", "RNN", "SequenceMask", "SliceChannel"} <= converted


def variable(name):
    return {"op": "null", "name": name, "inputs": []}


def zeros(name, shape):
    return {"op": "_zeros", "name": name, "attrs": {"shape": str(shape), "dtype": "float32"}, "inputs": []}


def symbol(nodes, heads):
    """A symbol's JSON of nodes whose inputs are names or "name:output"."""
    index = {node["name"]: i for i, node in enumerate(nodes)}

    def entry(text):
        name, _, output = text.partition(":")
        return [index[name], int(output or 0), 0]

    nodes = [{**n, "inputs": [entry(i) if isinstance(i, str) else i for i in n["inputs"]]} for n in nodes]
    arguments = [i for i, n in enumerate(nodes) if n["op"] == "null"]
    attrs = {"mxnet_version": ["int", 10901]}
    return {"nodes": nodes, "arg_nodes": arguments, "heads": [entry(h) for h in heads], "attrs": attrs}


def test_both_branches_of_where_are_one_state():
    """GluonTS' DeepAR begins like this."""
    graph = symbol(
        [
            variable("condition"),
            zeros("begin", (0, 8)),
            {"op": "where", "name": "chosen", "inputs": ["condition", "begin", "begin"]},
            variable("data"),
            {"op": "elemwise_add", "name": "sum", "inputs": ["chosen", "data"]},
        ],
        ["sum"],
    )
    shapes = {"condition": (3, 8), "data": (3, 8)}
    model = mx2onnx.convert(json.dumps(graph), inputs=shapes).model
    random = np.random.RandomState(0)
    feeds = {k: random.normal(size=v).astype("float32") for k, v in shapes.items()}
    np.testing.assert_array_equal(run(model, feeds)[0], feeds["data"])


def test_a_loop_learns_from_its_outputs():
    """MXNet infers data of (5, 0, 4) and a state of (0, 4) to be of 2 rows, as what is made of them."""
    body = symbol(
        [
            variable("row"),
            variable("before"),
            {"op": "elemwise_add", "name": "after", "inputs": ["row", "before"]},
            {"op": "_copy", "name": "out", "inputs": ["after"]},
        ],
        ["out", "after"],
    )
    attrs = {
        "num_args": "3",
        "num_outputs": "2",
        "num_out_data": "1",
        "in_state_locs": "(1,)",
        "in_data_locs": "(0,)",
        "remain_locs": "()",
    }
    loop = {"op": "_foreach", "name": "loop", "attrs": attrs, "inputs": ["data", "state"], "subgraphs": [body]}
    graph = symbol(
        [
            zeros("data", (5, 0, 4)),
            zeros("state", (0, 4)),
            loop,
            variable("pin"),
            {"op": "elemwise_add", "name": "sum", "inputs": ["loop:0", "pin"]},
        ],
        ["sum"],
    )
    model = mx2onnx.convert(json.dumps(graph), inputs={"pin": (5, 2, 4)}).model
    pin = np.arange(40, dtype="float32").reshape(5, 2, 4)
    np.testing.assert_array_equal(run(model, {"pin": pin})[0], pin)
