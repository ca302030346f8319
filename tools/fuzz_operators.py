#!/usr/bin/env python3
"""Draws random nodes of the operators, asks MXNet what they compute and ONNX Runtime what our conversion of them computes.

  MXNET_PYTHON=/path/to/python-with-mxnet-1.9.1 fuzz_operators.py [--draws N] [--seed N] [--only REGEX] [--seconds N]
      [--corners] [--refusals]

Attributes are drawn from what the operators' records declare (`mx2onnx.operators()`), shapes and element types at
random; inputs whose shape was not drawn get the one that MXNet infers (weights). Each draw that both accept runs with fixed
and with free sizes, the latter at two of them, at the first, the default and the newest opset. A disagreement is printed as a case that may be put
into tests/cases; then tools/record_golden.py records it. The closing table counts draws, refusals and disagreements by kind.
"""

import argparse
import collections
import json
import os
import pickle
import random
import re
import struct
import subprocess
import sys
import time
import zlib

from fuzz_recipes import RECIPES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = re.compile(r"random|sample|shuffle|^(uniform|normal)$|foreach|while_loop|_cond$|Custom")


# ---- the side that runs in MXNet's Python ----


def corners(np, dtype):
    """Values at which functions and types end."""
    if dtype == "bool":
        return np.array([False, True])
    if dtype.startswith("float"):
        info = np.finfo(dtype)
        large = [info.max, -info.max, info.max / 4, 1e4, -1e4, 300.5, -77, 50, 24, 10, -10, info.tiny, info.eps]
        near = [0.5, -0.5, 1.5, -1.5, 2.5, 1, -1, 0, 0, -0.0, 0.1, -0.1, 1 / 3, 2, -2, 3, 1 + info.eps, 1 - info.eps]
        return np.array(large + near + [np.nan, np.nan, np.inf, -np.inf]).astype(dtype)
    info = np.iinfo(dtype)
    middle = [0, 0, 1, 2, 3, 5, 7, 11, 100] + ([] if info.min == 0 else [-1, -2, -3, -7, -100])
    wide = [v for v in (2**24 + 1, -(2**24) - 1, 2**31 - 1, 2**53 + 1, -(2**53) - 1) if info.min <= v <= info.max]
    return np.array(middle + wide + [info.max, info.max - 1, info.min, info.min + 1], dtype)


def array_of(np, name, dtype, shape, seed, with_corners, bounds):
    """Values that reach corners: whole numbers among the others, negative and large ones, ties, now and then NaN."""
    rng = np.random.RandomState(seed)
    if name == "rois":
        values = rng.uniform(-1, 9, shape)
        values[:, 0] = rng.randint(0, bounds[1] + 1, shape[0])
        return values.astype(dtype)
    if bounds and "integers" in bounds:
        return rng.randint(bounds[0], bounds[1] + 1, shape).astype(dtype)
    if bounds:
        return rng.uniform(bounds[0], bounds[1], shape).astype(dtype)
    if with_corners:
        return rng.choice(corners(np, dtype), shape)
    if dtype == "bool":
        return rng.randint(0, 2, shape).astype(dtype)
    if not dtype.startswith("float"):
        low = 0 if dtype == "uint8" else -9
        return rng.randint(low, 10, shape).astype(dtype)
    kind = seed % 5
    if re.search("ind|label|length|mode", name):
        values = rng.randint(-1 if kind == 1 else 0, 4, shape)
    elif re.search("var", name):
        values = rng.uniform(0.1, 2, shape)
    elif kind == 0:
        values = rng.randint(-3, 4, shape)
    elif kind == 1:
        values = rng.uniform(0, 1, shape)
    else:
        values = rng.normal(0, 2, shape)
    values = np.asarray(values, "float64")
    if kind == 4 and seed % 7 == 0 and values.size:
        values.reshape(-1)[rng.randint(values.size)] = [np.nan, np.inf, -np.inf, -0.0][seed % 4]
    return values.astype(dtype)


