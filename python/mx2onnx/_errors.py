"""The exceptions and warnings of the package: one class per kind of failure, with the place as fields."""

import sys
import warnings
from typing import Any

from ._printable import shown_lines


class Error(Exception):
    """A model that cannot be converted, or a file that cannot be read or written.

    ``str(error)`` is the whole text. The fields are strings, empty where nothing is known; the texts have what steers a
    terminal or hides from a reader as escapes, the names of the place are as they are:

    - ``message``: what was expected and what was found, without the place
    - ``hint``: what may be done about it
    - ``file``, ``node``, ``op``, ``attribute``: the place
    - ``problems``: all that is in the way, a line for each, where a model does not convert
    """

    def __init__(
        self,
        text: str,
        message: str = "",
        hint: str = "",
        file: str = "",
        node: str = "",
        op: str = "",
        attribute: str = "",
    ):
        super().__init__(shown_lines(text))
        self.message = shown_lines(message)
        self.hint = shown_lines(hint)
        self.file = file
        self.node = node
        self.op = op
        self.attribute = attribute

    @property
    def problems(self) -> list[str]:
        """All that is in the way, a line for each: several of an ``UnsupportedError`` or a
        ``ModelError``, otherwise the error itself."""
        first, *others = (self.message or str(self)).split("\n  ")
        return others or [str(self)]

    def to_dict(self) -> dict[str, Any]:
        """What ``--json`` prints of a failure: ``code`` (the exit code), ``kind``, the fields, None where nothing is known,
        and ``problems``."""
        code = next((code for code, kind in _BY_CODE.items() if isinstance(self, kind)), 1)
        fields = {"file": self.file, "node": self.node, "operator": self.op, "attribute": self.attribute}
        return {
            "code": code,
            "kind": _KINDS[code],
            **{name: value or None for name, value in fields.items()},
            "message": self.message or str(self),
            "hint": self.hint or None,
            "problems": self.problems,
        }


class InternalError(Error):
    """A bug in mx2onnx."""


class UsageError(Error, ValueError):
    """An argument makes no sense."""


class FileError(Error, OSError):
    """A file cannot be read or written."""


class FormatError(Error, ValueError):
    """A file is truncated, corrupt, or not of the format it should be."""


class ModelError(Error, ValueError):
    """The parts of a model do not fit: missing parameters, shapes that disagree."""


class UnsupportedError(Error, NotImplementedError):
    """MXNet could run this, but it cannot be expressed at the target opset (yet)."""


class ConversionWarning(UserWarning):
    """Something to know of a conversion that was made. Its text begins with its stable id, so that
    ``warnings.filterwarnings("ignore", "W-dim-fixed")`` silences one kind, and ``category=mx2onnx.ConversionWarning`` all.

    - ``id``: the stable id, ``W-…``
    - ``node``: the MXNet node or input that it speaks of; may be empty
    - ``message``: the text without the id
    """

    def __init__(self, id: str, message: str, node: str = ""):
        super().__init__("%s: %s" % (id, message))
        self.id = id
        self.message = message
        self.node = node


def warn_of(diagnostics: list[dict[str, Any]]) -> None:
    """A warning for each, at the line of the first caller outside of the package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    for entry in diagnostics:
        warnings.warn(ConversionWarning(entry["id"], entry["message"], entry["node"]), stacklevel=level)


# The values of mx2onnx::ErrorCode.
_BY_CODE = {1: InternalError, 2: UsageError, 3: FileError, 4: FormatError, 5: ModelError, 6: UnsupportedError}
_KINDS = {1: "internal", 2: "usage", 3: "file", 4: "format", 5: "model", 6: "unsupported"}


def in_python(text: str) -> str:
    """The text with the command line's options in Python's words. What that takes is loaded with the first message."""
    from ._wording import in_python as translated

    return translated(text)


def from_core(code: int, text: str, message: str, hint: str, **place: str) -> Error:
    """The exception for an error of the core, in Python's words."""
    return _BY_CODE[code](in_python(text), message=in_python(message), hint=in_python(hint), **place)


def usage_error(message: str, hint: str) -> UsageError:
    return UsageError("%s\nhint: %s" % (message, hint), message=message, hint=hint)
