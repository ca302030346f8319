"""The command line from end to end."""

import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from networks import read_list
from running import assert_same, check_model, run

import onnx

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
CNN = [str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params")]


def tool(*arguments, code=0):
    process = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60)
    assert process.returncode == code, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def expected():
    return np.load(MODELS / "digits_cnn-expected.npz")


def test_convert(tmp_path, expected):
    out = str(tmp_path / "out.onnx")
    printed = tool("convert", *CNN, "-o", out, "--input", "data:batch,1,8,8")
    assert printed.splitlines()[1:] == [
        "  input  data: float32 (batch, 1, 8, 8)",
        "  output probabilities_output: float32 (batch, 10)",
    ]
    check_model(out)
    assert_same(run(out, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)
    assert os.listdir(tmp_path) == ["out.onnx"]


def test_options_in_any_order(tmp_path):
    out = str(tmp_path / "out.onnx")
    tool("convert", "-q", "--input", "data:1,1,8,8", "--opset", "13", "-o", out, *CNN)
    assert onnx.load(out).opset_import[0].version == 13


def test_output_is_deterministic(tmp_path):
    files = []
    for name in ("a", "b"):
        files.append(str(tmp_path / name))
        tool("convert", *CNN, "-o", files[-1], "--input", "data:batch,1,8,8", "-q")
    assert open(files[0], "rb").read() == open(files[1], "rb").read()


def test_parameters_split_over_two_files(tmp_path, expected):
    arrays = read_list(CNN[1])
    halves = [dict(list(arrays.items())[:4]), dict(list(arrays.items())[4:])]
    for i, half in enumerate(halves):
        write_list(tmp_path / ("%d.params" % i), half)
    out = str(tmp_path / "out.onnx")
    tool(
        "convert", CNN[0], str(tmp_path / "0.params"), str(tmp_path / "1.params"), "-o", out, "--input", "data:N,1,8,8"
    )
    assert_same(run(out, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_rename_and_surplus_parameters(tmp_path, expected):
    arrays = {k.replace("running_mean", "moving_mean"): v for k, v in read_list(CNN[1]).items()}
    arrays["arg:extra"] = np.zeros(3, "float32")
    write_list(tmp_path / "renamed.params", arrays)
    out = str(tmp_path / "out.onnx")
    process = subprocess.run(
        [
            TOOL,
            "convert",
            CNN[0],
            str(tmp_path / "renamed.params"),
            "-o",
            out,
            "--input",
            "data:N,1,8,8",
            "--rename-param",
            "*_moving_mean=*_running_mean",
        ],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == (
        "warning: 1 stored parameter is not in the symbol, 'extra' for instance; left out [W-unused-parameter]\n"
    )
    assert_same(run(out, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_random_weights(tmp_path):
    out = str(tmp_path / "out.onnx")
    tool("convert", CNN[0], "--random-weights", "-o", out, "--input", "data:N,1,8,8", "-q")
    check_model(out)
    (output,) = run(out, {"data": np.zeros((2, 1, 8, 8), "float32")})
    assert output.shape == (2, 10) and np.isfinite(output).all()


def test_external_data(tmp_path, expected):
    out = tmp_path / "out.onnx"
    tool("convert", *CNN, "-o", str(out), "--input", "data:N,1,8,8", "--external-data", "-q")
    assert sorted(os.listdir(tmp_path)) == ["out.onnx", "out.onnx.data"]
    check_model(out)
    model = onnx.load(str(out), load_external_data=False)
    external = [i for i in model.graph.initializer if i.data_location == onnx.TensorProto.EXTERNAL]
    assert external
    for initializer in external:
        entries = {e.key: e.value for e in initializer.external_data}
        assert entries["location"] == "out.onnx.data"
        assert int(entries["offset"]) % 64 == 0
    assert_same(run(str(out), {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_passes_can_be_left_out(tmp_path):
    out = str(tmp_path / "out.onnx")
    nodes = {}
    for name, options in {
        "all": [],
        "no_fold": ["--disable-pass", "fold_batch_norm"],
        "none": ["--no-optimize"],
    }.items():
        tool("convert", *CNN, "-o", out, "--input", "data:N,1,8,8", "-q", *options)
        nodes[name] = [n.op_type for n in onnx.load(out).graph.node]
    assert "BatchNormalization" not in nodes["all"] and "Dropout" not in nodes["all"]
    assert "BatchNormalization" in nodes["no_fold"] and "Dropout" not in nodes["no_fold"]
    assert "BatchNormalization" in nodes["none"] and "Dropout" in nodes["none"]


def test_names_and_metadata(tmp_path):
    out = str(tmp_path / "out.onnx")
    tool("convert", *CNN, "-o", out, "--input", "data:N,1,8,8", "-q", "--opset", "21")
    model = onnx.load(out)
    assert model.producer_name == "mx2onnx" and model.ir_version == 10
    assert {p.key: p.value for p in model.metadata_props} == {
        "mxnet_version": "1.9.1",
        "source": "digits_cnn-symbol.json",
    }
    assert model.graph.name == "digits_cnn"
    names = [n.name for n in model.graph.node]
    assert len(set(names)) == len(names)
    assert "digits_conv0_fwd" in names


def test_json_report(tmp_path):
    report = json.loads(tool("convert", *CNN, "-o", str(tmp_path / "o"), "--input", "data:N,1,8,8", "--json"))
    assert report["inputs"] == [{"name": "data", "dtype": "float32", "shape": ["N", 1, 8, 8]}]
    assert report["opset"] == 17 and report["passes"]["fold_batch_norm"] == 2
    notes = {entry["op"]: entry for entry in report["notes"]}
    known = {o["name"]: o["notes"] for o in json.loads(tool("ops", "--json"))["operators"] if o.get("notes")}
    assert notes["Activation"]["nodes"] == 1 and set(notes) <= set(known)
    assert all(entry["notes"] == known[op] for op, entry in notes.items())


def test_inspect():
    text = tool("inspect", *CNN, "--input", "data:N,1,8,8")
    assert "saved by MXNet 1.9.1" in text and "data: float32 (N, 1, 8, 8)" in text and "2 BatchNorm" in text
    found = json.loads(tool("inspect", CNN[0], "--json"))
    assert "digits_dense0_weight" in found["missing_parameters"]
    assert found["outputs"][0]["name"] == "probabilities_output"


def test_inspect_lists_what_would_not_convert(tmp_path):
    (tmp_path / "s.json").write_text(
        json.dumps(
            {
                "nodes": [
                    {"op": "null", "name": "x", "inputs": []},
                    {"op": "NoSuchThing", "name": "n", "inputs": [[0, 0, 0]]},
                ],
                "heads": [[1, 0, 0]],
            }
        )
    )
    assert "NoSuchThing (1 node: 'n'): this operator is not known" in tool("inspect", str(tmp_path / "s.json"))


def test_ops_and_version():
    table = json.loads(tool("ops", "--json"))["operators"]
    (conv,) = [o for o in table if o["name"] == "Convolution"]
    assert conv["status"] == "translated" and "_npx_convolution" in conv["aliases"]
    assert [o["name"] for o in table] == sorted(o["name"] for o in table)
    assert tool("ops", "--markdown").startswith("# Operators\n")
    assert "Convolution" in tool("ops")
    assert "opsets 12 to 28, default 17" in tool("version")


def test_writes_to_a_pipe(tmp_path, expected):
    process = subprocess.run(
        [TOOL, "convert", *CNN, "-o", "/dev/stdout", "--input", "data:N,1,8,8", "-q"], capture_output=True
    )
    assert process.returncode == 0
    assert_same(run(process.stdout, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_progress_line_on_a_terminal(tmp_path):
    """A large model shows a line that is wiped afterwards; without a terminal there is none."""
    import networks

    text, shapes = networks.vgg16()
    (tmp_path / "vgg-symbol.json").write_text(text)
    command = [
        TOOL,
        "convert",
        str(tmp_path / "vgg-symbol.json"),
        "--random-weights",
        "-q",
        "-o",
        str(tmp_path / "o.onnx"),
        "--input",
        "data:1,3,224,224",
    ]
    assert b"writing" not in subprocess.run(command, capture_output=True).stderr
    shown, code = on_terminal(*command)
    assert code == 0 and "writing " in shown
    assert shown.split("\r\x1b[K")[-1].startswith("\x1b[33mwarning:\x1b[0m 32 parameters are random numbers")


def on_terminal(*command, **environment):
    """What a command shows on a terminal, standard output and error together, and its exit code."""
    leader, follower = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    process = subprocess.Popen(
        command, stdout=follower, stderr=follower, env={**variables, "TERM": "xterm", **environment}
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    return shown.decode().replace("\r\n", "\n"), process.wait()


@pytest.mark.parametrize("door", ["tool", "module"])
def test_colours_on_a_terminal(tmp_path, door):
    """An error is red, a warning yellow, hints blue; nothing is where NO_COLOR or a dumb terminal forbids it, or in a pipe."""
    command = [TOOL] if door == "tool" else [sys.executable, "-m", "mx2onnx"]
    wrong = [*command, "convert", *CNN, "-o", str(tmp_path / "o"), "--input", "date:1,1,8,8"]
    shown, code = on_terminal(*wrong)
    assert (
        code == 2
        and shown
        == "\x1b[1;31m%s: the model has no input 'date'\x1b[0m\n\x1b[36mhint:\x1b[0m did you mean 'data'?\n" % CNN[0]
    )
    plain = subprocess.run(wrong, capture_output=True, text=True).stderr
    assert plain == on_terminal(*wrong, NO_COLOR="1")[0] == on_terminal(*wrong, TERM="dumb")[0]
    assert "\x1b" not in plain and plain.endswith("hint: did you mean 'data'?\n")
    write_list(tmp_path / "more.params", {**read_list(CNN[1]), "arg:extra": np.zeros(3, "float32")})
    good = [
        *command,
        "convert",
        CNN[0],
        str(tmp_path / "more.params"),
        "-o",
        str(tmp_path / "o"),
        "--input",
        "data:1,1,8,8",
    ]
    shown, code = on_terminal(*good)
    assert (
        code == 0 and shown.startswith("\x1b[33mwarning:\x1b[0m 1 stored parameter is not") and "output prob" in shown
    )


def test_colours_of_verify(tmp_path):
    out = str(tmp_path / "o.onnx")
    tool("convert", *CNN, "-o", out, "--input", "data:n,1,8,8", "-q")
    command = [
        sys.executable,
        "-m",
        "mx2onnx",
        "verify",
        *CNN,
        out,
        "--expect",
        str(MODELS / "digits_cnn-expected.npz"),
    ]
    assert "\x1b[32mthe numbers agree\x1b[0m\n" in on_terminal(*command)[0]
    assert "\x1b" not in on_terminal(*command, NO_COLOR="1")[0]


def write_list(path, arrays):
    with open(path, "wb") as f:
        f.write(struct.pack("<QQQ", 0x112, 0, len(arrays)))
        for a in arrays.values():
            f.write(struct.pack("<IiI", 0xF993FAC9, 0, a.ndim) + struct.pack("<%dq" % a.ndim, *a.shape))
            f.write(struct.pack("<iii", 1, 0, 0) + a.tobytes())
        f.write(struct.pack("<Q", len(arrays)))
        for name in arrays:
            f.write(struct.pack("<Q", len(name)) + name.encode())


def test_outputs_names_and_the_preparation_of_the_image(tmp_path):
    out = str(tmp_path / "o.onnx")
    tool(
        *("convert", *CNN, "-o", out, "--input", "data:n,1,8,8", "--outputs", "digits_pool0_fwd,probabilities"),
        *("--rename", "data=image", "--rename", "digits_pool0_fwd_output=features"),
        *("--mean", "-0.5", "--std", "0.25", "--scale", "1/16", "--layout", "NHWC", "--input-type", "uint8"),
    )
    graph = onnx.load(out).graph
    assert [value.name for value in graph.output] == ["features", "probabilities_output"]
    # What `mx2onnx verify` needs to know of it is in the file.
    metadata = {p.key: p.value for p in onnx.load(out).metadata_props}
    assert json.loads(metadata["mx2onnx.renamed"]) == {"data": "image", "digits_pool0_fwd_output": "features"}
    assert json.loads(metadata["mx2onnx.preprocessing"]) == {
        "input": "data", "layout": "nhwc", "scale": "1/16", "mean": [-0.5], "std": [0.25], "dtype": "float32"
    }  # fmt: skip
    (image,) = graph.input
    assert image.name == "image" and image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [node.op_type for node in graph.node][:5] == ["Transpose", "Cast", "Div", "Sub", "Div"]


HELPS = [(), ("convert",), ("inspect",), ("lint",), ("ops",), ("version",)]


@pytest.mark.parametrize("command", HELPS, ids=" ".join)
def test_help_fits_the_terminal(command):
    def help_at(columns):
        environment = dict(os.environ, COLUMNS=str(columns))
        return subprocess.run(
            [TOOL, *command, "--help"], env=environment, check=True, capture_output=True, text=True
        ).stdout

    for columns in (60, 80, 100):
        lines = help_at(columns).splitlines()
        assert [line for line in lines if len(line) > columns] == []
    # Words stay whole, and all of them are there.
    assert help_at(60).replace("\\\n", "\n").split() == help_at(120).replace("\\\n", "\n").split()
    assert help_at(80).count("\n\n\n") == 0


def test_help_asks_the_terminal_for_its_width():
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    widths = {}
    for columns in (60, 100):
        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        subprocess.run([TOOL, "--help"], env=environment, stdout=terminal, check=True)
        os.close(terminal)
        widths[columns] = max(len(line) for line in os.read(master, 1 << 16).decode().splitlines())
        os.close(master)
    assert 50 < widths[60] <= 60 and 80 < widths[100] <= 100


def test_an_input_cannot_have_two_names(tmp_path):
    process = subprocess.run(
        [TOOL, "convert", *CNN, "-o", tmp_path / "o.onnx", "--rename", "data=a", "--rename", "data=b"],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2 and process.stderr == "rename: 'data' is renamed twice\n"


@pytest.mark.parametrize(
    "words,guess", [(["converr"], "convert"), (["convert", "--ouput", "x"], "--output"), (["ops", "--jsno"], "--json")]
)
def test_slips_of_the_finger(words, guess):
    process = subprocess.run([TOOL, *words], capture_output=True, text=True)
    assert process.returncode == 2 and "hint: did you mean '%s'?" % guess in process.stderr
