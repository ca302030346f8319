"""What people get wrong on the command line, and the hint that each gets, to the letter."""

import json
import pathlib
import re
import subprocess
import sys

import mx2onnx
import pytest
from mx2onnx._wording import in_python
from test_cli import CNN, MODELS, TOOL, on_terminal, tool

pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
EXPLAIN = "hint: mx2onnx --help and mx2onnx COMMAND --help explain everything\n"


def complaint(*arguments, code=2):
    """What goes to standard error; nothing is written and nothing printed."""
    process = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60, cwd=MODELS)
    assert process.returncode == code, process.stderr
    assert process.stdout == ""
    return process.stderr


@pytest.mark.parametrize(
    "given,text",
    [
        (
            "data:1,1,8,8:fp16",
            'input "data:1,1,8,8:fp16": expected an element type such as float32, got "fp16"\n'
            "hint: write data:1,1,8,8:float16\n",
        ),
        (
            "data:half",
            'input "data:half": expected an element type such as float32, got "half"\nhint: write data:float16\n',
        ),
        (
            "data:1,1,8,8:Double",
            'input "data:1,1,8,8:Double": expected an element type such as float32, got "Double"\n'
            "hint: write data:1,1,8,8:float64\n",
        ),
        (
            "data=1,1,8,8",
            "input \"data=1,1,8,8\": expected a colon between the name and the sizes, got '='\nhint: write data:1,1,8,8\n",
        ),
        (
            "data:(1, 1, 8, 8)",
            'input "data:(1, 1, 8, 8)": expected sizes between commas, got "(1, 1, 8, 8)"\nhint: write data:1,1,8,8\n',
        ),
        (
            "data:[batch,1,8,8]",
            'input "data:[batch,1,8,8]": expected sizes between commas, got "[batch,1,8,8]"\nhint: write data:batch,1,8,8\n',
        ),
        (
            "data:1x1x8x8",
            "digits_cnn-symbol.json: the model has no input 'data:1x1x8x8'\n"
            "hint: sizes are separated by commas, as in data:1,3,224,224\n",
        ),
    ],
)
def test_inputs(given, text):
    assert complaint("convert", *(pathlib.Path(p).name for p in CNN), "-o", "/dev/null", "--input", given) == text


@pytest.mark.parametrize(
    "sizes,hint",
    [
        ("1,8,8,1", "MXNet's order is batch, channels, height, width: --input data:1,1,8,8"),
        ("n,8,8,1", "MXNet's order is batch, channels, height, width: --input data:n,1,8,8"),
        ("1,8,8", "the first size is the batch: --input data:batch,1,8,8"),
        ("8,8,1", "MXNet's order is batch, channels, height, width: --input data:batch,1,8,8"),
    ],
)
def test_order_of_sizes(sizes, hint):
    text = complaint(
        "convert", *(pathlib.Path(p).name for p in CNN), "-o", "/dev/null", "--input", "data:" + sizes, code=5
    )
    assert text.startswith("digits_cnn-symbol.json: node 2 'digits_conv0_fwd' (Convolution): ")
    assert text.endswith("\nhint: %s\n" % hint)
    found = mx2onnx.inspect(*CNN, inputs=["data:" + sizes])
    assert found["hints"] == [in_python(hint)] and not found["converts"]


def test_sizes_that_nothing_helps():
    text = complaint(
        "convert", *(pathlib.Path(p).name for p in CNN), "-o", "/dev/null", "--input", "data:1,2,8,8", code=5
    )
    assert "hint" not in text


def test_a_missing_command():
    assert complaint("a-symbol.json", "b.params", "-o", "x.onnx") == (
        "mx2onnx: there is no command 'a-symbol.json'\nhint: mx2onnx convert a-symbol.json b.params -o x.onnx\n"
        + EXPLAIN
    )
    assert "hint: mx2onnx convert a-symbol.json b.params -o model.onnx\n" in complaint("a-symbol.json", "b.params")
    assert "hint: mx2onnx inspect x.onnx\n" in complaint("x.onnx")
    assert "hint: did you mean 'convert'?\n" in complaint("covnert")


def test_help_and_version_as_other_programs_have_them():
    assert tool("help") == tool("--help")
    assert tool("help", "convert") == tool("convert", "--help")
    assert tool("-V") == tool("--version") == "mx2onnx %s\n" % mx2onnx.__version__


