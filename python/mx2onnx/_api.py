"""The package's functions: Python's forms of models and inputs, made into what the core takes."""

import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Optional, Union

from . import _arguments as check
from . import _core, _live
from ._custom import registered_operators
from ._errors import UsageError, in_python, warn_of
from ._inputs import Inputs, dtype_name, specs
from ._page import write_text
from ._result import ConvertResult

Path = Union[str, "os.PathLike[str]"]
Params = Union[Path, Sequence[Path], Mapping[str, Any], Sequence[Mapping[str, Any]], None]


def _rename_rules(rules: Union[Mapping[str, str], Iterable[str]]) -> list[_core.RenameRule]:
    if isinstance(rules, Mapping):
        return [_core.RenameRule(old, new) for old, new in check.pairs("rename_params", rules).items()]
    return [_core.parse_rename("rename_params", text) for text in check.texts("rename_params", rules)]


def _given_array(name: str, value: Any) -> _core.GivenArray:
    import numpy

    check.text("params", name)
    array, dtype = _live.array_of("params: %r" % name, value)
    shape = list(array.shape)
    # A view of the bytes; NumPy makes 0-d arrays 1-d here.
    flat = numpy.ascontiguousarray(array).reshape(-1)
    return _core.GivenArray(name, dtype, shape, flat.view(numpy.uint8))


@contextmanager
def _opened(symbol: Any, params: Any) -> Iterator[tuple[Any, Any]]:
    """Symbol and parameters, those of a Gluon block as files that last as long as the context."""
    if not _live.is_block(symbol):
        yield symbol, params
        return
    if params is not None:
        raise UsageError("a Gluon block brings its own parameters: params must be None")
    with _live.exported(symbol) as files:
        yield files


def _choice(epoch: Optional[int], unpack_limit: Optional[int]) -> _core.Choice:
    return _core.Choice(
        None if epoch is None else check.whole("epoch", epoch),
        None if unpack_limit is None else check.byte_count("unpack_limit", unpack_limit),
    )


def _source(
    symbol: Any, params: Any, epoch: Optional[int] = None, unpack_limit: Optional[int] = None
) -> dict[str, Any]:
    """The core's arguments for a model (path, the symbol's JSON text itself, or live) and its parameters."""
    text = _live.symbol_text(symbol)
    name = "symbol" if text is not None else check.path("symbol", symbol)
    choice = _choice(epoch, unpack_limit)
    paths: list[str] = []
    arrays: list[_core.GivenArray] = []
    mapping = _live.parameter_mapping(params)
    if mapping is not None:
        arrays = [_given_array(key, value) for key, value in mapping.items()]
    elif isinstance(params, (str, bytes, os.PathLike)):
        paths = [check.path("params", params)]
    elif isinstance(params, Iterable):
        paths = [check.path("params", path) for path in params]
    elif params is not None:
        raise TypeError("params: expected paths or a mapping of names to arrays, got %s" % type(params).__name__)
    json = "" if text is None else check.encodable("symbol", text)
    return {"name": name, "json": json, "param_paths": paths, "arrays": arrays, "choice": choice}


def _options(
    inputs: Optional[Inputs],
    opset: Optional[int],
    mxnet_version: Optional[str],
    source: Mapping[str, Any],
    architecture: Optional[str] = None,
) -> _core.ConvertOptions:
    options = _core.ConvertOptions()
    options.mxnet_version = "" if mxnet_version is None else check.text("mxnet_version", mxnet_version)
    options.opset = _core.DEFAULT_OPSET if opset is None else check.whole("opset", opset)
    options.raise_opset = opset is None
    options.operators = registered_operators()
    options.architecture = check.text("architecture", architecture or "")

    def input_names() -> list[str]:
        return [port["name"] for port in _core.inspect(**source, options=options)["inputs"]]

    options.inputs = specs(inputs, input_names)
    return options


