#!/usr/bin/env python3
"""Draws random nodes of the operators, asks MXNet what they compute and ONNX Runtime what our conversion of them computes.

  MXNET_PYTHON=/path/to/python-with-mxnet-1.9.1 fuzz_operators.py [--draws N] [--seed N] [--only REGEX] [--seconds N]
      [--corners] [--refusals]

Attributes are drawn from what the operators' records declare (`mx2onnx.operators()`), shapes and element types at
random or by a recipe (tools/operator_fuzzer); inputs whose shape was not drawn get the one that MXNet infers (weights). Each draw
that both accept runs with fixed and with free sizes, the latter at two of them, at the first, the default and the newest opset. A
disagreement is printed as a case that may be put into tests/cases; then tools/record_golden.py records it. What a note of the
operator speaks of is allowed under that note's exact condition only (operator_fuzzer/excuses.py). The closing table counts
draws, refusals and disagreements by kind, and names the operators that nothing was compared for.

With MXNET2_PYTHON, a Python that has mxnet 2.0.0b1, the operators that MXNet 1.9.1 does not have are drawn, too.
"""

import argparse
import collections
import json
import os
import random
import re
import sys
import time

TOOLS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [TOOLS, os.path.join(os.path.dirname(TOOLS), "tests", "python")]

import mx2onnx  # noqa: E402
from operator_fuzzer.draw import draw, resized  # noqa: E402
from operator_fuzzer.excuses import EXCUSES  # noqa: E402
from operator_fuzzer.judge import DISAGREEMENTS, Judge, Oracles  # noqa: E402

GPU = "MXNet 1.9.1 has it for GPUs only; tests/python/test_random.py compares it with NumPy"
# Operators that no MXNet on a CPU computes for us, and where they are tested.
NOT_DRAWN = {
    "WarpCTC": "a plug-in that no build of MXNet 1.9.1 has",
    "_contrib_count_sketch": GPU,
    "_contrib_fft": GPU,
    "_contrib_ifft": GPU,
    "_copyto": "a function of NDArrays, which no symbol can compute",
}
SINCE_MXNET_2 = ("digamma", "masked_log_softmax", "masked_softmax")


def case_of(operator, request, arrays):
    """The draw as a case of tests/cases."""
    graph = json.loads(request["symbol"])
    inputs = {k: "%s:%s" % (",".join(map(str, v.shape)) or "()", v.dtype.name) for k, v in arrays.items()}
    node = graph["nodes"][-1]
    case = {"name": "%s_%s" % (operator["name"].strip("_").lower(), request["seed"])}
    if any(n["op"] != "null" for n in graph["nodes"][:-1]) or "subgraphs" in node:
        case["symbol"] = graph
    else:
        case.update(op=node["op"], attrs=node.get("attrs", {}))
    return json.dumps({**case, "inputs": inputs, **({"np_shape": True} if request["np_shape"] else {})})


def values_of(arrays):
    return "; ".join("%s = %s" % (k, v.ravel().tolist()) for k, v in arrays.items() if v.size <= 24)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100, help="of each operator")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--only", default="", help="operators whose name matches")
    parser.add_argument("--corners", action="store_true", help="values at which functions and types end, in each draw")
    parser.add_argument("--refusals", action="store_true", help="show refusals and what is allowed, too")
    args = parser.parse_args()
    python = os.environ.get("MXNET_PYTHON") or sys.exit("MXNET_PYTHON does not name a Python that has mxnet 1.9.1")
    python2 = os.environ.get("MXNET2_PYTHON")
    judges = {False: Judge(Oracles(python)), True: Judge(Oracles(python2)) if python2 else None}
    not_drawn = {**NOT_DRAWN, **({} if python2 else {n: "MXNet 1.9.1 does not have it" for n in SINCE_MXNET_2})}

    count, never, unfit, start = collections.Counter(), [], [], time.time()
    for operator in mx2onnx.operators():
        name = operator["name"]
        if name in not_drawn or not re.search(args.only, name):
            continue
        judge = judges[name in SINCE_MXNET_2]
        shown, of_this, reasons = collections.Counter(), collections.Counter(), collections.Counter()
        for i in range(args.draws):
            if time.time() - start > args.seconds:
                break
            seed = "%d_%d" % (args.seed, i)
            rng = random.Random("%s/%s" % (name, seed))
            request = draw(rng, operator, seed, args.corners)
            result = judge.oracles.ask(request)
            of_this["draws"] += 1
            if isinstance(result, str):
                of_this["MXNet crashed" if result == "MXNet crashed" else "MXNet refuses"] += 1
                reasons[result] += 1
                if args.refusals:
                    print("%s: %s\n  %s" % (name, result, request), flush=True)
                continue
            of_this["MXNet accepts"] += 1
            changed = resized(rng, request)
            request["symbol"], answers = result[0], [(request, result)]
            changed["symbol"] = result[0]
            other = judge.oracles.ask(changed)
            if not isinstance(other, str):
                answers.append((changed, other))
            before = judge.compared
            found = judge.findings(operator, request, answers)
            of_this["compared"] += judge.compared > before
            for kind, text in found[:1]:
                of_this[kind] += 1
                shown[kind] += 1
                if shown[kind] <= 3 and (kind in DISAGREEMENTS or args.refusals):
                    print("%s: %s: %s" % (kind, name, text))
                    print("  %s\n  %s" % (case_of(operator, request, result[1]), values_of(result[1])), flush=True)
        if of_this["draws"] and not of_this["MXNet accepts"]:
            never.append("%s (%s)" % (name, reasons.most_common(1)[0][0][:150]))
        elif of_this["draws"] and not of_this["compared"]:
            unfit.append(name)
        count += of_this
    for names, words, _ in EXCUSES:
        if not any(re.search(names, o["name"]) and words in n for o in mx2onnx.operators() for n in o["notes"]):
            print("no note of %s says '%s' any more: operator_fuzzer/excuses.py" % (names, words))
    for name, reason in not_drawn.items():
        if re.search(args.only, name):
            print("not drawn: %s: %s" % (name, reason))
    for name in never:
        print("no draw was valid for %s" % name)
    if unfit:
        print("every draw was refused or failed of: %s" % ", ".join(unfit))
    for kind, number in count.most_common():
        print("%7d %s" % (number, kind))
    bad = sum(count[kind] for kind in DISAGREEMENTS)
    print("%d disagreements" % bad)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