def test_a_failure_as_json():
    process = subprocess.run(
        [TOOL, "convert", *(pathlib.Path(p).name for p in CNN), "-o", "x", "--input", "data:1,2,8,8", "--json"],
        capture_output=True,
        text=True,
        cwd=MODELS,
    )
    assert process.returncode == 5
    error = json.loads(process.stdout)["error"]
    assert list(error) == ["code", "kind", "file", "node", "operator", "attribute", "message", "hint", "problems"]
    message = "input 'weight': expected shape (16, 2, 3, 3), found (16, 1, 3, 3)"
    assert error == {
        "code": 5, "kind": "model", "file": "digits_cnn-symbol.json", "node": "digits_conv0_fwd", "operator": "Convolution",
        "attribute": None, "message": message, "hint": None,
        "problems": ["digits_cnn-symbol.json: node 2 'digits_conv0_fwd' (Convolution): " + message],
    }  # fmt: skip
    assert process.stderr == error["problems"][0] + "\n"


@pytest.mark.parametrize(
    "arguments,code,kind",
    [
        (["convert", "--json"], 2, "usage"),
        (["covnert", "--json"], 2, "usage"),
        (["convert", "none.json", "-o", "x", "--json"], 3, "file"),
        (["inspect", "none.json", "--json"], 3, "file"),
        (["inspect", __file__, "--json"], 4, "format"),
    ],
)
def test_other_failures_as_json(arguments, code, kind):
    process = subprocess.run([TOOL, *arguments], capture_output=True, text=True)
    error = json.loads(process.stdout)["error"]
    assert (process.returncode, error["code"], error["kind"]) == (code, code, kind)
    assert process.stderr.startswith(error["problems"][0].splitlines()[0])


def test_problems_of_a_failure_as_json(tmp_path):
    (tmp_path / "s.json").write_text(
        json.dumps(
            {
                "nodes": [
                    {"op": "null", "name": "x", "inputs": []},
                    {"op": "NoSuch", "name": "a", "inputs": [[0, 0, 0]]},
                    {"op": "NorThis", "name": "b", "inputs": [[1, 0, 0]]},
                ],
                "heads": [[2, 0, 0]],
            }
        )
    )
    command = [TOOL, "convert", str(tmp_path / "s.json"), "-o", str(tmp_path / "x"), "--json"]
    error = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)["error"]
    assert error["kind"] == "unsupported" and error["node"] is None
    assert [line.partition(" ")[0] for line in error["problems"]] == ["NoSuch", "NorThis"]
    assert error["problems"] == mx2onnx.inspect(tmp_path / "s.json")["problems"]


def test_the_report_says_what_was_written(tmp_path):
    out = tmp_path / "o.onnx"
    report = json.loads(tool("convert", *CNN, "-o", str(out), "--input", "data:1,1,8,8", "--json"))
    assert report["output"] == str(out) and report["output_bytes"] == out.stat().st_size
    assert report["version"] == mx2onnx.__version__
    assert list(report["seconds"]) == ["read", "infer", "translate", "optimize", "write"]
    assert all(0 <= seconds < 60 for seconds in report["seconds"].values())
    report = json.loads(tool("convert", *CNN, "-o", str(out), "--input", "data:1,1,8,8", "--json", "--external-data"))
    assert report["output_bytes"] == out.stat().st_size + (tmp_path / "o.onnx.data").stat().st_size
    result = mx2onnx.convert(*CNN, inputs={"data": (1, 1, 8, 8)})
    assert result.report["output"] is None and result.report["output_bytes"] == len(result.model)


def test_timings(tmp_path):
    text = tool("convert", *CNN, "-o", str(tmp_path / "o.onnx"), "--input", "data:1,1,8,8", "--timings", "-q")
    assert re.fullmatch(r"(\w+ +\d+\.\d{3} s\n){5}in all +\d+\.\d{3} s\n", text)