def _preprocessing(
    mean: Union[float, Sequence[float], None],
    std: Union[float, Sequence[float], None],
    scale: Union[float, str, None],
    layout: Optional[str],
    input_type: Any,
    image_input: Optional[str],
) -> Optional[_core.Preprocessing]:
    if all(value is None for value in (mean, std, scale, layout, input_type, image_input)):
        return None
    result = _core.Preprocessing()
    result.mean = check.numbers("mean", mean)
    result.std = check.numbers("std", std)
    result.scale = "" if scale is None else str(scale)
    result.layout = check.text("layout", layout or "")
    result.dtype = "" if input_type is None else dtype_name(input_type)
    result.input = check.text("image_input", image_input or "")
    return result


def convert(
    symbol: Any,
    params: Params = None,
    *,
    inputs: Optional[Inputs] = None,
    output: Optional[Path] = None,
    batch: Optional[int] = None,
    fixed: bool = False,
    opset: Optional[int] = None,
    outputs: Sequence[str] = (),
    rename: Optional[Mapping[str, str]] = None,
    mean: Union[float, Sequence[float], None] = None,
    std: Union[float, Sequence[float], None] = None,
    scale: Union[float, str, None] = None,
    layout: Optional[str] = None,
    input_type: Any = None,
    image_input: Optional[str] = None,
    optimize: bool = True,
    disabled_passes: Sequence[str] = (),
    rename_params: Union[Mapping[str, str], Iterable[str]] = (),
    random_weights: bool = False,
    no_dropout: bool = False,
    quantized_form: str = "qdq",
    external_data: bool = False,
    weights_in_place: bool = False,
    float16: bool = False,
    bfloat16: bool = False,
    float16_io: bool = False,
    weights: str = "float32",
    weights_operator: str = "DequantizeLinear",
    weights_block: int = 32,
    keep_float32: Sequence[str] = (),
    custom_domain: Union[bool, str] = False,
    mxnet_version: Optional[str] = None,
    epoch: Optional[int] = None,
    unpack_limit: Optional[int] = None,
    architecture: Optional[str] = None,
    prepare: bool = False,
    target: Union[str, Iterable[str]] = (),
    progress: Optional[Callable[[int, int], None]] = None,
    html: Optional[Path] = None,
) -> ConvertResult:
    """Converts a model.

    ``symbol`` is the path of a ``*-symbol.json``, or its text, or a live ``Symbol`` of any MXNet, or a
    Gluon ``HybridBlock`` that was hybridized and has run once. ``params`` is the path of a parameter
    file, several paths, or a mapping of names to arrays of NumPy or MXNet; a block needs none.

    Without ``params``, ``symbol`` may also be the path of a folder, of an archive (``model.tar.gz``, ``.tar``,
    ``.zip``, ``.mar``), or what the names of a checkpoint's files begin with. ``epoch`` says which of several
    checkpoints is meant, the newest otherwise; ``unpack_limit`` how many bytes small files may become: packed and sparse
    ones, and the model that is made (100 times their size, unless given).

    A parameter file alone, as GluonCV, Gluon's model zoo and GluonNLP distribute pretrained weights, is recognised
    by its names and shapes; ``architecture`` names the net where that could be several (:func:`architectures`). With
    ``prepare`` the model takes RGB bytes with channels last, prepared as that net was trained.

    The model and its weights say what its inputs are; what they leave open stays free, under names such as
    ``batch`` and ``height``. ``batch`` is a number for the size of that name, and ``fixed=True`` makes all
    such sizes numbers, for runtimes that want that.

    ``inputs`` says more: a mapping of names to shapes, ``{"data": ("batch", 3, 224, 224)}``, to pairs of shape
    and element type, to element types, or to arrays like those that the model takes; for a model of one input one
    of these alone, ``(1, 3, 224, 224)``; or the command line's form, ``["data:batch,3,224,224:float32"]``. A name
    in a shape is a free size; None, -1 and "?" are for the model to say. Without ``opset`` it is 17, or a higher one
    where the model needs it, which a warning says.

    With ``output`` the model is written to that file, and nothing is left behind if that fails; without
    it, the result has the bytes in ``model``.

    ``outputs`` names inner values that become the outputs (``["relu1_output"]``), and ``rename`` maps
    names of inputs and outputs to those that they get in the ONNX model.

    With any of ``mean``, ``std``, ``scale``, ``layout`` and ``input_type`` the model takes the image as it
    comes from a file and prepares it: ``(image * scale - mean) / std``, in this order, with ``mean`` and
    ``std`` one value or one per channel, ``scale`` a number or a fraction (``"1/255"``), ``layout="NHWC"``
    for channels last (``inputs`` has MXNet's order still) and ``input_type`` such as ``"uint8"``.
    ``image_input`` names the input if several could be meant.

    With ``custom_domain`` operators that are not translated become nodes of that domain (True for
    "org.apache.mxnet"), for a runtime that has kernels for them; a warning names them.
    ``optimize=False`` leaves out all optimisation passes, ``disabled_passes`` those of these names
    (``pass_names``). ``rename_params`` maps old to new names of parameters that are named a little
    differently, with ``*`` for any text (the first that matches counts), or has such rules as ``"old=new"``.
    ``random_weights`` fills in what no file has. ``no_dropout`` takes a Dropout that drops at inference too
    (``mode="always"``) for a plain one. ``quantized_form`` says how layers that MXNet quantised are written: ``"qdq"``, float operators
    between QuantizeLinear and DequantizeLinear, ``"qlinear"``, operators on integers, or ``"float"``, the float
    network in which nothing is rounded. ``external_data`` writes the
    weights to a file of their own; with ``weights_in_place`` none are written: the model refers to the parameter file,
    which has to lie in the model's folder or below, and to stay there.

    ``float16`` computes in half precision, with float32 where that would lose too much (``report["precision"]`` says
    where and why); inputs and outputs stay float32 unless ``float16_io``. ``bfloat16`` stores weights in that type and
    computes in float32. ``weights="int8"`` or ``"int4"`` stores the weights of products and embeddings in blocks of
    ``weights_block`` elements with a scale each, and computes in float32; ``report["weights"]`` has their sizes, and what
    rounding changed. ``weights_operator="MatMulNBits"`` writes ONNX Runtime's own operator. Without ``opset`` it is then
    21. ``keep_float32`` names nodes or operators of the ONNX model that stay, with ``*`` for any text.

    ``target`` names the runtime that the model is for, or several (:func:`lint_targets`): that decides the opset, fixes
    sizes where free ones cost it something, spells otherwise what it gets wrong, and what remains comes as warnings
    (:func:`lint`).

    ``mxnet_version="0.7"`` says which MXNet wrote the symbol, where the file does
    not say it or is wrong: some operators changed between versions (``variants`` in ``operators``).
    ``progress`` is called with the bytes written and those in all, while a model of some size is written; an
    exception that it raises ends the conversion, as Ctrl-C does at any time.

    ``html`` is where a page is written to that shows the model and what became of it.

    What there is to know of the result comes as warnings of the class ``mx2onnx.ConversionWarning``, after the
    model was made, and is in ``diagnostics``. Raises a subclass of ``mx2onnx.Error``.
    """
    with _opened(symbol, params) as (opened_symbol, opened_params), check.in_our_words("convert"):
        source = _source(opened_symbol, opened_params, epoch, unpack_limit)
        options = _options(inputs, opset, mxnet_version, source, architecture)
        options.prepare = check.flag("prepare", prepare)
        options.batch = None if batch is None else check.whole("batch", batch)
        options.fixed_sizes = check.flag("fixed", fixed)
        options.outputs = check.texts("outputs", outputs)
        options.rename = check.pairs("rename", rename)
        options.preprocessing = _preprocessing(mean, std, scale, layout, input_type, image_input)
        options.optimize = check.flag("optimize", optimize)
        options.disabled_passes = check.texts("disabled_passes", disabled_passes)
        options.rename_params = _rename_rules(rename_params)
        options.random_weights = check.flag("random_weights", random_weights)
        options.no_dropout = check.flag("no_dropout", no_dropout)
        options.targets = check.texts("target", target)
        options.quantized_form = check.text("quantized_form", quantized_form)
        options.external_data = check.flag("external_data", external_data)
        options.weights_in_place = check.flag("weights_in_place", weights_in_place)
        if check.flag("float16", float16) and check.flag("bfloat16", bfloat16):
            raise UsageError("float16=True and bfloat16=True: a model has one of them")
        options.precision = "float16" if float16 else "bfloat16" if check.flag("bfloat16", bfloat16) else "float32"
        options.half_ports = check.flag("float16_io", float16_io)
        options.weights = check.text("weights", weights)
        options.weights_operator = check.text("weights_operator", weights_operator)
        options.weights_block = check.whole("weights_block", weights_block)
        options.keep_float32 = check.texts("keep_float32", keep_float32)
        domain = _core.DEFAULT_CUSTOM_DOMAIN if custom_domain is True else custom_domain or ""
        options.custom_domain = check.text("custom_domain", domain)
        options.progress = check.function("progress", progress)
        if output is None:
            model, report = _core.convert_to_memory(**source, options=options)
            result = ConvertResult(model, _in_python(report))
        else:
            path = check.path("output", output)
            report = _core.convert_to_file(**source, output=path, options=options)
            result = ConvertResult(None, _in_python(report), path)
        options.progress = None
        page = functools.partial(_core.picture, **source, options=options, html=True)
        if html is not None:
            write_text(check.path("html", html), page())
        if source["param_paths"] and not source["json"] and not _live.is_block(symbol):
            result._page = page  # what is live would be kept alive by it
    warn_of(result.diagnostics)
    return result


