"""Whatever the system does in the middle of a conversion, the output is whole: the old files or the new ones.

One walk goes through all system calls of a conversion, each of which fails or is the last one (strace injects that). The rest are
the faults that people meet: full disks, closed pipes, limits, signals, inputs that change.
"""

import collections
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import networks
import pytest
from parameter_files import write_list

import onnx

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL, PARAMS = str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params")
STRACE = shutil.which("strace")


def can_trace():
    return STRACE and subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True).returncode == 0


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not there, or may not trace here")


def command(output, *more, params=True):
    given = [PARAMS] if params else ["--random-weights"]
    return [TOOL, "convert", SYMBOL, *given, "--input", "data:N,1,8,8", "-o", str(output), "-q", *more]


def state(folder):
    """(the model but for the name of its data file, the data), and which files belong to neither."""
    files = sorted(os.listdir(folder))
    if "o.onnx" not in files:
        return None, files
    model = (folder / "o.onnx").read_bytes()
    files.remove("o.onnx")
    # A model of two files says their names once for each weight.
    names = set(re.findall(rb"o\.onnx(?:\.\d+)?\.data", model))
    assert len(names) <= 1
    data = b""
    for name in names:
        data = (folder / name.decode()).read_bytes()
        files.remove(name.decode())
    loaded = onnx.load(folder / "o.onnx", load_external_data=False)
    return (len(loaded.graph.node), hash(data) if names else hash(model)), files


def fresh(tmp_path, *more, **how):
    folder = tmp_path / "clean"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(command(folder / "o.onnx", *more, **how), check=True)
    found, litter = state(folder)
    assert not litter
    return found


def system_calls(folder, *more):
    """How often the tool makes each system call from the moment on when it opens the symbol: {name: (first, last)}."""
    log = folder / "trace"
    subprocess.run([STRACE, "-f", "-qq", "-o", log, *command(folder / "out" / "o.onnx", *more)], check=True)
    counts, first = collections.Counter(), {}
    begun = False
    for line in log.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if not call:
            continue
        begun = begun or SYMBOL in line
        counts[call.group(1)] += 1
        if begun:
            first.setdefault(call.group(1), counts[call.group(1)])
    return {name: (first[name], counts[name]) for name in first if name not in ("exit_group", "brk")}


