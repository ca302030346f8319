#!/usr/bin/env python
"""Asks MXNet whether it runs what we refuse for an element type: a case of each operator, with all its arrays, or the first of them,
of each type. Writes tests/data/refused-types-mxnet-1.9.1.txt, which the tests hold every refusal against.

  record_refusals.py --mxnet-python /path/to/python-with-mxnet-1.9.1 [--write]

Run it where mx2onnx is built (PYTHONPATH=build/release/python). What MXNet runs and we refuse is printed, with what MXNet makes of it:
either it is translated, or its reason is written by hand behind the line.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))
DATA = os.path.join(ROOT, "tests", "data", "refused-types-mxnet-1.9.1.txt")

import case_model  # noqa: E402
from in_child import in_child  # noqa: E402


def refused():
    """{(operator, element type, which)} that we refuse as not supported, with the case."""
    import mx2onnx

    warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
    found = {}
    for op, (_, case) in case_model.first_case_of_each_operator().items():
        for dtype, which, changed in case_model.typed_variants(case):
            inputs, params = case_model.case_tensors(changed)
            given = {k: (v.shape, v.dtype.name) for k, v in inputs.items()}
            try:
                mx2onnx.convert(case_model.case_symbol(changed), params, inputs=given)
            except mx2onnx.UnsupportedError:
                found[op, dtype, which] = changed
            except mx2onnx.Error:
                pass
    return found


def run_in_mxnet(mx, case):
    """What MXNet makes of a case: a text."""

    def run():
        try:
            with mx.util.np_shape(bool(case.get("np_shape"))):
                inputs, params = case_model.case_tensors(case)
                symbol = mx.sym.load_json(case_model.case_symbol(case_model.recorded_case(case)))
                arrays = {n: mx.nd.array(v, dtype=v.dtype) for n, v in dict(inputs, **params).items()}
                states = symbol.list_auxiliary_states()
                args = {n: arrays[n] for n in symbol.list_arguments()}
                executor = symbol.bind(mx.cpu(), args, aux_states={n: arrays[n] for n in states}, grad_req="null")
                outputs = executor.forward(is_train=False)
                return "runs %s" % [(o.shape, o.asnumpy().ravel()[:4].tolist()) for o in outputs]
        except Exception as error:
            return "refuses: %s" % str(error).strip().split("\n")[-1][:160]

    return in_child(run) or "crashes"


def answer():
    """In MXNet's Python: a line of JSON for each line of standard input."""
    os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    import mxnet as mx

    for line in sys.stdin:
        print(json.dumps(run_in_mxnet(mx, json.loads(line))), flush=True)


def read_data():
    """{(operator, element type, which): reason}, the reason empty where MXNet refuses, too."""
    known = {}
    with open(DATA) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                op, which, types, *reason = line.rstrip("\n").split(None, 3)
                known.update({(op, dtype, which): reason[0] if reason else "" for dtype in types.split(",")})
    return known


def write_data(entries):
    lines = {}
    for (op, dtype, which), reason in entries.items():
        lines.setdefault((op, which, reason), []).append(dtype)
    with open(DATA, "w") as file:
        file.write(
            "# What is refused for an element type, and MXNet 1.9.1 refuses, too (tools/record_refusals.py): operator,\n"
        )
        file.write(
            "# which arrays have the type, types. Behind what MXNet runs stands the reason to refuse it all the same.\n"
        )
        for (op, which, reason), types in sorted(lines.items()):
            ordered = sorted(types, key=case_model.DTYPES.index)
            file.write(" ".join(filter(None, (op, which, ",".join(ordered), reason))) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mxnet-python", required=True)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    asked = refused()
    reasons = read_data() if os.path.exists(DATA) else {}
    process = subprocess.run([args.mxnet_python, __file__, "--answer"], input="".join(json.dumps(c) + "\n" for c in asked.values()),
                             stdout=subprocess.PIPE, text=True, check=True)  # fmt: skip
    entries = {}
    for key, line in zip(asked, process.stdout.splitlines()):
        verdict = json.loads(line)
        entries[key] = reasons.get(key, "").strip() if verdict.startswith("runs") else ""
        if verdict.startswith("runs") and not entries[key]:
            entries[key] = "WHY?"
            print("%s %s %s: %s" % (*key, verdict[:150]))
    if args.write:
        write_data(entries)
    return 1 if "WHY?" in entries.values() else 0


if __name__ == "__main__":
    sys.exit(answer() if sys.argv[1:] == ["--answer"] else main())
