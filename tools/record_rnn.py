"""Draws configurations of RNN at random (seeded) and records what MXNet 1.9.1 computes, at two sizes each.

Run in MXNet's Python: tools/record_rnn.py; writes tests/golden/nn/rnn_properties.npz, which tests/python/test_rnn_properties.py
reads. MXNet's own executor optimisations are off, as in record_golden.py.
"""

import json
import os
import random

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"

import numpy as np

import mxnet as mx

SEED = 20240611
COUNT = 40
TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden", "nn", "rnn_properties.npz")
GATES = {"lstm": 4, "gru": 3, "rnn_relu": 1, "rnn_tanh": 1}


def draw(rng):
    mode = rng.choice(sorted(GATES))
    hidden = rng.randint(1, 5)
    projection = rng.randint(1, hidden) if mode == "lstm" and rng.random() < 0.4 else None
    return {
        "mode": mode,
        "state_size": hidden,
        "num_layers": rng.randint(1, 3),
        "bidirectional": rng.random() < 0.5,
        # MXNet crashes on a projection without state outputs.
        "state_outputs": projection is not None or rng.random() < 0.7,
        "projection_size": projection,
        "p": rng.choice([0, 0.3]),
        "input_size": rng.randint(1, 5),
        "dtype": rng.choice(["float32", "float32", "float64"]),
        "sizes": [[rng.randint(1, 6), rng.randint(1, 4)] for _ in range(2)],
    }


def parameter_count(c):
    directions = 2 if c["bidirectional"] else 1
    out = c["projection_size"] or c["state_size"]
    rows = GATES[c["mode"]] * c["state_size"] * directions
    count = rows * (c["input_size"] + out + 2) + (c["num_layers"] - 1) * rows * (out * directions + out + 2)
    return count + (c["projection_size"] or 0) * c["state_size"] * c["num_layers"] * directions


def inputs_of(c, random_state, length, batch):
    layers = c["num_layers"] * (2 if c["bidirectional"] else 1)
    arrays = {"data": random_state.randn(length, batch, c["input_size"])}
    arrays["state"] = random_state.randn(layers, batch, c["projection_size"] or c["state_size"])
    if c["mode"] == "lstm":
        arrays["state_cell"] = random_state.randn(layers, batch, c["state_size"])
    return {k: v.astype(c["dtype"]) for k, v in arrays.items()}


def main():
    rng = random.Random(SEED)
    random_state = np.random.RandomState(SEED)
    arrays, configurations = {}, []
    for index in range(COUNT):
        c = draw(rng)
        configurations.append(c)
        parameters = random_state.uniform(-0.6, 0.6, parameter_count(c)).astype(c["dtype"])
        arrays["%d/parameters" % index] = parameters
        for k, (length, batch) in enumerate(c["sizes"]):
            feeds = inputs_of(c, random_state, length, batch)
            order = [feeds["data"], parameters] + [feeds[n] for n in ("state", "state_cell") if n in feeds]
            names = ("mode", "state_size", "num_layers", "bidirectional", "state_outputs", "projection_size", "p")
            attrs = {n: c[n] for n in names}
            outputs = mx.nd.RNN(*[mx.nd.array(a, dtype=c["dtype"]) for a in order], **attrs)
            if not isinstance(outputs, list):
                outputs = [outputs]
            for name, array in feeds.items():
                arrays["%d/%d/in/%s" % (index, k, name)] = array
            for i, output in enumerate(outputs):
                arrays["%d/%d/out/%d" % (index, k, i)] = output.asnumpy()
    arrays["configurations"] = np.array(json.dumps(configurations))
    np.savez_compressed(TARGET, **arrays)


if __name__ == "__main__":
    main()
