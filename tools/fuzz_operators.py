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
import warnings

TOOLS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [TOOLS, os.path.join(os.path.dirname(TOOLS), "tests", "python")]

import mx2onnx  # noqa: E402
from operator_fuzzer.batches import Draw, stops_the_runtime, suspects  # noqa: E402
from operator_fuzzer.cases import cases_by_operator  # noqa: E402
from operator_fuzzer.draw import NUMPY, draw, resized  # noqa: E402
from operator_fuzzer.excuses import EXCUSES  # noqa: E402
from operator_fuzzer.judge import DISAGREEMENTS, Judge, Oracles, notes_of  # noqa: E402

GPU = "MXNet 1.9.1 has it for GPUs only; tests/python/test_random.py compares it with NumPy"
# Operators that no MXNet on a CPU computes for us, and where they are tested.
NOT_DRAWN = {
    "WarpCTC": "a plug-in that no build of MXNet 1.9.1 has",
    "_contrib_count_sketch": GPU,
    "_contrib_fft": GPU,
    "_contrib_ifft": GPU,
    "_contrib_intgemm_prepare_weight": "its layout is the machine's own; _contrib_intgemm_fully_connected is drawn on top of it",
    "_contrib_intgemm_take_weight": "it takes rows of what _contrib_intgemm_prepare_weight gives; tests/cases/nn/intgemm.json has it",
    "_copyto": "a function of NDArrays, which no symbol can compute",
}
BATCH = 240  # draws at once
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
    version = graph["attrs"]["mxnet_version"][1]
    more = {
        **({"np_shape": True} if request["np_shape"] else {}),
        **({"mxnet_version": version} if version >= 20000 else {}),
    }
    return json.dumps({**case, "inputs": inputs, **more})


def values_of(arrays):
    return "; ".join("%s = %s" % (k, v.ravel().tolist()) for k, v in arrays.items() if v.size <= 24)


def targets(operators, numpy):
    """(operator, name, version of MXNet): the legacy operators, or NumPy's and MXNet 2's names in each MXNet that has them."""
    if not numpy:
        return [(o, None, 20000 if o["name"] in SINCE_MXNET_2 else 10901) for o in operators]
    data = os.path.join(os.path.dirname(TOOLS), "tests", "data", "mxnet-%s-operator-names.txt")
    names = {}
    for version, text in ((10901, "1.9.1"), (20000, "2.0.0b1")):
        with open(data % text) as f:
            names[version] = set(f.read().split())
    new = lambda name: NUMPY.match(name) or name in names[20000] - names[10901]
    return [
        (o, name, version)
        for o in operators
        for name in filter(new, [o["name"], *o["aliases"]])
        for version in names
        if name in names[version]
    ]


