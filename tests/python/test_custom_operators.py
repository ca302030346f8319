"""Operators of the user's own, and nodes of a custom domain."""

import json
import pathlib
import re

import mx2onnx
import numpy as np
import pytest
from running import check_model, run
from test_cli import tool

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GUIDE = (ROOT / "docs/custom_operators.md").read_text()


@pytest.fixture
def register():
    """mx2onnx.register_operator, taken back after the test."""
    names = []

    def register(name, **options):
        names.append("%s:%s" % (name, options["op_type"]) if "op_type" in options else name)
        return mx2onnx.register_operator(name, **options)

    yield register
    for name in set(names):
        mx2onnx.unregister_operator(name)


def symbol(*nodes, heads=None):
    """The JSON of a chain: each node takes the variables and nodes that it names."""
    names, listed = [], []
    for op, name, attrs, inputs in nodes:
        for text in inputs:
            variable, _, _ = text.partition(":")
            if variable not in names:
                names.append(variable)
                listed.append({"op": "null", "name": variable, "inputs": []})
        entries = [[names.index(i.partition(":")[0]), int(i.partition(":")[2] or 0), 0] for i in inputs]
        names.append(name)
        listed.append({"op": op, "name": name, "attrs": attrs, "inputs": entries})
    heads = [[names.index(h.partition(":")[0]), int(h.partition(":")[2] or 0), 0] for h in heads or [names[-1]]]
    return json.dumps({"nodes": listed, "heads": heads, "attrs": {"mxnet_version": ["int", 10901]}})


SOFT_CLIP = symbol(("Custom", "act", {"op_type": "soft_clip", "limit": "3"}, ["data"]), ("relu", "out", {}, ["act"]))


def test_custom_is_refused_by_its_own_name():
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(SOFT_CLIP, inputs={"data": (2, 3)})
    assert str(error.value) == (
        "symbol: node 1 'act' (Custom): 'soft_clip' is an operator in Python that the model's program defines: the file "
        "does not have what it computes\nhint: register a translation for 'Custom:soft_clip', or allow a custom domain"
    )
    assert "'soft_clip' is an operator in Python" in mx2onnx.inspect(SOFT_CLIP)["problems"][0]


def guide_block(number):
    return re.findall(r"runs this block -->\n```python\n(.*?)```", GUIDE, re.S)[number]


def test_the_guide_soft_clip():
    exec(guide_block(0), {})
    try:
        for opset in (12, 17, 28):
            result = mx2onnx.convert(SOFT_CLIP, inputs={"data": ("n", 3)}, opset=opset)
            check_model(result.model)
            x = np.linspace(-9, 9, 12, dtype="float32").reshape(4, 3)
            np.testing.assert_allclose(
                run(result.model, {"data": x})[0], np.maximum(3 * x / (3 + abs(x)), 0), rtol=1e-6
            )
            assert result.outputs[0]["shape"] == ["n", 3]
    finally:
        mx2onnx.unregister_operator("Custom:soft_clip")
    with pytest.raises(mx2onnx.UnsupportedError):
        mx2onnx.convert(SOFT_CLIP, inputs={"data": (2, 3)})


@pytest.mark.parametrize("shape,expected", [(("batch", 4), ["batch//2", 2, 4]), ((6, 4), [3, 2, 4])])
def test_the_guide_shapes(shape, expected):
    exec(guide_block(1), {"mx2onnx": mx2onnx})
    try:
        text = symbol(("Custom", "p", {"op_type": "pair_rows"}, ["data"]), ("transpose", "t", {}, ["p"]))
        result = mx2onnx.convert(text, inputs={"data": shape})
        assert result.outputs[0]["shape"] == expected[::-1]
        x = np.arange(24, dtype="float32").reshape(6, 4)
        np.testing.assert_array_equal(run(result.model, {"data": x})[0], x.reshape(3, 2, 4).T)
        if shape[0] == "batch":
            x = x[:2]
            np.testing.assert_array_equal(run(result.model, {"data": x})[0], x.reshape(1, 2, 4).T)
    finally:
        mx2onnx.unregister_operator("Custom:pair_rows")


def test_weights_several_outputs_and_another_op(register):
    @register(
        "ForkScale",
        inputs=["data", "gamma"],
        parameters=["gamma"],
        outputs=["scaled", "sum"],
        infer=lambda node: [node.inputs[0], mx2onnx.ArrayType((), node.inputs[0].dtype)],
    )
    def translate(node, onnx):
        scaled = onnx.emit("Mul", [onnx.input(0), onnx.input(1)])
        onnx.set_output(0, scaled)
        onnx.set_output(1, onnx.emit("ReduceMax", [scaled], {"keepdims": False}))
        onnx.warn("is approximate")

    text = symbol(("ForkScale", "f", {}, ["data", "f_gamma"]), heads=["f:0", "f:1"])
    with pytest.raises(mx2onnx.ModelError, match="1 parameter is in none of the parameter files:\n  'f_gamma'"):
        mx2onnx.convert(text, inputs={"data": (2, 3)})
    gamma = np.array([1, 2, 3], "float32")
    result = mx2onnx.convert(text, {"f_gamma": gamma}, inputs={"data": (2, 3)})
    assert [o["name"] for o in result.outputs] == ["f_scaled", "f_sum"]
    assert [d["id"] for d in result.diagnostics] == ["W-custom-operator"]
    x = np.ones((2, 3), "float32")
    scaled, largest = run(result.model, {"data": x})
    np.testing.assert_array_equal(scaled, x * gamma)
    assert largest == 3


