#!/usr/bin/env python3
"""Runs ONNX models in the runtime that this Python has, each in a process of its own.

run_in_runtime.py RUNTIME FOLDER OUT.jsonl [SECONDS]     for each FOLDER/*.onnx with its *.npz (`in:NAME`, `out:i`)

A line of the result is {"model", "result", "error", "text"}: "right", "wrong", "refused" (an error of the runtime's), "crashed" or
"slow" (SECONDS passed). Imports nothing but NumPy and the runtime, as old Pythons have to run it.
"""

import json
import os
import signal
import sys
import tempfile

import numpy as np


def opencv(path, inputs, count):
    import cv2

    net = cv2.dnn.readNetFromONNX(path)
    for name, value in inputs.items():
        net.setInput(value, name)
    return list(net.forward(net.getUnconnectedOutLayersNames()))


def onnxruntime(path, inputs, count):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def openvino(path, inputs, count):
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(inputs)
    return [found[port] for port in compiled.outputs]


def tvm(path, inputs, count):
    import tvm as runtime
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    import onnx

    model = from_onnx(onnx.load(path), keep_params_in_input=False)
    built = relax.build(relax.transform.LegalizeOps()(model), target="llvm")
    machine = relax.VirtualMachine(built, runtime.cpu())
    names = [p.name_hint for p in model["main"].params]
    found = machine["main"](*[runtime.runtime.tensor(inputs[name]) for name in names])
    return [f.numpy() for f in found] if count > 1 or not hasattr(found, "numpy") else [found.numpy()]


def mnn(path, inputs, count):
    import MNN
    from MNN.tools import mnnconvert

    made = tempfile.mkstemp(suffix=".mnn")[1]
    try:
        MNN.tools.mnnconvert.Tools.mnnconvert(
            ["", "-f", "ONNX", "--modelFile", path, "--MNNModel", made, "--bizCode", "x"]
        )
    except AttributeError:
        import _tools

        _tools.mnnconvert(["", "-f", "ONNX", "--modelFile", path, "--MNNModel", made, "--bizCode", "x"])
    assert mnnconvert and os.path.getsize(made) > 0, "conversion failed"
    net = MNN.nn.load_module_from_file(made, [], [])
    names = net.get_info()["inputNames"]
    fed = [MNN.expr.const(inputs[n], list(inputs[n].shape), MNN.expr.NCHW, MNN.expr.dtype_of(inputs[n])) for n in names]
    found = net.forward(fed)
    return [MNN.expr.convert(f, MNN.expr.NCHW).read() for f in found]


def tract(path, inputs, count):
    import tract as runtime

    model = runtime.onnx().load(path)
    names = [model.input_name(i) for i in range(model.input_count())]
    for i, name in enumerate(names):
        value = inputs[name]
        model.set_input_fact(i, "%s%s" % ("".join("%d," % n for n in value.shape), SHORT[value.dtype.name]))
    model.analyse()
    plan = model.into_model().into_runnable()
    return [value.to_numpy() for value in plan.run([inputs[name] for name in names])]


SHORT = {
    "float32": "f32",
    "float64": "f64",
    "float16": "f16",
    "int64": "i64",
    "int32": "i32",
    "int8": "i8",
    "uint8": "u8",
}
SHORT["bool"] = "bool"
RUNTIMES = {
    "opencv4": opencv,
    "opencv5": opencv,
    "openvino": openvino,
    "tvm": tvm,
    "mnn": mnn,
    "tract": tract,
    "onnxruntime": onnxruntime,
    "onnxruntime-1.8": onnxruntime,
}


def difference(found, expected):
    """The largest difference, relative to the largest value; infinite if sizes or special values differ."""
    found = np.asarray(found)
    if found.size != expected.size:
        return float("inf")
    found = found.reshape(-1).astype(np.float64)
    expected = expected.reshape(-1).astype(np.float64)
    finite = np.isfinite(expected)
    if (
        not (np.isnan(found) == np.isnan(expected)).all()
        or not (found[np.isinf(expected)] == expected[np.isinf(expected)]).all()
    ):
        return float("inf")
    if not finite.any():
        return 0.0
    return float(np.abs(found[finite] - expected[finite]).max() / max(1.0, np.abs(expected[finite]).max()))


def judge(found, expected):
    """Outputs may come in any order: each expected one takes the nearest that is left."""
    left = list(found)
    worst = 0.0
    for value in expected:
        if not left:
            return float("inf")
        differences = [difference(other, value) for other in left]
        nearest = int(np.argmin(differences))
        worst = max(worst, differences[nearest])
        left.pop(nearest)
    return worst


def run_one(runtime, path, seconds):
    arrays = np.load(path[:-5] + ".npz")
    inputs = {key[3:]: arrays[key] for key in arrays.files if key.startswith("in:")}
    expected = [arrays["out:%d" % i] for i in range(sum(k.startswith("out:") for k in arrays.files))]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        signal.alarm(seconds)
        answer = {}
        try:
            found = RUNTIMES[runtime](path, inputs, len(expected))
            error = judge(found, expected)
            answer = {"result": "right" if error < 1e-3 else "wrong", "error": error, "text": ""}
        except BaseException as failure:
            answer = {"result": "refused", "error": None, "text": ("%s" % failure)[:300]}
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    status = os.waitpid(child, 0)[1]
    if text:
        return json.loads(text)
    slow = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
    return {"result": "slow" if slow else "crashed", "error": None, "text": "status %d" % status}


def main():
    runtime, folder, out = sys.argv[1:4]
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 60
    if runtime in ("opencv4", "opencv5"):
        import cv2

        cv2.setNumThreads(1)
    with open(out, "w") as file:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".onnx"):
                answer = dict(model=name[:-5], **run_one(runtime, os.path.join(folder, name), seconds))
                file.write(json.dumps(answer) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
