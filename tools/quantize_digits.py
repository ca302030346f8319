#!/usr/bin/env python
"""Quantises the trained digits_cnn of tests/models with MXNet, and records what MXNet's oneDNN kernels give for its digits.

Runs on Python 3.8 with mxnet==1.9.1 numpy==1.19.5. Writes tests/quantized/digits_cnn_int8_MODE-symbol.json, -0000.params and
-expected.npz (`data`, `label`, `output`) for calibration by the least and largest numbers ("naive") and without any ("none"),
and digits_cnn_fused, partitioned but not quantised. (By entropy, MXNet finds other ranges and writes the same operators.)
"""

import logging
import os

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"

import numpy as np  # noqa: E402
from mxnet.contrib import quantization  # noqa: E402

import mxnet as mx  # noqa: E402

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests")


def save(name, symbol, args, aux, data, label):
    named = dict(args, **aux)
    inputs = [n for n in symbol.list_arguments() if n not in named]
    bound = {n: mx.nd.array(data) if n == inputs[0] else mx.nd.zeros(len(data)) for n in inputs}
    arguments = {n: bound.get(n, named.get(n)) for n in symbol.list_arguments()}
    states = {n: named[n] for n in symbol.list_auxiliary_states()}
    output = symbol.bind(mx.cpu(), arguments, aux_states=states, grad_req="null").forward(is_train=False)[0].asnumpy()
    prefix = os.path.join(TESTS, "quantized", name)
    symbol.save(prefix + "-symbol.json")
    stored = {"arg:" + n: named[n] for n in symbol.list_arguments() if n in named}
    stored.update({"aux:" + n: named[n] for n in symbol.list_auxiliary_states()})
    mx.nd.save(prefix + "-0000.params", stored)
    np.savez_compressed(prefix + "-expected.npz", data=data, label=label, output=output)
    print("%s: %d of %d right" % (name, (output.argmax(1) == label).sum(), len(label)))


def main():
    prefix = os.path.join(TESTS, "models", "digits_cnn")
    symbol, args, aux = mx.model.load_checkpoint(prefix, 0)
    recorded = np.load(prefix + "-expected.npz")
    data, label = recorded["data"], recorded["label"]
    save("digits_cnn_fused", symbol.get_backend_symbol("MKLDNN"), args, aux, data, label)
    fused = symbol.get_backend_symbol("MKLDNN_QUANTIZE")
    for mode in ("naive", "none"):
        batches = mx.io.NDArrayIter(data, batch_size=len(data), data_name=symbol.list_arguments()[0])
        quantised, q_args, q_aux = quantization.quantize_model(
            fused,
            args,
            aux,
            label_names=None,
            data_names=(symbol.list_arguments()[0],),
            calib_mode=mode,
            calib_data=None if mode == "none" else batches,
            num_calib_examples=len(data),
            quantized_dtype="auto",
            logger=logging.getLogger(),
        )
        if mode != "none":
            quantised = quantised.get_backend_symbol("MKLDNN_QUANTIZE")
        save("digits_cnn_int8_" + mode, quantised, q_args, q_aux, data, label)


if __name__ == "__main__":
    main()