def test_in_place_of_a_translation_and_in_a_domain(register):
    @register("Activation")
    def translate(node, onnx):
        onnx.set_output(0, onnx.emit("Fast", [onnx.input(0)], {"kind": node.attributes["act_type"]}, domain="com.acme"))

    model = mx2onnx.convert(symbol(("Activation", "a", {"act_type": "tanh"}, ["data"])), inputs={"data": (1, 2)}).model
    proto = onnx.load_from_string(model)
    (node,) = proto.graph.node
    assert (node.domain, node.op_type, node.attribute[0].s) == ("com.acme", "Fast", b"tanh")
    assert [(i.domain, i.version) for i in proto.opset_import] == [("", 17), ("com.acme", 1)]


def failing(register, translate=None, infer=None, **options):
    register("Custom", op_type="bad", infer=infer, **options)(translate or (lambda node, onnx: None))
    mx2onnx.convert(symbol(("Custom", "c", {"op_type": "bad"}, ["data"])), inputs={"data": (2, 3)})


@pytest.mark.parametrize(
    "translate,error,message",
    [
        (lambda n, o: None, mx2onnx.UsageError, "the registered operator 'Custom:bad' did not set output 0"),
        (lambda n, o: o.input(1), mx2onnx.UsageError, "asks for input 1 of a node that has 1"),
        (lambda n, o: o.set_output(1, o.input(0)), mx2onnx.UsageError, "sets output 1 of a node that has 1"),
        (lambda n, o: o.emit("Conv", [o.input(0)]), mx2onnx.UsageError, "Conv is emitted without input 1"),
        (lambda n, o: o.emit("Nonsense", [o.input(0)]), mx2onnx.UnsupportedError, "needs ONNX's Nonsense"),
        (lambda n, o: o.refuse("is too much", "take less"), mx2onnx.UnsupportedError, "is too much\nhint: take less"),
        (lambda n, o: o.shape(["a+"]), mx2onnx.UsageError, 'gives "a+" as a size'),
        (lambda n, o: o.constant(1, "float99"), mx2onnx.UsageError, 'gives "float99" as an element type'),
        (
            lambda n, o: o.set_output(
                0, o.emit("Cast", [o.input(0)], {"to": 7}, outputs=[mx2onnx.ArrayType(dtype="int64")])[0]
            ),
            mx2onnx.UsageError,
            "sets output 0 to int64 unknown, its shape rule says float32 (2, 3)",
        ),
        (lambda n, o: 1 / 0, ZeroDivisionError, "division by zero"),
    ],
)
def test_mistakes_in_a_translation(register, translate, error, message):
    with pytest.raises(error) as raised:
        failing(register, translate)
    assert message in str(raised.value)
    if error is not ZeroDivisionError:
        assert raised.value.node == "c"


@pytest.mark.parametrize(
    "infer,error,message",
    [
        (lambda n: [], mx2onnx.UsageError, "has 1 outputs, its shape rule gives 0"),
        (lambda n: [mx2onnx.ArrayType((-1, 2), "float32")], mx2onnx.UsageError, 'gives "-1" as a size'),
        (lambda n: [mx2onnx.ArrayType((2,), "complex")], mx2onnx.UsageError, 'gives "complex" as an element type'),
        (lambda n: [(2, 3)], TypeError, "expected an ArrayType"),
        (lambda n: n.nothing, AttributeError, "nothing"),
    ],
)
def test_mistakes_in_a_shape_rule(register, infer, error, message):
    with pytest.raises(error) as raised:
        failing(register, infer=infer)
    assert message in str(raised.value)


def test_parameters_have_to_be_inputs(register):
    with pytest.raises(ValueError, match="parameters that are no inputs: w"):
        mx2onnx.register_operator("X", inputs=["data"], parameters=["w"])


# Nodes of a custom domain.


def domain_nodes(model, domain="org.apache.mxnet"):
    return [n for n in onnx.load_from_string(model).graph.node if n.domain == domain]


UNKNOWN = symbol(
    (
        "_contrib_fused_attention",
        "s",
        {"out_dim": "5", "scale": "0.5", "window": "(1, 2)", "offsets": "(0.5, 1)", "on": "True", "mode": "fast"},
        ["data", "h"],
    ),
    ("relu", "r", {}, ["s"]),
    ("_plus_scalar", "p", {"scalar": "1"}, ["r"]),
)


