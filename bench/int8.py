"""Times an int8 model against the float one in ONNX Runtime, interleaved, by the processor time of one thread.

  bench/int8.py FLOAT.onnx INT8.onnx [--rounds N]

Both are models of mx2onnx with the same float32 inputs, of fixed sizes: resnet50_v1 and resnet50_v1_int8 of GluonCV for instance.
Prints the median time of each, their ratio, sizes, and the operators of the int8 model as ONNX Runtime runs it: QLinearConv and QLinearAdd
where all is fused, and no pair of QuantizeLinear and DequantizeLinear between them.
"""

import argparse
import collections
import os
import statistics
import tempfile
import time

import numpy as np
import onnxruntime

import onnx


def session(path, optimised):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.optimized_model_filepath = optimised
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def seconds(model, feeds):
    start = time.process_time()
    model.run(None, feeds)
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs=2, metavar=("FLOAT", "INT8"))
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        optimised = [os.path.join(folder, name) for name in ("float.onnx", "int8.onnx")]
        models = [session(path, out) for path, out in zip(args.models, optimised)]
        random = np.random.RandomState(7)
        feeds = {i.name: random.uniform(0, 1, i.shape).astype("float32") for i in models[0].get_inputs()}
        times = [[], []]
        for round_ in range(args.rounds + 1):
            for model, measured in zip(models, times):
                spent = seconds(model, feeds)
                if round_:  # the first is to warm up
                    measured.append(spent)
        nodes = onnx.load(optimised[1], load_external_data=False).graph.node
    medians = [statistics.median(t) for t in times]
    for name, path, median in zip(("float", "int8"), args.models, medians):
        print("%-5s  %7.1f ms  %6.1f MB" % (name, median * 1e3, os.path.getsize(path) / 1e6))
    print("int8 takes %.2f of the time" % (medians[1] / medians[0]))
    for op_type, count in sorted(collections.Counter(n.op_type for n in nodes).items()):
        print("  %-26s %4d" % (op_type, count))


if __name__ == "__main__":
    main()
