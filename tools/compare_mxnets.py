#!/usr/bin/env python
"""Says which operator cases another MXNet computes otherwise than MXNet 1.9.1 did, whose outputs are in tests/golden.

  compare_mxnets.py [--only REGEX] [FAMILY ...]     on a Python with that MXNet, 2.0.0b1 say

A line for each case that differs: in its values (beyond rounding), shapes, element types, or in being refused. What is found belongs
into a variant of the operator's record, with a case of that MXNet. Random operators differ always and are passed over.
"""

import argparse
import os
import re

import numpy as np
import record_golden
from record_golden import case_model

RANDOM = re.compile("random|sample|shuffle|Dropout|_npi_(normal|uniform|bernoulli|choice)|zipfian|randint")


def difference(mine, theirs):
    """What differs between two outputs; None if nothing does."""
    if mine.shape != theirs.shape:
        return "shape %s, was %s" % (mine.shape, theirs.shape)
    if mine.dtype != theirs.dtype:
        return "dtype %s, was %s" % (mine.dtype, theirs.dtype)
    if mine.dtype.kind not in "fc":
        return None if (mine == theirs).all() else "values"
    # What float16 can tell apart, or what sums of float32 lose.
    tolerance = 2e-3 if mine.dtype == np.float16 else 1e-4
    scale = np.abs(np.where(np.isfinite(theirs), theirs, 0)).max() if theirs.size else 0
    same = np.isclose(mine, theirs, rtol=tolerance, atol=tolerance * max(float(scale), 1e-6), equal_nan=True)
    return None if same.all() else "values: %s, was %s" % (mine[~same].flat[0], theirs[~same].flat[0])


def compare_family(family, only):
    path = os.path.join(record_golden.GOLDEN_DIR, family + ".npz")
    golden = dict(np.load(path).items()) if os.path.exists(path) else {}
    found = tried = 0
    for case in case_model.load_family(family):
        ops = [case["op"]] if "op" in case else [node["op"] for node in case["nodes"]]
        if case.get("mxnet_version") or case.get("onednn") is False or any(RANDOM.search(op) for op in ops):
            continue
        if only and not re.search(only, case["name"]) or case["name"] + "/o0" not in golden:
            continue
        tried += 1
        try:
            outputs = record_golden.run_apart(case, False)
        except RuntimeError as error:
            differences = ["refused: %s" % error]
        else:
            pairs = [(o, golden.get("%s/o%d" % (case["name"], i))) for i, o in enumerate(outputs)]
            differences = [difference(o, was) for o, was in pairs if was is not None]
        for text in filter(None, differences):
            found += 1
            print("%-16s %-40s %-30s %s" % (family, case["name"], " ".join(sorted(set(ops)))[:30], text), flush=True)
            break
    return tried, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*")
    parser.add_argument("--only", metavar="REGEX", help="cases whose name matches")
    args = parser.parse_args()
    counts = [compare_family(family, args.only) for family in args.families or case_model.family_names()]
    print("%d cases, %d differ" % tuple(map(sum, zip(*counts))))


if __name__ == "__main__":
    main()
