"""Makes the models of this folder, and what MXNet computes for them, with MXNet 1.9.1 (MXNET_SUBGRAPH_BACKEND=NONE)."""

import pathlib
import subprocess
import sys

import numpy as np

import mxnet as mx

HERE = pathlib.Path(__file__).resolve().parent
RECORDER = HERE.parent.parent / "python" / "mx2onnx" / "record_mxnet.py"
RANDOM = np.random.RandomState(5)
S = mx.sym


def loop():
    """A loop whose body has a FullyConnected, between two others; the loop's last state is an output, too, and twice."""
    first = S.FullyConnected(S.Variable("data"), num_hidden=3, flatten=False, name="first")

    def step(x, state):
        state = S.Activation(S.FullyConnected(x, num_hidden=3, name="inner") + state, act_type="tanh", name="act")
        return state * 2, state

    outputs, state = S.contrib.foreach(step, first, S.Variable("state"), name="loop")
    last = S.FullyConnected(outputs, num_hidden=2, flatten=False, name="last")
    return S.Group([last, state, last]), "float32", ["data:4,2,5", "state:2,3"], {"data": (4, 2, 5), "state": (2, 3)}


def half():
    x = S.Convolution(S.Variable("data", dtype="float16"), num_filter=4, kernel=(3, 3), pad=(1, 1), name="conv")
    x = S.Pooling(
        S.Activation(x, act_type="relu", name="relu"), kernel=(2, 2), stride=(2, 2), pool_type="avg", name="pool"
    )
    x = S.FullyConnected(S.LeakyReLU(x, slope=0.25, name="leaky"), num_hidden=5, name="dense")
    return S.softmax(x, name="probabilities"), "float16", ["data:2,1,6,6:float16"], {"data": (2, 1, 6, 6)}


for make in (loop, half):
    symbol, dtype, inputs, feeds = make()
    shapes, _, _ = symbol.infer_shape(**feeds)
    arrays = {
        "arg:" + name: mx.nd.array(RANDOM.uniform(-0.5, 0.5, shape), dtype=dtype)
        for name, shape in zip(symbol.list_arguments(), shapes)
        if name not in feeds
    }
    files = [str(HERE / (make.__name__ + end)) for end in ("-symbol.json", ".params", "-internals.npz")]
    symbol.save(files[0])
    mx.nd.save(files[1], arrays)
    options = ["--internals", "-o", files[2]] + [word for text in inputs for word in ("--input", text)]
    subprocess.run([sys.executable, str(RECORDER), *files[:2], *options], check=True)
