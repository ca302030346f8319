#!/usr/bin/env python3
"""Draws random networks, asks MXNet what they compute and ONNX Runtime what our conversion of them computes: what single
operators (tools/fuzz_operators.py) do not show, as passes that rewrite several nodes, and sizes that go through a whole graph.

  MXNET_PYTHON=/path/to/python-with-mxnet-1.9.1 fuzz_graphs.py [--draws N] [--seed N] [--seconds N] [--refusals] [--save DIR]
      [--corpus DIR]

Each network has 3 to 14 nodes with parameters of their own, and runs with fixed and with free sizes, the latter at two of them, at
opsets and with or without optimisation drawn at random. The seed of a network is printed with what is wrong with it; with
--save its symbol and parameters are written. With --corpus the networks are archives instead: what tests/fuzz/fuzz_graph.cc found
worth keeping (build/fuzz/corpus_graph), or what tools/fuzz_seeds.py makes.
"""

import argparse
import collections
import json
import os
import random
import sys
import time
import warnings

from operator_fuzzer import archives
from operator_fuzzer.server import serve

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Warnings that say that something may be another than in MXNet, or that a size is not free.
TELLING = {
    "W-dim-fixed",
    "W-dim-condition",
    "W-free-size-not-one",
    "W-differs",
    "W-backends-differ",
    "W-random-draws-differ",
}
WRONG = ("different", "runtime", "wrongly refused")

# ---- the side that runs in MXNet's Python ----


class Network:
    """A symbol that grows at its end or elsewhere."""

    SIZES = (((2, 3, 8, 7), (3, 3, 10, 9)), ((2, 4, 6), (3, 4, 5)), ((3, 5), (4, 5)), ((2, 4, 6, 6), (1, 4, 8, 8)))

    def __init__(self, mx, np, seed):
        self.np, self.sym, self.rng = np, mx.sym, random.Random(seed)
        self.sizes = self.rng.choice(self.SIZES)
        self.values = [(self.sym.Variable("data"), self.sizes[0])]
        self.count = 0

    def name(self):
        self.count += 1
        return "layer%d" % self.count

    def other(self, shape):
        """Another value of the same shape, or the same one."""
        return self.rng.choice([value for value, s in self.values if s == shape])

    def grow(self):
        x, shape = self.values[-1] if self.rng.random() < 0.7 else self.rng.choice(self.values)
        try:
            y = self.rng.choice(self.rng.choice(FAMILIES)(self, x, shape))()
            _, shapes, _ = y.infer_shape(data=self.sizes[0])
            kind = y.infer_type(data="float32")[1][0]
        except Exception:  # whatever MXNet does not take
            return
        if len(shapes) == 1 and kind == self.np.float32 and 0 < self.np.prod(shapes[0]) <= 5000 and shapes[0]:
            self.values.append((y, shapes[0]))

    def symbol(self):
        wanted = self.rng.randint(3, 14)
        for _ in range(60):
            if len(self.values) <= wanted:
                self.grow()
        heads = [self.values[-1][0]]
        if self.rng.random() < 0.3:
            heads.append(self.rng.choice(self.values[-3:])[0])
        return self.sym.Group(heads)


def convolutions(net, x, shape):
    s, r = net.sym, net.rng
    group = r.choice([1, 1, 1, shape[1]])
    window = {"kernel": (r.choice([1, 2, 3]), r.choice([1, 3])), "stride": (r.choice([1, 1, 2]),) * 2}
    window.update(num_filter=group * r.randint(1, 3), num_group=group, no_bias=r.random() < 0.5)
    window.update(pad=(r.randint(0, 1),) * 2, dilate=(r.choice([1, 1, 2]),) * 2)
    conv = lambda: s.Convolution(x, name=net.name(), **window)
    up = {"kernel": (2, 2), "stride": (2, 2), "num_filter": r.randint(1, 3), "no_bias": r.random() < 0.5}
    return [
        conv,
        conv,
        lambda: normalised(net, conv()),
        lambda: normalised(net, conv()),
        lambda: s.Deconvolution(x, name=net.name(), **up),
        lambda: normalised(net, s.Deconvolution(x, name=net.name(), **up)),
    ]


def normalised(net, x):
    r = net.rng
    attrs = {"fix_gamma": r.random() < 0.5, "use_global_stats": r.random() < 0.3, "axis": r.choice([1, 1, 1, -1])}
    return net.sym.BatchNorm(x, eps=r.choice([1e-3, 1e-5, 2e-5]), name=net.name(), **attrs)


