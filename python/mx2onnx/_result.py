"""What a conversion gives back."""

import os
from typing import Any, Callable, Optional, Union

from ._errors import UsageError
from ._printable import shown


def _type(port: dict[str, Any]) -> str:
    return "%s(%s)" % (port["dtype"], ", ".join(shown(str(size)) for size in port["shape"]))


class ConvertResult:
    """What a conversion made.

    - ``model``: the ONNX file's bytes; None if it was written to ``output``
    - ``inputs``, ``outputs``: lists of dicts with ``name``, ``dtype`` and ``shape``
    - ``diagnostics``: list of dicts with ``id`` (stable: ``W-…``), ``node`` and ``message``
    - ``report``: all of the above and more as one dict: opset, IR version, node counts, passes, and ``notes``, a list of
      dicts with ``op``, ``nodes`` and ``notes``, which say where MXNet computes something else

    A notebook shows it as a table, and a model that is not large as a picture.
    """

    def __init__(self, model: Optional[bytes], report: dict[str, Any], path: Optional[str] = None):
        self.model = model
        self.report = report
        self.path = path
        self._page: Optional[Callable[[], str]] = None

    def to_bytes(self) -> bytes:
        """The ONNX file's bytes, read back if it was written to ``output``."""
        if self.model is not None:
            return self.model
        assert self.path is not None
        with open(self.path, "rb") as file:
            return file.read()

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the model to `path`; the file is complete or not there."""
        import shutil

        target = os.fspath(path)
        data = [self.report.get("output_data"), *self.report.get("weights_in_place", [])]
        files = " and ".join(file for file in data if file)
        if self.path is not None and files:
            raise UsageError("the weights are in %s; convert again with output=%r" % (files, target))
        temporary = "%s.%d.tmp" % (target, os.getpid())
        try:
            if self.model is None:
                assert self.path is not None
                shutil.copyfile(self.path, temporary)
            else:
                with open(temporary, "wb") as file:
                    file.write(self.model)
            os.replace(temporary, target)
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)

    def to_html(self) -> str:
        """A page that shows the model: both of its sides if it was converted from files that are still there, else the
        ONNX graph."""
        from ._page import of_onnx

        return self._page() if self._page is not None else of_onnx(self.path, self.model)

    def to_onnx(self) -> Any:
        """An ``onnx.ModelProto``. Needs the onnx package."""
        try:
            import onnx
        except ImportError as error:
            raise ImportError("to_onnx() needs the onnx package: pip install onnx") from error
        if self.model is not None:
            return onnx.load_from_string(self.model)
        return onnx.load(self.path)

    def session(self, **options: Any) -> Any:
        """An ``onnxruntime.InferenceSession`` of the model, on the CPU unless ``providers`` says otherwise; ``options`` are
        the session's own. Needs the onnxruntime package."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError("session() needs ONNX Runtime: pip install onnxruntime") from error
        options.setdefault("providers", ["CPUExecutionProvider"])
        return onnxruntime.InferenceSession(self.path if self.model is None else self.model, **options)

    @property
    def inputs(self) -> list[dict[str, Any]]:
        return list(self.report["inputs"])

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return list(self.report["outputs"])

    @property
    def diagnostics(self) -> list[dict[str, Any]]:
        return list(self.report["diagnostics"])

    def __repr__(self) -> str:
        def ports(entries: list[dict[str, Any]]) -> str:
            return ", ".join("%s %s" % (shown(e["name"]), _type(e)) for e in entries)

        return "<ConvertResult opset %d: %s -> %s>" % (self.report["opset"], ports(self.inputs), ports(self.outputs))

    def _repr_html_(self) -> str:
        from html import escape

        rows = [("input", shown(e["name"]), _type(e)) for e in self.inputs]
        rows += [("output", shown(e["name"]), _type(e)) for e in self.outputs]
        rows += [(e["id"], shown(e["node"]), e["message"]) for e in self.diagnostics]
        cells = "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % escape(cell) for cell in row) for row in rows)
        counts = self.report["num_onnx_nodes"], self.report["num_mxnet_nodes"], self.report["parameter_bytes"]
        head = "%s: opset %d, %d nodes from %d, %d bytes of weights" % (
            escape(self.path or "ONNX model"),
            self.report["opset"],
            *counts,
        )
        from ._page import in_notebook

        return "<table><caption>%s</caption>%s</table>%s" % (head, cells, in_notebook(self))