def with_all_outputs(mx, request):
    """The symbol with every output of the node as a head; request["symbol"] becomes that."""
    graph = json.loads(request["symbol"])
    last = len(graph["nodes"]) - 1
    inside = mx.sym.load_json(request["symbol"]).get_internals().list_outputs()
    # The mask of LeakyReLU(act_type=rrelu) is for the gradient.
    count = 1 if "leaky" in graph["nodes"][last]["op"].lower() else len(inside) - last
    graph["heads"] = [[last, i, 0] for i in range(count)]
    request["symbol"] = json.dumps(graph)
    return mx.sym.load_json(request["symbol"])


def answer(mx, np, request):
    """The symbol, inputs and outputs of a drawn node, or the message of MXNet's refusal."""
    symbol = with_all_outputs(mx, request)
    shapes, _, aux_shapes = symbol.infer_shape(**request["shapes"])
    if shapes is None:
        return "MXNet cannot infer the shapes"
    types, _, aux_types = symbol.infer_type(**{k: np.dtype(v) for k, v in request["dtypes"].items()})
    arrays = {}
    names = symbol.list_arguments() + symbol.list_auxiliary_states()
    for name, shape, kind in zip(names, shapes + aux_shapes, types + aux_types):
        if int(np.prod(shape)) > 20000:
            return "too large"
        seed = zlib.crc32(("%s/%s" % (request["seed"], name)).encode())
        arrays[name] = array_of(
            np,
            request["roles"][name],
            np.dtype(kind).name,
            shape,
            seed,
            request["corners"],
            request["bounds"].get(name),
        )
    make = lambda name: mx.nd.array(arrays[name], dtype=arrays[name].dtype)
    executor = symbol.bind(
        mx.cpu(),
        {n: make(n) for n in symbol.list_arguments()},
        aux_states={n: make(n) for n in symbol.list_auxiliary_states()},
        grad_req="null",
    )
    return request["symbol"], arrays, [o.asnumpy() for o in executor.forward(is_train=False)]


