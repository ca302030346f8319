"""Operator cases as data: reads tests/cases/*/*.json and makes of each case a symbol, parameters and inputs.

Used by the tests and by tools/record_golden.py, so that MXNet and the converter see the same model. Runs on
Python 3.6 with NumPy alone, because old MXNet does.

A file is {"cases": [case, ...]}. A case:

    {"name": "prelu_4d",                       unique in its file
     "op": "LeakyReLU", "attrs": {"act_type": "prelu"},
     "inputs": {"data": "2,3,4,5"},            what the user feeds
     "params": {"gamma": "3:0.1..0.5"},        what lies in the parameter file
     "alt": {"data": "3,3,2,7"}}               other sizes of inputs, recorded too

An attribute or input whose value is a list makes one case per element ("sweep"); the name gets the index.
Instead of "op" a case may have "nodes", a list of {"op", "name", "attrs", "inputs"}, where an input is a
variable's name or "node:output", and "heads" of the same form. A node, or a case with "op", may have "subgraphs", each
{"inputs": names of variables, "nodes": as above}; its last node is its output.

Further keys: "num_outputs": how many outputs are heads, a number or the attribute that says it (default 1);
"np_shape": true; "first_opset" and "last_opset": the first and last opset that can express it (refused before and
after); "limit": "dtype" (it is an element type that these opsets refuse, so the operator's table does not say so) or
"form" (it is the form of quantised numbers, which is an option); "rtol", "atol"; "free": false (no free sizes, with a
reason in "why"); "constant": false (not run with inputs as constants); "onednn": false (recorded without MXNet's
oneDNN kernels, which refuse it).

"mxnet_version": the MXNet that wrote the file, as MXNet counts (10901 unless given, 20000 is 2.0). A case of 2.0 and later is
recorded by MXNet 2.0.0b1, all others by 1.9.1. A list, [10901, 20000], makes a case of each: NAME_10901, NAME_20000. "recorded_as": {"op": ..., "attrs": {...}}, of a version that cannot be installed any
more: the operator of the recording MXNet that computes the same, with attributes beside the case's own; "why" says how that is known.

A tensor is "SHAPE[:DTYPE][:VALUES]". SHAPE is numbers between commas, "()" for 0-d. VALUES is "a..b" (uniform,
whole numbers for integer types), "=1,2,nan" (these, repeated) or "perm" (a random order of 0, 1, 2, ...). Without
it, floats are normal and integers from 0 to 9. Values depend on the case's name and the tensor's alone.
"""

import itertools
import json
import os
import zlib

import numpy as np

CASES_DIR = os.path.dirname(os.path.abspath(__file__))
DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def family_names():
    """ "nn/conv" for tests/cases/nn/conv.json: the folders are those of src/ops."""
    return sorted(
        "%s/%s" % (os.path.basename(folder), name[:-5])
        for folder, _, names in os.walk(CASES_DIR)
        for name in names
        if name.endswith(".json")
    )


def load_family(family):
    """The cases of a family, sweeps expanded, in order."""
    with open(os.path.join(CASES_DIR, family + ".json")) as f:
        cases = [c for case in json.load(f)["cases"] for c in expand_sweep(case)]
    names = [c["name"] for c in cases]
    doubled = {n for n in names if names.count(n) > 1}
    if doubled:
        raise ValueError("%s: case names occur twice: %s" % (family, sorted(doubled)))
    return cases


def expand_sweep(case):
    axes = [
        (group, key, value)
        for group in ("attrs", "inputs", "params")
        for key, value in case.get(group, {}).items()
        if isinstance(value, list)
    ]
    axes[:0] = [(None, key, case[key]) for key in ("mxnet_version", "op") if isinstance(case.get(key), list)]
    if not axes:
        return [case]
    expanded = []
    for choice in itertools.product(*[range(len(values)) for _, _, values in axes]):
        one = {k: (dict(v) if isinstance(v, dict) else v) for k, v in case.items()}
        for (group, key, values), index in zip(axes, choice):
            if group is None:
                one[key] = values[index]
            elif values[index] is None:
                del one[group][key]
            else:
                one[group][key] = values[index]
        one["name"] = "_".join(
            [case["name"]] + [str(values[i]) if g is None else str(i) for (g, _, values), i in zip(axes, choice)]
        )
        expanded.append(one)
    return expanded


def parse_tensor(text):
    """(shape, dtype, values) of a tensor's text."""
    parts = text.split(":")
    shape = () if parts[0] == "()" else tuple(int(d) for d in parts[0].split(","))
    rest = parts[1:]
    dtype = rest.pop(0) if rest and rest[0] in DTYPES else "float32"
    return shape, dtype, rest[0] if rest else ""


