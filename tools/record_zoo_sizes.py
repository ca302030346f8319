"""Records the models of tests/zoo/gluoncv at a second size: another batch, height and width, with MXNet 1.9.1 (see record_zoo.py).

  record_zoo_sizes.py [NAME...]      all that have none yet, or these

MXNet itself says which sizes of a model are free: batch, height and width are changed together; where it refuses, to a larger width, then height and width
alone, then the batch alone. What it refuses goes into the entry's `not_free` with its message. Of a detector, what goes into its first sort is
recorded too.
"""

import multiprocessing
import re
import sys

import numpy as np
import record_zoo
import zoo_corpus

import mxnet as mx

SIZES = {"B": 1, "H": 32, "W": -32}
LARGER = {"B": 1, "H": 32, "W": 64}
ATTEMPTS = (SIZES, LARGER, {"H": 32, "W": 64}, {"B": 1})
"""What is added to the free sizes: networks with strides up to 32 can take it, and it is another number for each."""

MOST_ROWS = 1 << 14
MOST_SECONDS = 900


def letters_of(shape):
    """The letters of an image's or a clip's axes."""
    return ["B"] + [None] * (len(shape) - 3) + ["H", "W"]


def other_inputs(meta, added):
    """{input: shape} with the free sizes at their second value."""
    shapes = {}
    for name, spec in meta["inputs"].items():
        small = min(spec["shape"][-2:]) < 96
        shapes[name] = tuple(
            n + (16 if x == "W" and small else added.get(x, 0)) if x in added else n
            for n, x in zip(spec["shape"], spec["axes"])
        )
    return shapes


def outputs_of(symbol, entry):
    """MXNet's outputs at the entry's second size; MXNetError where it refuses that."""
    symbol.infer_shape(**entry.meta["alt"]["inputs"])
    return record_zoo.evaluate(symbol, entry.params(), entry.feeds(alt=True))


def one_line(error):
    """What MXNet says, without its stack and the place in its source."""
    lines = [line for line in str(error).splitlines() if line.strip() and "Stack trace" not in line]
    text = re.sub(r"\[[0-9:]+\] \S+:\d+: ", "", lines[-1] if lines else repr(error))
    return re.sub(r"^.*?(Error in operator|Check failed)", r"\1", text)[:200]


def record(name):
    """(meta, golden) with the second size of a model."""
    entry = zoo_corpus.load("gluoncv")[name]
    meta, golden = entry.meta, {k: v for k, v in entry.golden().items() if not k.startswith("alt/")}
    meta.pop("alt", None)
    meta.pop("not_free", None)
    for spec in meta["inputs"].values():
        spec["axes"] = letters_of(spec["shape"])
    if len(meta["inputs"]) > 1:  # the template of a tracker becomes the kernels of a convolution
        meta["inputs"]["data0"]["axes"] = ["B", None, None, None]
    symbol = mx.sym.load_json(entry.symbol())
    sorts = record_zoo.sorts_of(symbol)
    wanted = symbol
    if sorts:
        wanted = mx.sym.Group([symbol, symbol.get_internals()[sorts[0][1]]])
    refused = {}
    for free in ATTEMPTS:
        meta["alt"] = {"inputs": other_inputs(meta, free), "outputs": []}
        try:
            outputs = outputs_of(wanted, entry)
        except mx.MXNetError as e:
            del meta["alt"]
            for letter in free:
                refused[letter] = one_line(e)
            continue
        refused = {letter: text for letter, text in refused.items() if letter not in free}
        if sorts:
            before = outputs.pop()
            step = max(1, -(-before.size // record_zoo.MOST_STAGE_VALUES))
            golden["alt/before/0"] = zoo_corpus.sample(before, step)
            meta["alt"]["stage"] = {"before": sorts[0][1], "shape": list(before.shape), "step": step}
        for i, out in enumerate(outputs):
            most = MOST_ROWS if sorts else record_zoo.MOST_VALUES
            step = max(1, -(-out.size // most))
            meta["alt"]["outputs"].append({"shape": list(out.shape), "step": step})
            golden["alt/o%d" % i] = zoo_corpus.sample(out, step)
        break
    if refused:
        meta["not_free"] = refused
    return meta, golden


def child(name, pipe):
    try:
        pipe.send(record(name))
    except BaseException as e:
        pipe.send(repr(e))


def main():
    entries = zoo_corpus.load("gluoncv")
    names = sys.argv[1:] or [n for n, e in entries.items() if not (e.alt or e.quantized or "not_free" in e.meta)]
    names.sort(key=lambda n: entries[n].size)
    metas = {n: e.meta for n, e in entries.items()}
    context = multiprocessing.get_context("fork")
    for count, name in enumerate(names):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(name, theirs))
        process.start()
        theirs.close()
        result = "no answer in %d s" % MOST_SECONDS
        try:
            if ours.poll(MOST_SECONDS):
                result = ours.recv()
        except EOFError:
            result = "the process ended"
        process.terminate()
        process.join()
        if isinstance(result, str):
            print("%s: FAILED: %s" % (name, result), flush=True)
            continue
        metas[name], golden = result
        np.savez_compressed(record_zoo.CORPUS / "golden" / (name + ".npz"), **golden)
        alt = metas[name].get("alt", {})
        print("%s: %s %s" % (name, alt.get("inputs"), metas[name].get("not_free", "")), flush=True)
        if count % 20 == 19 or name == names[-1]:
            zoo_corpus.save_meta("gluoncv", metas)


if __name__ == "__main__":
    main()