def _in_python(report: dict[str, Any]) -> dict[str, Any]:
    for entry in report["diagnostics"]:
        entry["message"] = in_python(entry["message"])
    return report


def inspect(
    symbol: Any,
    params: Params = None,
    *,
    inputs: Optional[Inputs] = None,
    opset: Optional[int] = None,
    mxnet_version: Optional[str] = None,
    epoch: Optional[int] = None,
    unpack_limit: Optional[int] = None,
    architecture: Optional[str] = None,
    graph: bool = False,
    html: Optional[Path] = None,
) -> dict[str, Any]:
    """Says what is in a file, as a dict; ``symbol`` may be whatever :func:`convert` takes, and the path of a parameter
    file or of an ONNX file. ``mxnet_version`` is as for ``convert``.

    - ``converts``, ``opset``, ``failure``: whether ``convert`` makes a file of it, for the opset, and the exit code
      (5 or 6) of the command line if it does not; ``problems`` and ``hints``: all that stands in the way, in the words of
      the error that ``convert`` raises
    - ``inputs``, ``outputs``: as in a result of ``convert``; sizes that are not known are "?", and the shape is
      ``["..."]`` if not even the number of dimensions is
    - ``layers``: a dict per node with ``name``, ``op``, ``dtype``, ``shape``, ``parameters``, ``parameter_bytes`` and
      ``multiply_adds``, None where these are not known; multiplications are counted for a size of 1 of ``counted_as_one``
    - ``operators``, ``arguments`` (all variables in MXNet's order), ``labels``, ``missing_parameters``,
      ``num_parameters``, ``parameter_count``, ``parameter_bytes``, ``mxnet_version``, ``np_shape``
    - ``kind``: "symbol", "parameters" (then ``arrays`` has a dict with ``name``, ``dtype``, ``shape`` and ``bytes`` of
      each) or "onnx" (then ``opsets``, ``metadata``, ``producer`` and ``ir_version`` are set)

    With ``graph`` there are ``graphs``, too, MXNet's and the ONNX graph that comes of it: ``nodes``, ``values``, ``inputs`` and
    ``outputs`` of each, which docs/looking.md describes. ``html`` is where a page is written to that shows them.

    Raises a subclass of ``mx2onnx.Error`` for files that cannot be read or are malformed."""
    with _opened(symbol, params) as (opened_symbol, opened_params), check.in_our_words("inspect"):
        source = _source(opened_symbol, opened_params, epoch, unpack_limit)
        options = _options(inputs, opset, mxnet_version, source, architecture)
        if html is not None:
            write_text(check.path("html", html), _core.picture(**source, options=options, html=True))
        result: dict[str, Any]
        if check.flag("graph", graph):
            import json  # costs more than the rest of this module's imports

            result = json.loads(_core.picture(**source, options=options, html=False))
        else:
            result = _core.inspect(**source, options=options)
        for key in ("problems", "hints"):
            result[key] = [in_python(line) for line in result[key]]
        return result