@pytest.mark.parametrize("opset", [12, 17, 28])
def test_unknown_operators_in_a_domain(opset):
    result = mx2onnx.convert(UNKNOWN, inputs={"data": ("n", 3), "h": (3,)}, opset=opset, custom_domain=True)
    (node,) = domain_nodes(result.model)
    assert node.op_type == "_contrib_fused_attention" and list(node.input) == ["data", "h"] and len(node.output) == 1
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert values == {"out_dim": 5, "scale": 0.5, "window": [1, 2], "offsets": [0.5, 1.0], "on": 1, "mode": b"fast"}
    (warning,) = result.diagnostics
    assert warning["id"] == "W-custom-domain" and "'_contrib_fused_attention' of the domain" in warning["message"]
    assert result.outputs == [{"name": "p_output", "dtype": "float32", "shape": ["..."]}]
    proto = onnx.load_from_string(result.model)
    assert not proto.graph.output[0].type.tensor_type.HasField("shape")
    assert [(i.domain, i.version) for i in proto.opset_import] == [("", opset), ("org.apache.mxnet", 1)]
    assert [n.op_type for n in proto.graph.node] == ["_contrib_fused_attention", "Relu", "Add"]


def test_a_python_operator_in_a_domain():
    result = mx2onnx.convert(SOFT_CLIP, inputs={"data": (2, 3)}, custom_domain="com.acme")
    (node,) = domain_nodes(result.model, "com.acme")
    assert node.op_type == "soft_clip" and [a.name for a in node.attribute] == ["limit"]


def test_a_kernel_in_the_runtime():
    """A model with a node of another domain runs where there is a kernel: ONNX Runtime has one for this."""
    text = symbol(("BiasGelu", "g", {}, ["data", "bias"]), ("relu", "r", {}, ["g"]))
    model = mx2onnx.convert(text, inputs={"data": (2, 3), "bias": (3,)}, custom_domain="com.microsoft", opset=17).model
    x = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
    (found,) = run(model, {"data": x, "bias": np.ones(3, "float32")})
    assert found.shape == (2, 3) and found[1, 2] == pytest.approx(2.996, abs=1e-3)


def test_shapes_in_a_domain():
    text = symbol(
        ("Unheard", "u", {"__shape__": "(2, 0, 3)"}, ["data"]),
        ("Reshape", "r", {"shape": "(0, -1)"}, ["u"]),
    )
    result = mx2onnx.convert(text, inputs={"data": (2, 3)}, custom_domain=True)
    assert result.outputs[0]["shape"][0] == 2 and result.outputs[0]["shape"][1].startswith("3*u_output.1")
    onnx.load_from_string(result.model)


def test_several_outputs_in_a_domain():
    text = symbol(
        ("Unheard", "u", {}, ["data"]), ("relu", "a", {}, ["u:2"]), ("relu", "b", {}, ["u:0"]), heads=["a", "b"]
    )
    (node,) = domain_nodes(mx2onnx.convert(text, inputs={"data": (2, 3)}, custom_domain=True).model)
    assert len(node.output) == 3


def test_an_operator_that_needs_the_shape():
    text = symbol(("Unheard", "u", {}, ["data"]), ("transpose", "t", {}, ["u"]))
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(text, inputs={"data": (2, 3)}, custom_domain=True)
    assert str(error.value) == (
        "symbol: node 2 't' (transpose): needs the shape of its input 'data', which 'u' (Unheard) leaves open\n"
        "hint: give the node of the custom domain the attribute __shape__, or register a translation with a shape rule"
    )


def test_an_operator_that_tells_the_shape():
    """A shape that a later node determines flows back."""
    text = symbol(
        ("Unheard", "u", {}, ["data"]), ("elemwise_add", "s", {}, ["u", "other"]), ("transpose", "t", {}, ["s"])
    )
    result = mx2onnx.convert(text, inputs={"data": (2, 3), "other": (4, 5)}, custom_domain=True)
    assert result.outputs[0]["shape"] == [5, 4]


def test_domain_of_the_command_line(tmp_path):
    (tmp_path / "n-symbol.json").write_text(UNKNOWN)
    out = str(tmp_path / "n.onnx")
    arguments = ["convert", str(tmp_path / "n-symbol.json"), "-o", out, "--input", "data:2,3", "--input", "h:3", "-q"]
    tool(*arguments, code=6)
    tool(*arguments, "--allow-custom-domain")
    assert domain_nodes(pathlib.Path(out).read_bytes())
    tool(*arguments, "--allow-custom-domain=com.acme")
    assert domain_nodes(pathlib.Path(out).read_bytes(), "com.acme")
    tool(*arguments, "--allow-custom-domain=ai.onnx", code=2)


def test_translated_operators_stay_as_they_are():
    text = symbol(("relu", "r", {}, ["data"]))
    inputs = {"data": (2, 3)}
    assert mx2onnx.convert(text, inputs=inputs, custom_domain=True).model == mx2onnx.convert(text, inputs=inputs).model
