"""Putting the functions where scripts written for MXNet look for them."""

import importlib
import sys
import types
from typing import Any

from . import _legacy


def _module(mxnet: Any, name: str) -> Any:
    """MXNet's module of that name; a new one where the installed MXNet has none that can be imported."""
    try:
        return importlib.import_module(name)
    except Exception:  # absent, or broken by the Python or onnx package it meets
        module = types.ModuleType(name)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        setattr(importlib.import_module(parent), child, module)
        return module


def install_into_mxnet() -> list[str]:
    """Puts ``mx2onnx.export_model`` and ``mx2onnx.get_operator_support`` into `mxnet.onnx`, and
    forwards that raise a DeprecationWarning into `mxnet.contrib.onnx`, of the MXNet that is installed. Works for this process;
    returns the names that were put in place."""
    import mxnet

    from . import contrib

    done = []
    new, old = _module(mxnet, "mxnet.onnx"), _module(mxnet, "mxnet.contrib.onnx")
    for name, function in _legacy.FUNCTIONS.items():
        if name in ("export_model", "get_operator_support"):
            setattr(new, name, function)
            done.append("mxnet.onnx." + name)
        setattr(old, name, contrib._forward(name, "mxnet.contrib.onnx"))
        done.append("mxnet.contrib.onnx." + name)
    return done
