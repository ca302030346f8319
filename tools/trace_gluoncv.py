"""Traces the nets of GluonCV into a folder that tools/gen_architectures.py packs, as tools/trace_nets.py does for GluonNLP's.

  trace_gluoncv.py OUTPUT [--only REGEX]

Runs with MXNet 1.9.1 and GluonCV 0.10.5 on Python 3.8, without weights:

    python3.8 -m venv V; V/bin/pip install mxnet==1.9.1 numpy==1.19.5
    V/bin/pip install --no-deps gluoncv==0.10.5
    V/bin/pip install packaging pillow matplotlib==3.5.3 pandas==1.2.5 scipy portalocker pyyaml yacs autocfg tqdm requests

Written are graphs.json.xz and structural.json.xz with keys, names, shapes and the published file of each net. Which keys the files of
older releases have is in no source: that is in the folder that comes before this one.
"""

import argparse
import contextlib
import inspect
import pathlib
import re
import sys
import unittest.mock

import trace_nets  # sets what MXNet reads once
from architecture_facts import task_of
from trace_nets import Folder, var

import mxnet as mx

CUSTOM_CLASSES = 3
"""Of nets that ask for the user's own classes: any number will do, as it is taken from a file's shapes."""


@contextlib.contextmanager
def no_weights():
    """Within it no file of weights is looked for or read, and none is missed: some nets ask for those of their backbone whatever one says."""
    replaced = {
        "gluoncv.model_zoo.model_store.get_model_file": lambda *_, **__: "",
        "mxnet.gluon.Block.load_parameters": lambda *_, **__: None,
        "mxnet.gluon.ParameterDict.reset_ctx": lambda *_: None,
    }
    with contextlib.ExitStack() as patches:
        for target, function in replaced.items():
            patches.enter_context(unittest.mock.patch(target, function))
        yield


def build(name, **options):
    from gluoncv.model_zoo import model_zoo

    function = model_zoo._models[name]
    known = inspect.signature(function).parameters
    if "use_kinetics_pretrain" in known:
        options["use_kinetics_pretrain"] = False
    classes = known.get("classes")
    if classes is not None and classes.default is inspect.Parameter.empty:
        options["classes"] = ["class%d" % i for i in range(CUSTOM_CLASSES)]
    with no_weights():
        return function(pretrained=False, **options)


def call(name, **options):
    """The net and its outputs. Gluon counts the blocks of a program; a net's names are those it has as the first of one."""
    with mx.name.NameManager():
        net = build(name, **options)
        return net, net(*var(*example_shapes(name)))


def example_shapes(name):
    """{input: shape}: one that the net takes, so that what Gluon learns from the first input is known."""
    sizes = {"batch": 1, "frames": 32, "height": 480, "width": 480}
    shapes = {}
    for one in task_of(name)[1].split(";"):
        data, _, dims = one.partition(":")
        shapes[data] = tuple(int(sizes.get(d, d)) for d in dims.split(","))
    return shapes


def published(name):
    """File and sha1 of GluonCV's weights of this net, if it has some by this name."""
    from gluoncv.model_zoo import model_store

    sha1 = model_store._model_sha1.get(name)
    return {"file": "%s-%s.params" % (name, sha1[:8]), "hash": sha1} if sha1 else {}


def trace(folder, name):
    try:
        net, outputs = call(name)
    except RuntimeError:  # a parameter of the backbone has no value
        net, outputs = call(name, pretrained_base=False)
    symbol = mx.sym.Group(trace_nets.flat(outputs))
    known, _, auxiliary = symbol.infer_shape(**example_shapes(name))
    names = symbol.list_arguments() + symbol.list_auxiliary_states()
    facts = dict(published(name), source="gluoncv")
    folder.add("structural", name, name, net, outputs, facts, dict(zip(names, known + auxiliary)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    import gluoncv

    folder, failed = Folder(), []
    # Quantised nets are files with a graph.
    names = [n for n in gluoncv.model_zoo.get_model_list() if "int8" not in n and re.search(arguments.only, n)]
    for name in names:
        try:
            trace(folder, name)
        except Exception as error:  # of GluonCV's own code; the others are still wanted
            failed.append("%s: %s" % (name, str(error).split("\n")[0]))
    folder.write(arguments.output)
    print("%d nets traced" % (len(names) - len(failed)))
    for line in failed:
        print("cannot be traced: %s" % line)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
