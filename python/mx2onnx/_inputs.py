"""What `inputs` may be, made into what the core takes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Union

from . import _core
from ._arguments import _wrong, encodable, text
from ._errors import usage_error

Size = Union[int, str, None]
"""A dimension: a number, a name for a free size, or None, -1 or "?" for a free size without a name."""

InputType = Union[Sequence[Size], tuple[Sequence[Size], Any], str, Any]
"""A shape, a pair (shape, dtype), an element type alone, or an array that is like what the input takes."""

Inputs = Union[Mapping[str, InputType], Iterable[Any], str]


def dtype_name(dtype: Any) -> str:
    """ "float32" from a name, a NumPy dtype, a scalar type, or another library's element type."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", str(dtype))
    return encodable("inputs", str(name).removeprefix("torch."))


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


def _is_dtype(value: Any) -> bool:
    return isinstance(value, type) or type(value).__module__.split(".")[0] in ("numpy", "torch") and not _is_size(value)


def _is_size(value: Any) -> bool:
    if isinstance(value, bool) or _is_array(value) and getattr(value, "ndim", 1) > 0:
        return False
    return value is None or isinstance(value, str) or hasattr(value, "__index__")


def _size(name: str, value: Any) -> str:
    if not _is_size(value):
        raise TypeError("inputs: a size of %r is a number, a name, None or -1, not %r" % (name, value))
    if value is None or isinstance(value, str):
        return "?" if value is None else encodable("inputs", value)
    number = int(value.__index__())
    return "?" if number == -1 else str(number)


def _example(name: str, array: Any) -> _core.InputSpec:
    """NumPy's float64 is what nobody asked for: the model says what it takes."""
    import numpy

    dtype = dtype_name(array.dtype)
    if dtype == "float64" and isinstance(array, numpy.ndarray):
        dtype = ""
    return _core.InputSpec(name, [_size(name, size) for size in array.shape], dtype)


def _spec(name: str, value: Any) -> _core.InputSpec:
    if isinstance(value, str):
        return _core.InputSpec(name, None, encodable("inputs", value))
    if _is_array(value):
        return _example(name, value)
    if not isinstance(value, Iterable):
        if value is not None and _is_dtype(value):
            return _core.InputSpec(name, None, dtype_name(value))
        raise _wrong("inputs: %r" % name, "a shape, a pair of shape and element type, or an array", value)
    sizes = tuple(value)
    dtype = ""
    if len(sizes) == 2 and not isinstance(sizes[0], str) and isinstance(sizes[0], Iterable):
        sizes, dtype = tuple(getattr(sizes[0], "shape", sizes[0])), dtype_name(sizes[1])
    return _core.InputSpec(name, [_size(name, size) for size in sizes], dtype)


def specs(inputs: Any, input_names: Callable[[], Sequence[str]]) -> list[_core.InputSpec]:
    """The core's form. A shape or an array alone is the model's one input, which `input_names` tells."""
    if inputs is None:
        return []
    if isinstance(inputs, Mapping):
        return [_spec(text("inputs", name), value) for name, value in inputs.items()]
    if isinstance(inputs, str):
        return [_core.parse_input(encodable("inputs", inputs))]
    if not _is_array(inputs):
        if isinstance(inputs, bytes) or not isinstance(inputs, Iterable):
            raise _wrong("inputs", "a mapping of names to shapes, or a shape", inputs)
        inputs = list(inputs)
        if not inputs:
            return []
        if all(isinstance(item, str) for item in inputs) and any(":" in item for item in inputs):
            return [_core.parse_input(encodable("inputs", item)) for item in inputs]
    names = input_names()
    if len(names) != 1:
        raise usage_error(
            "inputs: a shape without a name is for a model of one input, and this one has %d: %s"
            % (len(names), ", ".join(repr(name) for name in names)),
            "inputs={%s}" % ", ".join("%r: …" % name for name in names),
        )
    return [_spec(names[0], inputs)]
