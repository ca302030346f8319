"""Memory and time as ratios: weights never pass through private memory, and the cost is linear in the nodes."""

import os
import subprocess
import time

import networks
import pytest
import watching

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
MEGA = 10**6


def run(command):
    """(seconds, peak private bytes)."""
    start = time.perf_counter()
    code, peak = watching.peak_of(command)
    assert code == 0
    return time.perf_counter() - start, peak


@pytest.fixture
def resnet(tmp_path):
    text, shapes = networks.resnet50()
    (tmp_path / "net-symbol.json").write_text(text)
    networks.write_params(str(tmp_path / "net.params"), shapes)
    return tmp_path


@pytest.mark.parametrize("options", [[], ["--no-optimize"], ["--external-data"]], ids=["folded", "plain", "external"])
def test_private_memory_does_not_grow_with_the_weights(resnet, options):
    _, peak = run(
        [
            TOOL,
            "convert",
            str(resnet / "net-symbol.json"),
            str(resnet / "net.params"),
            "-o",
            str(resnet / "net.onnx"),
            "--input",
            "data:1,3,224,224",
            "-q",
        ]
        + options
    )
    assert os.path.getsize(resnet / "net.params") > 100 * MEGA
    assert peak < 40 * MEGA


@pytest.mark.parametrize("amp", [False, True], ids=["transposed", "cast_and_transposed"])
def test_what_weights_become_is_made_while_it_is_written(tmp_path, amp):
    text, shapes = networks.dense_layers(6, 2048, amp)
    (tmp_path / "net-symbol.json").write_text(text)
    networks.write_params(str(tmp_path / "net.params"), shapes)
    command = [TOOL, "convert", str(tmp_path / "net-symbol.json"), str(tmp_path / "net.params"), "-q"]
    _, peak = run(command + ["-o", str(tmp_path / "net.onnx"), "--input", "data:1,2,2048"])
    assert os.path.getsize(tmp_path / "net.params") > 100 * MEGA
    assert peak < 40 * MEGA


def test_recurrent_weights_are_stored_once(tmp_path):
    """Gluon joins them into one vector, which the translation sees through."""
    net = networks.SymbolBuilder()
    size = 128
    shapes = {
        "i2h_weight": (4 * size, size),
        "h2h_weight": (4 * size, size),
        "i2h_bias": (4 * size,),
        "h2h_bias": (4 * size,),
    }
    parts = [
        net.node("Reshape", "flat_" + name, net.parameter(name, *shape), shape="(-1,)")
        for name, shape in shapes.items()
    ]
    joined = net.node("_rnn_param_concat", "joined", *parts, num_args=4, dim=0)
    inputs = [net.variable(name) for name in ("data", "state", "cell")]
    rnn = net.node("RNN", "rnn", inputs[0], joined, *inputs[1:], state_size=size, num_layers=1, mode="lstm")
    (tmp_path / "net-symbol.json").write_text(net.json(rnn))
    networks.write_params(str(tmp_path / "net.params"), net.shapes)
    files = [str(tmp_path / "net-symbol.json"), str(tmp_path / "net.params")]
    for options in ([], ["--no-optimize"]):
        out = str(tmp_path / "net.onnx")
        subprocess.run(
            [TOOL, "convert", *files, "--input", "data:3,2,%d" % size, "-o", out, "-q", *options], check=True
        )
        assert os.path.getsize(out) < 1.1 * os.path.getsize(files[1])


def test_cost_is_linear_in_the_nodes(tmp_path):
    seconds = {}
    for length in (5_000, 50_000):
        symbol = tmp_path / ("chain%d-symbol.json" % length)
        symbol.write_text(networks.chain(length))
        command = [TOOL, "convert", str(symbol), "-o", str(tmp_path / "out.onnx"), "--input", "data:N,8", "-q"]
        seconds[length] = min(run(command)[0] for _ in range(3))
    # Ten times the nodes; a quadratic cost would be a hundred times.
    assert seconds[50_000] < 30 * seconds[5_000]
