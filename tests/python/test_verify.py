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
    # The file says itself how it was renamed; and the node is found in it all the same.
    assert mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "r.onnx", expect=RECORDED).ok
    node, _ = break_it(tmp_path / "r.onnx", tmp_path / "b.onnx", broken_slope)
    found = mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", expect=RECORDED)
    assert found.first_difference["node"] == node
    # The output itself is the first that differs.
    node, _ = break_it(tmp_path / "r.onnx", tmp_path / "b.onnx", broken_softmax)
    assert mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", expect=RECORDED).first_difference["node"] == node


def test_other_outputs(tmp_path):
    """What `--outputs` made an output is an inner value of MXNet's."""
    path, outputs = tmp_path / "f.onnx", ["digits_pool0_fwd_output", "probabilities_output"]
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=path, outputs=outputs)
    result = mx2onnx.verify(SYMBOL, PARAMS, path, expect=RECORDED)
    assert result.ok and [o["name"] for o in result.cases[0]["outputs"]] == outputs
    # Without inner values the first of them has nothing to be compared with, and that is said.
    known = np.load(DIGITS)
    np.savez(tmp_path / "plain.npz", data=known["data"], probabilities_output=known["output"])
    result = mx2onnx.verify(SYMBOL, PARAMS, path, expect=tmp_path / "plain.npz")
    assert result.ok and result.not_compared == outputs[:1] and "NOT COMPARED" in result.table()
    node, _ = break_it(path, tmp_path / "b.onnx", broken_slope)
    assert mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", expect=RECORDED).first_difference["node"] == node


DIGITS = TESTS / "models/digits_cnn-expected.npz"  # its values are sixteenths, as images of 0 to 16 would give
PREPARATION = dict(scale="1/16", layout="NHWC", input_type="uint8")


@pytest.mark.parametrize(
    "preparation,expect,ok",
    [
        (PREPARATION, DIGITS, True),
        (dict(PREPARATION, mean=-0.5, std=2, layout=None, scale=None, input_type=None), RECORDED, True),
        (dict(mean=[3.5], std=[0.25], scale=2.5, layout="nhwc"), RECORDED, True),
        (PREPARATION, RECORDED, None),  # random numbers, which no uint8 image gives
        (dict(PREPARATION, scale="1/64", input_type="int8"), DIGITS, True),
        (dict(PREPARATION, scale="1/255", input_type="int8"), DIGITS, None),
    ],
    ids=str,
)
def test_preparation_of_the_image(tmp_path, preparation, expect, ok):
    from mx2onnx._runtime import CannotCompare

    path = tmp_path / "p.onnx"
    rename = {"data": "image"}
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=path, rename=rename, **preparation)
    if ok:
        assert mx2onnx.verify(SYMBOL, PARAMS, path, expect=expect).ok
    else:
        with pytest.raises(CannotCompare, match="not made from such"):
            mx2onnx.verify(SYMBOL, PARAMS, path, expect=expect)


def test_a_wrong_preparation_is_noticed(tmp_path):
    path = tmp_path / "p.onnx"
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=path, **PREPARATION)
    model = onnx.load(path)
    for entry in model.metadata_props:
        entry.value = entry.value.replace("1/16", "1/32")
    onnx.save(model, path)
    assert not mx2onnx.verify(SYMBOL, PARAMS, path, expect=DIGITS).ok


@pytest.mark.parametrize(
    "key,value", [("preprocessing", "{"), ("preprocessing", '{"input": "data"}'), ("renamed", "[]")]
)
def test_metadata_that_somebody_else_changed(good, tmp_path, key, value):
    model = onnx.load(good)
    model.metadata_props.add(key="mx2onnx." + key, value=value)
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(mx2onnx.FormatError, match="mx2onnx.%s" % key):
        mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "m.onnx", expect=RECORDED)


VERIFY = TESTS / "verify"


def verified(name, path):
    files = [VERIFY / (name + end) for end in ("-symbol.json", ".params", "-internals.npz")]
    return mx2onnx.verify(files[0], files[1], path, expect=files[2])


def break_product(graph):
    """Twice the second operand of the first product: a weight, whatever name it has now."""
    (node,) = [n for n in graph.node if n.op_type in ("MatMul", "Gemm")]
    graph.node.insert(list(graph.node).index(node), onnx.helper.make_node("Add", [node.input[1]] * 2, ["twice"]))
    node.input[1] = "twice"


