"""The exceptions of the package: one class per kind of failure, with the place as fields."""


class Error(Exception):
    """A model that cannot be converted, or a file that cannot be read or written.

    ``str(error)`` is the whole text. The fields are strings, empty where nothing is known:

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
        super().__init__(text)
        self.message = message
        self.hint = hint
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


# The values of mx2onnx::ErrorCode.
_BY_CODE = {1: InternalError, 2: UsageError, 3: FileError, 4: FormatError, 5: ModelError, 6: UnsupportedError}


def error_for_code(code: int) -> type[Error]:
    return _BY_CODE[code]
