"""Broken inputs through the command line: one exact message, the right exit code, and no output file.

tests/hostile/cases.json: name, the files (text of a symbol, bytes in hex, or null for good ones), further
arguments, the exit code and the whole of standard error. {dir} stands for the folder the files are in.
"""

import json
import os
import pathlib
import subprocess

import pytest

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
CASES = json.loads((pathlib.Path(__file__).resolve().parent.parent / "hostile" / "cases.json").read_text())


def write_files(folder, files):
    for name, content in files.items():
        path = folder / name
        if "text" in content:
            path.write_text(content["text"])
        elif "json" in content:
            path.write_text(json.dumps(content["json"]))
        else:
            path.write_bytes(bytes.fromhex(content["hex"].replace(" ", "")))


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["name"])
def test_hostile(case, tmp_path):
    files = dict(CASES["good"], **case.get("files", {}))
    write_files(tmp_path, files)
    before = sorted(os.listdir(tmp_path))
    arguments = [a.replace("{dir}", str(tmp_path)) for a in case.get("arguments", CASES["arguments"])]
    process = subprocess.run([TOOL] + arguments, capture_output=True, text=True, timeout=60)
    assert process.stderr.replace(str(tmp_path), "{dir}") == case["stderr"] + "\n"
    assert process.returncode == case["code"]
    assert process.stdout == ""
    assert sorted(os.listdir(tmp_path)) == before, "something was left behind"


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["name"])
def test_inspect_goes_on(case, tmp_path):
    """What cannot be converted can be looked at, and is no bug of ours."""
    write_files(tmp_path, dict(CASES["good"], **case.get("files", {})))
    for names in (["net-symbol.json", "net.params"], ["net-symbol.json"], ["net.params"]):
        files = [str(tmp_path / name) for name in names]
        process = subprocess.run([TOOL, "inspect", *files, "--json"], capture_output=True, text=True, timeout=60)
        assert process.returncode in (0, 2, 3, 4, 5, 6), process.stderr
        json.loads(process.stdout)


def test_inspect_goes_on_with_outputs_that_do_not_exist(tmp_path):
    """Of operators that are known, and of others: the numbers of their outputs are anything."""
    for op in ("relu", "_npi_hsplit", "no_such_operator", "_contrib_box_nms", "null"):
        for index in (0, 1, 2, 1023, 1024, 5000, 2**31 - 1):
            nodes = [
                {"op": "null", "name": "x", "inputs": []},
                {"op": op, "name": "a", "inputs": [] if op == "null" else [[0, 0, 0]]},
                {"op": "relu", "name": "b", "inputs": [[1, index, 0]]},
            ]
            for heads in ([[2, 0, 0]], [[1, index, 0], [2, 0, 0]], [[0, index, 0]]):
                write_files(tmp_path, {"net-symbol.json": {"json": {"nodes": nodes, "heads": heads}}})
                command = [TOOL, "inspect", str(tmp_path / "net-symbol.json"), "--json"]
                process = subprocess.run(command, capture_output=True, text=True, timeout=60)
                assert process.returncode in (0, 5, 6), (op, index, heads, process.stderr)
                json.loads(process.stdout)


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_full_disk(tmp_path):
    write_files(tmp_path, CASES["good"])
    arguments = [a.replace("{dir}/out.onnx", "/dev/full").replace("{dir}", str(tmp_path)) for a in CASES["arguments"]]
    process = subprocess.run([TOOL] + arguments, capture_output=True, text=True)
    assert process.stderr == "/dev/full: cannot be written: No space left on device\n"
    assert process.returncode == 3


def test_a_failed_conversion_leaves_the_old_output_alone(tmp_path):
    write_files(tmp_path, CASES["good"])
    (tmp_path / "out.onnx").write_text("old")
    (tmp_path / "net.params").write_bytes(b"broken")
    process = subprocess.run(
        [
            TOOL,
            "convert",
            str(tmp_path / "net-symbol.json"),
            str(tmp_path / "net.params"),
            "-o",
            str(tmp_path / "out.onnx"),
        ],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 4
    assert (tmp_path / "out.onnx").read_text() == "old"
