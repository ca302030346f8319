"""Converts models of Apache MXNet to ONNX, without MXNet.

>>> import mx2onnx
>>> result = mx2onnx.convert("model-symbol.json", "model-0000.params",
...                          inputs={"data": ("batch", 3, 224, 224)}, output="model.onnx")
"""

from ._api import ConvertResult, convert, inspect, operators, pass_names, untranslated_operators
from ._core import DEFAULT_OPSET, FIRST_OPSET, LAST_OPSET, __version__
from ._custom import ArrayType, Emitter, Node, register_operator, unregister_operator
from ._errors import (
    Error,
    FileError,
    FormatError,
    InternalError,
    ModelError,
    UnsupportedError,
    UsageError,
)

__all__ = [
    "DEFAULT_OPSET",
    "FIRST_OPSET",
    "LAST_OPSET",
    "ArrayType",
    "ConvertResult",
    "Emitter",
    "Error",
    "FileError",
    "FormatError",
    "InternalError",
    "ModelError",
    "Node",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "convert",
    "inspect",
    "operators",
    "pass_names",
    "register_operator",
    "unregister_operator",
    "untranslated_operators",
]
