"""What a translation is handed, kept for longer than it runs: clear errors, never memory that is gone, and nothing that is never
let go of."""

import subprocess
import sys
import textwrap

import mx2onnx
import pytest
from networks import SymbolBuilder

PREPARE = """
    import mx2onnx, sys
    from networks import SymbolBuilder
    net = SymbolBuilder()
    text = net.json(net.node("Custom", "c", net.variable("data"), op_type="kept"))
    kept = []

    @mx2onnx.register_operator("Custom:kept", inputs=["data"], infer=lambda node: kept.append(node) or node.inputs)
    def translate(node, onnx):
        kept.append((node, onnx, onnx.input(0), onnx._core))
        onnx.set_output(0, onnx.emit("Relu", [onnx.input(0)]))
        if len(sys.argv) > 1 and sys.argv[1] == "fail":
            raise RuntimeError("as planned")
"""

USES = {
    "has": "onnx.has('Relu')",
    "input": "onnx.input(0)",
    "constant": "onnx.constant(1.0)",
    "shape": "onnx.shape([1])",
    "emit": "onnx.emit('Relu', [value])",
    "emit without inputs": "onnx.emit('Constant', [], {'value_float': 1.0}, outputs=[mx2onnx.ArrayType((), 'float32')])",
    "set_output": "onnx.set_output(0, value)",
    "refuse": "onnx.refuse('no')",
    "warn": "onnx.warn('well')",
    "core": "core.input(0)",
    "core's has": "core.has('Relu')",
}