def test_loop(tmp_path):
    """A changed node in the body of a loop: the loop is named, for MXNet does not show what is in it. An output that is
    there twice is compared twice."""
    path = tmp_path / "loop.onnx"
    inputs = {"data": ("t", "b", 5), "state": ("b", 3)}
    mx2onnx.convert(VERIFY / "loop-symbol.json", VERIFY / "loop.params", inputs=inputs, output=path)
    result = verified("loop", path)
    assert result.ok and len(result.cases[0]["outputs"]) == 3 and not result.not_compared
    model = onnx.load(path)
    (loop,) = [n for n in model.graph.node if n.op_type in ("Loop", "Scan")]
    (body,) = [a.g for a in loop.attribute if a.name == "body"]
    break_product(body)
    onnx.save(model, path)
    result = verified("loop", path)
    assert not result.ok and result.first_difference["op"] == "_foreach"


def test_float16(tmp_path):
    path = tmp_path / "half.onnx"
    inputs = {"data": (("b", 1, 6, 6), "float16")}
    mx2onnx.convert(VERIFY / "half-symbol.json", VERIFY / "half.params", inputs=inputs, output=path)
    assert verified("half", path).ok
    model = onnx.load(path)
    broken_node, _ = break_float16(model)
    onnx.save(model, path)
    assert verified("half", path).first_difference["node"] == broken_node


def break_float16(model):
    (node,) = [n for n in model.graph.node if n.op_type == "AveragePool"]
    node.op_type = "MaxPool"
    del node.attribute[:]
    for name, value in (("kernel_shape", [2, 2]), ("strides", [2, 2])):
        node.attribute.append(onnx.helper.make_attribute(name, value))
    return "pool", []


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
    from mx2onnx._comparison import Comparison

    found = Comparison("x", np.array(ours, "float32"), np.array(theirs, "float32"), None, None)
    assert found.same is same
    json.dumps(found.to_dict())


def test_integers_must_be_equal():
    from mx2onnx._comparison import Comparison

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
    for option, value in (("--size", "batch"), ("--size", "batch=x"), ("--rename", "data"), ("--rtol", "x")):
        code, _, err = command(SYMBOL, PARAMS, good, "--expect", RECORDED, option, value)
        assert code == 2 and value in err
    code, _, err = command(SYMBOL, PARAMS, good, "--expect", tmp_path / "bad.onnx")
    assert code == 4 and "expected a .npz file" in err
    assert command(PARAMS, PARAMS, good, "--expect", RECORDED)[0] == 4
    assert command(SYMBOL, PARAMS, good, "--expect", tmp_path / "none.npz")[0] == 3
    code, _, err = command(SYMBOL, PARAMS, good, "--mxnet-python", tmp_path / "none")
    assert code == 8 and "cannot be run" in err
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert command(SYMBOL, PARAMS, good, "--expect", tmp_path / "other.npz")[0] == 2
    code, _, err = command(SYMBOL, PARAMS, good, "--mxnet-python", "/bin/false")
    assert code == 8 and "MXNet could not run the model" in err and "--expect" in err
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
@pytest.mark.parametrize("preparation", [PREPARATION, dict(mean=100, std=50, layout="NHWC", scale="3/2")], ids=str)
def test_preparation_against_mxnet(tmp_path, python, preparation):
    """The file gets images, MXNet what NumPy makes of them; the rest of the file's own numbers as ever."""
    path, rename = tmp_path / "p.onnx", {"data": "image", "probabilities_output": "p"}
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=path, rename=rename, **preparation)
    result = mx2onnx.verify(SYMBOL, PARAMS, path, mxnet_python=python)
    assert result.ok and [list(case["inputs"]["image"]) for case in result.cases] == [[n, 8, 8, 1] for n in (1, 2, 5)]
    images = {"image": np.arange(64, dtype=preparation.get("input_type", "float32")).reshape(1, 8, 8, 1)}
    assert mx2onnx.verify(SYMBOL, PARAMS, path, mxnet_python=python, inputs=images).ok
    node, _ = break_it(path, tmp_path / "b.onnx", broken_slope)
    found = mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", mxnet_python=python)
    assert found.first_difference["node"] == node