def make_tensor(case_name, tensor_name, text):
    shape, dtype, values = parse_tensor(text)
    count = int(np.prod(shape, dtype=np.int64))
    random = np.random.RandomState(zlib.crc32(("%s/%s" % (case_name, tensor_name)).encode()))
    if values.startswith("="):
        given = [float(v) for v in values[1:].split(",")]
        flat = np.resize(np.array(given), count)
    elif values == "perm":
        flat = random.permutation(count)
    elif values:
        low, high = (float(v) for v in values.split(".."))
        whole = not dtype.startswith("float")
        flat = random.randint(int(low), int(high) + 1, count) if whole else random.uniform(low, high, count)
    elif dtype.startswith("float"):
        flat = random.normal(0, 1, count)
    else:
        flat = random.randint(0, 2 if dtype == "bool" else 10, count)
    return np.asarray(flat).reshape(shape).astype(dtype)


def case_tensors(case, alt=False):
    """({input: array}, {param: array}) of a case; with `alt`, inputs of the other sizes."""
    inputs = dict(case.get("inputs", {}))
    if alt:
        inputs.update(case["alt"])
    name = case["name"]
    return (
        {k: make_tensor(name, k, v) for k, v in inputs.items()},
        {k: make_tensor(name, k, v) for k, v in case.get("params", {}).items()},
    )


def third_tensors(case):
    """{input: array} of sizes that go on from a case's own to the alternative ones, so that what has to fit fits: 2, 3
    becomes 4; and down to 1 where they shrink."""
    inputs = dict(case["inputs"])
    for name, alt in case["alt"].items():
        first, _, _ = parse_tensor(inputs[name])
        second, dtype, values = parse_tensor(alt)
        shape = tuple(max(1, 2 * b - a) if b > 0 else b for a, b in zip(first, second))
        inputs[name] = ":".join([",".join(map(str, shape)) or "()", dtype] + ([values] if values else []))
    return {k: make_tensor(case["name"], k, v) for k, v in inputs.items()}


def is_recorded_by(case, version):
    """Whether an MXNet of this version, "1.9.1" or "2.0.0b1", records the case."""
    return (case.get("mxnet_version", 0) >= 20000) == version.startswith("2.")


def recorded_case(case):
    """The case as the MXNet that records it has it."""
    if "recorded_as" not in case:
        return case
    stand_in = case["recorded_as"]
    attrs = dict(case.get("attrs", {}), **stand_in.get("attrs", {}))
    return dict(case, op=stand_in["op"], attrs=attrs, mxnet_version=10901)


def make_graph(variables, described, heads=None):
    """A symbol's nodes and heads as its JSON has them."""
    nodes, index = [], {}
    for name in variables:
        index[name] = len(nodes)
        nodes.append({"op": "null", "name": name, "inputs": []})

    def entry(text):
        name, _, output = text.partition(":")
        return [index[name], int(output or 0), 0]

    for node in described:
        attrs = {k: str(v) for k, v in node.get("attrs", {}).items()}
        index[node["name"]] = len(nodes)
        nodes.append(
            {"op": node["op"], "name": node["name"], "attrs": attrs, "inputs": [entry(i) for i in node["inputs"]]}
        )
        subgraphs = [make_graph(g["inputs"], g["nodes"]) for g in node.get("subgraphs", [])]
        if subgraphs:
            nodes[-1]["subgraphs"] = subgraphs
    heads = heads or [described[-1]["name"]]
    return {
        "nodes": nodes,
        "arg_nodes": [index[v] for v in variables],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [entry(h) for h in heads],
    }


def case_symbol(case):
    """The symbol's JSON text."""
    variables = list(case.get("inputs", {})) + list(case.get("params", {}))
    described = case.get("nodes") or [
        dict(
            {"op": case["op"], "name": "op", "attrs": case.get("attrs", {}), "inputs": variables},
            **({"subgraphs": case["subgraphs"]} if "subgraphs" in case else {}),
        )
    ]
    count = case.get("num_outputs", 1)
    if isinstance(count, str):
        count = int(case["attrs"][count])
    heads = case.get("heads") or ["%s:%d" % (described[-1]["name"], i) for i in range(count)]
    attrs = {"mxnet_version": ["int", case.get("mxnet_version", 10901)]}
    if case.get("np_shape"):
        attrs["is_np_shape"] = ["int", 1]
    return json.dumps(dict(make_graph(variables, described, heads), attrs=attrs))


def first_case_of_each_operator():
    """{operator: (family, case)} of the cases of one operator that MXNet 1.9.1 recorded."""
    found = {}
    for family in family_names():
        for case in load_family(family):
            if case.get("op") and "mxnet_version" not in case:
                found.setdefault(case["op"], (family, case))
    return found


def typed_variants(case):
    """(element type, which arrays, the case with these of that type): of all arrays, and of the first alone."""
    arrays = list(case.get("inputs", {})) + list(case.get("params", {}))
    for dtype in DTYPES:
        for which in ("all", "first") if len(arrays) > 1 else ("all",):
            changed = dict(case)
            for group in ("inputs", "params"):
                changed[group] = dict(case.get(group, {}))
                for name, text in changed[group].items():
                    if which == "all" or name == arrays[0]:
                        shape, _, rest = text.partition(":")
                        values = rest.partition(":")[2] if rest.split(":")[0] in DTYPES else rest
                        changed[group][name] = ":".join([shape, dtype] + ([values] if values else []))
            yield dtype, which, changed
