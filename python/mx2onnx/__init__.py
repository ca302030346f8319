"""Converts models of Apache MXNet to ONNX, without MXNet.

>>> import mx2onnx
>>> result = mx2onnx.convert("model-symbol.json", "model-0000.params",
...                          inputs={"data": ("batch", 3, 224, 224)}, output="model.onnx")
"""

from typing import TYPE_CHECKING, Any

from . import _core
from ._api import architectures, convert, inspect, lint, lint_targets, operators, pass_names, untranslated_operators
from ._core import DEFAULT_OPSET, FIRST_OPSET, LAST_OPSET
from ._custom import ArrayType, Emitter, Node, register_operator, unregister_operator
from ._errors import (
    ConversionWarning,
    Error,
    FileError,
    FormatError,
    InternalError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from ._install import install_into_mxnet
from ._legacy import export_model, get_model_metadata, get_operator_support, import_model, import_to_gluon
from ._result import ConvertResult

__version__: str = _core.__version__  # type: ignore[attr-defined]  # the stub's maker leaves it out

if TYPE_CHECKING:
    from ._comparison import VerifyResult
    from ._verify import verify

__all__ = [
    "DEFAULT_OPSET",
    "FIRST_OPSET",
    "LAST_OPSET",
    "ArrayType",
    "ConversionWarning",
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
    "VerifyResult",
    "__version__",
    "architectures",
    "convert",
    "export_model",
    "get_model_metadata",
    "get_operator_support",
    "import_model",
    "import_to_gluon",
    "inspect",
    "install_into_mxnet",
    "lint",
    "lint_targets",
    "operators",
    "pass_names",
    "register_operator",
    "unregister_operator",
    "untranslated_operators",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Loaded when first used: they need the standard library's heavier modules.
    if name in ("verify", "VerifyResult"):
        from . import _verify

        return getattr(_verify, name)
    raise AttributeError("module 'mx2onnx' has no attribute %r" % name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
