#!/usr/bin/env python
"""Records what MXNet computes for the operator cases of tests/cases: one .npz per family in tests/golden.

Runs on Python 3.8 with mxnet==1.9.1 numpy==1.19.5. MXNet's default executor fuses and is wrong at times, so
MXNET_SUBGRAPH_BACKEND=NONE is set before the import.

Cases of files of MXNet 2 ("mxnet_version": 20000) are recorded on a Python with mxnet==2.0.0b1: the same command there records
those and keeps the others. With MXNET2_PYTHON=/path/to/that/python in the environment one command does both.

  record_golden.py [--only REGEX] [FAMILY ...]     "nn/conv"; all families if none is named

Cases with "onednn": false are ones that MXNet's oneDNN kernels refuse though MXNet has them: they are recorded in
a second process with MXNET_MKLDNN_ENABLED=0, which MXNet reads once.

Keys of the .npz: CASE/o0, CASE/o1, ... and, for a case with other sizes, CASE/alt/o0, ...
"""

import argparse
import os
import re
import subprocess
import sys

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))

import case_model  # noqa: E402
import numpy as np  # noqa: E402
from in_child import in_child  # noqa: E402
from operator_fuzzer.imperative import CANNOT_BIND, computed_by_call  # noqa: E402

# MXNet says at each binding that it heard of MXNET_SUBGRAPH_BACKEND.
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
import mxnet as mx  # noqa: E402

GOLDEN_DIR = os.path.join(ROOT, "tests", "golden")
MXNET_2 = mx.__version__.startswith("2.")
# Its name in 1.9.1, and in 2.0.
WITHOUT_ONEDNN = {"MXNET_MKLDNN_ENABLED": "0", "MXNET_ONEDNN_ENABLED": "0"}


def run_case(case, alt):
    inputs, params = case_model.case_tensors(case, alt)
    load = mx.sym.fromjson if MXNET_2 else mx.sym.load_json
    symbol = load(case_model.case_symbol(case_model.recorded_case(case)))
    arrays = dict(inputs, **params)
    make = lambda name: mx.nd.array(arrays[name], dtype=arrays[name].dtype)
    args = {name: make(name) for name in symbol.list_arguments()}
    aux = {name: make(name) for name in symbol.list_auxiliary_states()}
    bind = symbol._bind if MXNET_2 else symbol.bind
    try:
        executor = bind(mx.cpu(), args, aux_states=aux, grad_req="null")
        return [o.asnumpy() for o in executor.forward(is_train=False)]
    except mx.MXNetError as error:
        outputs = computed_by_call(mx, symbol.tojson(), arrays) if CANNOT_BIND.search(str(error)) else None
        if outputs is None:
            raise
        return outputs


def run_apart(case, alt):
    """run_case in a process of its own, because of oneDNN's copies of small arrays above all."""

    def run():
        try:
            np_shape = bool(case.get("np_shape"))
            if MXNET_2:
                (mx.npx.set_np if np_shape else mx.npx.reset_np)()
            with mx.util.np_shape(np_shape):
                return run_case(case, alt)
        except Exception as error:  # the message of MXNet's own exception says what is wrong
            return str(error).strip().split("\n")[-1][:200]

    result = in_child(run)
    if result is None:
        raise RuntimeError("MXNet crashed")
    if isinstance(result, str):
        raise RuntimeError(result)
    return result


def without_onednn():
    return os.environ.get("MXNET_MKLDNN_ENABLED") == "0"


def record_family(family, only):
    recorded, failed = {}, []
    path = os.path.join(GOLDEN_DIR, family + ".npz")
    cases = case_model.load_family(family)
    here = [c for c in cases if case_model.is_recorded_by(c, mx.__version__)]
    if (only or without_onednn() or len(here) < len(cases)) and os.path.exists(path):
        names = {c["name"] for c in cases}
        recorded = {k: v for k, v in np.load(path).items() if k.split("/")[0] in names}
    for case in here:
        if (only and not re.search(only, case["name"])) or case.get("onednn", True) == without_onednn():
            continue
        for alt in [False, True] if "alt" in case else [False]:
            prefix = case["name"] + ("/alt" if alt else "")
            try:
                outputs = run_apart(case, alt)
            except RuntimeError as error:
                failed.append("%s: %s" % (prefix, error))
                continue
            for i, output in enumerate(outputs):
                recorded["%s/o%d" % (prefix, i)] = output
    os.makedirs(os.path.dirname(path), exist_ok=True)
    np.savez_compressed(path, **{k: recorded[k] for k in sorted(recorded)})
    print("%s: %d arrays of %d cases" % (family, len(recorded), len(cases)))
    for line in failed:
        print("  MXNet refuses %s" % line)
    return not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*")
    parser.add_argument("--only", help="cases whose name matches; the others keep what is recorded")
    args = parser.parse_args()
    families = args.families or case_model.family_names()
    good = all([record_family(f, args.only) for f in families])
    second = [f for f in families if any(c.get("onednn") is False for c in case_model.load_family(f))]
    only = ["--only", args.only] if args.only else []
    if second and not without_onednn():
        command = [sys.executable, __file__] + only + second
        good = subprocess.call(command, env=dict(os.environ, **WITHOUT_ONEDNN)) == 0 and good
    other = os.environ.get("MXNET2_PYTHON")
    of_mxnet_2 = [f for f in families if any(case_model.is_recorded_by(c, "2.") for c in case_model.load_family(f))]
    if other and of_mxnet_2 and not MXNET_2 and not without_onednn():
        good = subprocess.call([other, __file__] + only + of_mxnet_2) == 0 and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
