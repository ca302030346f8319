"""Records the control-flow symbols of tests/control_flow with MXNet 1.9.1 (MXNET_SUBGRAPH_BACKEND=NONE).

Each is built here with mx.sym.contrib, saved as NAME-symbol.json, and run at one or more sizes of its inputs; NAME.npz has the
feeds (`0/in/data`), the parameters (`param/w`) and the outputs (`0/out/0`) of each run. Behind the last iteration of a while_loop
MXNet's stacked outputs have what lies in its memory: `0/rows/0` is the number of rows of output 0 that mean something.
"""

import pathlib

import numpy as np

import mxnet as mx

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "control_flow"
S, C = mx.sym, mx.sym.contrib
RANDOM = np.random.RandomState(11)


def draw(*shape):
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


def v(name):
    return S.Variable(name)


def with_rows(rows, outputs, feeds):
    """A run in which so many rows of the first outputs mean something."""
    return dict(feeds, _rows=(rows, outputs))


def group(*parts):
    flat = []
    for part in parts:
        flat += part if isinstance(part, (list, tuple)) else [part]
    return S.Group(flat)


def cumulative_sum():
    out, state = C.foreach(lambda x, s: (x + s, x + s), v("data"), v("state"))
    return group(out, state), {}, [{"data": draw(t, b, 3), "state": draw(b, 3)} for t, b in ((5, 2), (1, 4), (2, 1))]


def row_data():
    """Steps of 1-D data have the shape (1,)."""
    out, state = C.foreach(lambda x, s: (x * 2, s + x), v("data"), v("state"))
    return group(out, state), {}, [{"data": draw(t), "state": draw(1)} for t in (4, 1, 3)]


def several_of_all():
    def body(data, states):
        x, y = data
        a, b = states
        return [x + a, x * y, b], [a + y, S.tanh(b)]

    outs, states = C.foreach(body, [v("x"), v("y")], [v("a"), v("b")])
    return (
        group(outs, states),
        {},
        [{"x": draw(t, n), "y": draw(t, n), "a": draw(n), "b": draw(n, 2)} for t, n in ((3, 2), (2, 5))],
    )


def passes_through():
    """Outputs that are a step of the data, a state, or a value from outside."""
    outer = v("outer")
    outs, states = C.foreach(lambda x, s: ([x, s[0], outer], [s[1], s[0]]), v("data"), [v("a"), v("b")])
    return group(outs, states), {}, [{"data": draw(3, 2), "a": draw(2), "b": draw(2), "outer": draw(2)}]


def without_states():
    out, _ = C.foreach(lambda x, s: (S.softmax(x), []), v("data"), [])
    return group(out), {}, [{"data": draw(t, 2, 4)} for t in (3, 1)]


def weights_inside():
    """Parameters and auxiliary states that the subgraph takes from outside; the weight has to be turned for ONNX."""
    w, bias, gamma, beta, mean, var = (v(n) for n in ("w", "bias", "gamma", "beta", "mean", "var"))

    def body(x, s):
        y = S.FullyConnected(x, w, bias, num_hidden=4, flatten=False, name="fc")
        y = S.BatchNorm(y, gamma, beta, mean, var, name="bn", fix_gamma=False, use_global_stats=True)
        return S.Dropout(y), S.Activation(y + s, act_type="relu")

    out, state = C.foreach(body, v("data"), v("state"))
    params = {"w": draw(4, 3), "bias": draw(4), "gamma": draw(4), "beta": draw(4), "mean": draw(4)}
    params["var"] = np.abs(draw(4)) + np.float32(0.5)
    return group(out, state), params, [{"data": draw(t, b, 3), "state": draw(b, 4)} for t, b in ((3, 2), (2, 4))]


def nested():
    def outer(x, s):
        out, state = C.foreach(lambda y, r: (y * r, y + r), x, s)
        return S.sum(out, axis=0), state

    out, state = C.foreach(outer, v("data"), v("state"))
    return group(out, state), {}, [{"data": draw(t, u, 2), "state": draw(2)} for t, u in ((3, 4), (2, 1))]


def free_variables_two_deep():
    """Weights, an auxiliary state, an input and a step of the outer data, all used in the inner subgraph."""
    w, outer, gamma, beta, mean, var = (v(n) for n in ("w", "outer", "gamma", "beta", "mean", "var"))

    def step(x, s):
        def inner(y, r):
            z = S.FullyConnected(y, w, no_bias=True, num_hidden=3, flatten=False, name="fc")
            z = S.BatchNorm(z, gamma, beta, mean, var, name="bn", fix_gamma=False, axis=-1)
            return z * s + S.broadcast_add(r, outer), r + S.sum(x, axis=0)

        out, state = C.foreach(inner, x, s)
        return S.broadcast_mul(out, outer), state

    out, state = C.foreach(step, v("data"), v("state"))
    params = {"w": draw(3, 3), "gamma": draw(3), "beta": draw(3), "mean": draw(3)}
    params["var"] = np.abs(draw(3)) + np.float32(0.5)
    runs = [{"data": draw(t, u, b, 3), "state": draw(b, 3), "outer": draw(1, 3)} for t, u, b in ((3, 2, 2), (2, 4, 3))]
    return group(out, state), params, runs


