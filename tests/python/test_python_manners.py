"""How the package talks to Python: forms of inputs, errors and hints in Python's words, warnings, interruption, notebooks."""

import builtins
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import warnings

import mx2onnx
import networks
import numpy as np
import pytest
from mx2onnx import _core, _wording
from networks import SymbolBuilder
from running import assert_same, run

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL = MODELS / "digits_cnn-symbol.json"
PARAMS = MODELS / "digits_cnn-0000.params"


def convert(**options):
    options.setdefault("inputs", ("batch", 1, 8, 8))
    return mx2onnx.convert(SYMBOL, PARAMS, **options)


def identity():
    net = SymbolBuilder()
    return net.json(net.node("_copy", "same", net.variable("data")))


def two_inputs():
    net = SymbolBuilder()
    return net.json(net.node("broadcast_add", "sum", net.variable("a"), net.variable("b")))


class FakeTensor:
    """An array of another library."""

    shape = (2, 3)
    dtype = "torch.int32"


@pytest.mark.parametrize(
    "inputs,shape,dtype",
    [
        ((2, 3), (2, 3), "float32"),
        ([2, 3], (2, 3), "float32"),
        (("n", 3), ("n", 3), "float32"),
        (("n", "m"), ("n", "m"), "float32"),
        ((None, 3), (None, 3), "float32"),
        ((-1, 3), (None, 3), "float32"),
        (("?", 3), (None, 3), "float32"),
        ({"data": (None, -1)}, (None, None), "float32"),
        ((np.int64(2), np.int32(3)), (2, 3), "float32"),
        (((2, 3), "float16"), (2, 3), "float16"),
        (((2, 3), np.int32), (2, 3), "int32"),
        ({"data": ((2, None), np.dtype("float16"))}, (2, None), "float16"),
        (np.zeros((2, 3)), (2, 3), "float32"),
        (np.zeros((2, 3), "float32"), (2, 3), "float32"),
        (np.zeros((2, 3), "int32"), (2, 3), "int32"),
        ({"data": np.zeros((2, 3), "float16")}, (2, 3), "float16"),
        (FakeTensor(), (2, 3), "int32"),
        ({"data": FakeTensor()}, (2, 3), "int32"),
        ("data:2,3", (2, 3), "float32"),
        (["data:n,3:float16"], ("n", 3), "float16"),
    ],
    ids=lambda value: re.sub(" object at 0x[0-9a-f]+", "", repr(value)),
)
def test_forms_of_inputs(inputs, shape, dtype):
    (port,) = mx2onnx.convert(identity(), inputs=inputs).inputs
    assert port["dtype"] == dtype
    assert len(port["shape"]) == len(shape)
    for found, wanted in zip(port["shape"], shape):
        if wanted is None:
            assert not str(found).isdigit()
        else:
            assert str(found) == str(wanted)


def test_a_shape_alone_is_for_a_model_of_one_input():
    with pytest.raises(mx2onnx.UsageError) as error:
        mx2onnx.convert(two_inputs(), inputs=(2, 3))
    assert str(error.value) == (
        "inputs: a shape without a name is for a model of one input, and this one has 2: 'a', 'b'\n"
        "hint: inputs={'a': …, 'b': …}"
    )
    assert error.value.hint == "inputs={'a': …, 'b': …}"
    assert mx2onnx.convert(two_inputs(), inputs={"a": (2, 3), "b": np.zeros((1, 3))}).outputs[0]["name"] == "sum_output"


def test_shapes_by_name_for_the_old_function(tmp_path):
    path = tmp_path / "out.onnx"
    mx2onnx.export_model(str(SYMBOL), str(PARAMS), {"data": (2, 1, 8, 8)}, np.float32, str(path))
    session = mx2onnx.convert(SYMBOL, PARAMS, inputs=(2, 1, 8, 8)).session()
    assert [i.shape for i in session.get_inputs()] == [[2, 1, 8, 8]]
    assert_same(run(str(path), {"data": np.zeros((2, 1, 8, 8), "float32")}),
                session.run(None, {"data": np.zeros((2, 1, 8, 8), "float32")}))  # fmt: skip
    with pytest.raises(mx2onnx.UsageError, match="in_shapes: the model has no input 'image': it has 'data'"):
        mx2onnx.export_model(str(SYMBOL), str(PARAMS), {"image": (2, 1, 8, 8)}, onnx_file_path=str(path))
    mx2onnx.export_model(two_inputs(), {}, {"b": (1, 3), "a": (2, 3)}, {"a": "float32", "b": "float32"}, str(path))
    assert [i.shape for i in mx2onnx_session(path).get_inputs()] == [[2, 3], [1, 3]]


