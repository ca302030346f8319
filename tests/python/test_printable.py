"""Names that steer terminals and hide from readers, at every place that a name may stand: nothing of them reaches a terminal as
it is, and JSON stays JSON."""

import json
import os
import subprocess
import unicodedata

import mx2onnx
import numpy as np
import pytest
from parameter_files import write_list

TOOL = os.environ.get("MX2ONNX")
tool = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")

# A line feed with what looks like another message, an escape sequence, C1's, DEL, a change of direction, a line separator.
EVIL = "a\nerror: b\x1b[31m\x9b2J\x7f\u202egpj\u2028\u200b\r"
SHOWN = "a\\x0aerror: b\\x1b[31m\\u009b2J\\x7f\\u202egpj\\u2028\\u200b\\x0d"


def assert_printable(text):
    for letter in text.replace("\n", ""):
        assert unicodedata.category(letter) not in ("Cc", "Cf", "Zl", "Zp"), ascii(text)
    assert "\nerror: b" not in text


def assert_all_is_printable(command, folder):
    """What the tool prints of a command that it may refuse."""
    run = subprocess.run([TOOL, *command], capture_output=True, cwd=folder, timeout=60)
    assert run.returncode in range(7) and run.returncode != 1, run.stderr
    assert_printable(run.stdout.decode())
    assert_printable(run.stderr.decode())
    if "--json" in command:
        json.loads(run.stdout)


def symbol(place=None, op="FullyConnected", attrs=None):
    """A small network with the hostile name at one place."""

    def at(where, name):
        return EVIL if where == place else name

    attributes = {"num_hidden": "2", "no_bias": "True"} if attrs is None else attrs
    if place == "attribute":
        attributes[EVIL] = "1"
    if place == "value":
        attributes["num_hidden"] = EVIL
    return {
        "nodes": [
            {"op": "null", "name": at("input", "data"), "inputs": []},
            {"op": "null", "name": at("parameter", "fc_weight"), "inputs": []},
            {"op": at("operator", op), "name": at("node", "fc"), "attrs": attributes, "inputs": [[0, 0, 0], [1, 0, 0]]},
        ],
        "heads": [[2, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }


PLACES = ["input", "parameter", "operator", "node", "attribute", "value"]


@tool
@pytest.mark.parametrize("size", [3, 4], ids=["fits", "does not fit"])
@pytest.mark.parametrize("place", PLACES)
def test_the_command_line(place, size, tmp_path):
    (tmp_path / "net-symbol.json").write_text(json.dumps(symbol(place)))
    name = EVIL if place == "parameter" else "fc_weight"
    for stored in (name, "x" + EVIL):
        write_list(tmp_path / "net.params", {stored: np.ones((2, 3), "float32")})
        data = EVIL if place == "input" else "data"
        both = ["net-symbol.json", "net.params"]
        for command in (
            ["inspect", *both, "--all"],
            ["inspect", *both, "--json"],
            ["inspect", "net.params"],
            ["inspect", "net-symbol.json"],
            ["convert", *both, "-o", "net.onnx"],
            ["convert", *both, "-o", "net.onnx", "--input", "%s:1,%d" % (data, size)],
            ["convert", *both, "-o", "net.onnx", "--input", "%s:1,%d" % (data, size), "--json"],
            ["convert", *both, "-o", "net.onnx", "--input", "%s:1,a,b,%s" % (data, EVIL)],
            ["convert", *both, "-o", "net.onnx", "--output", "%s" % EVIL],
            ["convert", *both, "-o", "net.onnx", "--input", "other%s:1,2" % EVIL],
            ["convert", *both, "-o", "net.onnx", "--rename-param", EVIL],
            ["inspect", "net.onnx"],
            ["convert", *both, "--" + EVIL, "-o", "net.onnx"],
            [EVIL],
            ["convert", *both, "-o", "net.onnx", "--opset", EVIL],
            ["convert", *both, "-o", "net.onnx", "--rename", "data=" + EVIL, "--rename", "data=b"],
            ["convert", *both, "-o", "net.onnx", "--disable-pass", EVIL],
            ["convert", *both, "-o", "net.onnx", "--mxnet-version", EVIL],
            ["convert", *both, "-o", "net.onnx", "--architecture", EVIL],
        ):
            assert_all_is_printable(command, tmp_path)


@tool
@pytest.mark.skipif(os.name != "posix", reason="names of files have such letters on POSIX systems only")
def test_names_of_files(tmp_path):
    folder = os.fsencode(tmp_path) + b"/" + EVIL.encode() + b"\xff"
    os.mkdir(folder)
    text = json.dumps(symbol()).encode()
    for name, content in ((b"net-symbol.json", text), (b"bad.params", b"bad"), (b"bad-symbol.json", b"{")):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    for command in (
        ["convert", b"net-symbol.json", b"bad.params", "-o", "x.onnx"],
        ["convert", b"bad-symbol.json", "-o", "x.onnx", "--json"],
        ["convert", b"missing-symbol.json", "-o", "x.onnx"],
        ["convert", b"net-symbol.json", "--random-weights", "--input", "data:1,3", "-o", b"x.onnx"],
        ["convert", b"net-symbol.json", "--random-weights", "-o", b"", b"net-symbol.json"],
        ["inspect", b"net-symbol.json"],
        ["inspect", b"bad.params", "--json"],
        ["inspect", b""],
    ):
        words = [os.path.join(folder, word) if isinstance(word, bytes) else word for word in command]
        assert_all_is_printable(words, tmp_path)


@tool
def test_names_are_shown_escaped(tmp_path):
    (tmp_path / "net-symbol.json").write_text(json.dumps(symbol("node", op="no_such_operator")))
    run = subprocess.run(
        [TOOL, "convert", "net-symbol.json", "-o", "x.onnx"], capture_output=True, cwd=tmp_path, text=True
    )
    assert run.stderr.startswith("net-symbol.json: node 2 '%s' (no_such_operator): " % SHOWN)


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("size", [3, 4], ids=["fits", "does not fit"])
@pytest.mark.parametrize("place", PLACES)
def test_python(place, size):
    name = EVIL if place == "parameter" else "fc_weight"
    data = EVIL if place == "input" else "data"
    for stored in (name, "x" + EVIL):
        try:
            result = mx2onnx.convert(
                json.dumps(symbol(place)), {stored: np.ones((2, 3), "f4")}, inputs={data: (1, size)}
            )
        except mx2onnx.Error as error:
            assert_printable(str(error))
            for line in error.problems:
                assert_printable(line)
            assert_printable(json.dumps(error.to_dict()))
            assert error.node in ("", "fc", EVIL)
        else:
            for entry in result.diagnostics:
                assert_printable(entry["message"])
            assert_printable(repr(result))
            # What a name is, and not how it is shown.
            assert data in [port["name"] for port in result.inputs]


def test_the_function():
    assert mx2onnx._core.printable(EVIL) == SHOWN
    assert mx2onnx._core.printable_lines("a\n\x1b") == "a\n\\x1b"
