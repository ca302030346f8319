#!/usr/bin/env python3
"""Seeds for the structure-aware fuzzer (tests/fuzz/fuzz_graph.cc): windows of real graphs, and a case of each operator.

  fuzz_seeds.py FOLDER [--windows N] [--cases] [--only REGEX] [--seed N]

A window is two to eight nodes of a graph of tests/zoo that follow each other, with variables of the right shapes in place of what
feeds them, and smaller pictures. It is kept if it converts, is small, and has an operator or a pair of neighbours that no window
before it has. Each becomes an archive that the command line takes. tests/fuzz/corpus/graph has a few of both.
"""

import argparse
import io
import json
import os
import random
import re
import sys
import tarfile
import warnings

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("zoo", "cases", "python")]

import case_model  # noqa: E402
import mx2onnx  # noqa: E402
import parameter_files  # noqa: E402
import zoo_corpus  # noqa: E402

LARGEST_PICTURE = 8  # sizes of height and width in a window
LARGEST_MODEL = 100_000  # bytes of ONNX
MOST_OF_A_GRAPH = 8  # windows
DTYPES = ["float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool"]


def write_archive(path, symbol, params):
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        members = {"m-symbol.json": symbol.encode()}
        if params:
            parameter_files.write_list(path + ".params", {"arg:" + name: value for name, value in params.items()})
            with open(path + ".params", "rb") as file:
                members["m-0000.params"] = file.read()
            os.remove(path + ".params")
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def smaller(shape):
    """The shape with a small picture."""
    return [*shape[:2], *(min(size, LARGEST_PICTURE) for size in shape[2:])] if len(shape) > 3 else list(shape)


class Graph:
    """A graph of the zoo with the types of its values."""

    def __init__(self, entry):
        text = entry.symbol()
        inspection = mx2onnx.inspect(text, inputs=entry.fixed_inputs())
        self.symbol = json.loads(text)
        self.nodes = self.symbol["nodes"]
        self.types = {layer["name"]: (layer["shape"], layer["dtype"]) for layer in inspection["layers"]}
        self.types.update({k: (shape, dtype) for k, (shape, dtype) in entry.fixed_inputs().items()})

    def variable(self, name, of):
        """A variable in place of the output of a node; None if its type is not known."""
        shape, dtype = self.types.get(of, ((), ""))
        if dtype not in DTYPES or not all(str(size).isdigit() for size in shape):
            return None
        shape = tuple(smaller([int(size) for size in shape]))
        attrs = {"__shape__": str(shape), "__dtype__": str(DTYPES.index(dtype))}
        return {"op": "null", "name": name, "attrs": attrs, "inputs": []}

    def window(self, first, count):
        """The symbol of so many operators from a node on; None if that is no graph of its own."""
        chosen = []
        for at in range(first, len(self.nodes)):
            if self.nodes[at]["op"] != "null":
                chosen.append(at)
            if len(chosen) == count:
                break
        nodes, place, used = [], {}, set()
        for at in chosen:
            inputs = []
            for node, index, *_ in self.nodes[at]["inputs"]:
                used.add((node, index))
                if (node, index) not in place and node not in place:
                    source = self.nodes[node]
                    if source["op"] == "null" and source["name"] not in self.types:
                        variable = {
                            "op": "null",
                            "name": source["name"],
                            "attrs": source.get("attrs", {}),
                            "inputs": [],
                        }
                    else:
                        variable = self.variable("cut%d" % len(nodes), source["name"])
                    if variable is None:
                        return None
                    place[node, index] = [len(nodes), 0, 0]
                    nodes.append(variable)
                inputs.append([place[node], index, 0] if node in place else place[node, index])
            place[at] = len(nodes)
            nodes.append({**self.nodes[at], "inputs": inputs})
        heads = [[place[at], 0, 0] for at in chosen if not any(node == at for node, _ in used)]
        variables = [i for i, node in enumerate(nodes) if node["op"] == "null"]
        return {"nodes": nodes, "arg_nodes": variables, "heads": heads, "attrs": self.symbol.get("attrs", {})}


def what_is_in(symbol):
    """The operators, and the pairs of neighbours."""
    ops = [node["op"] for node in symbol["nodes"]]
    found = {op for op in ops if op != "null"}
    for node in symbol["nodes"]:
        found.update((ops[i], node["op"]) for i, *_ in node["inputs"] if ops[i] != "null")
    return found


def converts(text):
    try:
        return len(mx2onnx.convert(text, {}, random_weights=True).model) < LARGEST_MODEL
    except mx2onnx.Error:
        return False


def windows(rng, only):
    """(name, symbol) of windows with something new, a few of each graph, graphs in random order."""
    known = set()
    entries = [entry for corpus in zoo_corpus.CORPORA for entry in zoo_corpus.load(corpus).values()]
    entries = [entry for entry in entries if re.search(only, str(entry))]
    rng.shuffle(entries)
    for entry in entries:
        graph = Graph(entry)
        found = 0
        for first in rng.sample(range(len(graph.nodes)), len(graph.nodes)):
            symbol = graph.window(first, rng.randint(2, 8))
            if symbol is None or not what_is_in(symbol) - known:
                continue
            text = json.dumps(symbol, separators=(",", ":"))
            if not converts(text):
                continue
            known |= what_is_in(symbol)
            yield "%s_%d" % (entry.name, first), text
            found += 1
            if found == MOST_OF_A_GRAPH:
                break


def cases():
    """(name, symbol, parameters) of a case of each operator."""
    for op, (_, case) in case_model.first_case_of_each_operator().items():
        inputs, params = case_model.case_tensors(case)
        symbol = json.loads(case_model.case_symbol(case))
        for node in symbol["nodes"]:
            if node["op"] == "null" and node["name"] in inputs:
                array = inputs[node["name"]]
                node.setdefault("attrs", {})["__shape__"] = str(array.shape)
                if array.dtype.name in DTYPES:
                    node["attrs"]["__dtype__"] = str(DTYPES.index(array.dtype.name))
        params = {name: value for name, value in params.items() if value.dtype == "float32" and value.ndim}
        yield "op_" + op.strip("_"), json.dumps(symbol, separators=(",", ":")), params


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--windows", type=int, default=0, help="how many")
    parser.add_argument("--cases", action="store_true", help="a case of each operator")
    parser.add_argument("--only", default="", help="graphs whose name matches")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
    os.makedirs(args.folder, exist_ok=True)
    count = 0
    if args.cases:
        for name, text, params in cases():
            write_archive(os.path.join(args.folder, name), text, params)
            count += 1
    if args.windows:
        for number, (name, text) in enumerate(windows(random.Random(args.seed), args.only), 1):
            write_archive(os.path.join(args.folder, name), text, {})
            count += 1
            if number == args.windows:
                break
    print("%d seeds in %s" % (count, args.folder))


if __name__ == "__main__":
    main()