def mx2onnx_session(path):
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


WRONG = {
    "opset text": ({"opset": "17"}, "opset: expected a whole number, got '17'"),
    "opset float": ({"opset": 17.0}, "opset: expected a whole number, got 17.0"),
    "outputs": ({"outputs": [5]}, "outputs: expected a text, got 5"),
    "outputs none": ({"outputs": None}, "outputs: expected a list of texts, got None"),
    "rename": ({"rename": ["a=b"]}, "rename: expected a mapping of old names to new ones, got ['a=b']"),
    "rename values": ({"rename": {"data": 5}}, "rename: expected a text, got 5"),
    "rename_params": ({"rename_params": [("a", "b")]}, "rename_params: expected a text, got ('a', 'b')"),
    "rename_params values": ({"rename_params": {"a": None}}, "rename_params: expected a text, got None"),
    "optimize": ({"optimize": "no"}, "optimize: expected True or False, got 'no'"),
    "disabled_passes": ({"disabled_passes": 3}, "disabled_passes: expected a list of texts, got 3"),
    "random_weights": ({"random_weights": 1}, "random_weights: expected True or False, got 1"),
    "no_dropout": ({"no_dropout": None}, "no_dropout: expected True or False, got None"),
    "float16": ({"float16": 1}, "float16: expected True or False, got 1"),
    "bfloat16": ({"bfloat16": 1}, "bfloat16: expected True or False, got 1"),
    "float16_io": ({"float16_io": "x"}, "float16_io: expected True or False, got 'x'"),
    "weights": ({"weights": 8}, "weights: expected a text, got 8"),
    "weights_operator": ({"weights_operator": 1}, "weights_operator: expected a text, got 1"),
    "weights_block": ({"weights_block": "32"}, "weights_block: expected a whole number, got '32'"),
    "keep_float32": ({"float16": True, "keep_float32": [1]}, "keep_float32: expected a text, got 1"),
    "weights_in_place": ({"weights_in_place": "x"}, "weights_in_place: expected True or False, got 'x'"),
    "external_data": ({"external_data": "x"}, "external_data: expected True or False, got 'x'"),
    "custom_domain": ({"custom_domain": 5}, "custom_domain: expected a text, got 5"),
    "progress": ({"progress": 5}, "progress: expected a function, got 5"),
    "mean": ({"mean": "dark"}, "mean: expected a number or several, got 'dark'"),
    "std": ({"std": [1, None]}, "std: expected a number or several, got [1, None]"),
    "layout": ({"layout": 5}, "layout: expected a text, got 5"),
    "image_input": ({"image_input": 5}, "image_input: expected a text, got 5"),
    "output": ({"output": 5}, "output: expected a path, got 5"),
    "inputs": ({"inputs": 5}, "inputs: expected a mapping of names to shapes, or a shape, got 5"),
    "inputs name": ({"inputs": {5: (1, 2)}}, "inputs: expected a text, got 5"),
    "inputs size": (
        {"inputs": {"data": (1.5, 1)}},
        "inputs: a size of 'data' is a number, a name, None or -1, not 1.5",
    ),  # fmt: skip
    "inputs bool": (
        {"inputs": {"data": (True, 1)}},
        "inputs: a size of 'data' is a number, a name, None or -1, not True",
    ),  # fmt: skip
    "inputs value": (
        {"inputs": {"data": 5}},
        "inputs: 'data': expected a shape, a pair of shape and element type, or an array, got 5",
    ),  # fmt: skip
    "long": ({"outputs": {"a" * 100: 1}}, "outputs: expected a list of texts, got {'%s..." % ("a" * 55)),
}


@pytest.mark.parametrize("options,message", WRONG.values(), ids=WRONG)
def test_wrong_types_are_called_by_their_names(options, message):
    with pytest.raises(TypeError) as error:
        convert(**options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "symbol,params,message",
    [
        (5, None, "symbol: expected a path, got 5"),
        (None, None, "symbol: expected a path, got None"),
        (SYMBOL, 5, "params: expected paths or a mapping of names to arrays, got int"),
        (SYMBOL, [5], "params: expected a path, got 5"),
        (SYMBOL, {5: np.zeros(3)}, "params: expected a text, got 5"),
        (SYMBOL, {"w": None}, "params: 'w' is no array of numbers: NoneType"),
        (SYMBOL, {"w": "text"}, "params: 'w' is no array of numbers: str"),
    ],
    ids=str,
)
def test_wrong_models_are_called_by_their_names(symbol, params, message):
    with pytest.raises(TypeError) as error:
        mx2onnx.convert(symbol, params)
    assert str(error.value) == message
    with pytest.raises(TypeError) as error:
        mx2onnx.inspect(symbol, params)
    assert str(error.value) == message


