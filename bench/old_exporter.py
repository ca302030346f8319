#!/usr/bin/env python3
"""ONNX Runtime's time for our file and for that of MXNet's own exporter, of the same model, taking turns in one run.

  old_exporter.py MXNET_PYTHON [NAME...]

MXNET_PYTHON is a Python 3.8 with mxnet==1.9.1, numpy==1.19.5, onnx==1.12.0 and protobuf<3.21; it runs `mx.onnx.export_model`. Models are those of
tests/zoo/gluoncv. Both files are of opset 13, the latest that the old exporter writes, ours also of the default opset; one thread.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "zoo"))

import zoo_corpus  # noqa: E402

MODELS = ("resnet50_v1", "mobilenetv2_1.0", "yolo3_mobilenet0.25_voc", "ssd_300_mobilenet0.25_custom")
ROUNDS = 15


def export(name, path):
    """In MXNet's Python: the old exporter's file."""
    import mxnet as mx

    entry = zoo_corpus.load("gluoncv")[name]
    symbol = mx.sym.load_json(entry.symbol())
    params = {n: mx.nd.array(v, dtype=v.dtype) for n, v in entry.params().items()}
    shapes = [tuple(i["shape"]) for i in entry.meta["inputs"].values()]
    mx.onnx.export_model(symbol, params, shapes, "float32", path)


def measure(sessions, feeds):
    """{name: median seconds}, the sessions taking turns."""
    times = {name: [] for name in sessions}
    for turn in range(ROUNDS + 2):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(None, {i.name: feeds[i.name] for i in session.get_inputs()})
            if turn >= 2:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def compare(mxnet_python, name, folder):
    import mx2onnx

    sys.path.insert(0, str(ROOT / "tests" / "python"))
    import zoo_verify

    entry = zoo_corpus.load("gluoncv")[name]
    old = str(pathlib.Path(folder) / "old.onnx")
    done = subprocess.run(
        [mxnet_python, __file__, "--export", name, old], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    files = {}
    if done.returncode == 0:
        files["old exporter"] = old
    else:
        print("%s: the old exporter fails: %s" % (name, done.stdout.strip().split("\n")[-1][:200]), flush=True)
    params = entry.params()
    for opset in (13, mx2onnx.DEFAULT_OPSET):
        files["opset %d" % opset] = zoo_verify.convert(entry, entry.symbol(), params, entry.fixed_inputs(), opset).model
    sessions = {}
    for key, file in files.items():
        try:
            sessions[key] = zoo_verify.session(file)
            sessions[key].run(None, entry.feeds())
        except Exception as e:
            print("%s: %s does not run: %s" % (name, key, zoo_verify.one_line(e)), flush=True)
            sessions.pop(key, None)
    times = measure(sessions, entry.feeds())
    reference = times.get("old exporter")
    for key, seconds in times.items():
        ratio = "%.2f of the old exporter's" % (seconds / reference) if reference else "nothing to compare with"
        print("%-28s %-13s %7.1f ms  %s" % (name, key, 1000 * seconds, ratio), flush=True)


def main():
    if sys.argv[1:2] == ["--export"]:
        return export(*sys.argv[2:])
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[2:] or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            compare(sys.argv[1], name, folder)


if __name__ == "__main__":
    main()
