#!/usr/bin/env python3
"""Records what MXNet computes, for `mx2onnx verify --expect`. A file of its own:
copy it to where MXNet lives (Python 3.5 or later, MXNet 1.2 to 2.0) and run it.

  record_mxnet.py model-symbol.json model.params -o recorded.npz \\
      --input data:1,3,224,224 [--input data:4,3,224,224]

The .npz has, for case N: `N/in/NAME`, `N/out/I/NAME`, and with --internals
`N/inner/I/NAME` of every output of every node.
"""

import argparse
import json
import os
import sys

import numpy as np


def in_float32(text):
    """The symbol with float32 where it says float16."""
    symbol = json.loads(text)
    graphs = [symbol]
    while graphs:
        for node in graphs.pop()["nodes"]:
            graphs += node.get("subgraphs", [])
            attrs = node.get("attrs") or node.get("attr") or node.get("param") or {}
            for name, half, single in (("__dtype__", "2", "0"), ("dtype", "float16", "float32")):
                if attrs.get(name) == half:
                    attrs[name] = single
    return json.dumps(symbol)


def load(symbol_path, param_paths, float32):
    import mxnet as mx

    # MXNet's fused graphs are wrong at times. 1.5 has none, and takes NONE for the name of a backend that it lacks.
    os.environ.pop("MXNET_SUBGRAPH_BACKEND", None)
    if not mx.__version__.startswith(("1.2", "1.3", "1.4", "1.5")):
        os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
    with open(symbol_path) as f:
        text = f.read()
    if float32:
        text = in_float32(text)
    if hasattr(mx, "npx"):  # MXNet 2 is on NumPy's side by itself
        is_np = json.loads(text).get("attrs", {}).get("is_np_shape", ["", 0])[1]
        (mx.npx.set_np if is_np else mx.npx.reset_np)()
    symbol = (mx.sym.load_json if hasattr(mx.sym, "load_json") else mx.sym.fromjson)(text)
    params = {}
    for path in param_paths:
        try:
            arrays = mx.nd.load(path)
        except Exception:
            arrays = mx.npx.load(path)
        for name, value in arrays.items():
            value = value.astype("float32") if float32 and value.dtype == np.float16 else value
            params[name.split(":", 1)[1] if name[:4] in ("arg:", "aux:") else name] = value
    return mx, symbol, params


def internals(mx, symbol):
    """A symbol of all outputs of all nodes, and their names."""
    everything = symbol.get_internals()
    names = everything.list_outputs()
    known = set(symbol.list_arguments()) | set(symbol.list_auxiliary_states())
    kept = [i for i, name in enumerate(names) if name not in known]
    return mx.sym.Group([everything[i] for i in kept]), [names[i] for i in kept]


def forward(mx, symbol, params, feeds):
    arguments, auxiliary = symbol.list_arguments(), symbol.list_auxiliary_states()
    shapes = {n: v.shape for n, v in feeds.items()}
    shapes.update({n: params[n].shape for n in arguments if n in params and n not in feeds})
    # Partial: MXNet does not get through loops and branches, but all that it must know is given, labels apart.
    found, _, aux_found = symbol.infer_shape_partial(**shapes)

    def array(name, shape):
        if name in feeds:
            return mx.nd.array(feeds[name], dtype=feeds[name].dtype)
        if name in params:
            value = params[name]
            return value.as_nd_ndarray() if hasattr(value, "as_nd_ndarray") else value
        if not shape or any(size <= 0 for size in shape):
            sys.exit(
                "record: %s: neither in --input nor in the parameter files, and MXNet does not know its shape" % name
            )
        return mx.nd.zeros(shape)  # a label: it does not matter at inference

    args = [array(n, s) for n, s in zip(arguments, found)]
    aux = [array(n, s) for n, s in zip(auxiliary, aux_found)]
    if hasattr(symbol, "_bind"):
        args = [a.as_np_ndarray() if _is_np(mx) else a for a in args]
        aux = [a.as_np_ndarray() if _is_np(mx) else a for a in aux]
        executor = symbol._bind(
            mx.cpu(), dict(zip(arguments, args)), grad_req="null", aux_states=dict(zip(auxiliary, aux))
        )
    else:
        executor = symbol.bind(mx.cpu(), args, grad_req="null", aux_states=aux)
    return [o.asnumpy() for o in executor.forward(is_train=False)]


