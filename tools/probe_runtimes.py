#!/usr/bin/env python3
"""Runs models of one operator in the runtimes that people have, and makes rows of data/runtimes.tsv of what came out.

    probe_runtimes.py models FOLDER [--opset N]      converts cases of tests/cases (what MXNet computed lies beside each model)
    probe_runtimes.py run RUNTIME FOLDER             runs them, in a Python environment of the runtime's own under FOLDER/env
    probe_runtimes.py rows RUNTIME FOLDER... [--write]
                                                     the rows that follow; --write puts them into the table, for those it had
    probe_runtimes.py check RUNTIME FOLDER           what lint says of the models against what happened

A case is converted for each new kind of node (operator, element type, dimensions of the first input) that it brings. A model that runs
right proves all its kinds of nodes. Of one that does not, a single kind that no other model proves is to blame; where there are
several, nobody is. Also used on whole models: a folder of NAME.onnx with NAME.npz (`in:NAME`, `out:0`).
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "data/runtimes.tsv"
sys.path[:0] = [str(ROOT / "tests/cases")]
# What pip installs for a runtime, and the Python that it wants if that is an old one.
ENVIRONMENTS = {
    "opencv4": (["opencv-python-headless<5"], None),
    "opencv5": (["opencv-python-headless>=5"], None),
    "openvino": (["openvino"], None),
    "tvm": (["apache-tvm", "onnx"], None),
    "mnn": (["MNN"], None),
    "tract": (["tract"], None),
    "onnxruntime": (["onnxruntime"], None),
    "onnxruntime-1.8": (["onnxruntime==1.8.1", "numpy<1.24"], "python3.9"),
}
MOST_OF_A_KIND = 2
SKIPPED_FAMILIES = ("random/", "quantization/")


def type_name(code):
    import onnx

    return onnx.helper.tensor_dtype_to_np_dtype(code).name if code else "unknown"


def kinds_of(path):
    """The kinds of a model's nodes: (operator, element type and dimensions of its first input)."""
    import onnx

    model = onnx.load(path)
    types, kinds = {}, set()
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        tensor = value.type.tensor_type
        types[value.name] = (type_name(tensor.elem_type), len(tensor.shape.dim))
    for weight in model.graph.initializer:
        types[weight.name] = (type_name(weight.data_type), len(weight.dims))

    def visit(graph):
        for node in graph.node:
            first = types.get(node.input[0], ("unknown", 0)) if node.input else ("none", 0)
            kinds.add((node.op_type, *first))
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    visit(attribute.g)

    visit(model.graph)
    return kinds


def make_models(folder, opset):
    import case_model
    import mx2onnx

    golden = {}
    seen = collections.Counter()
    for family in case_model.family_names():
        if family.startswith(SKIPPED_FAMILIES):
            continue
        arrays = golden.setdefault(family, np.load(ROOT / "tests/golden" / (family + ".npz")))
        for case in case_model.load_family(family):
            if not case.get("first_opset", 0) <= opset <= case.get("last_opset", opset):
                continue
            inputs, params = case_model.case_tensors(case)
            described = {k: (v.shape, v.dtype.name) for k, v in inputs.items()}
            try:
                result = mx2onnx.convert(case_model.case_symbol(case), params, inputs=described, opset=opset)
            except mx2onnx.Error:
                continue
            path = folder / ("%s-%s.onnx" % (family.replace("/", "-"), case["name"]))
            result.save(path)
            new = [kind for kind in kinds_of(path) if seen[kind] < MOST_OF_A_KIND]
            names = {port["name"] for port in result.inputs}
            if not new or not names <= set(inputs):
                path.unlink()
                continue
            seen.update(new)
            count = len(result.outputs)
            made = {"in:" + k: v for k, v in inputs.items() if k in names}
            made.update({"out:%d" % i: arrays["%s/o%d" % (case["name"], i)] for i in range(count)})
            np.savez(path.with_suffix(".npz"), **made)
    print("%d kinds of nodes in %d models" % (len(seen), len(list(folder.glob("*.onnx")))))


def python_of(runtime, folder):
    """The Python of the runtime's environment, which is made if it is not there."""
    packages, python = ENVIRONMENTS[runtime]
    place = pathlib.Path(os.environ.get("MX2ONNX_ENV_" + runtime.upper().replace("-", "_").replace(".", "_"), ""))
    if place == pathlib.Path():
        place = folder / "env" / runtime
        if not (place / "bin/python").exists():
            subprocess.run([python or sys.executable, "-m", "venv", place], check=True)
            subprocess.run([place / "bin/pip", "-q", "install", *packages, "numpy"], check=True)
    return place / "bin/python"


def results_of(runtime, folder):
    lines = (folder / (runtime + ".jsonl")).read_text().splitlines()
    return {entry["model"]: entry for entry in map(json.loads, lines)}


