"""Pages that show models."""

import os
import tempfile
from typing import TYPE_CHECKING, Optional

from . import _core
from ._errors import Error

if TYPE_CHECKING:
    from ._result import ConvertResult

# Of a larger page a notebook would be hard to open.
_MOST_LETTERS = 2_000_000


def write_text(path: str, text: str) -> None:
    """Writes a file that is complete or not there."""
    temporary = "%s.%d.tmp" % (path, os.getpid())
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def of_onnx(path: Optional[str], model: Optional[bytes]) -> str:
    """The page of an ONNX model: a file's, or that of bytes."""
    if path is None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            with open(path, "wb") as file:
                file.write(model or b"")
            return of_onnx(path, None)
    return _core.picture(path, "", [], [], _core.Choice(None, None), _core.ConvertOptions(), html=True)


def in_notebook(result: "ConvertResult") -> str:
    """The page in a frame that can do nothing to what is around it; nothing if it is large or its files are gone."""
    from html import escape

    try:
        page = result.to_html()
    except (Error, OSError):
        return ""
    if len(page) > _MOST_LETTERS:
        return ""
    frame = '<iframe sandbox="allow-scripts" style="width: 100%%; height: 600px; border: 0" srcdoc="%s"></iframe>'
    return frame % escape(page)