def lint(model: Union[Path, bytes, ConvertResult], targets: Union[str, Iterable[str]] = ()) -> list[dict[str, Any]]:
    """Says what runtimes would refuse of an ONNX model, or compute wrongly. ``model`` is the path of a file, ours or
    anybody's, its bytes, or a result of :func:`convert`; ``targets`` are names of :func:`lint_targets`, all of them unless
    given.

    A dict for each target, with ``target``, ``runtime`` (its version), ``how`` (how its rules are known), ``runs`` (False
    if something is certainly refused or wrong) and ``findings``, the worst first: a dict each with ``severity`` ("wrong",
    "refuse", "risk", "slow" or "untried"), ``op``, ``message``, ``advice``, ``how``, ``certain`` (False where the file does not
    say enough to be sure), ``count`` and ``nodes`` (the names of at most ten).

    Raises a subclass of ``mx2onnx.Error`` for files that cannot be read or are no ONNX models."""
    with check.in_our_words("lint"):
        names = check.texts("targets", targets)
        if isinstance(model, ConvertResult):
            model = model.model if model.model is not None else model.path  # type: ignore[assignment]
        if isinstance(model, (bytes, bytearray, memoryview)):
            return _core.lint_model(bytes(model), names)
        return _core.lint_file(check.path("model", model), names)


