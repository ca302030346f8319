"""The package's functions: Python's forms of models and inputs, made into what the core takes."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Optional, Union

from . import _core, _live
from ._custom import registered_operators
from ._errors import UsageError

Size = Union[int, str]
"""A dimension: a number, a name for a free size, or "?" for a free size without a name."""

InputType = Union[Sequence[Size], tuple[Sequence[Size], str], str]
"""A shape, a pair (shape, dtype), or an element type alone."""

Inputs = Union[Mapping[str, InputType], Iterable[str]]
Path = Union[str, "os.PathLike[str]"]
Params = Union[Path, Sequence[Path], Mapping[str, Any], Sequence[Mapping[str, Any]], None]


class ConvertResult:
    """What a conversion made.

    - ``model``: the ONNX file's bytes; None if it was written to ``output``
    - ``inputs``, ``outputs``: lists of dicts with ``name``, ``dtype`` and ``shape``
    - ``diagnostics``: list of dicts with ``id`` (stable: ``W-…``), ``node`` and ``message``
    - ``report``: all of the above and more as one dict: opset, IR version, node counts, passes, and ``notes``, a list of
      dicts with ``op``, ``nodes`` and ``notes``, which say where MXNet computes something else
    """

    def __init__(self, model: Optional[bytes], report: dict[str, Any], path: Optional[str] = None):
        self.model = model
        self.report = report
        self.path = path

    def to_bytes(self) -> bytes:
        """The ONNX file's bytes, read back if it was written to ``output``."""
        if self.model is not None:
            return self.model
        assert self.path is not None
        with open(self.path, "rb") as file:
            return file.read()

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the model to `path`; the file is complete or not there."""
        import shutil

        target = os.fspath(path)
        if self.path is not None and os.path.exists(self.path + ".data"):
            raise UsageError("the weights are in %s.data; convert again with output=%r" % (self.path, target))
        temporary = "%s.%d.tmp" % (target, os.getpid())
        try:
            if self.model is None:
                assert self.path is not None
                shutil.copyfile(self.path, temporary)
            else:
                with open(temporary, "wb") as file:
                    file.write(self.model)
            os.replace(temporary, target)
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)

    def to_onnx(self) -> Any:
        """An ``onnx.ModelProto``. Needs the onnx package."""
        try:
            import onnx
        except ImportError as error:
            raise ImportError("to_onnx() needs the onnx package: pip install onnx") from error
        if self.model is not None:
            return onnx.load_from_string(self.model)
        return onnx.load(self.path)

    @property
    def inputs(self) -> list[dict[str, Any]]:
        return list(self.report["inputs"])

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return list(self.report["outputs"])

    @property
    def diagnostics(self) -> list[dict[str, Any]]:
        return list(self.report["diagnostics"])

    def __repr__(self) -> str:
        def ports(entries: list[dict[str, Any]]) -> str:
            return ", ".join("%s %s(%s)" % (e["name"], e["dtype"], ", ".join(e["shape"])) for e in entries)

        return "<ConvertResult opset %d: %s -> %s>" % (self.report["opset"], ports(self.inputs), ports(self.outputs))


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, str)) or hasattr(value, "__index__")


def _input_spec(name: str, value: InputType) -> _core.InputSpec:
    if isinstance(value, str):
        return _core.InputSpec(name, None, value)
    sizes: tuple[Any, ...] = tuple(value)
    dtype = ""
    if len(sizes) == 2 and not _is_size(sizes[0]):
        sizes, dtype = tuple(sizes[0]), _dtype_name(sizes[1])
    for size in sizes:
        if not _is_size(size):
            raise TypeError("input %r: a size is a number or a name, not %r" % (name, size))
    return _core.InputSpec(name, [str(size) for size in sizes], dtype)


def _dtype_name(dtype: Any) -> str:
    """ "float32" from a name, a NumPy dtype, or a NumPy scalar type."""
    if isinstance(dtype, str):
        return dtype
    return str(getattr(dtype, "name", None) or getattr(dtype, "__name__", str(dtype)))


def _input_specs(inputs: Optional[Inputs]) -> list[_core.InputSpec]:
    if inputs is None:
        return []
    if isinstance(inputs, Mapping):
        return [_input_spec(name, value) for name, value in inputs.items()]
    if isinstance(inputs, str):
        inputs = [inputs]
    return [_core.parse_input(text) for text in inputs]


def _rename_rules(rules: Union[Mapping[str, str], Iterable[str]]) -> list[_core.RenameRule]:
    if isinstance(rules, Mapping):
        return [_core.RenameRule(old, new) for old, new in rules.items()]
    if isinstance(rules, str):
        rules = [rules]
    return [_core.parse_rename("rename_params", text) for text in rules]


def _given_array(name: str, value: Any) -> _core.GivenArray:
    import numpy

    array, dtype = _live.array_of(value)
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


def _source(
    symbol: Any, params: Any, epoch: Optional[int] = None, unpack_limit: Optional[int] = None
) -> dict[str, Any]:
    """The core's arguments for a model (path, the symbol's JSON text itself, or live) and its parameters."""
    text = _live.symbol_text(symbol)
    name = "symbol" if text is not None else os.fspath(symbol)
    choice = _core.Choice(epoch, unpack_limit)
    paths: list[str] = []
    arrays: list[_core.GivenArray] = []
    mapping = _live.parameter_mapping(params)
    if mapping is not None:
        arrays = [_given_array(key, value) for key, value in mapping.items()]
    elif isinstance(params, (str, os.PathLike)):
        paths = [os.fspath(params)]
    elif params is not None:
        paths = [os.fspath(path) for path in params]
    return {"name": name, "json": text or "", "param_paths": paths, "arrays": arrays, "choice": choice}


def _options(inputs: Optional[Inputs], opset: int) -> _core.ConvertOptions:
    options = _core.ConvertOptions()
    options.inputs = _input_specs(inputs)
    options.opset = opset
    options.operators = registered_operators()
    return options


def _values(value: Union[float, Sequence[float], None]) -> list[float]:
    if value is None:
        return []
    return [float(x) for x in ([value] if isinstance(value, (int, float)) else value)]


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
    result.mean = _values(mean)
    result.std = _values(std)
    result.scale = "" if scale is None else str(scale)
    result.layout = layout or ""
    result.dtype = "" if input_type is None else _dtype_name(input_type)
    result.input = image_input or ""
    return result


def convert(
    symbol: Any,
    params: Params = None,
    *,
    inputs: Optional[Inputs] = None,
    output: Optional[Path] = None,
    opset: int = _core.DEFAULT_OPSET,
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
    external_data: bool = False,
    custom_domain: Union[bool, str] = False,
    epoch: Optional[int] = None,
    unpack_limit: Optional[int] = None,
    architecture: Optional[str] = None,
    prepare: bool = False,
    progress: Optional[Callable[[int, int], None]] = None,
) -> ConvertResult:
    """Converts a model.

    ``symbol`` is the path of a ``*-symbol.json``, or its text, or a live ``Symbol`` of any MXNet, or a
    Gluon ``HybridBlock`` that was hybridized and has run once. ``params`` is the path of a parameter
    file, several paths, or a mapping of names to arrays of NumPy or MXNet; a block needs none.

    Without ``params``, ``symbol`` may also be the path of a folder, of an archive (``model.tar.gz``, ``.tar``,
    ``.zip``, ``.mar``), or what the names of a checkpoint's files begin with. ``epoch`` says which of several
    checkpoints is meant, the newest otherwise; ``unpack_limit`` how many bytes compressed files may become (100 times
    their size, unless given).

    A parameter file alone, as GluonCV, Gluon's model zoo and GluonNLP distribute pretrained weights, is recognised
    by its names and shapes; ``architecture`` names the net where that could be several (:func:`architectures`). With
    ``prepare`` the model takes RGB bytes with channels last, prepared as that net was trained.

    ``inputs`` says what the model itself does not: a mapping of names to shapes, ``{"data": ("batch", 3,
    224, 224)}``, to pairs of shape and element type, or to element types; or the command line's form,
    ``["data:batch,3,224,224:float32"]``. A name in a shape is a free size.

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
    (:func:`pass_names`). ``rename_params`` maps old to new names of parameters that are named a little
    differently, with ``*`` for any text (the first that matches counts), or has such rules as ``"old=new"``. ``random_weights`` fills in what no file has. ``external_data`` writes the
    weights to a file of their own. ``progress`` is called with the bytes written and those in all, while a model of
    some size is written; an exception that it raises ends the conversion.

    Raises a subclass of :class:`mx2onnx.Error`.
    """
    options = _options(inputs, opset)
    options.outputs = list(outputs)
    options.rename = dict(rename or {})
    options.preprocessing = _preprocessing(mean, std, scale, layout, input_type, image_input)
    options.optimize = optimize
    options.disabled_passes = list(disabled_passes)
    options.rename_params = _rename_rules(rename_params)
    options.random_weights = random_weights
    options.external_data = external_data
    options.custom_domain = _core.DEFAULT_CUSTOM_DOMAIN if custom_domain is True else custom_domain or ""
    options.progress = progress
    options.architecture = architecture or ""
    options.prepare = prepare
    with _opened(symbol, params) as (opened_symbol, opened_params):
        source = _source(opened_symbol, opened_params, epoch, unpack_limit)
        if output is None:
            model, report = _core.convert_to_memory(**source, options=options)
            return ConvertResult(model, report)
        path = os.fspath(output)
        report = _core.convert_to_file(**source, output=path, options=options)
        return ConvertResult(None, report, path)


def inspect(
    symbol: Any,
    params: Params = None,
    *,
    inputs: Optional[Inputs] = None,
    opset: int = _core.DEFAULT_OPSET,
    epoch: Optional[int] = None,
    unpack_limit: Optional[int] = None,
    architecture: Optional[str] = None,
) -> dict[str, Any]:
    """Says what is in a model: ``operators``, ``inputs``, ``outputs``, ``labels``, ``missing_parameters``,
    sizes, and in ``problems`` what would not convert to the opset, a line each. ``arguments`` has the names of
    all variables in MXNet's order. The model may be whatever :func:`convert` takes."""
    with _opened(symbol, params) as (opened_symbol, opened_params):
        source = _source(opened_symbol, opened_params, epoch, unpack_limit)
        options = _options(inputs, opset)
        options.architecture = architecture or ""
        result: dict[str, Any] = _core.inspect(**source, options=options)
        return result


def operators() -> list[dict[str, Any]]:
    """The operator table: a dict per MXNet operator that is translated, with ``name``, ``aliases``,
    ``summary``, ``inputs``, ``attributes`` and ``notes`` (known limits)."""
    return _core.operators()


def architectures() -> list[dict[str, Any]]:
    """The nets whose weights are converted without a symbol: a dict each with ``name``, ``task``, ``library``,
    ``files`` (names of its pretrained files), ``inputs`` (shapes by name, which are taken unless ``inputs`` says
    otherwise) and ``classes`` (how many have names, which go into the model's metadata)."""
    result: list[dict[str, Any]] = json.loads(_core.architectures_json())
    return result


def untranslated_operators() -> list[dict[str, Any]]:
    """The other operators of MXNet 1.9.1: a dict each with ``name``, ``aliases``, ``status`` ("planned" or
    "refused"), ``kind`` and ``reason``. With :func:`operators` these are all that it registers."""
    return _core.untranslated_operators()


def pass_names() -> list[str]:
    """The optimisation passes in the order in which they run, for ``disabled_passes``."""
    return _core.pass_names()
