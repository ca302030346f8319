#!/usr/bin/env python
"""Records Gluon 2 blocks with npx.foreach, npx.while_loop and npx.cond as MXNet 2.0 saves them, without the attributes of these
operators: tests/control_flow/npx_*-symbol.json and npx_*.npz, of the form of tools/record_control_flow.py.

Runs on Python 3.8 with mxnet==2.0.0b1, one block a process because MXNet 2.0 damages its memory at times:

  record_npx_control_flow.py [NAME ...]
"""

import os
import sys

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))

import numpy as onp  # noqa: E402
from in_child import in_child  # noqa: E402
from mxnet.gluon import HybridBlock  # noqa: E402

import mxnet as mx  # noqa: E402
from mxnet import npx  # noqa: E402

OUT = os.path.join(ROOT, "tests", "control_flow")


def running_sum(data, state):
    return npx.foreach(lambda x, s: (x + s[0], [x + s[0]]), data, [state])


def states_in_turn(a, b, s, t):
    """The second state is read first, a variable is read twice, and there are two arrays of data."""

    def step(x, states):
        return [x[0] * states[1], x[1] + x[0]], [states[0] + x[0], states[1] * 0.5 + states[0]]

    outs, states = npx.foreach(step, [a, b], [s, t])
    return [*outs, *states]


def doubling(i, x):
    """Without stacked outputs: a loop that ends by its condition."""
    _, states = npx.while_loop(lambda i, x: i < 4, lambda i, x: ([], [i + 1, x * 2 + i]), [i, x], max_iterations=9)
    return states


def branch(x, y):
    return npx.cond(lambda a, b: a.sum() < b.sum(), lambda a, b: a * 2 + b, lambda a, b: b - a * a, [x, y])


def branches_of_two(x, y, z):
    return npx.cond(lambda a, b, c: c.sum() > 0, lambda a, b, c: [b, a + c], lambda a, b, c: [a - b, c * b], [x, y, z])


BLOCKS = {
    "foreach": (running_sum, [[(3, 2), (2,)], [(5, 4), (4,)]]),
    "foreach_states": (states_in_turn, [[(3, 2), (3, 2), (2,), (2,)], [(4, 1), (4, 1), (1,), (1,)]]),
    "while_loop": (doubling, [[(1,), (2,)]]),
    "cond": (branch, [[(2, 3), (2, 3)], [(4, 1), (4, 1)]]),
    "cond_two": (branches_of_two, [[(2, 3), (2, 3), (2, 3)]]),
}


def flat(outputs):
    return [leaf for o in outputs for leaf in flat(o)] if isinstance(outputs, (list, tuple)) else [outputs]


def record(name):
    function, sizes = BLOCKS[name]
    npx.set_np()

    class Block(HybridBlock):
        def forward(self, *arrays):
            return function(*arrays)

    block = Block()
    block.hybridize()
    arrays = {}
    random = onp.random.RandomState(7)
    runs = []
    for shapes in [s for s in sizes for _ in range(2)]:
        feeds = [random.uniform(-1, 1, shape).astype("float32") for shape in shapes]
        if name == "while_loop":
            feeds[0] = onp.zeros(shapes[0], "float32")
        outputs = flat(block(*[mx.np.array(f, dtype="float32") for f in feeds]))
        runs.append((feeds, [o.asnumpy() for o in outputs]))
    prefix = os.path.join(OUT, "npx_" + name)
    block.export(prefix)
    for path in os.listdir(OUT):
        if path.startswith("npx_%s-0" % name):
            os.remove(os.path.join(OUT, path))
    names = ["data"] if len(runs[0][0]) == 1 else ["data%d" % i for i in range(len(runs[0][0]))]
    for i, (feeds, outputs) in enumerate(runs):
        for key, value in zip(names, feeds):
            arrays["%d/in/%s" % (i, key)] = value
        for k, value in enumerate(outputs):
            arrays["%d/out/%d" % (i, k)] = value
    onp.savez_compressed(prefix + ".npz", **arrays)
    return True


def main():
    failed = [name for name in sys.argv[1:] or BLOCKS if not in_child(lambda name=name: record(name))]
    if failed:
        sys.exit("MXNet fails at " + ", ".join(failed))


if __name__ == "__main__":
    main()