def pools(net, x, shape):
    s, r = net.sym, net.rng
    size = r.randint(1, 3)
    attrs = {"kernel": (size, size), "stride": (r.randint(1, 2),) * 2, "pad": (r.randint(0, size // 2),) * 2}
    attrs.update(pool_type=r.choice(["max", "avg", "sum"]), pooling_convention=r.choice(["valid", "full", "same"]))
    attrs.update(count_include_pad=r.random() < 0.5, global_pool=r.random() < 0.15)
    return [
        lambda: s.Pooling(x, **attrs),
        lambda: s.Pooling(x, **attrs),
        lambda: s.UpSampling(x, scale=2, sample_type="nearest"),
        lambda: s.contrib.BilinearResize2D(x, height=5, width=6),
        lambda: s.contrib.AdaptiveAvgPooling2D(x, output_size=2),
        lambda: s.depth_to_space(x, block_size=2),
        lambda: s.space_to_depth(x, block_size=2),
    ]


def activations(net, x, shape):
    s, r = net.sym, net.rng
    plain = r.choice(["relu", "sigmoid", "tanh", "softrelu", "softsign"])
    leaky = r.choice(["elu", "selu", "gelu", "leaky", "prelu"])
    return [
        lambda: s.Activation(x, act_type=plain),
        lambda: s.LeakyReLU(x, act_type=leaky, slope=0.1, name=net.name()),
        lambda: s.clip(x, a_min=0, a_max=6),
        lambda: s.hard_sigmoid(x),
        lambda: s.smooth_l1(x, scalar=1),
    ]


def scalars(net, x, shape):
    s, c = net.sym, net.rng.choice([0, 1, -1, 0.5, 2, 3])
    return [
        lambda: x * c,
        lambda: x + c,
        lambda: x - c,
        lambda: x / (c or 1),
        lambda: c - x,
        lambda: s.maximum(x, c),
        lambda: s.minimum(x, c),
        lambda: (x * x + 1) ** 0.5,
        lambda: s.sqrt(s.abs(x)),
        lambda: s.exp(-s.abs(x)),
        lambda: s.sign(x),
        lambda: x > c,
        lambda: s.broadcast_maximum(x, x * c),
    ]


def pairs(net, x, shape):
    s, o, rank = net.sym, net.other(shape), len(shape)
    axis = net.rng.randint(0, rank - 1)
    mean = lambda: net.rng.choice([s.mean, s.sum, s.max, s.min])(x, axis=axis, keepdims=True)
    parameter = lambda: s.Variable(net.name(), shape=tuple(d if net.rng.random() < 0.3 else 1 for d in shape))
    return [
        lambda: x + o,
        lambda: x - o,
        lambda: x * o,
        lambda: s.maximum(x, o),
        lambda: s.where(x > o, x, o),
        lambda: s.add_n(x, o, x),
        lambda: s.Concat(x, o, dim=axis),
        lambda: s.stack(x, o, axis=axis),
        lambda: s.reshape_like(x, o),
        lambda: s.slice_like(x, o),
        lambda: s.broadcast_sub(x, mean()),
        lambda: s.broadcast_mul(x, mean()),
        lambda: s.broadcast_mul(x, parameter()),
        lambda: s.broadcast_add(x, parameter()),
        lambda: s.broadcast_like(s.sum(x, axis=axis, keepdims=True), x),
        lambda: s.dot(x, s.transpose(x)),
        lambda: s.batch_dot(x, x, transpose_b=True),
    ]


def reductions(net, x, shape):
    s, r = net.sym, net.rng
    axes = tuple(sorted(r.sample(range(len(shape)), r.randint(1, len(shape)))))
    attrs = {"axis": axes if r.random() < 0.7 else axes[0], "keepdims": r.random() < 0.6}
    return [lambda op=op: op(x, **attrs) for op in (s.mean, s.sum, s.max, s.min, s.prod, s.norm)]


RESHAPES = ((-1,), (0, -1), (-1, 0), (0, 0, -1), (-3, -2), (0, -3, -2), (0, -2), (-2, 1), (0, -4, -1, 1, -2), (1, -1))


def shapes(net, x, shape):
    s, r, rank = net.sym, net.rng, len(shape)
    axes, axis = r.sample(range(rank), rank), r.randint(0, rank - 1)
    pad = {"mode": r.choice(["constant", "edge", "reflect"]), "pad_width": (0, 0, 0, 0, 1, 1, 0, 1)}
    before = (None,) * axis
    return [
        lambda: s.transpose(x, axes=axes),
        lambda: s.transpose(x, axes=axes),
        lambda: s.Reshape(x, shape=r.choice(RESHAPES)),
        lambda: s.Reshape(x, shape=r.choice(RESHAPES)),
        lambda: s.SwapAxis(x, dim1=axis, dim2=axes[0]),
        lambda: s.expand_dims(x, axis=r.randint(0, rank)),
        lambda: s.squeeze(s.expand_dims(x, axis=0), axis=0),
        lambda: s.Flatten(x),
        lambda: s.reverse(x, axis=axis),
        lambda: s.tile(x, reps=[r.randint(1, 2) for _ in range(r.randint(1, rank))]),
        lambda: s.repeat(x, repeats=2, axis=axis),
        lambda: s.slice_axis(x, axis=axis, begin=r.randint(0, 1), end=r.choice([None, -1, 2])),
        lambda: s.slice(x, begin=(*before, r.choice([0, 1, -2])), end=(*before, None)),
        lambda: s.slice(x, begin=(*before, None), end=(*before, None), step=(*before, r.choice([2, -1]))),
        lambda: s.SliceChannel(x, num_outputs=2, axis=axis)[r.randint(0, 1)],
        lambda: s.Pad(x, constant_value=0.5, **pad),
    ]


def layers(net, x, shape):
    s, r = net.sym, net.rng
    axis = r.randint(0, len(shape) - 1)
    dense = {"num_hidden": r.randint(1, 4), "flatten": r.random() < 0.5, "no_bias": r.random() < 0.4}
    return [
        lambda: normalised(net, x),
        lambda: s.FullyConnected(x, name=net.name(), **dense),
        lambda: s.FullyConnected(x, name=net.name(), **dense),
        lambda: s.softmax(x, axis=axis),
        lambda: s.log_softmax(x, axis=axis),
        lambda: s.SoftmaxActivation(x, mode=r.choice(["instance", "channel"])),
        lambda: s.LayerNorm(x, axis=axis, name=net.name()),
        lambda: s.InstanceNorm(x, name=net.name()),
        lambda: s.GroupNorm(x, num_groups=1, name=net.name()),
        lambda: s.L2Normalization(x, mode=r.choice(["instance", "channel", "spatial"])),
        lambda: s.LRN(x, nsize=3),
        lambda: s.cumsum(x, axis=axis),
    ]


def indices(net, x, shape):
    s, r = net.sym, net.rng
    axis = r.randint(0, len(shape) - 1)
    through = r.choice(["int32", "float64", "float16"])
    return [
        lambda: s.argmax(x, axis=axis, keepdims=r.random() < 0.5),
        lambda: s.topk(x, axis=axis, k=1, ret_typ=r.choice(["value", "indices", "mask"])),
        lambda: s.sort(x, axis=axis),
        lambda: s.pick(x, s.argmax(x, axis=axis), axis=axis),
        lambda: s.one_hot(s.argmax(x, axis=axis), depth=3),
        lambda: s.take(x, s.argmax(x, axis=axis), axis=0, mode="clip"),
        lambda: s.Embedding(s.argmax(x, axis=axis), input_dim=9, output_dim=2, name=net.name()),
        lambda: s.Cast(s.Cast(x, dtype=through), dtype="float32"),
        lambda: s.zeros_like(x),
        lambda: s.ones_like(x) + x,
        lambda: s.Dropout(s.BlockGrad(x)),
        lambda: s.identity(x),
        lambda: s.contrib.arange_like(x, axis=axis),
        lambda: s.Cast(s.shape_array(x), dtype="float32"),
        lambda: s.broadcast_mul(x, s.Cast(s.size_array(x), dtype="float32")),
    ]


def types(net, x, shape):
    """Some computing in another element type, and back."""
    s, r = net.sym, net.rng
    y = s.Cast(x, dtype=r.choice(["int32", "int64", "int8", "float64", "float16"]))
    family = r.choice([shapes, scalars, reductions, pairs, layers, pools])
    return [lambda family=family: s.Cast(r.choice(family(net, y, shape))(), dtype="float32")]


FAMILIES = [convolutions] * 4 + [shapes] * 3 + [pairs, pairs, scalars, scalars, activations, activations]
FAMILIES += [layers, layers, pools, reductions, indices, types]


def answer(mx, np, seed):
    """The symbol, the parameters, and ({input: array}, outputs) at one size or two; or the message of MXNet's refusal."""
    if isinstance(seed, str):
        return archives.answer(mx, np, seed)
    net = Network(mx, np, seed)
    symbol = net.symbol()
    parameters, answers = {}, []
    for size in net.sizes:
        shapes, _, aux_shapes = symbol.infer_shape(data=size)
        random_state = np.random.RandomState(len(answers) + 2 * seed)
        arrays = {}
        names = symbol.list_arguments() + symbol.list_auxiliary_states()
        for name, shape in zip(names, shapes + aux_shapes):
            positive = "gamma" in name or "var" in name
            value = random_state.uniform(0.4, 1.6, shape) if positive else random_state.normal(0, 0.7, shape)
            arrays[name] = value.astype("float32") if name == "data" else parameters.get(name, value.astype("float32"))
            if arrays[name].shape != shape:
                return symbol.tojson(), parameters, answers  # the parameters fit the first size only
        make = lambda names, arrays=arrays: {name: mx.nd.array(arrays[name]) for name in names}
        aux_states = make(symbol.list_auxiliary_states())
        executor = symbol.bind(mx.cpu(), make(symbol.list_arguments()), aux_states=aux_states, grad_req="null")
        answers.append(({"data": arrays["data"]}, [output.asnumpy() for output in executor.forward(is_train=False)]))
        parameters = {name: array for name, array in arrays.items() if name != "data"}
    return symbol.tojson(), parameters, answers


# ---- the side that runs in ours ----


def compare(np, found, expected, low):
    # Between float16 nodes ONNX Runtime may leave the rounding out.
    rtol, atol = (2e-2, 5e-3) if low else (1e-3, 1e-5)
    for ours, theirs in zip(found, expected):
        if ours.shape != theirs.shape:
            return "shape %s, MXNet %s" % (ours.shape, theirs.shape)
        finite = np.abs(theirs[np.isfinite(theirs)])
        bound = atol * max(1.0, finite.max() if finite.size else 1.0)
        if not np.allclose(ours, theirs, rtol, bound, equal_nan=True):
            return "%s of %s differ" % (np.sum(~np.isclose(ours, theirs, rtol, bound, equal_nan=True)), ours.size)
    return None


def findings(mx2onnx, np, run, seed, symbol, parameters, answers):
    rng = random.Random(seed)
    for free in (False, True):
        opset = rng.randint(mx2onnx.FIRST_OPSET, mx2onnx.LAST_OPSET)
        optimize = rng.random() < 0.7
        given = {}
        for name, array in answers[0][0].items():
            sizes = [d if i == 1 or not free else "%s_%d" % (name, i) for i, d in enumerate(array.shape)]
            given[name] = (sizes, array.dtype.name)
        at = "opset %d, %s sizes%s" % (opset, "free" if free else "fixed", "" if optimize else ", not optimised")
        try:
            result = mx2onnx.convert(symbol, parameters, inputs=given, opset=opset, optimize=optimize)
        except mx2onnx.Error as error:
            yield "refused" if free else "wrongly refused", "%s: %s" % (at, str(error)[:300])
            continue
        warned = any(d["id"] in TELLING for d in result.diagnostics)
        low = "float16" in symbol or any("float16" in dtype for _, dtype in given.values())
        for feeds, expected in answers if free else answers[:1]:
            try:
                difference = compare(np, run(result.model, feeds), expected, low)
                kind = "different"
            except Exception as error:
                difference, kind = str(error).strip().split("\n")[-1][:300], "runtime"
            if difference:
                at += ", " + ", ".join("%s %s" % (name, array.shape) for name, array in feeds.items())
                yield "other with a warning" if warned else kind, "%s: %s" % (at, difference)
            else:
                yield "same", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000, help="networks")
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--refusals", action="store_true", help="show refusals too")
    parser.add_argument("--save", metavar="DIR", help="write the networks in which something is wrong")
    parser.add_argument("--corpus", metavar="DIR", help="archives instead of drawn networks")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(answer)
    python = os.environ.get("MXNET_PYTHON") or sys.exit("MXNET_PYTHON does not name a Python that has mxnet 1.9.1")

    sys.path.insert(0, os.path.join(ROOT, "tests", "python"))
    import mx2onnx
    import numpy as np
    from operator_fuzzer.judge import Oracle
    from running import run

    warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
    asked = range(args.seed, args.seed + args.draws)
    if args.corpus:
        asked = [os.path.join(os.path.abspath(args.corpus), name) for name in sorted(os.listdir(args.corpus))]
    noted = {name for o in mx2onnx.operators() if o["notes"] for name in [o["name"], *o["aliases"]]}
    oracle, count, start = Oracle(python, program=(__file__, "--serve")), collections.Counter(), time.time()
    for seed in asked:
        if time.time() - start > args.seconds:
            break
        result = oracle.ask(seed)
        count["networks"] += 1
        if isinstance(result, str):
            count["MXNet refuses"] += 1
            if args.refusals:
                print("%s: %s" % (seed, result))
            continue
        has_notes = args.corpus and any(n["op"] in noted for n in json.loads(result[0])["nodes"])
        for kind, text in findings(mx2onnx, np, run, seed, *result):
            kind = "other, and an operator has a note" if kind in WRONG and has_notes else kind
            count[kind] += 1
            if kind in WRONG or (args.refusals and kind != "same"):
                print("%s: %s: %s" % (seed, kind, text), flush=True)
                if args.save and not args.corpus:
                    with open(os.path.join(args.save, "%d-symbol.json" % seed), "w") as file:
                        file.write(result[0])
                    np.savez(os.path.join(args.save, "%d.npz" % seed), **result[2][0][0], **result[1])
    for kind, number in count.most_common():
        print("%7d %s" % (number, kind))
    return 1 if any(count[kind] for kind in WRONG) else 0


if __name__ == "__main__":
    sys.exit(main())