def serve():
    """Answers requests of standard input, each in a process of its own: MXNet now and then damages its memory."""
    os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.dup2(2, 1)
    import numpy as np

    import mxnet as mx

    while True:
        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            return
        request = pickle.loads(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            import signal

            signal.alarm(10)
            try:
                with mx.util.np_shape(request["np_shape"]):
                    result = answer(mx, np, request)
            except Exception as error:
                result = "MXNet: " + str(error).strip().split("\n")[-1][:200]
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(result, pipe, 4)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            data = pipe.read()
        os.waitpid(child, 0)
        data = data or pickle.dumps("MXNet crashed", 4)
        out.write(struct.pack("<I", len(data)) + data)
        out.flush()


# ---- the side that runs in ours ----


class Oracle:
    def __init__(self, python, byte):
        # Memory that nothing was written to has this byte: what depends on it is not defined.
        self.process = subprocess.Popen(
            [python, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "MALLOC_PERTURB_": str(byte)},
        )

    def ask(self, request):
        data = pickle.dumps(request, 4)
        self.process.stdin.write(struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        size = struct.unpack("<I", self.process.stdout.read(4))[0]
        return pickle.loads(self.process.stdout.read(size))


DTYPES = ["float32"] * 6 + ["float16", "float64", "int32", "int64", "int8", "uint8", "bool"]


def draw_number(rng, expected):
    bounds = re.search(r"from (-?[\d.e+]+) to (-?[\d.e+]+)", expected)
    least = re.search(r"at least (-?\d+)", expected)
    low = int(float(bounds.group(1))) if bounds else int(least.group(1)) if least else -2
    high = int(min(low + 5, float(bounds.group(2)))) if bounds else max(low + 3, 3)
    return rng.randint(low, high)


def draw_value(rng, expected):
    """A text for an attribute, from the sentence that the operator table has."""
    if expected.endswith(", or None") and rng.random() < 0.25:
        return "None"
    if expected.startswith("a tuple"):
        sizes = re.search(r"tuple of (\d+)(?: to (\d+))?", expected)
        fewest, most = (int(sizes.group(1)), int(sizes.group(2) or sizes.group(1))) if sizes else (0, 4)
        count = rng.randint(fewest, most)
        pick = lambda: (
            "None" if "integers or None" in expected and rng.random() < 0.3 else str(draw_number(rng, expected))
        )
        if "numbers" in expected:
            pick = lambda: rng.choice(["0.5", "1", "0.25", "2"])
        return "(" + "".join(pick() + "," for _ in range(count)) + ")"
    if expected.startswith("an integer"):
        return str(draw_number(rng, expected))
    if expected.startswith("a number"):
        return rng.choice(["0", "1", "0.5", "-2", "3", "1e-3", "-0.75", "2.5"])
    if expected.startswith("a boolean"):
        return rng.choice(["True", "False"])
    if expected.startswith("an element type"):
        return rng.choice(DTYPES[5:])
    return rng.choice(re.split(r", | or ", expected.replace(", or None", "")))


def draw_shape(rng, np_shape):
    if np_shape and rng.random() < 0.15:
        return ()
    shape = tuple(rng.randint(1, 5) for _ in range(rng.choice([1, 2, 2, 3, 3, 4, 4, 5])))
    if np_shape and rng.random() < 0.15:
        shape = tuple(0 if rng.random() < 0.3 else d for d in shape)
    return shape


def draw_related(rng, shape, np_shape):
    """Another shape that has to do with the first: the same, one to broadcast, a part, or none at all."""
    kind = rng.random()
    if kind < 0.4:
        return shape
    if kind < 0.65:
        return tuple(1 if rng.random() < 0.4 else d for d in shape)
    if kind < 0.75 and len(shape) > 1:
        return shape[:-1] if rng.random() < 0.5 else shape[:1]
    if kind < 0.85:
        return draw_shape(rng, np_shape)
    return None  # let MXNet infer it


OPTIONAL = (
    "bias",
    "sequence_length",
    "length",
    "data_lengths",
    "label_lengths",
    "state_cell",
    "min_r",
    "max_r",
    "trans",
)


def draw(rng, operator, seed, with_corners):
    attrs = {}
    for attribute in operator["attributes"]:
        required = not attribute["default"]
        if attribute["expected"] and (required or rng.random() < 0.45):
            attrs[attribute["name"]] = draw_value(rng, attribute["expected"])
    names = list(operator["inputs"])
    for count in ("num_args", "num_inputs", "num_arrays", "num_outputs"):
        if count in attrs and (count != "num_outputs" or operator["name"] == "amp_multicast"):
            attrs[count] = str(rng.randint(1, 3))
            names = ["%s%d" % (names[0] if names else "data", i) for i in range(int(attrs[count]))]
    optional = [n for n in names if n in OPTIONAL]
    if optional and rng.random() < 0.5:
        names = [n for n in names if n not in optional]
        if "bias" in optional:
            attrs["no_bias"] = "True"
    np_shape = rng.random() < 0.15
    first = draw_shape(rng, np_shape)
    dtype = rng.choice(DTYPES)
    shapes, dtypes = {}, {}
    recipe = RECIPES.get(operator["name"])
    fitting, bounds = None, {}
    if recipe and rng.random() < 0.85:
        more, fitting, *given = recipe(rng)
        bounds = {"in%d" % i: b for i, b in given[0].items()} if given else {}
        attrs.update(more)
        if len(fitting) > len(names) or names[0] not in operator["inputs"]:
            names = ["data%d" % i for i in range(len(fitting))]
        names = names[: len(fitting)]
    for i in range(len(names)):
        shape = fitting[i] if fitting else first if i == 0 else draw_related(rng, first, np_shape)
        if shape is not None:
            shapes["in%d" % i] = shape
            dtypes["in%d" % i] = dtype if i == 0 or rng.random() < (0.97 if fitting else 0.8) else rng.choice(DTYPES)
    attrs = {k: v for k, v in attrs.items() if v is not None}
    variables = [{"op": "null", "name": "in%d" % i, "inputs": []} for i in range(len(names))]
    node = {
        "op": rng.choice([operator["name"]] * 5 + operator["aliases"]),
        "name": "op",
        "attrs": attrs,
        "inputs": [[i, 0, 0] for i in range(len(names))],
    }
    graph = {
        "nodes": [*variables, node],
        "arg_nodes": list(range(len(names))),
        "heads": [[len(names), 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901], **({"is_np_shape": ["int", 1]} if np_shape else {})},
    }
    return {
        "symbol": json.dumps(graph),
        "shapes": shapes,
        "dtypes": dtypes,
        "seed": seed,
        "np_shape": np_shape,
        "corners": with_corners,
        "bounds": bounds,
        "roles": {"in%d" % i: name for i, name in enumerate(names)},
    }


def resized(rng, request):
    """The request with other sizes: equal ones stay equal, and 1 stays 1."""
    sizes = {}
    other = lambda d: d if d < 2 else sizes.setdefault(d, rng.randint(2, 6))
    return {**request, "shapes": {k: tuple(other(d) for d in v) for k, v in request["shapes"].items()}}


def compare(np, found, expected, dtype):
    if found.shape != expected.shape:
        return "shape %s, MXNet %s" % (found.shape, expected.shape)
    if found.dtype != expected.dtype:
        return "%s, MXNet %s" % (found.dtype, expected.dtype)
    rtol, atol = (2e-2, 2e-3) if "float16" in dtype else (1e-4, 1e-5)
    if np.issubdtype(expected.dtype, np.floating):
        scale = float(np.abs(expected[np.isfinite(expected)]).max()) if np.isfinite(expected).any() else 1.0
        atol = max(atol, atol * min(scale, 1e6))
    if not np.allclose(found.astype("float64"), expected.astype("float64"), rtol, atol, equal_nan=True):
        with np.errstate(all="ignore"):
            a, b = found.ravel().astype("float64"), expected.ravel().astype("float64")
            wrong = np.where(np.isclose(a, b, rtol, atol, equal_nan=True), 0, np.nan_to_num(np.abs(a - b), nan=1e30))
        at = int(wrong.argmax())
        return "element %d is %s, MXNet %s (%d of %d differ)" % (at, a[at], b[at], (wrong > 0).sum(), a.size)
    return None


def compare_all(np, found, outputs, dtype):
    for i, (ours, theirs) in enumerate(zip(found, outputs)):
        difference = compare(np, ours, theirs, dtype)
        if difference:
            return ("output %d: " % i if i else "") + difference
    return None if len(found) == len(outputs) else "%d outputs, MXNet %d" % (len(found), len(outputs))


DISAGREEMENTS = ("different", "runtime", "wrongly refused")
KINDS = (*DISAGREEMENTS, "other with a warning", "other as a note says", "refused")
# Sums and products of what is not finite, or of very large numbers, depend on the order.
NOTED = re.compile("NaN|infin|equal elements|2\\^53|not a number|undefined|no defined result")
# What MXNet takes though it reads or writes beside its arrays then.
UNCHECKED = re.compile(
    "_contrib_allclose|\\(where\\)|_contrib_index_array|unravel_index|Reshape.*target_shape|selfatt|elements for the result"
)
# Warnings that something may be another than in MXNet; the others tell how something is computed.
TELLING = ("W-dim-fixed", "W-free-size-not-one", "W-backends-differ", "W-random-draws-differ", "W-differs")


def judge(mx2onnx, np, run, request, answers):
    """What is wrong with the conversion of a draw, the worst first: (kind, text)."""
    return sorted(findings(mx2onnx, np, run, request, answers), key=lambda f: KINDS.index(f[0]))


def findings(mx2onnx, np, run, request, answers):
    arrays = answers[0][0]
    dtype = " ".join(a.dtype.name for a in list(arrays.values()) + answers[0][1])
    for free in (False, True):
        inputs = {
            k: (["%s_%d" % (k, i) for i in range(v.ndim)] if free else v.shape, v.dtype.name) for k, v in arrays.items()
        }
        for opset in (mx2onnx.FIRST_OPSET, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET):
            where = "opset %d%s" % (opset, ", free sizes" if free else "")
            try:
                conversion = mx2onnx.convert(request["symbol"], inputs=inputs, opset=opset)
            except mx2onnx.UnsupportedError as error:
                yield "refused", "%s: %s" % (where, str(error)[:300])
                continue
            except mx2onnx.Error as error:
                yield ("refused" if free else "wrongly refused"), "%s: %s" % (where, str(error)[:300])
                continue
            warned = any(d["id"] in TELLING for d in conversion.report["diagnostics"])
            for i, (feeds, outputs) in enumerate(answers if free else answers[:1]):
                at = where + (", other sizes" if i else "")
                try:
                    found = run(conversion.model, feeds)
                except Exception as error:
                    text = str(error).strip().split("\n")[-1][:300]
                    yield ("other with a warning" if warned else "runtime"), "%s: %s" % (at, text)
                    continue
                difference = compare_all(np, found, outputs, dtype)
                if difference:
                    yield ("other with a warning" if warned else "different"), "%s: %s" % (at, difference)


def is_noted(np, operator, answers):
    """A difference may be one that the operator's notes speak of, which is then not looked at any closer."""
    values = [a for arrays, outputs in answers for a in [*arrays.values(), *outputs]]
    odd = any(a.size > 16 or not np.isfinite(a.astype("float64")).all() for a in values)
    return odd and any(NOTED.search(note) for note in operator["notes"])


def case_of(operator, request, arrays):
    name_of = {"in%d" % i: "in%d" % i for i in range(len(arrays))}
    node = json.loads(request["symbol"])["nodes"][-1]
    return json.dumps(
        {
            "name": "%s_%s" % (operator["name"].strip("_").lower(), request["seed"]),
            "op": node["op"],
            "attrs": node["attrs"],
            "inputs": {
                name_of[k]: "%s:%s" % (",".join(map(str, v.shape)) or "()", v.dtype.name) for k, v in arrays.items()
            },
            **({"np_shape": True} if request["np_shape"] else {}),
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100, help="of each operator")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--only", default="", help="operators whose name matches")
    parser.add_argument("--corners", action="store_true", help="values at which functions and types end, in each draw")
    parser.add_argument("--refusals", action="store_true", help="show refusals too")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve()
    python = os.environ.get("MXNET_PYTHON") or sys.exit("MXNET_PYTHON does not name a Python that has mxnet 1.9.1")

    sys.path.insert(0, os.path.join(ROOT, "tests", "python"))
    import mx2onnx
    import numpy as np
    from running import run

    oracle, second = Oracle(python, 85), Oracle(python, 170)

    def is_defined(request, answer):
        again = second.ask(request)
        same = lambda a, b: a.shape == b.shape and a.tobytes() == b.tobytes()
        return isinstance(again, str) == isinstance(answer, str) and (
            isinstance(again, str) or all(map(same, answer[2], again[2]))
        )

    count, never, start = collections.Counter(), [], time.time()
    for operator in mx2onnx.operators():
        if SKIPPED.search(operator["name"]) or not re.search(args.only, operator["name"]) or not operator["inputs"]:
            continue
        shown, accepted = collections.Counter(), 0
        for i in range(args.draws):
            if time.time() - start > args.seconds:
                break
            seed = "%d_%d" % (args.seed, i)
            rng = random.Random("%s/%s" % (operator["name"], seed))
            request = draw(rng, operator, seed, args.corners)
            result = oracle.ask(request)
            count["draws"] += 1
            if isinstance(result, str):
                count[result if result.startswith("MXNet crashed") else "MXNet refuses"] += 1
                if args.refusals:
                    print("%s: %s\n  %s" % (operator["name"], result, request), flush=True)
                continue
            count["MXNet accepts"] += 1
            accepted += 1
            changed = resized(rng, request)
            request["symbol"], answers = result[0], [result[1:]]
            other = oracle.ask(changed)
            if not isinstance(other, str):
                answers.append(other[1:])
            for kind, text in judge(mx2onnx, np, run, request, answers)[:1]:
                if kind in ("wrongly refused", "runtime") and UNCHECKED.search(text + str(request["symbol"])):
                    kind = "refused"
                if kind == "different" and is_noted(np, operator, answers):
                    kind = "other as a note says"
                if kind == "different" and not all(map(is_defined, (request, changed), (result, other))):
                    kind = "MXNet leaves it undefined"
                count[kind] += 1
                shown[kind] += 1
                if shown[kind] <= 3 and (kind in DISAGREEMENTS or args.refusals):
                    print("%s: %s\n  %s" % (kind, text, case_of(operator, request, answers[0][0])), flush=True)
        if accepted == 0:
            never.append(operator["name"])
    if never:
        print("no draw was valid for: %s" % ", ".join(never))
    for kind, number in count.most_common():
        print("%7d %s" % (number, kind))
    bad = sum(count[kind] for kind in DISAGREEMENTS)
    print("%d disagreements" % bad)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
