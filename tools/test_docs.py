#!/usr/bin/env python3
"""Runs the snippets of the documentation: test_docs.py [PAGE...]

A fenced block of sh, python, js, cpp or html must have one of these lines before it:

    <!-- test -->                        run it
    <!-- test: openvino -->              run it with the Python that OPENVINO_PYTHON names (said to be skipped where it does not)
    <!-- test: tvm -->                   the same with TVM_PYTHON
    <!-- test: opencv -->                the same with OPENCV_PYTHON
    <!-- test: tract -->                 the same with TRACT_PYTHON
    <!-- test: ncnn -->                  the same with NCNN_PYTHON, which has ncnn and pnnx
    <!-- test: coremltools -->           the same with COREMLTOOLS_PYTHON, which has coremltools, onnx2torch and torch
    <!-- test: onnxruntime-web -->       run it with node; ONNXRUNTIME_WEB names the node_modules that have onnxruntime-web
    <!-- test: browser -->               open it in Chromium, with these node_modules in place of the server that it names
    <!-- test: onnxruntime-c++ -->       compile and run it; ONNXRUNTIME_CPP names a folder with ONNX Runtime's include and lib
    <!-- tests/FILE runs this block -->  a test of the suite does; FILE must name the page
    <!-- not run here: why -->           shown as not run

The blocks of a page run in order in one folder, which has the digits model as model-symbol.json and model-0000.params, and recorded.npz.
"""

import functools
import http.server
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "tests" / "models"
GENERATED = {"operators.md", "cli.md"}
BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<kind>\w+)[^\n]*\n(?P<body>.*?)^```$", re.M | re.S)
KINDS = {"sh", "python", "js", "cpp", "html"}
# What a marked block needs, and the variable that says where it is.
NEEDS = {
    "openvino": "OPENVINO_PYTHON",
    "tvm": "TVM_PYTHON",
    "opencv": "OPENCV_PYTHON",
    "tract": "TRACT_PYTHON",
    "ncnn": "NCNN_PYTHON",
    "coremltools": "COREMLTOOLS_PYTHON",
    "onnxruntime-web": "ONNXRUNTIME_WEB",
    "browser": "ONNXRUNTIME_WEB",
    "onnxruntime-c++": "ONNXRUNTIME_CPP",
}
MARK = re.compile(
    r"test(?:: (?P<need>%s))?$|not run here: .|(?P<suite>tests/\S+) runs this block$" % "|".join(map(re.escape, NEEDS))
)
# Where the page loads ONNX Runtime from; a server of ours has it for the test.
CDN = re.compile(r"https://cdn\.jsdelivr\.net/npm/")


def blocks(page):
    text = page.read_text()
    for match in BLOCK.finditer(text):
        if match["kind"] in KINDS:
            yield text.count("\n", 0, match.start("body")), match["mark"], match["kind"], match["body"]


def prepare(folder):
    shutil.copy(MODELS / "digits_cnn-symbol.json", folder / "model-symbol.json")
    shutil.copy(MODELS / "digits_cnn-0000.params", folder / "model-0000.params")
    shutil.copy(MODELS / "digits_cnn-expected.npz", folder / "recorded.npz")
    (folder / "bin").mkdir()
    command = folder / "bin" / "mx2onnx"
    command.write_text('#!/bin/sh\nexec "%s" -m mx2onnx "$@"\n' % sys.executable)
    command.chmod(0o755)


def run(kind, body, folder, python):
    environment = dict(os.environ, PATH="%s:%s" % (folder / "bin", os.environ["PATH"]))
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    if kind == "js":
        environment["NODE_PATH"] = python
        command = ["node", "-e", body]
    elif kind == "cpp":
        (folder / "program.cc").write_text(body)
        places = ["-I%s/include" % python, "-L%s/lib" % python, "-Wl,-rpath,%s/lib" % python, "-lonnxruntime"]
        line = shlex.join(["c++", "-std=c++17", "program.cc", "-o", "program", *places])
        command = ["bash", "-euc", line + " && ./program"]
    else:
        command = ["bash", "-euc", body] if kind == "sh" else [python, "-c", body]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def browse(body, folder, node_modules):
    """The page in Chromium; right if its console shows numbers, as the script of the page prints them."""
    (folder / "npm").symlink_to(node_modules)
    (folder / "page.html").write_text(CDN.sub("npm/", body))
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(QuietHandler, directory=os.fspath(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        command = ["chromium", "--headless", "--no-sandbox", "--enable-logging=stderr", "--virtual-time-budget=20000",
                   "--dump-dom", "http://127.0.0.1:%d/page.html" % server.server_port]  # fmt: skip
        process = subprocess.run(command, capture_output=True, text=True, timeout=120)
    finally:
        server.shutdown()
    # How the console shows an array of numbers differs; that it shows one, and no error, does not.
    lines = [line for line in process.stderr.splitlines() if "CONSOLE" in line]
    shown = any("Float32Array" in line for line in lines) and "Uncaught" not in "".join(lines)
    return subprocess.CompletedProcess(command, 0 if shown else 1, "\n".join(lines), "")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def main():
    pages = [pathlib.Path(p).resolve() for p in sys.argv[1:]] or sorted((ROOT / "docs").rglob("*.md"))
    ran = skipped = 0
    wrong = []
    for page in pages:
        if page.name in GENERATED or page.parent.name == "reference":
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            prepare(folder)
            for line, mark, kind, body in blocks(page):
                where = "%s:%d" % (page.relative_to(ROOT), line)
                found = mark and MARK.match(mark)
                if not found:
                    wrong.append("%s: the block is not marked" % where)
                    continue
                if found["suite"]:
                    suite = ROOT / found["suite"]
                    if not suite.is_file() or page.name not in suite.read_text():
                        wrong.append("%s: %s does not run a block of this page" % (where, found["suite"]))
                    continue
                need = NEEDS.get(found["need"])
                python = os.environ.get(need, "") if need else sys.executable
                if kind == "html" and not shutil.which("chromium"):
                    python = ""
                if mark.startswith("not run") or not python:
                    skipped += 1
                    if need:
                        print("%s: skipped, %s is not set%s" % (where, need, ", or no chromium" * (kind == "html")))
                    continue
                process = browse(body, folder, python) if kind == "html" else run(kind, body, folder, python)
                ran += 1
                if process.returncode != 0:
                    wrong.append("%s:\n%s%s" % (where, process.stdout, process.stderr))
    print("\n".join(wrong + ["documentation: %d snippets ran, %d not run, %d wrong" % (ran, skipped, len(wrong))]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
