#!/usr/bin/env python3
"""What ONNX Runtime's fusions gain on BERT-base: the same model with and without our passes and its optimisations, taking turns.

  fusion.py BUILD_FOLDER [--opset N] [--rounds N] [--layers N]

Needs onnx, onnxruntime and numpy. Prints the nodes that run, the median time of a run, and its ratio to the first line.
"""

import argparse
import collections
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

import networks  # noqa: E402

TELLING = ("LayerNormalization", "SkipLayerNormalization", "Gelu", "BiasGelu", "FusedMatMul", "Attention")


def session(model, level, folder):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    made = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(folder / "optimised.onnx", load_external_data=False).graph
    return made, collections.Counter(node.op_type for node in graph.node)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--layers", type=int, default=12)
    args = parser.parse_args()
    level = onnxruntime.GraphOptimizationLevel
    work = ROOT / "build" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = pathlib.Path(name)
        text, shapes = networks.bert(args.layers, 768, 12, 3072)
        (folder / "bert-symbol.json").write_text(text)
        networks.write_params(folder / "bert.params", shapes)
        sessions = {}
        for label, options in (("ours", []), ("--no-optimize", ["--no-optimize"])):
            command = [str(pathlib.Path(args.build).resolve() / "mx2onnx"), "convert", "--quiet"]
            command += [str(folder / "bert-symbol.json"), str(folder / "bert.params"), "-o", str(folder / "bert.onnx")]
            command += ["--opset", str(args.opset), "--input", "data:B,T", "--input", "segments:B,T"]
            subprocess.run(command + options, check=True)
            for by, how in ("ONNX Runtime on", level.ORT_ENABLE_ALL), ("off", level.ORT_DISABLE_ALL):
                sessions["%s, %s" % (label, by)] = session(folder / "bert.onnx", how, folder)
        random = np.random.default_rng(0)
        feeds = {"data": random.integers(0, 30000, (1, 128)), "segments": random.integers(0, 2, (1, 128))}
        feeds = {key: value.astype("float32") for key, value in feeds.items()}
        times = collections.defaultdict(list)
        for turn in range(args.rounds + 1):
            for label, (made, _) in sessions.items():
                start = time.perf_counter()
                made.run(None, feeds)
                if turn > 0:
                    times[label].append(time.perf_counter() - start)
        base = statistics.median(times["ours, ONNX Runtime on"])
        print("BERT of %d layers, (1, 128) tokens, opset %d, one thread" % (args.layers, args.opset))
        for label, (_, counts) in sessions.items():
            median = statistics.median(times[label])
            found = ", ".join("%d %s" % (counts[op], op) for op in TELLING if counts[op])
            print(
                "  %-36s %6.1f ms  %5.2f   %4d nodes: %s"
                % (label, 1e3 * median, median / base, sum(counts.values()), found)
            )


if __name__ == "__main__":
    main()