def make_old(folder, external):
    """The output of an earlier conversion, with other weights."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(command(folder / "o.onnx", *external, params=False), check=True)


@needs_strace
@pytest.mark.parametrize("external", [["--external-data"], []], ids=["pair", "one file"])
def test_every_system_call_fails_or_is_the_last(tmp_path, external):
    old, new = fresh(tmp_path, *external, params=False), fresh(tmp_path, *external)
    assert old != new
    folder = tmp_path / "out"
    make_old(folder, external)
    calls = system_calls(tmp_path, *external)
    assert {"openat", "write", "linkat", "rename", "close"} <= set(calls)
    template = tmp_path / "template"
    make_old(template, external)
    seen = collections.Counter()
    for name, (first, last) in sorted(calls.items()):
        for number in range(first, last + 1):
            # The C library itself ends a process whose locks fail.
            errors = () if name == "futex" else ("error=EIO", "error=ENOSPC")
            for fault in ("signal=SIGKILL", *errors):
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(template, folder)
                inject = "inject=%s:%s:when=%d" % (name, fault, number)
                process = subprocess.run(
                    [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", inject, *command(folder / "o.onnx", *external)],
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                found, litter = state(folder)
                what = "%s: exit code %d, left %s, %s" % (inject, process.returncode, litter, process.stderr)
                assert found in (old, new), what
                if process.returncode == 0:
                    assert found == new, what
                elif "KILL" not in fault:
                    assert found == old and not litter and process.stderr, what
                    assert process.returncode in (2, 3, 4, 5), what
                seen[found == new, process.returncode != 0] += 1
                if litter:
                    # The next conversion takes away what is left, once it is a moment old.
                    for left in litter:
                        os.utime(folder / left, (time.time() - 10,) * 2)
                    subprocess.run(command(folder / "o.onnx", *external), check=True)
                    assert state(folder) == (new, []), what
    assert seen[False, True] > 20 and seen[True, False] > 5


@needs_strace
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_no_temporary_file(tmp_path, name):
    """Where the file system has no files without a name."""
    log = tmp_path / "trace"
    folder = tmp_path / "out"
    make_old(folder, [])
    old = state(folder)
    subprocess.run(
        [STRACE, "-qq", "-e", "trace=openat", "-o", log, *command(folder / "o.onnx", params=False)], check=True
    )
    lines = [line for line in log.read_text().splitlines() if line.startswith("openat")]
    unnamed = next(i for i, line in enumerate(lines, 1) if "O_TMPFILE" in line)
    # The walk of above has files without a name only.
    inject = ["-e", "inject=openat:error=EOPNOTSUPP:when=%d" % unnamed]
    subprocess.run([STRACE, "-qq", "-o", log, *inject, *command(folder / "o.onnx", params=False)], check=True)
    trace = log.read_text()
    assert "mx2onnx-0.tmp" in trace and "linkat" not in trace and state(folder) == old
    # A quiet conversion without warnings writes nothing but the file.
    inject += ["-e", "inject=write:signal=%s:when=1" % name]
    process = subprocess.run([STRACE, "-qq", "-o", log, *inject, *command(folder / "o.onnx")])
    assert process.returncode in (-getattr(signal, name), 128 + getattr(signal, name))
    assert state(folder) == old


def test_what_a_living_process_writes_stays(tmp_path):
    import fcntl

    (tmp_path / "o.onnx.mx2onnx-0.tmp").write_text("held")
    (tmp_path / "o.onnx.mx2onnx-1.tmp").write_text("left")
    (tmp_path / "o.onnx.tmp").write_text("somebody else's")
    for name in os.listdir(tmp_path):
        os.utime(tmp_path / name, (1, 1))
    with open(tmp_path / "o.onnx.mx2onnx-0.tmp") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run(command(tmp_path / "o.onnx"), check=True)
    assert sorted(os.listdir(tmp_path)) == ["o.onnx", "o.onnx.mx2onnx-0.tmp", "o.onnx.tmp"]


def test_pairs_of_several_processes_at_once(tmp_path):
    outcomes = {fresh(tmp_path, "--external-data", params=params) for params in (True, False)}
    folder = tmp_path / "out"
    folder.mkdir()
    for _ in range(10):
        commands = [command(folder / "o.onnx", "--external-data", params=i % 2 == 0) for i in range(4)]
        processes = [subprocess.Popen(c) for c in commands]
        assert [p.wait() for p in processes] == [0] * 4
        found, litter = state(folder)
        assert found in outcomes and not litter


def test_the_data_file_has_another_name_while_the_old_one_is_there(tmp_path):
    names = []
    for _ in range(3):
        process = subprocess.run(
            command(tmp_path / "o.onnx", "--external-data", "--json"), check=True, capture_output=True, text=True
        )
        report = json.loads(process.stdout)
        names.append(os.path.basename(report["output_data"]))
        assert sorted(os.listdir(tmp_path)) == ["o.onnx", names[-1]]
        assert report["output_bytes"] == sum((tmp_path / n).stat().st_size for n in os.listdir(tmp_path))
    assert names == ["o.onnx.data", "o.onnx.1.data", "o.onnx.data"]


def test_a_limit_on_the_size_of_files(tmp_path):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # noqa: E731
    process = subprocess.run(command(tmp_path / "o.onnx"), capture_output=True, text=True, preexec_fn=limit)
    assert process.returncode == 3
    assert process.stderr == "%s: cannot be written: File too large\n" % (tmp_path / "o.onnx")
    assert os.listdir(tmp_path) == []


def to_closed_pipe(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(arguments, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        os.close(writing)


def without(arguments, word):
    return [a for a in arguments if a != word]


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_a_model_into_a_closed_pipe(output):
    process = to_closed_pipe(command(output))
    assert (process.returncode, process.stderr) == (3, "standard output: cannot be written: Broken pipe\n")


def test_a_report_into_a_closed_pipe(tmp_path):
    for arguments in (without(command(tmp_path / "o.onnx"), "-q"), [TOOL, "ops"], [TOOL, "ops", "--json"]):
        process = to_closed_pipe(arguments)
        assert (process.returncode, process.stderr) == (3, "standard output: cannot be written: Broken pipe\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_report_onto_a_full_disk(tmp_path):
    arguments = without(command(tmp_path / "o.onnx"), "-q")
    for words in (arguments, [*arguments, "--json"], [TOOL, "ops", "--json"], [TOOL, "inspect", SYMBOL]):
        with open("/dev/full", "w") as full:
            process = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
        assert (process.returncode, process.stderr) == (
            3,
            "standard output: cannot be written: No space left on device\n",
        )


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("into", ["file", "pipe"])
def test_standard_output_has_the_model_alone(tmp_path, output, into):
    if not os.path.exists(output) and output != "-":
        pytest.skip("the system has no " + output)
    subprocess.run(command(tmp_path / "o.onnx"), check=True)
    expected = (tmp_path / "o.onnx").read_bytes()
    for more in ([], ["--json"]):
        arguments = without(command(output, *more), "-q")
        if into == "pipe":
            found = subprocess.run(arguments, check=True, capture_output=True).stdout
        else:
            with open(tmp_path / "copy.onnx", "wb") as file:
                subprocess.run(arguments, check=True, stdout=file, stderr=subprocess.DEVNULL)
            found = (tmp_path / "copy.onnx").read_bytes()
        assert found == expected


def test_closed_standard_files_are_not_mixed_up_with_the_model(tmp_path):
    subprocess.run(command(tmp_path / "o.onnx"), check=True)
    words = " ".join(without(command(tmp_path / "p.onnx"), "-q"))
    for closed in (">&-", ">&- 2>&-", "<&- >&- 2>&-"):
        assert subprocess.run(["sh", "-c", words + " " + closed]).returncode == 0
        assert (tmp_path / "p.onnx").read_bytes() == (tmp_path / "o.onnx").read_bytes()


SHRINKING = """
    import os, sys
    import mx2onnx
    symbol, params, output = sys.argv[1:]
    def shrink(done, total):
        os.truncate(params, 5000)
    try:
        mx2onnx.convert(symbol, params, output=output, inputs=(1, 2, 640), progress=shrink, optimize=%s)
    except mx2onnx.Error as error:
        print(error.exit_code if hasattr(error, "exit_code") else "", error)