def _is_np(mx):
    return hasattr(mx, "util") and hasattr(mx.util, "is_np_array") and mx.util.is_np_array()


def select(mx, symbol, names):
    """A symbol whose outputs are those inner values of these names that there are."""
    everything = symbol.get_internals()
    known = everything.list_outputs()
    kept = [name for name in names if name in known]
    return mx.sym.Group([everything[known.index(name)] for name in kept]) if kept else symbol


def record(symbol_path, param_paths, cases, with_internals, outputs=()):
    try:
        return run(symbol_path, param_paths, cases, with_internals, outputs, False)
    except Exception as error:
        if "FP16 gemm on cpu" not in str(error):
            raise
    sys.stderr.write("record: MXNet has no float16 products on CPUs: computed in float32\n")
    return run(symbol_path, param_paths, cases, with_internals, outputs, True)


def run(symbol_path, param_paths, cases, with_internals, outputs, float32):
    mx, symbol, params = load(symbol_path, param_paths, float32)
    if outputs:
        symbol = select(mx, symbol, outputs)
    arrays = {}
    for number, feeds in enumerate(cases):
        for name, value in feeds.items():
            arrays["%d/in/%s" % (number, name)] = value
        if float32:
            feeds = {n: v.astype("float32") if v.dtype == np.float16 else v for n, v in feeds.items()}
        for i, value in enumerate(forward(mx, symbol, params, feeds)):
            arrays["%d/out/%d/%s" % (number, i, symbol.list_outputs()[i])] = value
        if with_internals:
            group, names = internals(mx, symbol)
            for i, value in enumerate(forward(mx, group, params, feeds)):
                arrays["%d/inner/%d/%s" % (number, i, names[i])] = value
    return arrays


def random_array(random, shape, dtype):
    if dtype.startswith("float"):
        return random.standard_normal(shape).astype(dtype)
    return random.randint(0, 3, size=shape).astype(dtype)


def parse_inputs(texts, seed):
    """`NAME:DIMS[:DTYPE]` texts as cases: an input that comes again begins the next case."""
    random = np.random.RandomState(seed)
    cases = [{}]
    for text in texts:
        parts = text.rsplit(":", 2)
        if len(parts) == 3 and not parts[2].replace(",", "").isdigit():
            name, dims, dtype = parts
        else:
            name, dims = text.rsplit(":", 1)
            dtype = "float32"
        if name in cases[-1]:
            cases.append({})
        cases[-1][name] = random_array(random, tuple(int(d) for d in dims.split(",") if d), dtype)
    return cases


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="mx2onnx record", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("symbol", help="the *-symbol.json")
    parser.add_argument("params", nargs="*", help="the parameter files")
    parser.add_argument("-o", "--output", required=True, help="the .npz to write")
    parser.add_argument("--input", action="append", default=[], metavar="NAME:DIMS[:DTYPE]",
                        help="random values of this shape; an input that comes again begins the next case")  # fmt: skip
    parser.add_argument("--inputs", metavar="FILE.npz", help="values instead: NAME, or N/in/NAME for several cases")
    parser.add_argument("--outputs", metavar="NAME,...", default="",
                        help="record these inner values as the outputs (as in the conversion: relu1_output)")  # fmt: skip
    parser.add_argument("--internals", action="store_true", help="record every node's outputs too")
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs")
    args = parser.parse_args(argv)
    if args.inputs:
        cases = read_cases(np.load(args.inputs))
    else:
        cases = parse_inputs(args.input, args.seed)
    outputs = [name for name in args.outputs.split(",") if name]
    arrays = record(args.symbol, args.params, cases, args.internals, outputs)
    with open(args.output, "wb") as f:
        np.savez_compressed(f, **arrays)
    print("%s: %d case%s, %d arrays" % (args.output, len(cases), "" if len(cases) == 1 else "s", len(arrays)))
    return 0


def read_cases(arrays):
    cases = {}
    for key in arrays.keys():
        parts = key.split("/", 2)
        if len(parts) == 3 and parts[0].isdigit():
            if parts[1] == "in":
                cases.setdefault(int(parts[0]), {})[parts[2]] = arrays[key]
        else:
            cases.setdefault(0, {})[key] = arrays[key]
    return [cases[n] for n in sorted(cases)]


if __name__ == "__main__":
    sys.exit(main())
