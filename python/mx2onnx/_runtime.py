"""An ONNX file in ONNX Runtime."""

import os
from collections.abc import Mapping
from typing import Any, Optional

from . import _onnx_file
from ._api import Path
from ._errors import FileError

_NUMPY_NAMES = {"float": "float32", "double": "float64"}


class CannotCompare(Exception):
    """There is nothing to compare with, or ONNX Runtime cannot run the file."""


class Runtime:
    """The ONNX file in ONNX Runtime."""

    def __init__(self, path: Path, outputs: Optional[list[str]] = None, optimised: bool = True):
        try:
            import onnxruntime
        except ImportError as error:
            raise CannotCompare("verify needs ONNX Runtime: pip install 'mx2onnx[verify]'") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not optimised:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        model: Any = os.fspath(path)
        if not os.path.exists(model):
            raise FileError("%s: cannot be read: no such file" % model, file=model)
        if outputs:
            folder = os.path.dirname(os.path.abspath(model))
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
            model = _onnx_file.with_outputs(path, outputs)
        try:
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class for each kind
            raise CannotCompare("ONNX Runtime does not take the file: %s" % error) from error
        self.inputs = {i.name: i for i in self.session.get_inputs()}
        self.outputs = [o.name for o in self.session.get_outputs()]
        self.metadata: Mapping[str, str] = self.session.get_modelmeta().custom_metadata_map

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        try:
            values = self.session.run(None, {n: v for n, v in feeds.items() if n in self.inputs})
        except Exception as error:
            raise CannotCompare("ONNX Runtime cannot run the file: %s" % error) from error
        return dict(zip(self.outputs, values))


def dtype_of(entry: Any) -> str:
    name = entry.type[len("tensor(") : -1]
    return _NUMPY_NAMES.get(name, "float16" if name == "float16" else name)
