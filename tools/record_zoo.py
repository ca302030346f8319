"""Records models of GluonCV's registry for tests/zoo/gluoncv, with MXNet 1.9.1 and GluonCV 0.10.5.post0 on Python 3.8.

  record_zoo.py NAME...          export a model, give it the rule's weights, run it, add it to the corpus
  record_zoo.py --stages NAME...   of a detector in the corpus: record what goes into its sorts

    python3.8 -m venv V; V/bin/pip install mxnet==1.9.1 numpy==1.19.5 Pillow portalocker tqdm scipy matplotlib opencv-python-headless yacs autocfg pandas
    V/bin/pip install --no-deps gluoncv==0.10.5.post0

Each model is recorded in a process of its own: Gluon numbers the names of layers by how many there were before.
"""

import argparse
import hashlib
import io
import json
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
SCALES = ((2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (5.0, 1.0), (1.0, 0.5), (1.0, 0.7))
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
    """Whether outputs are finite and varied; of a detector's classes two are enough."""
    return all(
        np.isfinite(o).all() and np.unique(o).size > (1 if np.array_equal(o, np.round(o)) else 5) for o in outputs
    )


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


SORTS = ("_contrib_box_nms", "topk", "argsort", "sort")
MOST_STAGE_VALUES = 2048
MOST_AFTER = 1 << 16
"""A larger result of a sort is not recorded, and what comes after it not compared."""


def sorts_of(symbol):
    """[(name of a node that sorts, entry that goes in, entry that comes out)], in order."""
    nodes = json.loads(symbol.tojson())["nodes"]
    known = set(symbol.get_internals().list_outputs())

    def entry(index, output):
        name = nodes[index]["name"]
        names = ["%s_output" % name, "%s_output%d" % (name, output), "%s_%d" % (name, output)]
        return next(n for n in names if n in known)

    return [
        (node["name"], entry(*node["inputs"][0][:2]), entry(i, 0))
        for i, node in enumerate(nodes)
        if node["op"] in SORTS and nodes[node["inputs"][0][0]]["op"] != "null"
    ]


def add_stages(name, value_of):
    """Adds what goes into a detector's sorts, and what comes out where later ones depend on it. `value_of(entry)` is an array."""
    entry = zoo_corpus.load("gluoncv")[name]
    meta, golden = entry.meta, dict(entry.golden())
    meta["stages"] = []
    for i, (node, before, after) in enumerate(sorts_of(mx.sym.load_json(entry.symbol()))):
        array = value_of(before)
        step = max(1, -(-array.size // MOST_STAGE_VALUES))
        golden["before/%d" % i] = zoo_corpus.sample(array, step)
        meta["stages"].append({"node": node, "before": before, "shape": list(array.shape), "step": step})
        # MXNet's ROIAlign leaves the regions of other levels of a pyramid to chance, and Mask R-CNN's heads with them.
        if value_of(after).size > MOST_AFTER or "mask_rcnn_fpn" in name:
            break
        golden["after/%d" % i] = value_of(after)
    if "after/%d" % (len(meta["stages"]) - 1) in golden:
        del golden["after/%d" % (len(meta["stages"]) - 1)]
    np.savez_compressed(CORPUS / "golden" / (name + ".npz"), **golden)
    update(name, meta)
    print("%s: %s" % (name, [(s["before"], s["shape"]) for s in meta["stages"]]), flush=True)


def record_stages(name):
    entry = zoo_corpus.load("gluoncv")[name]
    symbol = mx.sym.load_json(entry.symbol())
    wanted = [e for sort in sorts_of(symbol) for e in sort[1:]]
    internals = symbol.get_internals()
    outputs = evaluate(mx.sym.Group([internals[e] for e in wanted]), entry.params(), entry.feeds())
    add_stages(name, dict(zip(wanted, outputs)).__getitem__)


def update(name, meta):
    everything = {n: e.meta for n, e in zoo_corpus.load("gluoncv").items()}
    everything[name] = meta
    zoo_corpus.save_meta("gluoncv", everything)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--here", action="store_true", help="in this process")
    args = parser.parse_args()
    for name in args.names:
        if args.here:
            (record_stages if args.stages else record)(name)
        else:
            subprocess.run([sys.executable, __file__, "--here", name] + ["--stages"] * args.stages)


if __name__ == "__main__":
    main()
