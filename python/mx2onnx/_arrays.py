"""Arrays that callers bring, made into plain ones. What a plain array cannot say is refused, never dropped."""

import sys
from collections.abc import Mapping
from typing import Any


def has_masks(value: Any) -> bool:
    """True if some element is masked, of an array or of arrays in a list."""
    numpy = sys.modules.get("numpy")  # what has not been imported made no array
    if numpy is None:
        return False
    if isinstance(value, numpy.ma.MaskedArray):
        return bool(numpy.ma.getmaskarray(value).any())
    return isinstance(value, (list, tuple)) and any(has_masks(part) for part in value)


def is_complex(value: Any) -> bool:
    """True for a complex number, of Python or of NumPy."""
    return isinstance(value, complex) or getattr(getattr(value, "dtype", None), "kind", "") == "c"


def plain(what: str, value: Any) -> tuple[Any, str]:
    """Numbers as a `numpy.ndarray` itself (no subclass) in the machine's byte order, and the name of their element type;
    not copied where that is possible. `value` is what NumPy takes; bfloat16 comes as uint16.

    TypeError, beginning with `what`, for masked elements, complex numbers, texts, times, records and objects."""
    import numpy

    def refused(why: str) -> TypeError:
        return TypeError("%s is no array of numbers: %s" % (what, why))

    if has_masks(value):
        raise TypeError(
            "%s: elements are masked, and a model has no masks: fill them in (numpy.ma.filled) or take the array's data"
            % what
        )
    try:
        array = numpy.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors that need a gradient
        raise refused("%s (%s)" % (type(value).__name__, error)) from None
    kind = array.dtype.kind
    name = array.dtype.name
    if array.dtype.names == ("bfloat16",) and array.dtype.itemsize == 2:  # as MXNet spells it: a record of one uint16
        array, name = array["bfloat16"], "bfloat16"
    elif kind == "V" and name == "bfloat16":
        array = array.view(numpy.uint16)
    elif kind in "OSUVMm":
        shown = type(value).__name__
        raise refused(
            shown if kind == "O" or not isinstance(value, numpy.ndarray) else "%s of %s" % (shown, array.dtype)
        )
    elif kind == "c":
        raise refused("MXNet has no complex numbers (%s)" % name)
    return array.astype(array.dtype.newbyteorder("="), copy=False), name


def values(what: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays by name, each a plain one."""
    return {name: plain("%s: %r" % (what, name), value)[0] for name, value in given.items()}
