"""Records models of GluonCV's registry for tests/zoo/gluoncv, with MXNet 1.9.1 and GluonCV 0.10.5.post0 on Python 3.8.

  record_zoo.py NAME...          export a model, give it the rule's weights, run it, add it to the corpus
  record_zoo.py --alt [REGEX]    run what the corpus has at a second size: a batch of two, larger images where MXNet takes them
  record_zoo.py --rows [REGEX]   record whole rows of detectors, where the sampled values do not hold whole rows

    python3.8 -m venv V; V/bin/pip install mxnet==1.9.1 numpy==1.19.5 Pillow portalocker tqdm scipy matplotlib opencv-python-headless yacs autocfg pandas
    V/bin/pip install --no-deps gluoncv==0.10.5.post0

Each model is recorded in a process of its own: Gluon numbers the names of layers by how many there were before.
"""

import argparse
import hashlib
import io
import lzma
import os
import pathlib
import re
import subprocess
import sys
import time

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"  # MXNet 1.9.1's fusions overwrite values that are still needed

import numpy as np  # noqa: E402

import mxnet as mx  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "zoo"))

import zoo_corpus  # noqa: E402

CORPUS = zoo_corpus.ZOO / "gluoncv"
MOST_VALUES = 512
SCALES = ((2.0, 1.0), (3.0, 1.0), (1.0, 0.5))
"""(var_scale, gain) that are tried until no output is infinite, saturated or constant."""

CONSTRUCTOR_ARGUMENTS = {
    "custom_mask_rcnn_fpn": {"classes": ["person", "bicycle", "car", "cat", "dog"]},
}
IMAGE = {"mask_rcnn": (1, 3, 128, 160), "faster_rcnn": (1, 3, 128, 160)}


def build(name):
    """(symbol, {constant: array}, family) of a model of the registry, weights left alone."""
    import gluoncv

    options = {"pretrained": False, "pretrained_base": False}
    options.update(CONSTRUCTOR_ARGUMENTS.get(name, {}))
    try:
        net = gluoncv.model_zoo.get_model(name, **options)
    except TypeError:  # some constructors know one of the two only, and would download
        options.pop("pretrained_base" if "custom" not in name else "pretrained")
        net = gluoncv.model_zoo.get_model(name, **options)
    net.collect_params().initialize()
    symbol = net(mx.sym.var("data"))
    symbol = mx.sym.Group(list(symbol)) if isinstance(symbol, (list, tuple)) else symbol
    params = net.collect_params()
    constants = {k: p.data().asnumpy() for k, p in params.items() if isinstance(p, mx.gluon.Constant)}
    family = sys.modules["gluoncv.model_zoo"].model_zoo._models[name].__module__
    return symbol, constants, re.sub(r"^gluoncv\.model_zoo\.", "", family)


def evaluate(symbol, params, feeds):
    """MXNet's outputs, as arrays."""
    arguments = {
        n: mx.nd.array(feeds[n] if n in feeds else params[n], dtype=(feeds.get(n, params.get(n))).dtype)
        for n in symbol.list_arguments()
    }
    states = {n: mx.nd.array(params[n]) for n in symbol.list_auxiliary_states()}
    executor = symbol.bind(mx.cpu(), arguments, grad_req="null", aux_states=states)
    return [o.asnumpy() for o in executor.forward(is_train=False)]


def informative(outputs):
    return all(np.isfinite(o).all() and np.unique(o).size > 5 for o in outputs)


def store_constant(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    digest = hashlib.sha1(buffer.getvalue()).hexdigest()[:16]
    path = CORPUS / "constants" / (digest + ".npy.xz")
    if not path.exists():
        path.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    return digest


def sampled(outputs):
    """([{"shape", "step"}], [values])"""
    described, values = [], []
    for out in outputs:
        step = max(1, -(-out.size // MOST_VALUES))
        described.append({"shape": list(out.shape), "step": step})
        values.append(zoo_corpus.sample(out, step))
    return described, values


def record(name):
    start = time.time()
    symbol, constants, family = build(name)
    text = symbol.tojson(remove_amp_cast=True)
    # The names of constants' initializers end in a memory address.
    text = re.sub(r'("__init__": "Constant_[^"]*)_\d+"', r'\1"', text)
    shape = next(s for prefix, s in IMAGE.items() if prefix in name)
    names = symbol.list_arguments() + symbol.list_auxiliary_states()
    arguments, _, states = symbol.infer_shape(data=shape)
    shapes = dict(zip(names, arguments + states))
    constants = {k: v for k, v in constants.items() if k in shapes}
    meta = {
        "family": family,
        "inputs": {"data": {"shape": list(shape), "dtype": "float32", "rule": {"seed": 7, "low": 0, "high": 1}}},
        "outputs": [],
        "params": {n: list(shapes[n]) for n in names if n != "data" and n not in constants},
        "constants": {k: store_constant(v) for k, v in constants.items()},
    }
    meta["inputs"]["data"]["axes"] = ["B"] + [None] * (len(shape) - 1)
    (CORPUS / "graphs" / (name + "-symbol.json.xz")).write_bytes(
        lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    )
    for meta["var_scale"], meta["gain"] in SCALES:
        entry = zoo_corpus.Entry("gluoncv", name, meta)
        entry._golden = {}
        outputs = evaluate(symbol, entry.params(), entry.feeds())
        if informative(outputs):
            break
    else:
        sys.exit("%s: outputs that say nothing, whatever the weights' scale" % name)
    described, values = sampled(outputs)
    for i, (out, node) in enumerate(zip(described, symbol.list_outputs())):
        meta["outputs"].append(dict(out, name=node, dtype=outputs[i].dtype.name))
    np.savez_compressed(CORPUS / "golden" / (name + ".npz"), **{"o%d" % i: v for i, v in enumerate(values)})
    update(name, meta)
    print("%s: recorded in %.0f s, %s" % (name, time.time() - start, [o["shape"] for o in described]), flush=True)


def update(name, meta):
    everything = {n: e.meta for n, e in zoo_corpus.load("gluoncv").items()}
    everything[name] = meta
    zoo_corpus.save_meta("gluoncv", everything)


def larger(shape):
    """The second size of an input: a batch of two, and images of another height and width."""
    return [2 * shape[0]] + list(shape[1:-2]) + [shape[-2] + 32, shape[-1] + 64]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--here", action="store_true", help="in this process")
    args = parser.parse_args()
    for name in args.names:
        if args.here:
            record(name)
        else:
            subprocess.run([sys.executable, __file__, "--here", name])


if __name__ == "__main__":
    main()
