"""`mx2onnx verify`: that it says yes to what is right, no to what is wrong, and names the node.

The recorded file needs no MXNet; the tests with a live one run where the environment variable MXNET_PYTHON names interpreters that have it
(several, between colons).
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import mx2onnx
import numpy as np
import pytest

import onnx
from onnx import numpy_helper

TESTS = pathlib.Path(__file__).resolve().parent.parent
SYMBOL, PARAMS = str(TESTS / "models/digits_cnn-symbol.json"), str(TESTS / "models/digits_cnn-0000.params")
RECORDED = TESTS / "verify" / "digits_cnn-internals.npz"
PYTHONS = [p for p in os.environ.get("MXNET_PYTHON", "").split(os.pathsep) if p]
live = pytest.mark.parametrize(
    "python",
    PYTHONS or [pytest.param("", marks=pytest.mark.skip(reason="MXNET_PYTHON does not name a Python that has MXNet"))],
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("verify") / "good.onnx"
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("batch", 1, 8, 8)}, output=path)
    return path


def broken_slope(model):
    (node,) = [n for n in model.graph.node if n.op_type == "LeakyRelu"]
    node.attribute[0].f = 0.5
    return "digits_leakyrelu0_fwd", []


def broken_weight(model):
    (weight,) = [i for i in model.graph.initializer if i.name == "digits_dense0_weight"]
    array = numpy_helper.to_array(weight).copy()
    array[3] += 1
    weight.CopyFrom(numpy_helper.from_array(array, weight.name))
    return "digits_dense0_fwd", ["digits_dropout0_fwd"]


def broken_folded_convolution(model):
    (weight,) = [i for i in model.graph.initializer if i.name == "digits_conv1_weight"]
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * 1.5, weight.name))
    return "digits_batchnorm1_fwd", ["digits_conv1_fwd"]


def broken_softmax(model):
    (node,) = [n for n in model.graph.node if n.op_type == "Softmax"]
    del node.attribute[:]
    node.attribute.append(onnx.helper.make_attribute("axis", 0))
    return "probabilities", []


BREAKERS = [broken_slope, broken_weight, broken_folded_convolution, broken_softmax]


def break_it(good, path, breaker):
    model = onnx.load(good)
    node, unseen = breaker(model)
    onnx.save(model, path)
    return node, unseen


def test_recorded(good):
    result = mx2onnx.verify(SYMBOL, PARAMS, good, expect=RECORDED)
    assert result.ok and result.first_difference is None
    assert [case["inputs"]["data"][0] for case in result.cases] == [2, 1]
    assert result.table().endswith("the numbers agree")


def test_recorded_by_hand(good):
    """A file of plain names: inputs and outputs."""
    assert mx2onnx.verify(SYMBOL, PARAMS, good, expect=TESTS / "models/digits_cnn-expected.npz").ok


@pytest.mark.parametrize("breaker", BREAKERS)
def test_broken_file_names_the_node(good, tmp_path, breaker):
    node, unseen = break_it(good, tmp_path / "broken.onnx", breaker)
    result = mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "broken.onnx", expect=RECORDED)
    assert not result.ok
    assert result.first_difference["node"] == node
    assert result.first_difference["unseen"] == unseen
    assert "THE NUMBERS DIFFER" in result.table() and "'%s'" % node in result.table()


def test_external_data_can_be_bisected(tmp_path):
    path = tmp_path / "m.onnx"
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=path, external_data=True)
    model = onnx.load(path, load_external_data=False)
    node, _ = broken_slope(model)
    path.write_bytes(model.SerializeToString())
    assert mx2onnx.verify(SYMBOL, PARAMS, path, expect=RECORDED).first_difference["node"] == node


def test_without_inner_values_it_says_so(good, tmp_path):
    break_it(good, tmp_path / "b.onnx", broken_slope)
    result = mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", expect=TESTS / "models/digits_cnn-expected.npz")
    assert not result.ok and "--internals" in result.note


def test_renamed(tmp_path):
    rename = {"data": "image", "probabilities_output": "p"}
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=tmp_path / "r.onnx", rename=rename)
    assert mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "r.onnx", expect=RECORDED, rename=rename).ok


@pytest.mark.parametrize(
    "ours,theirs,same",
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, np.nan, np.inf], [1.0, np.nan, np.inf], True),
        ([1.0, np.nan], [1.0, 2.0], False),
        ([1.0, 2.0], [1.0, np.nan], False),
        ([np.inf], [-np.inf], False),
        ([3.0], [np.inf], False),
        ([100.0, 1e-4], [100.0, 0.0], True),
        ([100.0, 2e-3], [100.0, 0.0], False),
        ([1.0, 2.0], [[1.0, 2.0]], False),
        ([], [], True),
    ],
    ids=repr,
)
def test_comparison(ours, theirs, same):
    from mx2onnx._verify import Comparison

    found = Comparison("x", np.array(ours, "float32"), np.array(theirs, "float32"), None, None)
    assert found.same is same
    json.dumps(found.to_dict())


def test_integers_must_be_equal():
    from mx2onnx._verify import Comparison

    assert not Comparison("x", np.array([1000000]), np.array([1000001]), None, None).same


def command(*arguments):
    process = subprocess.run([sys.executable, "-m", "mx2onnx", "verify", *map(str, arguments)], capture_output=True, text=True)  # fmt: skip
    return process.returncode, process.stdout, process.stderr


def test_command_and_exit_codes(good, tmp_path):
    code, out, _ = command(SYMBOL, PARAMS, good, "--expect", RECORDED, "--json")
    assert code == 0 and json.loads(out)["ok"]
    break_it(good, tmp_path / "b.onnx", broken_slope)
    code, out, _ = command(SYMBOL, PARAMS, tmp_path / "b.onnx", "--expect", RECORDED)
    assert code == 7 and "digits_leakyrelu0_fwd" in out
    assert command(SYMBOL, PARAMS, tmp_path / "none.onnx", "--expect", RECORDED)[0] == 3
    (tmp_path / "bad.onnx").write_bytes(b"no model at all")
    assert command(SYMBOL, PARAMS, tmp_path / "bad.onnx", "--expect", RECORDED)[0] == 8
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert command(SYMBOL, PARAMS, good, "--expect", tmp_path / "other.npz")[0] == 2
    code, _, err = command(SYMBOL, PARAMS, good, "--mxnet-python", "/bin/false")
    assert code == 8 and "MXNet could not run the model" in err
    assert command()[0] == 2


def test_the_tool_says_where_verify_is():
    if "MX2ONNX" not in os.environ:
        pytest.skip("MX2ONNX does not name the command line tool (make test does)")
    process = subprocess.run([os.environ["MX2ONNX"], "verify", "a", "--json"], capture_output=True, text=True)
    assert process.returncode == 2 and "pip install 'mx2onnx[verify]'" in process.stderr


def test_the_recorder_is_a_file_of_its_own(tmp_path):
    process = subprocess.run([sys.executable, "-m", "mx2onnx", "record", "--script"], capture_output=True, text=True)
    compile(process.stdout, "record_mxnet.py", "exec")
    assert "import mx2onnx" not in process.stdout


@live
def test_against_mxnet(good, tmp_path, python):
    result = mx2onnx.verify(SYMBOL, PARAMS, good, mxnet_python=python)
    assert result.ok, result.table()
    assert [case["inputs"]["data"][0] for case in result.cases] == [1, 2, 5]
    for breaker in BREAKERS:
        node, _ = break_it(good, tmp_path / "b.onnx", breaker)
        found = mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", mxnet_python=python).first_difference
        assert found["node"] == node


@live
def test_record(good, tmp_path, python):
    script = shutil.copy(mx2onnx._verify.RECORDER, tmp_path / "r.py")
    subprocess.run([python, script, SYMBOL, PARAMS, "-o", tmp_path / "r.npz", "--input", "data:3,1,8,8"], check=True)
    assert mx2onnx.verify(SYMBOL, PARAMS, good, expect=tmp_path / "r.npz").ok


# What runs inside the MXNet's own interpreter. It needs mx2onnx there (Python 3.9 or later).
LIVE_SCRIPT = TESTS / "verify" / "live_objects.py"


@live
def test_live_objects(tmp_path, python):
    probe = subprocess.run([python, "-c", "import mx2onnx"], capture_output=True, text=True, env=clean_environment())
    if probe.returncode != 0:
        pytest.skip("%s has no mx2onnx: %s" % (python, probe.stderr.strip().splitlines()[-1]))
    process = subprocess.run(
        [python, LIVE_SCRIPT, tmp_path], capture_output=True, text=True, cwd=tmp_path, env=clean_environment()
    )
    assert process.returncode == 0, process.stdout + process.stderr
    from running import assert_same, run

    for name in process.stdout.split():
        arrays = np.load(tmp_path / (name + ".npz"))
        feeds = {k[3:]: arrays[k] for k in arrays.files if k.startswith("in/")}
        assert_same(run(str(tmp_path / (name + ".onnx")), feeds), [arrays["out"]], rtol=1e-4, atol=1e-5, where=name)


def clean_environment():
    return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