class Fuzzing:
    """The draws of one name in one MXNet, and what came of them."""

    def __init__(self, operator, name, version, judge, args, cases):
        self.operator, self.name, self.version, self.judge, self.args, self.cases = (
            operator,
            name,
            version,
            judge,
            args,
            cases,
        )
        self.shown, self.count, self.reasons = collections.Counter(), collections.Counter(), collections.Counter()

    def draw(self, indices):
        """A batch of draws."""
        requests, changed = [], []
        for i in indices:
            seed = "%d_%d" % (self.args.seed, i)
            rng = random.Random("%s/%s" % (self.name or self.operator["name"], seed))
            corners = self.args.corners
            requests.append(draw(rng, self.operator, seed, corners, self.name, self.version, self.cases))
            changed.append(resized(rng, requests[-1]))
        answers = self.judge.oracles.ask_all(requests)
        accepted = [i for i, answer in enumerate(answers) if not isinstance(answer, str)]
        twice = [i for i in accepted if i % 5 < 2]
        others = dict(zip(twice, self.judge.oracles.ask_all([changed[i] for i in twice])))
        self.count["draws"] += len(requests)
        self.count["MXNet accepts"] += len(accepted)
        for request, answer in zip(requests, answers):
            if isinstance(answer, str):
                self.count["MXNet crashed" if answer == "MXNet crashed" else "MXNet refuses"] += 1
                self.reasons[answer] += 1
                if self.args.refusals:
                    print("%s: %s\n  %s" % (self.operator["name"], answer, request), flush=True)
        draws = [Draw(self.operator, requests[i], answers[i], changed[i], others.get(i, "not asked")) for i in accepted]
        dead = [one for one in draws if stops_the_runtime(one)]
        self.count.update(dict.fromkeys(["not run: ONNX Runtime would die"], len(dead)) if dead else {})
        draws = [one for one in draws if one not in dead]
        looked_at = suspects(draws, indices[0] // BATCH + self.args.seed)
        self.count["in agreement"] += len(draws) - len(looked_at)
        for one in looked_at:
            self.look_at(one)

    def look_at(self, one):
        """A draw that may be wrong. Before that counts MXNet is asked again, in a process for it alone."""
        answers = [({**request, "symbol": answer[0]}, answer) for request, answer in one.answers]
        found = self.judge.findings(self.operator, answers[0][0], answers)
        if found and found[0][0] in DISAGREEMENTS:
            again = [self.judge.oracles.ask(request) for request, _ in one.answers]
            if any(isinstance(answer, str) for answer in again):
                self.count["MXNet answers only now and then"] += 1
                return
            answers = [({**request, "symbol": answer[0]}, answer) for (request, _), answer in zip(one.answers, again)]
            found = self.judge.findings(self.operator, answers[0][0], answers)
        if not found:
            self.count["in agreement, looked at closely"] += 1
        for kind, text in found[:1]:
            self.count[kind] += 1
            self.shown[kind] += 1
            if self.shown[kind] <= 3 and (kind in DISAGREEMENTS or self.args.refusals):
                print("%s: %s: %s" % (kind, self.name or self.operator["name"], text))
                request, answer = answers[0]
                print("  %s\n  %s" % (case_of(self.operator, request, answer[1]), values_of(answer[1])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100, help="of each operator")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--only", default="", help="operators whose name matches")
    parser.add_argument("--corners", action="store_true", help="values at which functions and types end, in each draw")
    parser.add_argument("--numpy", action="store_true", help="NumPy's names and MXNet 2's, a line for each")
    parser.add_argument("--refusals", action="store_true", help="show refusals and what is allowed, too")
    args = parser.parse_args()
    warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
    python = os.environ.get("MXNET_PYTHON") or sys.exit("MXNET_PYTHON does not name a Python that has mxnet 1.9.1")
    python2 = os.environ.get("MXNET2_PYTHON")
    judges = {10901: Judge(Oracles(python)), 20000: Judge(Oracles(python2)) if python2 else None}
    not_drawn = {**NOT_DRAWN, **({} if python2 else {n: "MXNet 1.9.1 does not have it" for n in SINCE_MXNET_2})}

    count, never, unfit, start = collections.Counter(), [], [], time.time()
    operators = mx2onnx.operators()
    cases = cases_by_operator(operators) if args.numpy else {}
    for operator, name, version in targets(operators, args.numpy):
        if operator["name"] in not_drawn or not re.search(args.only, name or operator["name"]) or not judges[version]:
            continue
        fuzzing = Fuzzing(operator, name, version, judges[version], args, cases.get(operator["name"], ()))
        for first in range(0, args.draws, BATCH):
            if time.time() - start > args.seconds:
                break
            fuzzing.draw(range(first, min(first + BATCH, args.draws)))
        of_this = fuzzing.count
        where = "%s of %s" % (name or operator["name"], "2.0.0b1" if version >= 20000 else "1.9.1")
        if of_this["draws"] and not of_this["MXNet accepts"]:
            never.append("%s (%s)" % (where, fuzzing.reasons.most_common(1)[0][0][:150]))
        elif of_this["MXNet accepts"] and of_this["MXNet accepts"] == of_this["refused"]:
            unfit.append(where)
        if args.numpy and of_this["draws"]:
            print("%-44s %s" % (where, ", ".join("%d %s" % (n, k) for k, n in of_this.most_common())), flush=True)
        count += of_this
    for names, words, _ in EXCUSES:
        if not any(re.search(names, o["name"]) and words in n for o in operators for n in notes_of(o)):
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
