"""`mx2onnx inspect`: what it prints, to the letter, and that it never disagrees with `convert`."""

import json
import os
import pathlib
import subprocess

import mx2onnx
import numpy as np
import pytest
from test_cli import CNN, MODELS, TOOL, on_terminal, tool, write_list

pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
HERE = pathlib.Path(__file__).resolve().parent


def symbol_text(*nodes, heads=None):
    """A symbol: variables are names, operators are (op, name, attributes, inputs by name)."""
    index, out = {}, []
    for node in nodes:
        op, name, attrs, inputs = ("null", node, {}, []) if isinstance(node, str) else node
        index[name] = len(out)
        out.append({"op": op, "name": name, "attrs": attrs, "inputs": [[index[i], 0, 0] for i in inputs]})
    outputs = [index[name] for name in heads] if heads else [len(out) - 1]
    return json.dumps({"nodes": out, "heads": [[i, 0, 0] for i in outputs], "attrs": {"mxnet_version": ["int", 10901]}})


def shown(*arguments, code=0):
    """What `inspect` prints, run in the folder of the models."""
    process = subprocess.run([TOOL, "inspect", *arguments], capture_output=True, text=True, timeout=60, cwd=MODELS)
    assert process.returncode == code, process.stderr
    assert process.stderr == ""
    return process.stdout


def test_a_model_to_the_letter():
    assert shown("digits_cnn-symbol.json", "digits_cnn-0000.params", "--input", "data:batch,1,8,8") == (
        """\
digits_cnn-symbol.json: a graph saved by MXNet 1.9.1
parameters: 13 arrays, 6,266 numbers, 25 kB
inputs
  data: float32 (batch, 1, 8, 8)
outputs
  probabilities_output: float32 (batch, 10)

layer                     operator        output             parameters  multiply-adds       bytes
digits_conv0_fwd          Convolution     (batch, 16, 8, 8)         144         9.22 k   576 bytes
digits_batchnorm0_fwd     BatchNorm       (batch, 16, 8, 8)          64                  256 bytes
digits_relu0_fwd          Activation      (batch, 16, 8, 8)
digits_pool0_fwd          Pooling         (batch, 16, 4, 4)
digits_conv1_fwd          Convolution     (batch, 32, 4, 4)       4,640         73.7 k       18 kB
digits_batchnorm1_fwd     BatchNorm       (batch, 32, 4, 4)         128                  512 bytes
digits_leakyrelu0_fwd     LeakyReLU       (batch, 32, 4, 4)
digits_pool1_fwd          Pooling         (batch, 32, 2, 2)
digits_flatten0_flatten0  Flatten         (batch, 128)
digits_dropout0_fwd       Dropout         (batch, 128)
digits_dense0_fwd         FullyConnected  (batch, 10)             1,290         1.28 k  5160 bytes
probabilities             softmax         (batch, 10)
12 layers                                                         6,266         84.2 k       25 kB
(multiply-adds are for batch = 1)

operators
  1 Activation, 2 BatchNorm, 2 Convolution, 1 Dropout, 1 Flatten, 1 FullyConnected, 1 LeakyReLU,
  2 Pooling, 1 softmax
converts to opset 17: mx2onnx convert digits_cnn-symbol.json digits_cnn-0000.params -o digits_cnn.onnx --input data:batch,1,8,8
"""
    )


def test_without_parameters_nothing_is_made_up():
    text = shown("digits_cnn-symbol.json", "--input", "data:1,1,8,8")
    lines = text.splitlines()
    assert lines[-1] == "does not convert to opset 17: 1 problem, exit code 5 of convert"
    assert lines[-2] == "hint: name the .params file, or ask for --random-weights"
    assert "  13 parameters are in none of the parameter files:" in lines and "    and 3 more" in lines
    found = json.loads(shown("digits_cnn-symbol.json", "--json"))
    assert len(found["missing_parameters"]) == 13
    assert "()" not in shown("digits_cnn-symbol.json")