def test_random_weights_are_said(tmp_path):
    import onnx

    out = str(tmp_path / "o.onnx")
    command = [TOOL, "convert", CNN[0], "--random-weights", "-o", out, "--input", "data:1,1,8,8", "--json"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.stderr == (
        "warning: 13 parameters are random numbers, 'digits_conv0_weight' for instance: what the model computes means "
        "nothing [W-random-weights]\n"
    )
    report = json.loads(process.stdout)
    # As many bytes as the parameters that were left out have.
    assert report["num_parameters"] == 0
    assert report["parameter_bytes"] == mx2onnx.inspect(*CNN, inputs=["data:1,1,8,8"])["parameter_bytes"]
    metadata = {p.key: p.value for p in onnx.load(out).metadata_props}
    assert len(json.loads(metadata["mx2onnx.random_weights"])) == 13


def test_progress_fits_the_terminal(tmp_path):
    import networks

    text, shapes = networks.vgg16()
    (tmp_path / "vgg-symbol.json").write_text(text)
    name = "a_name_that_is_longer_than_the_terminal_is_wide.onnx"
    command = "stty cols 40 rows 30 <&1; cd %s; exec %s convert vgg-symbol.json --random-weights -q -o %s --input data:1,3,224,224"
    shown, code = on_terminal("/bin/sh", "-c", command % (tmp_path, TOOL, name))
    lines = [line for line in shown.split("\r\x1b[K") if line.startswith("writing ")]
    assert code == 0 and lines and max(map(len, lines)) < 40 and all("%)" in line for line in lines)


def test_bash_completion(tmp_path):
    (tmp_path / "script").write_text(tool("completion", "bash"))

    def words(*typed):
        line = "source %s; COMP_WORDS=(mx2onnx %s); COMP_CWORD=%d; _mx2onnx; echo ${COMPREPLY[@]}" % (
            tmp_path / "script", " ".join("'%s'" % word for word in typed), len(typed))  # fmt: skip
        return subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=True
        ).stdout.split()

    assert words("con") == ["convert"]
    assert "--version" in words("--") and "inspect" in words("")
    assert words("convert", "--random") == ["--random-weights"]
    assert words("inspect", "--che") == ["--check"]
    assert words("convert", "scr") == ["script"] and words("convert", "--opset", "s") == []
    assert words("convert", "-o", "s") == ["script"]
    assert words("completion", "") == ["bash", "zsh", "fish"]
    assert words("verify", "--ex") == ["--expect"] and words("verify", "--expect", "s") == ["script"]
    assert words("record", "--int") == ["--internals"] and words("record", "--seed", "s") == []


def long_options(command):
    """The long options of a command's --help; the tool itself does not run those of the Python package."""
    if command in ("verify", "record"):
        process = [sys.executable, "-m", "mx2onnx", command, "--help"]
        text = subprocess.run(process, capture_output=True, text=True, check=True).stdout.partition("options:")[2]
    else:
        text = tool(command, "--help").partition("Options:")[2]
    return set(re.findall(r"^ +(?:-\w, ?|-\w [A-Z]+, )?--([a-z0-9-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(tmp_path, shell):
    """Every long option of each command's --help is in each of them, and the shell, where there is one, can read it."""
    import shutil

    script = tool("completion", shell)
    for command in ("convert", "inspect", "verify", "record"):
        options = long_options(command)
        assert len(options) >= 7, command
        place = {
            "bash": r"^    %s\)\n(?:.*\n)*?.*;;$",
            "zsh": r"^    %s\) _arguments(?:.*\n)*?.*;;$",
            "fish": r"^(?:.*__fish_seen_subcommand_from %s'.*\n)+",
        }[shell]
        own = re.search(place % command, script, re.MULTILINE).group(0)
        for option in options:
            assert re.search(r"%s%s\b" % ("-l " if shell == "fish" else "--", option), own), (command, option)
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_man_page(tmp_path):
    page = tool("man")
    assert page.startswith('.TH MX2ONNX 1 "" "mx2onnx %s"' % mx2onnx.__version__)
    assert ".B \\-o, \\-\\-output \\fIFILE\\fR\n" in page and ".SS mx2onnx inspect\n" in page
    for command in ("verify", "record"):
        own = page.partition(".SS mx2onnx %s\n" % command)[2].partition(".SS ")[0]
        for option in long_options(command):
            assert "\\-\\-" + option.replace("-", "\\-") in own
    # A line that begins with a dot is a macro: all of them are those that are meant.
    macros = {line.split()[0] for line in page.splitlines() if line.startswith(".")}
    assert macros == {".TH", ".SH", ".SS", ".B", ".I", ".TP", ".PP", ".nf", ".fi"}