def branch_in_loop():
    """MXNet has this in a while_loop only: a foreach wants to know the shapes before it runs."""

    def body(i, x):
        y = C.cond(S.sum(x) > 0, lambda: x - 1, lambda: x * -2)
        return y, [i + 1, y]

    outs, states = C.while_loop(lambda i, x: i < 5, body, loop_vars=[v("i"), v("x")], max_iterations=5)
    return group(outs, states), {}, [{"i": np.float32([0]), "x": draw(n)} for n in (2, 3)]


def loop_ends_early():
    outs, states = C.while_loop(
        cond=lambda i, x: i < 4,
        func=lambda i, x: ([x * 2, i], [i + 1, S.broadcast_add(x, i)]),
        loop_vars=[v("i"), v("x")],
        max_iterations=6,
    )
    return (
        group(outs, states),
        {},
        [with_rows(4 - k, 2, {"i": np.float32([k]), "x": draw(n)}) for k, n in ((0, 3), (2, 1), (-1, 2))],
    )


def loop_reaches_its_bound():
    outs, states = C.while_loop(
        cond=lambda i, x: i < 100,
        func=lambda i, x: (S.broadcast_add(x, i), [i + 1, x * x]),
        loop_vars=[v("i"), v("x")],
        max_iterations=5,
    )
    return group(outs, states), {}, [{"i": np.float32([0]), "x": draw(n, 2)} for n in (2, 3)]


def loop_of_no_iterations():
    """Only the loop variables: MXNet's stacked outputs are of no use then."""
    outs, states = C.while_loop(
        cond=lambda i, x: i < 0,
        func=lambda i, x: (S.broadcast_add(x, i), [i + 1, x * x]),
        loop_vars=[v("i"), v("x")],
        max_iterations=5,
    )
    return group(states), {}, [{"i": np.float32([0]), "x": draw(2, 2)}]


def loop_that_grows():
    """A loop variable of another size after each iteration."""
    outs, states = C.while_loop(
        cond=lambda i, x: i < 3,
        func=lambda i, x: (i * 2, [i + 1, S.concat(x, x.slice_axis(axis=0, begin=0, end=1), dim=0)]),
        loop_vars=[v("i"), v("x")],
        max_iterations=4,
    )
    return (
        group(outs, states, S.sum(states[1], axis=0)),
        {},
        [with_rows(3 - k, 1, {"i": np.float32([k]), "x": draw(2, 3)}) for k in (0, 1)],
    )


def loop_with_values_from_outside():
    w, limit = v("w"), v("limit")
    outs, states = C.while_loop(
        cond=lambda i, x: i < limit,
        func=lambda i, x: (S.dot(x, w), [i + 1, S.tanh(S.dot(x, w))]),
        loop_vars=[v("i"), v("x")],
        max_iterations=4,
    )
    runs = [{"i": np.float32([0]), "limit": np.float32([k]), "x": draw(b, 3)} for k, b in ((2, 2), (4, 1), (3, 3))]
    return group(outs, states), {}, [with_rows(int(run["limit"][0]), 1, dict(run, w=draw(3, 3))) for run in runs]


def branches():
    a, b = v("a"), v("b")
    out = C.cond(S.sum(a) < S.sum(b), lambda: [a + b, a], lambda: [a * b, b])
    return group(out), {}, [{"a": draw(n, 2), "b": draw(n, 2)} for n in (2, 3, 1, 4)]


def branches_of_different_shapes():
    a, flag = v("a"), v("flag")
    out = C.cond(flag, lambda: S.concat(a, a, dim=0), lambda: a * 3)
    return (
        group(out, S.sum(out, axis=0)),
        {},
        [{"flag": np.float32([f]), "a": draw(n, 3)} for f, n in ((1, 2), (0, 2), (-0.5, 3))],
    )


RECORDED = [
    cumulative_sum, row_data, several_of_all, passes_through, without_states, weights_inside, nested, branch_in_loop,
    loop_ends_early, loop_reaches_its_bound, loop_of_no_iterations, loop_that_grows, loop_with_values_from_outside,
    branches, branches_of_different_shapes, free_variables_two_deep,
]  # fmt: skip


def record(build):
    symbol, params, runs = build()
    arrays = {"param/" + name: value for name, value in params.items()}
    for i, feeds in enumerate(runs):
        rows, stacked = feeds.pop("_rows", (0, 0))
        arrays.update({"%d/rows/%d" % (i, k): np.int64(rows) for k in range(stacked)})
        block = mx.gluon.SymbolBlock(symbol, [v(name) for name in feeds])
        for name, parameter in block.collect_params().items():
            parameter.initialize(init=mx.init.Constant(mx.nd.array(params[name])), ctx=mx.cpu())
            parameter.set_data(mx.nd.array(params[name]))
        results = block(*[mx.nd.array(value) for value in feeds.values()])
        results = results if isinstance(results, (list, tuple)) else [results]
        arrays.update({"%d/in/%s" % (i, name): value for name, value in feeds.items()})
        arrays.update({"%d/out/%d" % (i, k): value.asnumpy() for k, value in enumerate(results)})
    symbol.save(str(ROOT / (build.__name__ + "-symbol.json")))
    np.savez_compressed(ROOT / (build.__name__ + ".npz"), **arrays)
    print(build.__name__, [v.shape for k, v in arrays.items() if "/out/" in k])


if __name__ == "__main__":
    ROOT.mkdir(exist_ok=True)
    for build in RECORDED:
        record(build)