def run(code, *arguments):
    """A program in a process of its own."""
    program = textwrap.dedent(code)
    paths = [p for p in sys.path if p]
    start = "import sys; sys.path[:0] = %r\n" % paths
    return subprocess.run(
        [sys.executable, "-c", start + program, *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("ending", ["succeeds", "fail"])
def test_an_emitter_after_its_translation(ending):
    code = textwrap.dedent(PREPARE) + textwrap.dedent("""
        import gc
        try:
            mx2onnx.convert(text, inputs={"data": ("N", 3)})
        except RuntimeError:
            pass
        gc.collect()
        node, onnx, value, core = kept[-1]
        for use in %r:
            try:
                eval(use)
            except mx2onnx.UsageError as error:
                assert str(error) == "an emitter is only good while its translation runs", error
            else:
                raise AssertionError(use)
        assert node.inputs[0].shape == ("N", 3) and repr(value)
        print("done")
    """ % (list(USES.values()),))  # fmt: skip
    process = run(code, ending)
    assert (process.stdout, process.stderr, process.returncode) == ("done\n", "", 0)


@pytest.mark.parametrize("where", ["another conversion", "another node"])
def test_a_value_of_another_translation(where):
    kept = []

    @mx2onnx.register_operator("Custom:kept", inputs=["data"])
    def translate(node, onnx):
        kept.append(onnx.input(0))
        onnx.set_output(0, onnx.emit("Relu", [kept[0]]))

    net = SymbolBuilder()
    first = net.node("Custom", "c", net.variable("data"), op_type="kept")
    text = net.json(first)
    if where == "another node":
        text = net.json(net.node("Custom", "d", first, op_type="kept"))
    try:
        with pytest.raises(mx2onnx.UsageError, match="'Custom:kept' uses a value of another node's translation"):
            for _ in range(2):
                mx2onnx.convert(text, inputs={"data": (2, 3)})
    finally:
        mx2onnx.unregister_operator("Custom:kept")


ENDINGS = {
    "registered": "",
    "kept": "mx2onnx.convert(text, inputs={'data': (2, 3)})",
    "failed": "mx2onnx.convert(text, inputs={'data': (2, 3)}, outputs=['nothing'])",
    "raised": "sys.argv.append('fail'); mx2onnx.convert(text, inputs={'data': (2, 3)})",
    "options": "o = mx2onnx._core.ConvertOptions(); o.progress = lambda a, b: o; o.operators = mx2onnx._custom.registered_operators()",
    "a cycle": "op = mx2onnx._core.CustomOperator('x', [], ['o'], None, lambda n, e: op); op.name",
    "a result": "r = mx2onnx.convert(text, inputs={'data': (2, 3)}); e = r.model",
    "values": "v = mx2onnx._core.OnnxValue(); t = mx2onnx._core.CustomType(); p = mx2onnx._core.Preprocessing()",
    "in a function": "def f():\n    x = mx2onnx.convert(text, inputs={'data': (2, 3)}); g = lambda: (x, g); return g\ng = f()",
    "exit": "mx2onnx.convert(text, inputs={'data': (2, 3)}); sys.exit(0)",
    "exit within": "mx2onnx._custom._registered.clear(); mx2onnx.register_operator('Custom:kept', inputs=['data'])"
    "(lambda n, o: sys.exit(0)); mx2onnx.convert(text, inputs={'data': (2, 3)})",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_nothing_is_reported_as_leaked(ending):
    process = run(textwrap.dedent(PREPARE) + ending)
    assert "leak" not in process.stderr and process.returncode in (0, 1), process.stderr
    assert "Traceback" not in process.stderr or "nothing" in ending or "fail" in ending, process.stderr


def test_kinds_of_attributes():
    """Whole numbers and lists are made of the kind that the operator's attribute has; what cannot be is refused."""

    def emitted(op_type, attributes, **options):
        @mx2onnx.register_operator("Custom:kept", inputs=["data"])
        def translate(node, onnx):
            made = onnx.emit(op_type, [onnx.input(0)], attributes, **options)
            onnx.set_output(0, made[0] if isinstance(made, list) else made)

        net = SymbolBuilder()
        text = net.json(net.node("Custom", "c", net.variable("data"), op_type="kept"))
        try:
            return mx2onnx.convert(text, inputs={"data": (2, 3)})
        finally:
            mx2onnx.unregister_operator("Custom:kept")

    emitted("LeakyRelu", {"alpha": 1}).session()
    emitted("Elu", {"alpha": True}).session()
    for op_type, attributes, message in [
        ("LeakyRelu", {"alpha": "1"}, "LeakyRelu is emitted with a text as attribute 'alpha', which is a number"),
        (
            "LeakyRelu",
            {"alpha": [1.0]},
            "LeakyRelu is emitted with a list of numbers as attribute 'alpha', which is a number",
        ),
        ("Softmax", {"axis": 1.0}, "Softmax is emitted with a number as attribute 'axis', which is an integer"),
        (
            "Transpose",
            {"perm": 1},
            "Transpose is emitted with an integer as attribute 'perm', which is a list of integers",
        ),
        (
            "Transpose",
            {"perm": [1.0, 0.0]},
            "Transpose is emitted with a list of numbers as attribute 'perm', which is a list of",
        ),
        ("Pad", {"mode": 1}, "Pad is emitted with an integer as attribute 'mode', which is a text"),
        ("Relu", {"alpha": 1.0}, "needs the attribute 'alpha' of ONNX's Relu, which opset "),
    ]:
        with pytest.raises(mx2onnx.Error) as error:
            emitted(op_type, attributes)
        assert message in str(error.value)
    # Of a domain of one's own nothing is known.
    assert emitted("Mine", {"alpha": "1"}, domain="mine").model
    with pytest.raises(mx2onnx.UsageError, match="output 0 of Relu cannot be int64, for its inputs are float32"):
        emitted("Relu", {}, outputs=[mx2onnx.ArrayType((2, 3), "int64")])
    with pytest.raises(mx2onnx.UsageError, match="Relu is emitted with 2 outputs, it has 1"):
        emitted("Relu", {}, outputs=[mx2onnx.ArrayType((2, 3)), mx2onnx.ArrayType((2, 3))])
    with pytest.raises(mx2onnx.UsageError, match="casts to float16 and says that the output is float32"):
        emitted("Cast", {"to": 10}, outputs=[mx2onnx.ArrayType((2, 3), "float32")])
