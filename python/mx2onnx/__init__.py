"""Converts models of Apache MXNet to ONNX, without MXNet.

>>> import mx2onnx
>>> result = mx2onnx.convert("model-symbol.json", "model-0000.params",
...                          inputs={"data": ("batch", 3, 224, 224)}, output="model.onnx")
"""

from ._api import ConvertResult, convert, inspect, operators, pass_names
from ._core import DEFAULT_OPSET, FIRST_OPSET, LAST_OPSET, __version__
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
    "ConvertResult",
    "Error",
    "FileError",
    "FormatError",
    "InternalError",
    "ModelError",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "convert",
    "inspect",
    "operators",
    "pass_names",
]