class Evidence:
    """What the models say of each kind of node."""

    def __init__(self, runtime, folders):
        self.right, self.blamed = set(), collections.defaultdict(list)
        results, kinds = {}, {}
        for folder in folders:
            for name, entry in results_of(runtime, folder).items():
                results[name] = entry
                kinds[name] = kinds_of(folder / (name + ".onnx"))
        for name, entry in results.items():
            if entry["result"] == "right":
                self.right |= kinds[name]
        self.unexplained = []
        for name, entry in results.items():
            if entry["result"] == "right":
                continue
            suspects = kinds[name] - self.right
            if len({kind[0] for kind in suspects}) == 1:
                for kind in suspects:
                    self.blamed[kind].append(entry)
            elif entry["result"] != "slow":
                self.unexplained.append((name, entry, sorted(suspects)))

    def rows(self, runtime, how):
        by_op = collections.defaultdict(lambda: (set(), collections.defaultdict(set)))
        for op, dtype, _ in self.right:
            by_op[op][0].add(dtype)
        for (op, dtype, _), entries in self.blamed.items():
            for entry in entries:
                if entry["result"] != "slow":
                    by_op[op][1][dtype].add("wrong" if entry["result"] == "wrong" else "refuse")
        grouped = collections.defaultdict(list)
        for op, (right, failed) in by_op.items():
            known = sorted(right - {"none", "unknown"})
            if right:
                grouped["runs", "type(0)=" + "|".join(known) if known and "none" not in right else ""].append(op)
            # What runs with a type that the file does not say may run with any.
            only = {} if "unknown" in right else {dtype: found for dtype, found in failed.items() if dtype not in right}
            if not right and only and all(effects == {"refuse"} for effects in only.values()):
                grouped["refuse", ""].append(op)
                continue
            for dtype, effects in only.items():
                if dtype not in ("none", "unknown") and len(effects) == 1:
                    grouped[effects.pop(), "type(0)=" + dtype].append(op)
        for (effect, condition), ops in sorted(grouped.items()):
            dtype = condition[len("type(0)=") :]
            message = {"runs": "", "wrong": "%s elements give wrong numbers" % dtype}.get(effect)
            if message is None:
                message = "elements of %s are not taken" % dtype if dtype else "it is not taken"
            advice = "another element type" if effect != "runs" and dtype else ""
            yield "\t".join([runtime, effect, ",".join(sorted(ops)), condition, message, advice, how])


def write_rows(runtime, how, rows):
    """In place of the runtime's rows of the same `how`, behind its last line."""
    lines = [
        line
        for line in TABLE.read_text().splitlines()
        if not (line.startswith(runtime + "\t") and line.endswith("\t" + how))
    ]
    last = max(i for i, line in enumerate(lines) if line.startswith(runtime + "\t"))
    lines[last + 1 : last + 1] = rows
    TABLE.write_text("\n".join(lines) + "\n")


def check(runtime, folder, show):
    import mx2onnx

    counts, odd = collections.Counter(), []
    for name, entry in results_of(runtime, folder).items():
        (found,) = mx2onnx.lint(folder / (name + ".onnx"), runtime)
        words = {f["severity"] for f in found["findings"]}
        said = (
            "refused"
            if not found["runs"]
            else "untried"
            if "untried" in words
            else "risk"
            if "risk" in words
            else "fine"
        )
        counts[said, entry["result"]] += 1
        if (said == "refused") == (entry["result"] == "right") or (said == "fine" and entry["result"] != "right"):
            odd.append((said, entry, [(f["op"], f["message"]) for f in found["findings"]][:2]))
    for (said, result), count in sorted(counts.items()):
        print("lint: %-8s  run: %-8s %d" % (said, result, count))
    for said, entry, why in odd[:show]:
        print(said, entry["model"], entry["result"], entry["error"], entry["text"][:120].replace("\n", " "), why)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["models", "run", "rows", "check"])
    parser.add_argument("names", nargs="+", metavar="RUNTIME FOLDER")
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--show", type=int, default=20)
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.names[-1])
    if arguments.what == "models":
        folder.mkdir(parents=True, exist_ok=True)
        make_models(folder, arguments.opset)
        return
    if len(arguments.names) < 2 or arguments.names[0] not in ENVIRONMENTS:
        parser.error("expected one of %s, and a folder" % ", ".join(ENVIRONMENTS))
    runtime = arguments.names[0]
    if arguments.what == "run":
        out = folder / (runtime + ".jsonl")
        subprocess.run([python_of(runtime, folder), ROOT / "tools/run_in_runtime.py", runtime, folder, out], check=True)
        print(dict(collections.Counter(entry["result"] for entry in results_of(runtime, folder).values())))
    elif arguments.what == "rows":
        evidence = Evidence(runtime, [pathlib.Path(name) for name in arguments.names[1:]])
        how = "probed with models of one operator"
        rows = list(evidence.rows(runtime, how))
        print("\n".join(rows))
        for name, entry, suspects in evidence.unexplained[: arguments.show]:
            print(
                "# not explained:",
                name,
                entry["result"],
                entry["error"],
                entry["text"][:100].replace("\n", " "),
                suspects,
            )
        if arguments.write:
            write_rows(runtime, how, rows)
    else:
        check(runtime, folder, arguments.show)


if __name__ == "__main__":
    main()