@pytest.mark.parametrize("options", [{"opset": 2**70}, {"opset": -(2**70)}, {"outputs": ["\ud800"]}, {"layout": "\udcff"},
                                     {"rename": {"a": "\ud800"}}, {"inputs": {"\ud800": (1,)}}, {"inputs": ("\ud800", 2)},
                                     {"output": "a\0b"}])  # fmt: skip
def test_values_that_no_model_has(options):
    with pytest.raises(mx2onnx.UsageError) as error:
        convert(**options)
    assert "nanobind" not in str(error.value) and "incompatible" not in str(error.value)


def test_every_binding_speaks_our_words(monkeypatch):
    """Behind the checks there is a net, should one of them have a hole."""
    monkeypatch.setattr(mx2onnx._api.check, "whole", lambda argument, value: value)
    with pytest.raises(TypeError) as error:
        convert(opset="17")
    text = str(error.value)
    assert "incompatible function arguments" not in text and "_core" not in text


def misuse_of_an_emitter(do):
    @mx2onnx.register_operator("Custom:misused", inputs=["data"])
    def translate(node, onnx):
        do(onnx)
        onnx.set_output(0, onnx.input(0))

    net = SymbolBuilder()
    text = net.json(net.node("Custom", "c", net.variable("data"), op_type="misused"))
    try:
        mx2onnx.convert(text, inputs=(2, 3))
    finally:
        mx2onnx.unregister_operator("Custom:misused")


@pytest.mark.parametrize(
    "do,message",
    [
        (lambda onnx: onnx.has(5), "has: the operator: expected a text, got 5"),
        (lambda onnx: onnx.input("data"), "input: expected a whole number, got 'data'"),
        (lambda onnx: onnx.constant("text"), "constant: expected numbers, got 'text'"),
        (lambda onnx: onnx.emit(5, []), "emit: the operator: expected a text, got 5"),
        (lambda onnx: onnx.emit("Relu", [5]), "emit: input 0: expected a value that the emitter gave, got 5"),
        (lambda onnx: onnx.emit("Relu", onnx.input(0)), "emit: inputs: expected a list of values, got one value"),
        (lambda onnx: onnx.emit("Relu", [onnx.input(0)], [1]),
         "emit: attributes: expected a mapping of names to values, got [1]"),
        (lambda onnx: onnx.emit("Elu", [onnx.input(0)], {"alpha": None}),
         "emit: attribute 'alpha': expected numbers or texts, got None"),
        (lambda onnx: onnx.emit("Elu", [onnx.input(0)], {5: 1.0}), "emit: attributes: expected a text, got 5"),
        (lambda onnx: onnx.set_output(0, None), "set_output: expected a value that the emitter gave, got None"),
        (lambda onnx: onnx.set_output("x", onnx.input(0)), "set_output: expected a whole number, got 'x'"),
        (lambda onnx: onnx.refuse(5), "refuse: reason: expected a text, got 5"),
        (lambda onnx: onnx.warn(None), "warn: message: expected a text, got None"),
    ],
)  # fmt: skip
def test_misuse_of_the_emitter(do, message):
    with pytest.raises(TypeError) as error:
        misuse_of_an_emitter(do)
    assert str(error.value) == message


def test_attributes_of_numpy_are_taken():
    misuse_of_an_emitter(lambda onnx: onnx.emit("Elu", [onnx.input(0)], {"alpha": np.float32(1)}))
    misuse_of_an_emitter(lambda onnx: onnx.emit("Transpose", [onnx.input(0)], {"perm": np.array([1, 0])}))


