"""Names of files and models, made fit for a terminal: the core's `printable` for what Python prints."""

from . import _core


def _encodable(text: str) -> str:
    """Without the surrogates that Python has for bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(text: str) -> str:
    """The text on one line, with what steers a terminal or hides from a reader as escapes."""
    return _core.printable(_encodable(text))


def shown_lines(text: str) -> str:
    """The same of a text of several lines."""
    return _core.printable_lines(_encodable(text))
