"""`convert --verify`, `verify MODEL --expect` without a symbol, and recordings of another batch."""

import json
import subprocess
import sys

import mx2onnx
import numpy as np
import pytest
from test_cli import CNN, MODELS, TOOL

EXPECTED = str(MODELS / "digits_cnn-expected.npz")


def module(*arguments):
    process = subprocess.run([sys.executable, "-m", "mx2onnx", *arguments], capture_output=True, text=True, timeout=120)
    return process.returncode, process.stdout, process.stderr


def test_compares_after_converting(tmp_path):
    out = str(tmp_path / "o.onnx")
    code, printed, errors = module("convert", *CNN, "-o", out, "--input", "data:n,1,8,8", "--verify", EXPECTED)
    assert code == 0 and errors == ""
    assert printed.splitlines()[0].startswith(out + ": opset 17") and printed.endswith("\nthe numbers agree\n")


def test_wrong_numbers_after_converting(tmp_path):
    arrays = dict(np.load(EXPECTED))
    arrays["output"] = arrays["output"] + 0.1
    np.savez(tmp_path / "wrong.npz", **arrays)
    code, printed, _ = module(
        "convert",
        *CNN,
        "-o",
        str(tmp_path / "o.onnx"),
        "--input",
        "data:n,1,8,8",
        "--verify",
        str(tmp_path / "wrong.npz"),
    )
    note = "the recorded file has no inner values (record --internals): the node cannot be named"
    assert code == 7 and printed.endswith(note + "\nTHE NUMBERS DIFFER\n")


def test_names_the_first_node_that_differs(tmp_path):
    """In the words of `verify`, which is given the symbol."""
    arrays = dict(np.load(MODELS.parent / "verify" / "digits_cnn-internals.npz"))
    for key in arrays:
        if key.startswith("0/") and key.endswith(("digits_pool1_fwd_output", "probabilities_output")):
            arrays[key] = arrays[key] + 0.5
    recording, out = str(tmp_path / "wrong.npz"), str(tmp_path / "o.onnx")
    np.savez(recording, **arrays)
    code, printed, _ = module("convert", *CNN, "-o", out, "--verify", recording)
    assert code == 7
    _, expected, _ = module("verify", *CNN, out, "--expect", recording)
    assert printed.endswith(expected) and "'digits_pool1_fwd' (Pooling)" in expected


def test_runs_once_without_a_recording(tmp_path):
    """The word behind --verify is the symbol: only a .npz is a recording."""
    code, printed, errors = module(
        "convert", "--verify", *CNN, "-o", str(tmp_path / "o.onnx"), "--input", "data:n,1,8,8"
    )
    assert code == 0 and errors == ""
    assert printed.splitlines()[-1].startswith("it loads and runs in ONNX Runtime (")
    assert printed.splitlines()[-1].endswith(" s): probabilities_output (1, 10)")


def test_json_stands_alone(tmp_path):
    out = str(tmp_path / "o.onnx")
    code, printed, errors = module(
        "convert", *CNN, "-o", out, "--input", "data:n,1,8,8", "--verify", EXPECTED, "--json"
    )
    assert code == 0 and json.loads(printed)["output"] == out and errors.endswith("the numbers agree\n")


def test_a_recording_that_is_none(tmp_path):
    (tmp_path / "r.npz").write_text("no archive")
    code, _, errors = module(
        "convert", *CNN, "-o", str(tmp_path / "o.onnx"), "--input", "data:n,1,8,8", "--verify", str(tmp_path / "r.npz")
    )
    assert code == 4 and errors == "mx2onnx: %s: expected a .npz file of NumPy's\n" % (tmp_path / "r.npz")


@pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
def test_the_tool_alone_says_where_it_is(tmp_path):
    command = [TOOL, "convert", *CNN, "-o", str(tmp_path / "o.onnx"), "--verify"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 2 and not (tmp_path / "o.onnx").exists()
    assert process.stderr == (
        "mx2onnx: --verify is part of the Python package\n"
        "hint: pip install 'mx2onnx[verify]', then python -m mx2onnx convert … --verify\n"
    )


def convert(tmp_path, *shape):
    mx2onnx.convert(*CNN, inputs={"data": shape}, output=tmp_path / "o.onnx")
    return str(tmp_path / "o.onnx")


def test_verify_without_a_symbol(tmp_path):
    out = convert(tmp_path, "n", 1, 8, 8)
    code, printed, errors = module("verify", out, "--expect", EXPECTED)
    assert (code, errors) == (0, "") and printed.endswith("the numbers agree\n")
    code, _, errors = module("verify", out)
    assert code == 2 and "an ONNX file alone can be compared with a recording only: --expect FILE.npz" in errors
    with pytest.raises(mx2onnx.UsageError, match="without a symbol there is nothing to compare with but a recording"):
        mx2onnx.verify(None, None, out)


@pytest.mark.parametrize("batch", [1, 3, 7, 1000])
def test_a_recording_of_another_batch(tmp_path, batch):
    """Fed in pieces of the file's batch, the last of them filled up."""
    count = len(np.load(EXPECTED)["data"])
    result = mx2onnx.verify(None, None, convert(tmp_path, batch, 1, 8, 8), expect=EXPECTED)
    assert result.ok and result.cases[0]["outputs"][0]["shape"] == (count, 10)
    pieces = -(-count // batch)
    note = "the recording was fed in %d pieces: the file takes another batch" % pieces
    assert result.note == (note if pieces > 1 else "")


def test_pieces_do_not_hide_a_difference(tmp_path):
    arrays = dict(np.load(EXPECTED))
    arrays["output"] = arrays["output"].copy()
    arrays["output"][-1, 3] += 0.5  # in the last piece
    np.savez(tmp_path / "wrong.npz", **arrays)
    result = mx2onnx.verify(None, None, convert(tmp_path, 3, 1, 8, 8), expect=tmp_path / "wrong.npz")
    assert not result.ok and result.cases[0]["outputs"][0]["where"] == (len(arrays["output"]) - 1, 3)


def test_other_sizes_are_no_batch(tmp_path):
    arrays = dict(np.load(EXPECTED))
    arrays["data"] = arrays["data"][:, :, :4, :4]
    np.savez(tmp_path / "small.npz", **arrays)
    code, _, errors = module("verify", convert(tmp_path, 1, 1, 8, 8), "--expect", str(tmp_path / "small.npz"))
    assert code == 8 and errors.startswith("mx2onnx: ONNX Runtime cannot run the file: ")


def test_failures_of_verify_as_json(tmp_path):
    code, printed, errors = module("verify", str(tmp_path / "none.onnx"), "--expect", EXPECTED, "--json")
    error = json.loads(printed)["error"]
    assert code == error["code"] == 3 and error["kind"] == "file" and error["file"] == str(tmp_path / "none.onnx")
    assert errors == "mx2onnx: %s\n" % error["problems"][0]
    (tmp_path / "bad.onnx").write_text("none")
    code, printed, _ = module("verify", str(tmp_path / "bad.onnx"), "--expect", EXPECTED, "--json")
    error = json.loads(printed)["error"]
    assert code == error["code"] == 8 and error["message"].startswith("ONNX Runtime does not take the file: ")


@pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
def test_failures_are_the_same_in_python(tmp_path):
    command = [TOOL, "convert", *CNN, "-o", str(tmp_path / "o.onnx"), "--input", "data:1,2,8,8", "--json"]
    printed = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(*CNN, inputs=["data:1,2,8,8"])
    assert error.value.to_dict() == printed["error"]