def lint_targets() -> list[str]:
    """The runtimes that :func:`lint` has rules for."""
    return _core.lint_targets()


def operators() -> list[dict[str, Any]]:
    """The operator table: a dict per MXNet operator that is translated, with ``name``, ``aliases``,
    ``summary``, ``inputs``, ``attributes``, ``notes`` (known limits) and ``variants``: what it is in files of
    other versions of MXNet, a dict each with ``files`` ("since MXNet 2.0"), ``difference``, ``inputs``,
    ``attributes`` and ``notes``."""
    return _core.operators()


def architectures() -> list[dict[str, Any]]:
    """The nets whose weights are converted without a symbol: a dict each with ``name``, ``task``, ``library``,
    ``files`` (names of its pretrained files), ``inputs`` (shapes by name, which are taken unless ``inputs`` says
    otherwise) and ``classes`` (how many have names, which go into the model's metadata)."""
    import json  # costs more than the rest of this module's imports

    result: list[dict[str, Any]] = json.loads(_core.architectures_json())
    return result


def untranslated_operators() -> list[dict[str, Any]]:
    """The other operators of MXNet 1.9.1: a dict each with ``name``, ``aliases``, ``status`` ("planned" or
    "refused"), ``kind`` and ``reason``. With ``operators`` these are all that it registers."""
    return _core.untranslated_operators()


def pass_names() -> list[str]:
    """The optimisation passes in the order in which they run, for ``disabled_passes``."""
    return _core.pass_names()