@live
def test_other_outputs_against_mxnet(tmp_path, python):
    path, outputs = tmp_path / "f.onnx", ["digits_pool0_fwd_output", "digits_dense0_fwd_output"]
    mx2onnx.convert(SYMBOL, PARAMS, inputs={"data": ("n", 1, 8, 8)}, output=path, outputs=outputs)
    result = mx2onnx.verify(SYMBOL, PARAMS, path, mxnet_python=python)
    assert result.ok and not result.not_compared
    node, _ = break_it(path, tmp_path / "b.onnx", broken_weight)
    found = mx2onnx.verify(SYMBOL, PARAMS, tmp_path / "b.onnx", mxnet_python=python)
    assert found.first_difference["node"] == node


@live
def test_loop_against_mxnet(tmp_path, python):
    """MXNet does not infer the shapes of all loops, and need not."""
    path, files = tmp_path / "loop.onnx", [VERIFY / "loop-symbol.json", VERIFY / "loop.params"]
    mx2onnx.convert(*files, inputs={"data": ("t", "b", 5), "state": ("b", 3)}, output=path)
    result = mx2onnx.verify(*files, path, mxnet_python=python, sizes={"t": [1, 4], "b": [2, 3]})
    assert result.ok and [len(case["outputs"]) for case in result.cases] == [3, 3]
    # A size that is the first of any input needs no --size.
    mx2onnx.convert(*files, inputs={"data": (2, "b", 5), "state": ("b", 3)}, output=path)
    result = mx2onnx.verify(*files, path, mxnet_python=python)
    assert result.ok and [case["inputs"]["data"] for case in result.cases] == [[2, n, 5] for n in (1, 2, 5)]


def test_other_free_sizes_must_be_given(tmp_path):
    symbol, path = tmp_path / "s-symbol.json", tmp_path / "s.onnx"
    nodes = [{"op": "null", "name": "x", "inputs": []}, {"op": "relu", "name": "r", "inputs": [[0, 0, 0]]}]
    symbol.write_text(json.dumps({"nodes": nodes, "heads": [[1, 0, 0]]}))
    mx2onnx.convert(symbol, inputs={"x": ("n", "w")}, output=path)
    with pytest.raises(mx2onnx.UsageError, match="input 'x' has the free size w: say --size w=NUMBER"):
        mx2onnx.verify(symbol, None, path)
    with pytest.raises(mx2onnx.UsageError, match="no value of 'x'"):
        mx2onnx.verify(symbol, None, path, inputs={"y": np.zeros((1, 2))})
    np.savez(tmp_path / "r.npz", x=np.array([[-1, 2]], "float32"), r_output=np.array([[0, 2]], "float32"))
    assert mx2onnx.verify(symbol, None, path, expect=tmp_path / "r.npz").ok


def test_random_inputs_are_what_the_model_can_take():
    """Indices of an Embedding, and lengths of sequences, also where they pass a Cast or a reshape first."""
    from mx2onnx._symbol_file import SymbolFile, whole_numbers

    nodes = [("null", "ids", []), ("Cast", "cast", [0]), ("null", "table", []), ("Embedding", "e", [1, 2]),
             ("null", "lengths", []), ("reshape", "flat", [4]), ("SequenceLast", "last", [3, 5]), ("null", "x", [])]  # fmt: skip
    graph = SymbolFile.__new__(SymbolFile)
    graph.nodes = [{"op": o, "name": n, "inputs": [[i, 0, 0] for i in inputs]} for o, n, inputs in nodes]
    graph.nodes[3]["attrs"] = {"input_dim": "7"}
    assert whole_numbers(graph) == {"ids": (0, 7), "lengths": (1, 3)}


@live
def test_float16_against_mxnet(tmp_path, python):
    """MXNet has no float16 products on CPUs: what is done about it is said."""
    path = tmp_path / "half.onnx"
    files = [VERIFY / "half-symbol.json", VERIFY / "half.params"]
    mx2onnx.convert(*files, inputs={"data": (("b", 1, 6, 6), "float16")}, output=path)
    result = mx2onnx.verify(*files, path, mxnet_python=python)
    assert result.ok and "computed in float32" in result.table()


@live
def test_record(good, tmp_path, python):
    from mx2onnx._mxnet_values import RECORDER

    script = shutil.copy(RECORDER, tmp_path / "r.py")
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
        assert_same(run(str(tmp_path / (name + ".onnx")), feeds)[:1], [arrays["out"]], rtol=1e-4, atol=1e-5, where=name)


def clean_environment():
    return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
