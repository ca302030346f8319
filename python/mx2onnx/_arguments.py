"""What the functions take, looked at before the core sees it: a wrong type is a TypeError that names the argument."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ._arrays import has_masks, is_complex
from ._errors import UsageError


def _wrong(argument: str, expected: str, value: Any) -> TypeError:
    shown = repr(value)
    return TypeError(
        "%s: expected %s, got %s" % (argument, expected, shown if len(shown) <= 60 else shown[:57] + "...")
    )


def encodable(argument: str, value: str) -> str:
    """The text, if it can be written as UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("%s: %r cannot be written as UTF-8" % (argument, value[:60])) from None
    return value


def text(argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(argument, "a text", value)
    return encodable(argument, value)


def texts(argument: str, value: Any) -> list[str]:
    """A list of texts; one text alone is a list of it."""
    if isinstance(value, str):
        return [encodable(argument, value)]
    if value is None or isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise _wrong(argument, "a list of texts", value)
    return [text(argument, item) for item in value]


def pairs(argument: str, value: Any) -> dict[str, str]:
    """A mapping of texts to texts; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(argument, "a mapping of old names to new ones", value)
    return {text(argument, old): text(argument, new) for old, new in value.items()}


def whole(argument: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong(argument, "a whole number", value)
    number = int(value.__index__())
    if abs(number) >= 2**31:
        raise UsageError("%s: %d is out of range" % (argument, number))
    return number


def byte_count(argument: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong(argument, "a number of bytes", value)
    number = int(value.__index__())
    if not 0 <= number < 2**63:
        raise UsageError("%s: %d is out of range" % (argument, number))
    return number


def index(argument: str, value: Any) -> int:
    """The number of an input or output; one out of range is the core's to refuse."""
    number = whole(argument, value)
    if number < 0:
        raise UsageError("%s: expected a number from 0 on, got %d" % (argument, number))
    return number


def flag(argument: str, value: Any) -> bool:
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise _wrong(argument, "True or False", value)


def numbers(argument: str, value: Any) -> list[float]:
    """One number or several; None is none of them."""
    if value is None:
        return []
    values = list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else [value]
    if has_masks(values) or any(is_complex(x) for x in values):
        raise _wrong(argument, "a number or several", value)
    try:
        return [float(x) for x in values]
    except (TypeError, ValueError):
        raise _wrong(argument, "a number or several", value) from None


def path(argument: str, value: Any) -> str:
    if isinstance(value, int) or not isinstance(value, (str, bytes, os.PathLike)):
        raise _wrong(argument, "a path", value)
    name = os.fsdecode(value)
    if "\0" in name:
        raise UsageError("%s: a path has no null character, got %r" % (argument, name[:60]))
    return name


def function(argument: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise _wrong(argument, "a function", value)
    return value


@contextmanager
def in_our_words(function_name: str) -> Iterator[None]:
    """The binding layer's own complaints of types, for what the checks above let through."""
    try:
        yield
    except TypeError as error:
        if "incompatible function arguments" not in str(error):
            raise
        raise TypeError("%s: one of the arguments has a type that it does not take" % function_name) from None


def checked_list(what: str, value: Any, kind: type, make: Callable[[Any], Any]) -> list[Any]:
    """What a function of the user's gave, if it is a list of `kind`."""
    if value is None or isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise _wrong(what, "a list of %s" % kind.__name__, value)
    return [make(item) for item in value]
