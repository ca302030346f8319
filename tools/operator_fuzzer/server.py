"""The side of the fuzzers that runs in MXNet's Python, as a program: answers requests of standard input, each in a process of its
own, because MXNet now and then damages its memory. A list of requests is answered by as few processes as it takes: one that crashes
is followed by another for what it left, and the request that it crashed at is asked again alone."""

import json
import os
import pickle
import re
import signal
import struct
import sys
import zlib

try:
    from imperative import CANNOT_BIND, computed_by_call  # run as a program
except ImportError:
    from operator_fuzzer.imperative import CANNOT_BIND, computed_by_call

GUARD = 64  # elements in front of and behind each array; keeps the alignment


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
    if bounds and bounds[0] == "values":
        return np.resize(np.array(bounds[1], "float64"), shape).astype(dtype)
    if bounds and bounds[0] == "permutation":
        return rng.permutation(int(np.prod(shape))).reshape(shape).astype(dtype)
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


def without_extremes(np, array, step, seed):
    """The array with other numbers in place of what is not finite or so large that sums of products may overflow."""
    if array.dtype.kind != "f":
        return array
    extreme = is_extreme(np, array)
    others = np.random.RandomState(seed).uniform(1, 2, array.shape) * [1, 50, -50][step]
    return np.where(extreme, others, array.astype("float64")).astype(array.dtype)


def is_extreme(np, array):
    with np.errstate(all="ignore"):
        return ~(np.abs(array.astype("float64")) < {2: 20, 4: 1e9, 8: 1e60}[array.dtype.itemsize])


def load(mx, text):
    return (mx.sym.load_json if hasattr(mx.sym, "load_json") else mx.sym.fromjson)(text)


def with_all_outputs(mx, request):
    """The symbol with every output of the node, the last one, as a head; request["symbol"] becomes that."""
    graph = json.loads(request["symbol"])
    last = len(graph["nodes"]) - 1
    inside = load(mx, request["symbol"]).get_internals().list_outputs()
    # The mask of LeakyReLU(act_type=rrelu) is for the gradient; zipfian draws count their tries, which a note refuses.
    count = 1 if re.search("leaky|zipfian", graph["nodes"][last]["op"].lower()) else len(inside) - last
    if count == 0:
        raise ValueError("a node of no outputs")
    graph["heads"] = [[last, i, 0] for i in range(count)]
    request["symbol"] = json.dumps(graph)
    return load(mx, request["symbol"])


def in_guards(mx, np, array, second):
    """An NDArray in the middle of a larger one: what depends on the elements around it is not defined."""
    if array.size == 0 or array.ndim == 0:
        return mx.nd.array(array, dtype=array.dtype)
    if array.dtype.kind == "f":
        around = 7 if second else np.nan
    else:
        around = 1 if second or array.dtype == bool else 100
        around = 0 if array.dtype == bool and not second else around
    whole = np.full(GUARD + array.size + GUARD, around, array.dtype)
    whole[GUARD : GUARD + array.size] = array.reshape(-1)
    return mx.nd.array(whole, dtype=array.dtype)[GUARD : GUARD + array.size].reshape(array.shape)


def is_known(shapes):
    return shapes is not None and all(s is not None and -1 not in s for s in shapes)


def answer(mx, np, request, second):
    """The symbol, inputs and outputs of a drawn node, or the message of MXNet's refusal."""
    symbol = with_all_outputs(mx, request)
    arguments, states = symbol.list_arguments(), symbol.list_auxiliary_states()
    shapes, results, aux_shapes = symbol.infer_shape(**request["shapes"])
    if not arguments and not is_known(results):
        return "MXNet cannot infer the shapes"
    depends_on_values = shapes is None
    if depends_on_values:
        if states or any(n not in request["shapes"] for n in arguments):
            return "MXNet cannot infer the shapes"
        # The size of an output depends on values: binding will tell whether that is all.
        shapes, aux_shapes = [request["shapes"][n] for n in arguments], []
    types = symbol.infer_type(**{k: np.dtype(v) for k, v in request["dtypes"].items()}) if arguments else ([], [], [])
    types, _, aux_types = types
    arrays = {}
    for name, shape, kind in zip(arguments + states, shapes + aux_shapes, types + aux_types):
        if int(np.prod(shape)) > 20000:
            return "too large"
        seed = zlib.crc32(("%s/%s" % (request["seed"], name)).encode())
        role, bounds = request["roles"][name], request["bounds"].get(name)
        arrays[name] = array_of(np, role, np.dtype(kind).name, shape, seed, request["corners"], bounds)
        if request.get("step") is not None:
            arrays[name] = without_extremes(np, arrays[name], request["step"], seed)
    if depends_on_values and request["np_shape"]:
        outputs = computed_by_call(mx, request["symbol"], arrays)
        return "MXNet cannot infer the shapes" if outputs is None else (request["symbol"], arrays, outputs)
    make = lambda name: in_guards(mx, np, arrays[name], second)
    try:
        executor = getattr(symbol, "bind" if hasattr(symbol, "bind") else "_bind")(
            mx.cpu(),
            {n: make(n) for n in arguments},
            aux_states={n: make(n) for n in states},
            grad_req="null",
        )
        outputs = [o.asnumpy() for o in executor.forward(is_train=False)]
    except mx.MXNetError as error:
        outputs = computed_by_call(mx, request["symbol"], arrays) if CANNOT_BIND.search(str(error)) else None
        if outputs is None:
            raise
    return request["symbol"], arrays, outputs


SECONDS = 10  # for one request


class Child:
    """A process that answers requests in turn, each as soon as it is done."""

    def __init__(self, answer, requests):
        reader, writer = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(reader)
            with os.fdopen(writer, "wb") as pipe:
                for request in requests:
                    signal.alarm(SECONDS)
                    try:
                        result = answer(request)
                    except Exception as error:
                        result = "MXNet: " + str(error).strip().split("\n")[-1][:200]
                    pickle.dump(result, pipe, 4)
                    pipe.flush()
            os._exit(0)
        os.close(writer)
        self.pipe = os.fdopen(reader, "rb")

    def answers(self):
        found = []
        with self.pipe:
            while True:
                try:
                    found.append(pickle.load(self.pipe))
                except (EOFError, pickle.UnpicklingError):
                    break
        os.waitpid(self.process, 0)
        return found


def answers_of(answer, requests):
    """What answer(request) gives for each, in processes of their own."""
    found = []
    while len(found) < len(requests):
        found += Child(answer, requests[len(found) :]).answers()
        if len(found) < len(requests):
            found += Child(answer, [requests[len(found)]]).answers() or ["MXNet crashed"]
    return found


def serve(answer):
    """Answers each request, or each of a list, with answer(mx, np, request), or with the message of what that raises."""
    os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.dup2(2, 1)
    import numpy as np

    import mxnet as mx

    if hasattr(mx, "npx"):
        mx.npx.reset_np()  # MXNet 2 starts with NumPy's semantics

    while True:
        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            return
        request = pickle.loads(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
        found = answers_of(lambda r: answer(mx, np, r), request if isinstance(request, list) else [request])
        data = pickle.dumps(found if isinstance(request, list) else found[0], 4)
        out.write(struct.pack("<I", len(data)) + data)
        out.flush()


def main():
    second = "--second" in sys.argv

    def in_mode(mx, np, request):
        if mx.__version__.startswith("2."):
            (mx.npx.set_np if request["np_shape"] else mx.npx.reset_np)()
        with mx.util.np_shape(request["np_shape"]):
            return answer(mx, np, request, second)

    serve(in_mode)


if __name__ == "__main__":
    main()