def test_every_option_of_convert_has_python_s_word():
    """A message names options as the command line has them; none of them reaches a Python user so."""
    help_text = subprocess.run(
        [sys.executable, "-m", "mx2onnx", "convert", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = {option for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", help_text)} - {"--help"}
    of_the_tool = {"--quiet", "--json", "--timings", "--verify", *NOT_IN_PYTHON}
    assert options - of_the_tool <= _wording.OPTIONS
    for option in options - of_the_tool:
        assert option not in _wording.in_python("try %s" % option), option
        assert option not in _wording.in_python("try %s value" % option), option


# What a session of the terminal needs and a program has other ways for.
NOT_IN_PYTHON = {"--jobs", "--list-targets"}


@pytest.mark.parametrize(
    "text,python",
    [
        ("--outputs a,b", 'outputs=["a", "b"]'),
        ("what converts: --outputs a_output", 'what converts: outputs=["a_output"]'),
        ("give --input data:1,3,224,224", 'give inputs={"data": (1, 3, 224, 224)}'),
        ("--input data:batch,3,?:float16", 'inputs={"data": (("batch", 3, None), "float16")}'),
        ("--input a:2 --input b:n", 'inputs={"a": (2,), "b": ("n",)}'),
        ("--rename-param '*_w=*_weight'", 'rename_params={"*_w": "*_weight"}'),
        ("--rename-param 'a=b' --rename-param '*=net_*'", 'rename_params={"a": "b", "*": "net_*"}'),
        ("another name (--rename-param)", "another name (rename_params)"),
        ("ask for --opset 18 or newer", "ask for opset=18 or newer"),
        ("or ask for --random-weights", "or ask for random_weights=True"),
        ("--no-dropout makes it plain", "no_dropout=True makes it plain"),
        ("--input data:1,3; or --outputs x.", 'inputs={"data": (1, 3)}; or outputs=["x"].'),
        ("mx2onnx convert net-symbol.json 'a b.params' -o OUT.onnx --input x:1,2", 'inputs={"x": (1, 2)}'),
        ("--batch 1 and --fixed", "batch=1 and fixed=True"),
        ("nothing -- to --be translated", "nothing -- to --be translated"),
    ],
)
def test_words(text, python):
    assert _wording.in_python(text) == python


def test_hints_speak_python():
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(SYMBOL, inputs=(1, 1, 8, 8))
    assert error.value.hint == "name the .params file, or ask for random_weights=True"
    assert str(error.value).endswith("\nhint: name the .params file, or ask for random_weights=True")


def warned():
    stored = np.zeros(3, "float32")
    net = SymbolBuilder()
    text = net.json(net.node("exp", "e", net.variable("data")))
    return mx2onnx.convert(text, {"extra": stored}, inputs=(1, 3))


def test_warnings_are_python_s(recwarn):
    warned()
    (warning,) = recwarn.list
    assert warning.category is mx2onnx.ConversionWarning and issubclass(warning.category, UserWarning)
    assert str(warning.message) == (
        "W-unused-parameter: 1 stored parameter is not in the symbol, 'extra' for instance; left out"
    )
    assert (warning.message.id, warning.message.node) == ("W-unused-parameter", "extra")
    assert warning.message.message == "1 stored parameter is not in the symbol, 'extra' for instance; left out"
    assert warning.filename == __file__


def test_warnings_can_be_filtered():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "W-unused-parameter", mx2onnx.ConversionWarning)
        assert warned().diagnostics[0]["id"] == "W-unused-parameter"
        assert caught == []
        warnings.filterwarnings("error", "W-unused-parameter")
        with pytest.raises(mx2onnx.ConversionWarning):
            warned()


def test_the_old_function_warns_at_its_caller(recwarn, tmp_path):
    net = SymbolBuilder()
    text = net.json(net.node("exp", "e", net.variable("data")))
    mx2onnx.export_model(text, {"extra": np.zeros(3, "float32")}, [(1, 3)], np.float32, tmp_path / "o.onnx")
    assert [w.filename for w in recwarn.list if w.category is mx2onnx.ConversionWarning] == [__file__]


# A model that takes some seconds in every phase that a signal may come in.
INTERRUPTED = """
    import os, signal, sys, time
    import mx2onnx
    symbol, params, output, after = sys.argv[1:]
    signal.setitimer(signal.ITIMER_REAL, float(after))
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    start = time.perf_counter()
    try:
        mx2onnx.convert(symbol, params, output=output, inputs=(1, 8))
        print("done", time.perf_counter() - start)
    except KeyboardInterrupt:
        print("interrupted", time.perf_counter() - start)
"""


def long_chain(nodes):
    net = SymbolBuilder()
    x = net.variable("data")
    for i in range(nodes):
        x = net.dense("fc%d" % i, x, 8, 8)
    return net.json(x), net.shapes


def interrupted(folder, after):
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), folder / "net-symbol.json", folder / "net.params",
         folder / "out" / "net.onnx", str(after)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    word, seconds = process.stdout.split()
    return word, float(seconds)


def test_ctrl_c_ends_a_conversion_in_any_phase(tmp_path):
    text, shapes = long_chain(5000)
    (tmp_path / "net-symbol.json").write_text(text)
    networks.write_params(str(tmp_path / "net.params"), shapes)
    (tmp_path / "out").mkdir()
    word, whole = interrupted(tmp_path, 3600)
    assert word == "done"
    os.unlink(tmp_path / "out" / "net.onnx")
    words = []
    for part in (0.2, 0.5, 0.8):
        word, seconds = interrupted(tmp_path, whole * part)
        words.append(word)
        # Times vary; but what was interrupted ended soon, and left nothing.
        if word == "done":
            os.unlink(tmp_path / "out" / "net.onnx")
            continue
        assert seconds < whole * part + 0.25 * whole + 0.2, part
        assert os.listdir(tmp_path / "out") == []
    assert "interrupted" in words


def test_a_signal_at_once_is_seen_at_once(tmp_path):
    """The handler runs within the conversion, in the thread that converts: here it raises at the first look."""
    text, shapes = long_chain(3000)
    arrays = {name: np.zeros(shape, "float32") for name, shape in shapes.items()}

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Stop):
            for _ in range(1000):
                mx2onnx.inspect(text, arrays, inputs=(1, 8))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_dir_is_complete():
    assert set(mx2onnx.__all__) <= set(dir(mx2onnx))
    for name in mx2onnx.__all__:
        assert getattr(mx2onnx, name) is not None, name
    assert {"session", "to_onnx", "save", "diagnostics"} <= set(dir(convert()))


