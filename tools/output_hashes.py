#!/usr/bin/env python3
"""Writes a hash of every file that the converter makes of the operator cases and the zoo: the proof that a change of the
house changes no byte of the output.

  PYTHONPATH=build/release/python tools/output_hashes.py [--zoo REGEX] [--opsets 12,17,28] > before.tsv

A line is: model, opset, form (fixed, free, plain), the SHA-256 of the ONNX file or the first line of the error. Lines are sorted
by model, so that `diff` of two runs shows what changed. `--zoo ''` takes all whole models (half an hour), `--zoo none` none.
"""

import argparse
import hashlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "cases"), str(ROOT / "tests" / "zoo")]

import case_model  # noqa: E402
import mx2onnx  # noqa: E402
import zoo_corpus  # noqa: E402


def outcome(symbol, params, inputs, **options):
    """The hash of the model, or what the converter says instead."""
    try:
        return hashlib.sha256(mx2onnx.convert(symbol, params, inputs=inputs, **options).model).hexdigest()
    except mx2onnx.Error as error:
        return str(error).splitlines()[0]


def case_lines(opsets):
    for family in case_model.family_names():
        for case in case_model.load_family(family):
            inputs, params = case_model.case_tensors(case)
            symbol = case_model.case_symbol(case)
            fixed = {k: (v.shape, v.dtype.name) for k, v in inputs.items()}
            free = {k: (["%s_%d" % (k, i) for i in range(v.ndim)], v.dtype.name) for k, v in inputs.items()}
            for opset in opsets:
                yield case["name"], opset, "fixed", outcome(symbol, params, fixed, opset=opset)
                yield case["name"], opset, "free", outcome(symbol, params, free, opset=opset)
                yield case["name"], opset, "plain", outcome(symbol, params, fixed, opset=opset, optimize=False)


def zoo_lines(pattern):
    for corpus in zoo_corpus.CORPORA:
        for entry in zoo_corpus.load(corpus).values():
            if re.search(pattern, entry.name):
                inputs = {k: (v.shape, v.dtype.name) for k, v in entry.feeds().items()}
                yield entry.name, 17, "fixed", outcome(entry.symbol(), entry.params(), inputs, opset=17)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zoo", default="18|small|tiny|0\\.25", help="whole models whose name matches")
    parser.add_argument("--opsets", default="12,17,28", help="of the operator cases")
    args = parser.parse_args()
    lines = list(case_lines([int(o) for o in args.opsets.split(",")]))
    if args.zoo != "none":
        lines.extend(zoo_lines(args.zoo))
    for line in sorted(lines):
        print("\t".join(map(str, line)))


if __name__ == "__main__":
    main()
