"""What MXNet computes of an archive of a symbol and its parameters, as tests/fuzz/fuzz_graph.cc makes them: the side that runs in
MXNet's Python."""

import ast
import json
import re
import tarfile
import zlib

from operator_fuzzer.server import array_of

LARGEST = 20000  # elements of an array
LAST_VERSION = 10901
INPUTS = re.compile("^(data|cut|in)|_data$")  # others are parameters


def version_of(graph):
    return graph.get("attrs", {}).get("mxnet_version", [0, 800])[1]


def read(mx, path):
    """The symbol's text and {name: array} of the parameters."""
    symbol, params = "", {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member).read()
            if member.name.endswith(".json"):
                symbol = content.decode()
            else:
                loaded = mx.nd.load_frombuffer(content)
                params = {re.sub("^(arg|aux):", "", name): array.asnumpy() for name, array in loaded.items()}
    return symbol, params


def answer(mx, np, path):
    """The symbol, the parameters and [({input: array}, outputs)]; or the message of MXNet's refusal."""
    text, stored = read(mx, path)
    graph = json.loads(text)
    if version_of(graph) > LAST_VERSION:
        return "a file of another MXNet"
    with mx.util.np_shape(bool(graph.get("attrs", {}).get("is_np_shape", [0, 0])[1])):
        symbol = mx.sym.load_json(text)
        arguments, states = symbol.list_arguments(), symbol.list_auxiliary_states()
        if len(set(arguments + states)) < len(arguments + states):
            return "names that MXNet cannot bind"
        declared = {n["name"]: n.get("attrs", {}) for n in graph["nodes"] if n["op"] == "null"}
        inputs = {n for n, attrs in declared.items() if "__shape__" in attrs and INPUTS.search(n)}
        known = {n: ast.literal_eval(declared[n]["__shape__"]) for n in inputs}
        known.update({n: a.shape for n, a in stored.items() if n in arguments})
        shapes, _, aux_shapes = symbol.infer_shape(**known)
        if shapes is None:
            return "MXNet cannot infer the shapes"
        types, _, aux_types = symbol.infer_type(**{n: "float32" for n in inputs if "__dtype__" not in declared[n]})
        arrays, feeds = {}, {}
        for name, shape, kind in zip(arguments + states, shapes + aux_shapes, types + aux_types):
            if int(np.prod(shape)) > LARGEST:
                return "too large"
            made = array_of(np, name, np.dtype(kind).name, shape, zlib.crc32(name.encode()), False, None)
            arrays[name] = stored.get(name, made)
            if name in inputs and name not in stored and name not in states:
                feeds[name] = arrays[name]
        make = lambda names: {n: mx.nd.array(arrays[n], dtype=arrays[n].dtype) for n in names}
        executor = symbol.bind(mx.cpu(), make(arguments), aux_states=make(states), grad_req="null")
        outputs = [output.asnumpy() for output in executor.forward(is_train=False)]
    return text, {n: a for n, a in arrays.items() if n not in feeds}, [(feeds, outputs)]
