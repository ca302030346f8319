#!/usr/bin/env python
"""Draws operators with attributes and inputs, and compares the converted model in ONNX Runtime with MXNet.

Attributes are drawn from what an operator declares (`mx2onnx ops --json` has the same), shapes and dtypes at random.
What MXNet refuses is no draw; what the converter refuses is counted. A disagreement is printed as a case for
tests/cases, with its kind. MXNet 1.9.1 runs in a Python of its own, MXNET_PYTHON in the environment.

  MXNET_PYTHON=/path/to/python fuzz_operators.py [--only REGEX] [--draws N] [--seconds N] [--seed N]
"""

import argparse
import base64
import collections
import io
import json
import os
import random
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))
sys.path.insert(0, os.path.join(ROOT, "tests", "python"))

import case_model  # noqa: E402
import numpy as np  # noqa: E402

DTYPES = ("float32", "float64", "float16", "int32", "int64", "int8", "uint8", "bool")
EDGES = {
    "float": "=0,-0.0,1,-1,0.5,-2.5,3,nan,inf,-inf,1e-3,100,-7",
    "int": "=0,1,-1,2,-7,5,100,-100,3,-128,127",
    "uint8": "=0,1,2,7,100,255,128",
    "bool": "=0,1,1",
}
# MXNet waits for no user, crashes, or draws other numbers.
NOT_DRAWN = re.compile("random|sample|shuffle|^_foreach|^_while|^_cond|Custom|^uniform|^normal|all_finite|^Dropout")


def serve():
    """Runs the cases that come as lines, for the other process."""
    import record_golden

    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        case = json.loads(line)
        try:
            outputs = record_golden.run_apart(case, False)
            text = io.BytesIO()
            np.savez(text, *outputs)
            answer = {"outputs": base64.b64encode(text.getvalue()).decode()}
        except RuntimeError as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


class Oracle:
    def __init__(self, python):
        self.process = subprocess.Popen(
            [python, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, case):
        """The outputs, or None if MXNet refuses the case."""
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            return None
        arrays = np.load(io.BytesIO(base64.b64decode(answer["outputs"])))
        return [arrays["arr_%d" % i] for i in range(len(arrays.files))]


def draw_value(choose, expected):
    """An attribute's text from the declared kind, "a tuple of 1 to 3 integers of at least 1"."""
    if "boolean" in expected:
        return choose.choice(["True", "False"])
    if "element type" in expected:
        return choose.choice(DTYPES)
    if "tuple" in expected:
        count = choose.randint(1, 3)
        least = 1 if "at least 1" in expected else 0 if "at least 0" in expected else -2
        return "(%s,)" % ", ".join(str(choose.randint(least, 3)) for _ in range(count))
    if "integer" in expected:
        return str(choose.randint(-2, 4))
    if "number" in expected:
        return choose.choice(["0", "1", "-1", "0.5", "2", "-2.5", "3", "0.1", "7"])
    names = [name for name in re.split(r", | or ", expected) if re.fullmatch(r"[A-Za-z0-9_]+", name)]
    return choose.choice(names) if names else "1"


def draw_case(choose, operator, name):
    op = choose.choice([operator["name"]] + operator["aliases"])
    attrs = {}
    for field in operator["attributes"]:
        if field["ignored"] or (not field["required"] and choose.random() < 0.5):
            continue
        attrs[field["name"]] = draw_value(choose, field["expected"])
    count = len(operator["inputs"])
    if "num_args" in attrs:
        count = choose.randint(1, 3)
        attrs["num_args"] = str(count)
    rank = choose.randint(1, 4)
    shape = [choose.randint(1, 4) for _ in range(rank)]
    dtype = choose.choice(DTYPES)
    values = EDGES.get(dtype) or EDGES["float" if dtype.startswith("float") else "int"]
    inputs = {}
    for i in range(count):
        if i and choose.random() < 0.2:
            shape = [1 if choose.random() < 0.3 else size for size in shape]
        picked = values if choose.random() < 0.4 else ""
        if picked:
            numbers = picked[1:].split(",")
            choose.shuffle(numbers)
            picked = "=" + ",".join(numbers)
        inputs["input%d" % i] = "%s:%s%s" % (",".join(map(str, shape)), dtype, picked and ":" + picked)
    return {"name": name, "op": op, "attrs": attrs, "inputs": inputs}


def difference(case, expected, mx2onnx, run):
    """What differs, or None; raises what the conversion raises."""
    inputs, _ = case_model.case_tensors(case)
    symbol = case_model.case_symbol(case)
    dtypes = {v.dtype.name for v in inputs.values()} | {o.dtype.name for o in expected}
    tolerance = 1e-2 if "float16" in dtypes else 1e-4
    free = {k: ["%s_%d" % (k, i) for i in range(v.ndim)] for k, v in inputs.items()}
    for kind, shapes in (("static", {k: v.shape for k, v in inputs.items()}), ("free", free)):
        try:
            model = mx2onnx.convert(symbol, inputs={k: (shapes[k], inputs[k].dtype.name) for k in inputs}).model
        except mx2onnx.Error:
            if kind == "free":
                return None
            raise
        try:
            found = run(model, inputs)
        except Exception as error:
            return "%s: does not run: %s" % (kind, str(error).strip().split("\n")[0][:160])
        for i, (ours, theirs) in enumerate(zip(found, expected)):
            if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
                at = (kind, i, ours.dtype, ours.shape, theirs.dtype, theirs.shape)
                return "%s: output %d is %s %s, MXNet %s %s" % at
            if not np.allclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True):
                bad = ~np.isclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)
                return "%s: output %d has %s, MXNet %s" % (kind, i, ours[bad][:4].tolist(), theirs[bad][:4].tolist())
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="operators whose name matches")
    parser.add_argument("--draws", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.serve:
        return serve()
    import mx2onnx
    from running import run

    oracle = Oracle(os.environ["MXNET_PYTHON"])
    choose = random.Random(args.seed)
    operators = [o for o in mx2onnx.operators() if re.search(args.only, o["name"]) and not NOT_DRAWN.search(o["name"])]
    counts = collections.Counter()
    end = time.time() + args.seconds
    while counts["draws"] < args.draws and time.time() < end:
        case = draw_case(choose, choose.choice(operators), "fuzz_%d_%d" % (args.seed, counts["tried"]))
        counts["tried"] += 1
        expected = oracle.run(case)
        if expected is None:
            counts["refused by MXNet"] += 1
            continue
        counts["draws"] += 1
        try:
            found = difference(case, expected, mx2onnx, run)
        except mx2onnx.Error as error:
            kind = type(error).__name__
            counts["refused by the converter, %s" % kind] += 1
            # What MXNet computes is unsupported at most, not wrong.
            found = None if kind == "UnsupportedError" else "refused: %s" % error
        if found is not None:
            counts["disagreements"] += 1
            print("%s\n  %s" % (found, json.dumps(case)), flush=True)
    print(dict(counts))
    return 0 if not counts["disagreements"] else 1


if __name__ == "__main__":
    sys.exit(main())
