"""The functions of `mxnet.contrib.onnx` at a place that looks like the old one. Each warns and forwards:

>>> from mx2onnx.contrib import onnx as onnx_mxnet
>>> onnx_mxnet.export_model(...)     # DeprecationWarning: … is mx2onnx.export_model now
"""

import functools
import sys
import warnings
from typing import Any, Callable

from . import _legacy


def _forward(name: str, old_place: str = "mx2onnx.contrib") -> Callable[..., Any]:
    function = _legacy.FUNCTIONS[name]

    @functools.wraps(function)
    def forward(*args: Any, **kwargs: Any) -> Any:
        warnings.warn("%s.%s is mx2onnx.%s now" % (old_place, name, name), DeprecationWarning, stacklevel=2)
        return function(*args, **kwargs)

    return forward


export_model = _forward("export_model")
get_operator_support = _forward("get_operator_support")
import_model = _forward("import_model")
import_to_gluon = _forward("import_to_gluon")
get_model_metadata = _forward("get_model_metadata")

# `from mx2onnx.contrib import onnx`, as it was in MXNet.
onnx = sys.modules[__name__]