@pytest.mark.parametrize("options", [[], ["--input", "data:2,1,8,8"], ["--input", "data:2,3,8,8"], ["--opset", "12"]])
def test_the_last_line_is_what_convert_does(tmp_path, options):
    text = shown("digits_cnn-symbol.json", "digits_cnn-0000.params", *options)
    out = str(tmp_path / "o.onnx")
    process = subprocess.run([TOOL, "convert", *CNN, "-o", out, *options], capture_output=True, text=True)
    last = text.splitlines()[-1]
    if process.returncode == 0:
        assert last.startswith("converts to opset ") and os.path.exists(out)
    else:
        assert last.endswith("exit code %d of convert" % process.returncode)
        message = process.stderr.splitlines()[0].partition("symbol.json: ")[2]
        assert "  %s\n" % message in text
    checked = subprocess.run([TOOL, "inspect", *CNN, "--check", *options], capture_output=True, text=True)
    assert checked.returncode == process.returncode


def test_the_command_of_the_last_line_works(tmp_path):
    """Names with spaces and quotes are quoted for the shell."""
    symbol, params = tmp_path / "it's a net-symbol.json", tmp_path / "it's a net-0000.params"
    symbol.write_bytes(pathlib.Path(CNN[0]).read_bytes())
    params.write_bytes(pathlib.Path(CNN[1]).read_bytes())
    options = ["--input", "data:batch,1,8,8", "--outputs", "digits_pool0_fwd", "--opset", "13"]
    last = tool("inspect", str(symbol), str(params), *options).splitlines()[-1]
    command = last.partition(": ")[2]
    assert command.startswith("mx2onnx convert ") and command.endswith("--opset 13")
    subprocess.run("exec " + command.replace("mx2onnx", TOOL, 1), shell=True, check=True, cwd=tmp_path)
    assert (tmp_path / "it's a net.onnx").exists()


def test_all_that_is_in_the_way(tmp_path):
    """Operators that are not known, parameters that are missing, and a shape that does not fit: each is said."""
    (tmp_path / "s.json").write_text(
        symbol_text(
            "x",
            "w",
            ("FullyConnected", "fc", {"num_hidden": "4", "no_bias": "True"}, ["x", "w"]),
            ("NoSuchThing", "n", {}, ["fc"]),
            ("Activation", "a", {"act_type": "swish"}, ["n"]),
        )
    )
    process = subprocess.run(
        [TOOL, "inspect", "s.json", "--input", "x:2,3", "--check"], cwd=tmp_path, capture_output=True, text=True
    )
    assert process.returncode == 6
    assert process.stdout == (
        """\
s.json: a graph saved by MXNet 1.9.1
parameters: 0 arrays, 0 numbers, 0 bytes
inputs
  x: float32 (2, 3)
outputs
  a_output: ?

layer     operator        output  parameters  multiply-adds     bytes
fc        FullyConnected  (2, 4)          12             24  48 bytes
n         NoSuchThing     ?                               ?
a         Activation      ?                               ?
3 layers                                  12              ?  48 bytes

operators
  1 Activation, 1 FullyConnected, 1 NoSuchThing (not known)
what would not convert
  NoSuchThing (1 node: 'n'): this operator is not known
  Activation (1 node: 'a'): attribute 'act_type': expected relu, sigmoid, tanh, softrelu, softsign, log_sigmoid or mish, got "swish"
  1 parameter is in none of the parameter files:
    'w'
hint: name the .params file, or ask for --random-weights
does not convert to opset 17: 3 problems, exit code 6 of convert
"""
    )


def test_a_failing_node_does_not_hide_the_others(tmp_path):
    text = symbol_text(
        "x",
        ("Reshape", "r", {"shape": "(7, 7)"}, ["x"]),
        ("Activation", "a", {"act_type": "relu"}, ["x"]),
        heads=["r", "a"],
    )
    found = mx2onnx.inspect(text, inputs={"x": (2, 3)})
    assert not found["converts"] and found["failure"] == 5 and len(found["problems"]) == 1
    assert [layer["shape"] for layer in found["layers"]] == [["..."], [2, 3]] or found["layers"][1]["shape"] == [2, 3]


