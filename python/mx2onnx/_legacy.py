"""`mx.onnx.export_model` and its like, argument for argument, over the converter."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from . import _api, _core, _live
from ._errors import ModelError, UnsupportedError, UsageError
from ._inputs import dtype_name
from ._result import ConvertResult


class _ByInput(list[Any]):
    """What a mapping has for each input of the model; None for one that it does not name."""


def _types(in_types: Any, count: int) -> list[str]:
    """One name of an element type for each input, from one type or a list of them."""
    if in_types is None:
        return ["float32"] * count
    if isinstance(in_types, (list, tuple)):
        names = ["float32" if t is None else dtype_name(t) for t in in_types]
        if len(names) == 1:
            return names * count
    else:
        return [dtype_name(in_types)] * count
    if len(names) != count:
        raise UsageError("in_types: expected %d, one for each input, got %d" % (count, len(names)))
    return names


def _shapes(in_shapes: Any, argument: str) -> Optional[list[Any]]:
    if in_shapes is None:
        return None
    if isinstance(in_shapes, _ByInput):
        return [None if shape is None else tuple(shape) for shape in in_shapes]
    shapes = list(in_shapes)
    if shapes and all(s is None or isinstance(s, (int, str)) or hasattr(s, "__index__") for s in shapes):
        shapes = [shapes]  # one shape where a list of them belongs
    for shape in shapes:
        if isinstance(shape, (int, str)) or not hasattr(shape, "__iter__"):
            raise UsageError("%s: expected a list of shapes, got %r in it" % (argument, shape))
    return [tuple(s) for s in shapes]


def _free(name: str, shape: Sequence[Any], fixed: Optional[Sequence[Any]]) -> tuple[Any, ...]:
    """A shape with names for its free sizes, which are None, -1 or a name in `shape`."""
    if fixed is not None and len(fixed) != len(shape):
        raise UsageError("dynamic_input_shapes: input %r has %d dimensions in in_shapes and %d here"
                         % (name, len(fixed), len(shape)))  # fmt: skip
    return tuple("%s_dim%d" % (name, i) if s is None or s == -1 else s for i, s in enumerate(shape))


def _input_names(found: dict[str, Any], wanted: int) -> list[str]:
    """The inputs that `in_shapes` speaks of: those that are fed, with the labels if that many were given. `found` is what
    `inspect` says."""
    names = [port["name"] for port in found["inputs"]]
    if wanted == len(names):
        return names
    ordered = [n for n in found["arguments"] if n in set(names) | set(found["labels"])]
    if wanted == len(ordered):
        return ordered
    raise UsageError(
        "in_shapes: expected %d shape%s, for %s, got %d"
        % (len(names), "" if len(names) == 1 else "s", ", ".join(repr(n) for n in names), wanted)
    )


def _in_order(given: Any, argument: str, symbol: Any, params: Any) -> Any:
    """A mapping of names as the list that the other forms are."""
    if not isinstance(given, Mapping):
        return given
    found = _api.inspect(symbol, params)
    names = [port["name"] for port in found["inputs"]]
    for name in given:
        if name not in names and name not in found["labels"]:
            raise UsageError("%s: the model has no input %r: it has %s"
                             % (argument, name, ", ".join(repr(n) for n in names)))  # fmt: skip
    for name, value in given.items():
        if argument != "in_types" and not hasattr(value, "__iter__"):
            raise UsageError("%s: expected a shape for %r, got %r" % (argument, name, value))
    return _ByInput(given.get(name) for name in names)


def export_model(
    sym: Any,
    params: Any,
    in_shapes: Union[Sequence[Any], Mapping[str, Any], None] = None,
    in_types: Any = "float32",
    onnx_file_path: Union[str, "os.PathLike[str]"] = "model.onnx",
    verbose: bool = False,
    dynamic: bool = False,
    dynamic_input_shapes: Union[Sequence[Any], Mapping[str, Any], None] = None,
    run_shape_inference: bool = False,
    input_type: Any = None,
    input_shape: Union[Sequence[Any], Mapping[str, Any], None] = None,
    large_model: bool = False,
    *,
    legacy_output_order: bool = False,
    opset_version: Optional[int] = None,
) -> Union[str, "os.PathLike[str]"]:
    """The old `mx.onnx.export_model` (and `mx.contrib.onnx.export_model`): writes the model to `onnx_file_path`
    and returns that path.

    - `sym`, `params`: paths, or live objects: a `Symbol` and a dict of NDArrays with or without `arg:` and
      `aux:`, or a list of two, the arguments and the auxiliary states. Either may be a path while the other is live. A hybridized Gluon block as `sym` brings its own
      parameters (`params=None`).
    - `in_shapes`: a shape for each input, in the order of `list_inputs`, or a mapping of names to shapes. Labels of
      loss heads need none; a shape that is given for one is passed over.
    - `in_types`: an element type for all inputs, a list, or a mapping of names to element types.
    - `verbose`: print a summary of the result.
    - `dynamic`: sizes may stay free: those that `dynamic_input_shapes` names or leaves None; without it, all that the
      model leaves open, or if it needs its sizes, the first of each input. That is called `batch`.
    - `run_shape_inference`: accepted; shapes are always inferred.
    - `input_type`, `input_shape`: the old names of `in_types` and `in_shapes`.
    - `large_model`: write the weights to a file of their own beside the model.
    - `legacy_output_order`: the outputs in the order of their nodes and none twice, as the old exporter had
      them, instead of the symbol's own order.
    - `opset_version`: the opset to write.
    """
    in_types = in_types if input_type is None else input_type
    in_shapes = in_shapes if input_shape is None else input_shape
    if dynamic_input_shapes is not None and not dynamic:
        raise UsageError("dynamic_input_shapes needs dynamic=True")
    with _api._opened(sym, params) as (symbol, parameters):
        shapes = _shapes(_in_order(in_shapes, "in_shapes", symbol, parameters), "in_shapes")
        free = _shapes(
            _in_order(dynamic_input_shapes, "dynamic_input_shapes", symbol, parameters), "dynamic_input_shapes"
        )
        in_types = _in_order(in_types, "in_types", symbol, parameters)
        if legacy_output_order:
            text = _live.symbol_text(symbol)
            if text is None:
                with open(symbol, encoding="utf-8") as file:
                    text = file.read()
            symbol = _live.with_legacy_output_order(text)
        given = shapes if shapes is not None else free
        found = _api.inspect(symbol, parameters)
        if given is None:
            names = [port["name"] for port in found["inputs"]]
        else:
            names = _input_names(found, len(given))
        types = _types(in_types, len(names))
        if dynamic and free is not None and len(free) != len(names):
            raise UsageError("dynamic_input_shapes: expected %d shapes, got %d" % (len(names), len(free)))
        labels = set(found["labels"])

        def convert(all_free: bool) -> ConvertResult:
            inputs: dict[str, Any] = {}
            for i, name in enumerate(names):
                shape = shapes[i] if shapes is not None else None
                if dynamic and free is not None and free[i] is not None:
                    shape = _free(name, free[i], shape)
                elif dynamic and shape:
                    shape = ("batch", *((None,) * len(shape[1:]) if all_free else shape[1:]))
                    shape = _free(name, shape, None)
                if name not in labels:
                    inputs[name] = types[i] if shape is None else (shape, types[i])
            return _api.convert(
                symbol,
                parameters,
                inputs=inputs,
                output=onnx_file_path,
                opset=opset_version,
                external_data=large_model,
            )

        # Few models take any size in every dimension; the others at least any number of rows.
        try:
            result = convert(all_free=dynamic and free is None)
        except (ModelError, UnsupportedError):
            if not dynamic or free is not None:
                raise
            result = convert(all_free=False)
    if verbose:
        print("%s: %r" % (os.fspath(onnx_file_path), result))
    return onnx_file_path


def get_operator_support(opset_version: Optional[int] = None) -> list[str]:
    """The names of MXNet operators that are translated, aliases included; none if `opset_version` cannot be
    written. A few attribute values need a later opset; :func:`mx2onnx.inspect` says so of a model."""
    if opset_version is not None and not _core.FIRST_OPSET <= opset_version <= _core.LAST_OPSET:
        return []
    return sorted({name for op in _api.operators() for name in [op["name"], *op["aliases"]]})


def _retired(function: str, instead: str) -> Any:
    raise UnsupportedError(
        "%s: the way from ONNX to MXNet was retired with MXNet itself; %s" % (function, instead),
        message="the way from ONNX to MXNet was retired",
        hint=instead,
    )


def import_model(*args: Any, **kwargs: Any) -> Any:
    """Retired: raises :class:`mx2onnx.UnsupportedError`."""
    _retired("import_model", "run the ONNX model with ONNX Runtime, or load it with onnx.load")


def import_to_gluon(*args: Any, **kwargs: Any) -> Any:
    """Retired: raises :class:`mx2onnx.UnsupportedError`."""
    _retired("import_to_gluon", "run the ONNX model with ONNX Runtime, or turn it into PyTorch with onnx2torch")


def get_model_metadata(*args: Any, **kwargs: Any) -> Any:
    """Retired: raises :class:`mx2onnx.UnsupportedError`."""
    _retired("get_model_metadata", "onnxruntime.InferenceSession has get_inputs() and get_outputs()")


FUNCTIONS: Mapping[str, Any] = {
    "export_model": export_model,
    "get_operator_support": get_operator_support,
    "import_model": import_model,
    "import_to_gluon": import_to_gluon,
    "get_model_metadata": get_model_metadata,
}
