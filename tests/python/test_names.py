"""Parameters that are stored under names that nearly fit: one rule for all of them is applied and said, anything else
is a hint that does it."""

import ast
import pathlib

import mx2onnx
import numpy as np
import pytest
from networks import SymbolBuilder
from running import assert_same, run
from test_cli import read_list

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL = MODELS / "digits_cnn-symbol.json"
STORED = {name[4:]: array for name, array in read_list(MODELS / "digits_cnn-0000.params").items()}
INPUTS = {"data": ("batch", 1, 8, 8)}
PARAMETERS = len(STORED)


@pytest.fixture(scope="module")
def expected():
    return np.load(MODELS / "digits_cnn-expected.npz")


def renamed(old, new):
    return {name.replace(old, new): array for name, array in STORED.items()}


def rules_of(text):
    """The argument that a message or a hint names."""
    return ast.literal_eval(text.rpartition("rename_params=")[2])


def of_id(result, wanted):
    return [entry["message"] for entry in result.diagnostics if entry["id"] == wanted]


CASES = {
    "module's word for the statistics": (
        renamed("running", "moving"),
        "4 parameters are stored under other names, 'digits_batchnorm0_running_mean' as "
        '\'digits_batchnorm0_moving_mean\' for instance: taken as with rename_params={"*_moving_*": "*_running_*"}',
    ),
    "a missing prefix": (
        renamed("digits_", ""),
        "13 parameters are stored under other names, 'digits_conv0_weight' as 'conv0_weight' for instance: taken as "
        'with rename_params={"*": "digits_*"}',
    ),
    "a surplus prefix": (
        renamed("digits_", "net0_digits_"),
        "13 parameters are stored under other names, 'digits_conv0_weight' as 'net0_digits_conv0_weight' for "
        'instance: taken as with rename_params={"net0_*": "*"}',
    ),
    "a block made again": (
        renamed("digits_", "digits1_"),
        "13 parameters are stored under other names, 'digits_conv0_weight' as 'digits1_conv0_weight' for instance: "
        'taken as with rename_params={"digits1_*": "digits_*"}',
    ),
    "another mark": (
        renamed("digits_", "model/digits_"),
        "13 parameters are stored under other names, 'digits_conv0_weight' as 'model/digits_conv0_weight' for "
        'instance: taken as with rename_params={"model/*": "*"}',
    ),
}


