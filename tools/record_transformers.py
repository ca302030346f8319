"""Records the graphs of tests/transformers with MXNet 1.9.1 (MXNET_SUBGRAPH_BACKEND=NONE), as record_control_flow.py does its own.

Arrays without elements, a past of no steps, are what MXNet has under NumPy's shape semantics only; `past` is recorded under them.
"""

import pathlib

import numpy as np

import mxnet as mx

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "transformers"
S = mx.sym
RANDOM = np.random.RandomState(5)


def draw(*shape):
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


def v(name):
    return S.Variable(name)


def dense(x, name, units):
    weight, bias = v(name + "_weight"), v(name + "_bias")
    return S.FullyConnected(x, weight, bias, num_hidden=units, flatten=False, name=name)


def past():
    """Attention to a past of any length, which it gives back one step longer."""
    x = v("data")
    keys = S.concat(v("past_keys"), dense(x, "key", 8), dim=1)
    values = S.concat(v("past_values"), dense(x, "value", 8), dim=1)
    scores = S.batch_dot(S.contrib.div_sqrt_dim(dense(x, "query", 8)), keys, transpose_b=True)
    out = S.batch_dot(S.softmax(scores), values)
    sizes = ((2, 0, 1), (2, 0, 3), (2, 1, 1), (1, 4, 2), (3, 2, 2))
    return S.Group([out, keys, values]), [
        {"data": draw(b, t, 6), "past_keys": draw(b, s, 8), "past_values": draw(b, s, 8)} for b, s, t in sizes
    ]


def positions():
    """How GPT-2 of GluonNLP counts on from its past."""
    length = S.slice_axis(S.Cast(S.contrib.arange_like(v("past"), axis=1), dtype="int32"), axis=0, begin=-1, end=None)
    length = S.broadcast_add(length, S.ones(1, dtype="int32"))
    here = S.Cast(S.contrib.arange_like(v("data"), axis=1), dtype="int32")
    return S.broadcast_add(here, length), [{"data": draw(2, t), "past": draw(2, s, 3)} for t, s in ((1, 1), (3, 4))]


def bert():
    """Two layers of BERT as GluonNLP 0.10 writes them, with interleaved projections, on (length, batch, units)."""
    units, heads, x = 16, 2, v("data")

    def norm(x, name):
        return S.LayerNorm(x, v(name + "_gamma"), v(name + "_beta"), eps=1e-12, name=name)

    x = norm(S.broadcast_add(x, v("position")), "norm")
    for i in range(2):
        name = "layer%d_" % i
        projection = dense(x, name + "qkv", 3 * units)
        weights = S.softmax(S.contrib.interleaved_matmul_selfatt_qk(projection, heads=heads))
        y = S.contrib.interleaved_matmul_selfatt_valatt(projection, S.identity(weights), heads=heads)
        x = norm(dense(y, name + "proj", units) + x, name + "attention_norm")
        y = S.LeakyReLU(dense(x, name + "ffn_1", 24), act_type="gelu")
        x = norm(dense(y, name + "ffn_2", units) + x, name + "ffn_norm")
    return x, [{"data": draw(t, b, units), "position": draw(t, 1, units)} for t, b in ((5, 2), (3, 4))]


def record(build, np_shape):
    with mx.util.np_shape(np_shape):
        symbol, runs = build()
        arrays = {}
        shapes = symbol.infer_shape(**{k: a.shape for k, a in runs[0].items()})[0]
        for name, shape in zip(symbol.list_arguments(), shapes):
            if name not in runs[0]:
                arrays["param/" + name] = draw(*shape)
        for i, feeds in enumerate(runs):
            args = dict(feeds, **{k[6:]: a for k, a in arrays.items() if k.startswith("param/")})
            executor = symbol.bind(mx.cpu(), {k: mx.nd.array(a) for k, a in args.items()}, grad_req="null")
            results = executor.forward(is_train=False)
            arrays.update({"%d/in/%s" % (i, name): value for name, value in feeds.items()})
            arrays.update({"%d/out/%d" % (i, k): value.asnumpy() for k, value in enumerate(results)})
        symbol.save(str(ROOT / (build.__name__ + "-symbol.json")))
    np.savez_compressed(ROOT / (build.__name__ + ".npz"), **arrays)
    print(build.__name__, [a.shape for k, a in arrays.items() if "/out/" in k])


if __name__ == "__main__":
    ROOT.mkdir(exist_ok=True)
    record(past, True)
    record(positions, False)
    record(bert, False)