def test_parameters_alone_to_the_letter(tmp_path):
    write_list(tmp_path / "w.params", {"arg:w": np.zeros((4, 3), "float32"), "aux:m": np.zeros(5, "float32")})
    process = subprocess.run([TOOL, "inspect", "w.params"], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0
    assert process.stdout == (
        """\
w.params: parameters of MXNet, without a graph: 2 arrays, 17 numbers, 68 bytes
arrays
  arg:w: float32 (4, 3)
  aux:m: float32 (5,)
what would not convert
  these are parameters without a graph
hint: name the *-symbol.json before them
does not convert to opset 17: 1 problem, exit code 5 of convert
"""
    )
    found = mx2onnx.inspect(tmp_path / "w.params")
    assert found["kind"] == "parameters" and found["parameter_bytes"] == 68
    assert found["arrays"][0] == {"name": "arg:w", "dtype": "float32", "shape": [4, 3], "bytes": 48}


def test_json_has_numbers():
    found = json.loads(shown("digits_cnn-symbol.json", "digits_cnn-0000.params", "--input", "data:N,1,8,8", "--json"))
    assert found["inputs"] == [{"name": "data", "dtype": "float32", "shape": ["N", 1, 8, 8]}]
    assert found["layers"][0] == {
        "name": "digits_conv0_fwd", "op": "Convolution", "dtype": "float32", "shape": ["N", 16, 8, 8],
        "parameters": 144, "parameter_bytes": 576, "multiply_adds": 9216,
    }  # fmt: skip
    assert found["converts"] is True and found["failure"] is None and found["counted_as_one"] == ["N"]
    assert found == mx2onnx.inspect(*CNN, inputs={"data": ("N", 1, 8, 8)})


def chain(names):
    """A graph of activations with these names."""
    nodes, last = ["x"], "x"
    for name in names:
        nodes.append(("FullyConnected", name, {"num_hidden": "4", "no_bias": "True"}, [last, "w_" + name]))
        nodes.insert(1, "w_" + name)
        last = name
    return symbol_text(*nodes)


def table_of(tmp_path, names, *options):
    (tmp_path / "c.json").write_text(chain(names))
    lines = tool("inspect", str(tmp_path / "c.json"), "--input", "x:1,4", *options).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("layer "))
    return [line.split("  ")[0] for line in lines[at + 1 : lines.index("", at)]]


def test_layers_are_folded_by_their_names(tmp_path):
    names = ["net_stage%d_unit%d_conv%d" % (s, u, c) for s in range(1, 5) for u in range(1, 5) for c in range(1, 5)]
    folded = table_of(tmp_path, names)
    assert folded[0] == "net_stage1_unit1" and len(folded) == 16 + 2
    assert folded[-2:] == ["64 layers", "(--all shows each layer)"]
    assert table_of(tmp_path, names, "--all")[:64] == names


def test_layers_without_order_in_their_names(tmp_path):
    names = ["conv%d" % i for i in range(50)]
    folded = table_of(tmp_path, names)
    assert folded[:15] == names[:15] and folded[15] == "… 19 layers" and folded[16:32] == names[34:]


def test_the_table_fits_the_terminal(tmp_path):
    names = ["a_very_long_name_of_a_network_stage_%d_layer_%d" % (s, c) for s in range(4) for c in range(20)]
    (tmp_path / "c.json").write_text(chain(names))
    text, code = on_terminal(
        "/bin/sh", "-c", "stty cols 80 rows 30 <&1; exec %s inspect %s --input x:1,4" % (TOOL, tmp_path / "c.json")
    )
    assert code == 0
    lines = text.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("layer ")) :]
    table = table[: table.index("")]
    assert len(table) <= 14 + 3 and max(len(line) for line in table) <= 80


def test_names_of_a_file_cannot_steer_the_terminal(tmp_path):
    (tmp_path / "s.json").write_text(symbol_text("x", ("Activation", "a\x1b[2J\u009b", {"act_type": "relu"}, ["x"])))
    text = shown(str(tmp_path / "s.json"))
    assert "\x1b" not in text and "\u009b" not in text and "a\\x1b[2J\\u009b" in text


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\x12\x01\0\0\0\0\0\0", b"PK\x03\x04", b"\x93NUMPY", b"\x1f\x8b", b"\x08"]
)
def test_malformed_files(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    process = subprocess.run([TOOL, "inspect", str(tmp_path / "f")], capture_output=True, text=True)
    assert process.returncode == 4 and process.stderr.startswith(str(tmp_path / "f"))