@pytest.mark.parametrize("stored,message", CASES.values(), ids=CASES)
def test_one_rule_for_all_is_applied_and_said(stored, message, expected):
    assert sum(name not in STORED for name in stored) in (4, PARAMETERS)
    result = mx2onnx.convert(SYMBOL, stored, inputs=INPUTS)
    assert of_id(result, "W-parameters-renamed") == [message]
    assert of_id(result, "W-unused-parameter") == []
    assert_same(run(result.model, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)
    # The message names an option that does the same.
    explicit = mx2onnx.convert(SYMBOL, stored, inputs=INPUTS, rename_params=rules_of(message))
    assert explicit.model == result.model and explicit.diagnostics == []
    assert mx2onnx.inspect(SYMBOL, stored, inputs=INPUTS)["missing_parameters"] == []


@pytest.mark.parametrize("prefix", ["", "arg:", "aux:", "arg:arg:", "arg:aux:"])
def test_prefixes_of_files_are_no_part_of_names(prefix, expected):
    stored = {prefix + name: array for name, array in STORED.items()}
    result = mx2onnx.convert(SYMBOL, stored, inputs=INPUTS)
    assert result.diagnostics == []
    assert_same(run(result.model, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_one_statistic_alone(expected):
    stored = dict(STORED)
    stored["digits_batchnorm1_moving_var"] = stored.pop("digits_batchnorm1_running_var")
    result = mx2onnx.convert(SYMBOL, stored, inputs=INPUTS)
    assert of_id(result, "W-parameters-renamed") == [
        "parameter 'digits_batchnorm1_running_var' is taken from the stored 'digits_batchnorm1_moving_var': taken as "
        'with rename_params={"*_moving_*": "*_running_*"}'
    ]
    assert_same(run(result.model, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_constants_among_the_inputs_follow_the_rule():
    """What the rule maps is not an input, although nothing says that it is a weight."""
    net = SymbolBuilder()
    x = net.dense("net_fc", net.variable("data"), 3, 2)
    text = net.json(net.node("broadcast_mul", "out", x, net.variable("net_anchors")))
    stored = {
        "fc_weight": np.eye(2, 3, dtype="float32"),
        "fc_bias": np.ones(2, "float32"),
        "anchors": np.array([[2, 3]], "float32"),
    }
    result = mx2onnx.convert(text, stored, inputs={"data": (1, 3)})
    assert [port["name"] for port in result.inputs] == ["data"]
    assert of_id(result, "W-parameters-renamed")
    assert_same(run(result.model, {"data": np.zeros((1, 3), "float32")}), [np.array([[2, 3]], "float32")])


def refusal(text, stored, inputs):
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(text, stored, inputs=inputs)
    return error.value


def two_dense():
    net = SymbolBuilder()
    x = net.dense("a", net.variable("data"), 3, 3)
    return net.json(net.dense("b", x, 3, 3))


def arrays(*names, shape=(3, 3)):
    return {name: np.full(shape if name.endswith("weight") else shape[:1], i + 1, "float32")
            for i, name in enumerate(names)}  # fmt: skip


INPUT = {"data": (1, 3)}


def test_a_rule_whose_shapes_do_not_fit_is_not_applied():
    stored = {**arrays("a_weight", "a_bias"), **arrays("c_weight", "c_bias", shape=(4, 3))}
    error = refusal(two_dense(), stored, INPUT)
    assert "'b_weight'" in error.message


def test_of_two_rules_the_one_whose_shapes_fit():
    stored = {**arrays("a_weight", "a_bias", "d_weight", "d_bias"), **arrays("c_weight", "c_bias", shape=(4, 3))}
    result = mx2onnx.convert(two_dense(), stored, inputs=INPUT)
    (message,) = of_id(result, "W-parameters-renamed")
    assert message.endswith('rename_params={"d_*": "b_*"}')
    # The bias of d is 4, its weights are 3.
    x = np.ones((1, 3), "float32")
    hidden = x @ np.full((3, 3), 1, "float32") + 2
    assert_same(run(result.model, {"data": x}), [hidden @ np.full((3, 3), 3, "float32") + 4])
    assert of_id(result, "W-unused-parameter") == [
        "2 stored parameters are not in the symbol, 'c_bias' for instance; left out"
    ]


def test_two_rules_that_fit_are_a_question():
    stored = arrays("a_weight", "a_bias", "c_weight", "c_bias", "d_weight", "d_bias")
    error = refusal(two_dense(), stored, INPUT)
    assert error.message.startswith("2 parameters are in none of the parameter files:")
    assert error.hint in ('rename_params={"c_*": "b_*"}', 'rename_params={"d_*": "b_*"}')


def test_one_name_alone_is_a_question():
    """It is like another by chance."""
    stored = arrays("a_weight", "a_bias", "b_weight", "b0_bias")
    assert refusal(two_dense(), stored, INPUT).hint == 'rename_params={"b0_bias": "b_bias"}'


def test_a_weight_is_never_taken_for_a_bias():
    """Their names say what they are, whatever a rule makes of them."""
    net = SymbolBuilder()
    x = net.batch_norm("bn0", net.variable("data"), 3)
    text = net.json(net.batch_norm("bn1", x, 3))
    names = [name for name in net.shapes if not name.endswith("_gamma")]
    stored = {name: np.ones(3, "float32") for name in [*names, "bn0_weight", "bn1_weight"]}
    error = refusal(text, stored, {"data": (1, 3, 4, 4)})
    assert "'bn0_gamma'" in error.message and "rename_params=" not in error.hint


def test_the_hint_is_what_does_it():
    """Two words changed: not one rule, but the two of the hint together."""
    net = SymbolBuilder()
    x = net.conv("net_c0", net.variable("data"), 1, 2, 1)
    x = net.batch_norm("net_bn0", x, 2)
    text = net.json(net.conv("net_c1", x, 2, 2, 1))
    names = list(net.shapes)
    stored = {}
    for i, name in enumerate(names):
        other = name.replace("_weight", "_w").replace("_moving_", "_running_")
        stored[other] = np.full(net.shapes[name], i + 1, "float32")
    inputs = {"data": (1, 1, 2, 2)}
    hint = refusal(text, stored, inputs).hint
    rules = rules_of(hint)
    assert rules == {"*_running_*": "*_moving_*", "*_w": "*_weight"}
    result = mx2onnx.convert(text, stored, inputs=inputs, rename_params=rules)
    assert result.diagnostics == []


def test_random_weights_do_not_replace_what_is_stored(expected):
    result = mx2onnx.convert(SYMBOL, renamed("digits_", ""), inputs=INPUTS, random_weights=True)
    assert of_id(result, "W-parameters-renamed")
    assert_same(run(result.model, {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)


def test_many_names_that_fit_nowhere():
    """A minute would be spent if every pair were compared with every other."""
    net = SymbolBuilder()
    x = net.variable("data")
    for i in range(2000):
        x = net.node("broadcast_add", "add%d" % i, x, net.parameter("p%d_weight" % i, 1))
        x = net.node("FullyConnected", "fc%d" % i, x, net.parameter("f%d_weight" % i, 1, 1), num_hidden=1, no_bias=True)
    stored = {"q%d_v%d_weight" % (i, i): np.ones((1, 1), "float32") for i in range(4000)}
    error = refusal(net.json(x), stored, {"data": (1, 1)})
    assert error.message.startswith("2000 parameters are in none of the parameter files:")