def test_results_can_be_read(tmp_path):
    result = convert()
    assert repr(result) == (
        "<ConvertResult opset 17: data float32(batch, 1, 8, 8) -> probabilities_output float32(batch, 10)>"
    )
    html = result._repr_html_()
    assert html.startswith("<table>") and "float32(batch, 1, 8, 8)" in html
    net = SymbolBuilder()
    hostile = mx2onnx.convert(net.json(net.node("exp", "<b>&", net.variable("<script>"))), inputs=(1, 2))
    assert "<script>" not in hostile._repr_html_() and "&lt;script&gt;" in hostile._repr_html_()
    assert "W-unused-parameter" in warned()._repr_html_()


def test_verifications_can_be_read(tmp_path):
    convert(output=tmp_path / "o.onnx")
    result = mx2onnx.verify(
        SYMBOL, PARAMS, tmp_path / "o.onnx", expect=MODELS.parent / "verify" / "digits_cnn-internals.npz"
    )
    assert repr(result) == "<VerifyResult of %d case%s: the numbers agree>" % (
        len(result.cases),
        "" if len(result.cases) == 1 else "s",
    )
    assert result._repr_html_().startswith("<pre>inputs data") and result._repr_html_().endswith("agree</pre>")


def test_session(tmp_path):
    x = np.random.RandomState(0).rand(2, 1, 8, 8).astype("float32")
    in_memory = convert()
    on_disk = convert(output=tmp_path / "o.onnx", external_data=True)
    expected = run(in_memory.model, {"data": x})
    for result in (in_memory, on_disk):
        session = result.session()
        assert session.get_providers() == ["CPUExecutionProvider"]
        assert_same(session.run(None, {"data": x}), expected)


def test_session_without_onnx_runtime(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "onnxruntime":
            raise ImportError("No module named 'onnxruntime'")
        return real(name, *arguments, **options)

    result = convert()
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError) as error:
        result.session()
    assert str(error.value) == "session() needs ONNX Runtime: pip install onnxruntime"


def test_a_bar_of_progress(tmp_path):
    """The line of the documentation, with a bar that is like tqdm's."""

    class Bar:
        n, total = 0, None

        def update(self, more):
            self.n += more

    bar = Bar()
    text, shapes = long_chain(300)
    arrays = {name: np.zeros(shape, "float32") for name, shape in shapes.items()}
    mx2onnx.convert(text, arrays, inputs=(1, 8), output=tmp_path / "o.onnx",
                    progress=lambda done, total: (setattr(bar, "total", total), bar.update(done - bar.n)))  # fmt: skip
    assert bar.n == bar.total and bar.total > 0


def test_the_core_is_named_for_what_it_is():
    assert json.loads(json.dumps(sorted(n for n in dir(_core) if n.startswith("convert")))) == [
        "convert_to_file",
        "convert_to_memory",
    ]