"""


@pytest.mark.parametrize("optimize", [True, False])
def test_an_input_that_becomes_shorter(tmp_path, optimize):
    """Weights that are copied are read by the system's calls, transposed ones through the mapping."""
    text, shapes = networks.dense_layers(6, 640)
    (tmp_path / "net-symbol.json").write_text(text)
    networks.write_params(str(tmp_path / "net.params"), shapes)
    names = [str(tmp_path / name) for name in ("net-symbol.json", "net.params", "out/net.onnx")]
    (tmp_path / "out").mkdir()
    script = textwrap.dedent(SHRINKING % optimize)
    process = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip().endswith("%s: cannot be read: the file has become shorter" % names[1])
    assert os.listdir(tmp_path / "out") == []


def test_an_input_that_is_cut_while_it_is_read(tmp_path):
    """The headers of many small arrays lie all over the mapping; the file is cut at moments of all kinds."""
    count = 30_000
    write_list(tmp_path / "whole.params", {"arg:w%d" % i: (64,) for i in range(count)})
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    for i in range(count):
        nodes.append({"op": "null", "name": "w%d" % i, "inputs": []})
        left = len(nodes) - 2 if i else 0
        nodes.append({"op": "broadcast_add", "name": "a%d" % i, "inputs": [[left, 0, 0], [len(nodes) - 1, 0, 0]]})
    (tmp_path / "n-symbol.json").write_text(json.dumps({"nodes": nodes, "heads": [[len(nodes) - 1, 0, 0]]}))
    params = tmp_path / "cut.params"
    words = [TOOL, "convert", tmp_path / "n-symbol.json", params, "-o", tmp_path / "n.onnx", "--input", "x:64", "-q"]
    codes = collections.Counter()
    for i in range(12):
        shutil.copyfile(tmp_path / "whole.params", params)
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        time.sleep(0.02 * i)
        os.truncate(params, 10_000)
        text = process.communicate(timeout=120)[1]
        codes[process.returncode] += 1
        # Cut before it is opened, it is a short file like any other.
        assert process.returncode in (0, 3, 4), (process.returncode, text)
        if process.returncode == 3:
            assert text == "%s: cannot be read: the file has become shorter\n" % params
    assert codes[3] > 0, codes
