"""Comparing an ONNX file with MXNet: the same inputs through ONNX Runtime and through MXNet (or what was recorded of it)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional, Union

from . import _onnx_file
from ._errors import FileError, UsageError

Path = Union[str, "os.PathLike[str]"]
RECORDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record_mxnet.py")
_NUMPY_NAMES = {"float": "float32", "double": "float64"}


class CannotCompare(Exception):
    """There is nothing to compare with, or ONNX Runtime cannot run the file."""


class Comparison:
    """One output of one case: shapes, the largest differences and where, and `same`."""

    def __init__(self, name: str, ours: Any, theirs: Any, rtol: Optional[float], atol: Optional[float]):
        import numpy as np

        self.name, self.problem = name, ""
        self.shape, self.expected_shape = tuple(ours.shape), tuple(theirs.shape)
        self.dtype = ours.dtype.name
        self.max_abs = self.max_rel = 0.0
        self.where: Optional[tuple[int, ...]] = None
        self.same = False
        if ours.shape != theirs.shape:
            self.problem = "shape %s, MXNet %s" % (self.shape, self.expected_shape)
            return
        low = np.float16 in (ours.dtype, theirs.dtype)
        exact = not np.issubdtype(theirs.dtype, np.floating)
        a, b = ours.astype("float64"), theirs.astype("float64")
        finite = np.isfinite(b)
        scale = float(np.abs(b[finite]).max()) if finite.any() else 0.0
        rtol = (0.0 if exact else 1e-2 if low else 1e-3) if rtol is None else rtol
        atol = (0.0 if exact else scale * (1e-3 if low else 1e-5) + 1e-7) if atol is None else atol
        with np.errstate(all="ignore"):
            difference = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
            difference = np.where(np.isnan(difference), np.inf, difference)
            relative = np.where(difference == 0, 0.0, difference / np.abs(b))
            bad = ~(difference <= atol + rtol * np.where(finite, np.abs(b), 0.0))
        if difference.size:
            self.max_abs, self.max_rel = float(difference.max()), float(np.nan_to_num(relative, nan=np.inf).max())
            worst = np.where(bad, difference, -1.0) if bad.any() else difference
            self.where = tuple(int(i) for i in np.unravel_index(int(worst.argmax()), worst.shape))
        self.same = not bad.any()
        if not self.same:
            self.problem = "%d of %d values differ" % (int(bad.sum()), bad.size)

    def to_dict(self) -> dict[str, Any]:
        names = ("name", "same", "problem", "dtype", "shape", "expected_shape", "max_abs", "max_rel", "where")
        return {name: getattr(self, name) for name in names}


class VerifyResult:
    """What a verification found.

    - ``ok``: all outputs of all cases agree
    - ``cases``: a dict each with ``inputs`` (shapes by name) and ``outputs`` (a dict per output)
    - ``first_difference``: where the numbers part: a dict with ``node``, ``op``, ``output`` and ``unseen`` (nodes
      before it that have no value of their own in the ONNX file); None if all agree or it could not be found
    """

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.first_difference: Optional[dict[str, Any]] = None
        self.note = ""

    @property
    def ok(self) -> bool:
        return bool(self.cases) and all(output["same"] for case in self.cases for output in case["outputs"])

    def to_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "cases": self.cases, "first_difference": self.first_difference, "note": self.note}

    def table(self) -> str:
        """The result as text."""
        lines = []
        for case in self.cases:
            lines.append("inputs " + ", ".join("%s %s" % (n, tuple(s)) for n, s in case["inputs"].items()))
            for o in case["outputs"]:
                place = "" if o["where"] is None else " at %s" % (tuple(o["where"]),)
                lines.append("  %-4s %s %s  largest difference %.3g, relative %.3g%s%s" % (
                    "ok" if o["same"] else "BAD", o["name"], tuple(o["shape"]), o["max_abs"], o["max_rel"], place,
                    "" if o["same"] else ": " + o["problem"]))  # fmt: skip
        if self.first_difference:
            f = self.first_difference
            lines.append("first node that differs: '%s' (%s), output %s: %s"
                         % (f["node"], f["op"], f["output"], f["problem"]))  # fmt: skip
            if f["unseen"]:
                lines.append("  or one of these before it, whose values are not in the file: " + ", ".join(f["unseen"]))
        if self.note:
            lines.append(self.note)
        lines.append("the numbers agree" if self.ok else "THE NUMBERS DIFFER")
        return "\n".join(lines)


class _Runtime:
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

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        try:
            values = self.session.run(None, {n: v for n, v in feeds.items() if n in self.inputs})
        except Exception as error:
            raise CannotCompare("ONNX Runtime cannot run the file: %s" % error) from error
        return dict(zip(self.outputs, values))


def _dtype(entry: Any) -> str:
    name = entry.type[len("tensor(") : -1]
    return _NUMPY_NAMES.get(name, "float16" if name == "float16" else name)


def _index_limits(symbol: dict[str, Any]) -> dict[str, int]:
    """Inputs that are indices, with the number of rows that they choose from."""
    limits = {}
    for node in symbol["nodes"]:
        if node["op"] == "Embedding":
            attrs = node.get("attrs") or node.get("attr") or node.get("param") or {}
            limits[symbol["nodes"][node["inputs"][0][0]]["name"]] = int(attrs.get("input_dim", 1))
    return limits


def _random_cases(
    runtime: _Runtime, symbol: dict[str, Any], sizes: Mapping[str, Sequence[int]], seed: int
) -> list[Any]:
    import numpy as np

    choices: dict[str, list[int]] = {}
    for entry in runtime.inputs.values():
        for axis, size in enumerate(entry.shape):
            if isinstance(size, int):
                continue
            key = str(size)
            if key in sizes:
                choices[key] = list(sizes[key])
            elif axis == 0:
                choices.setdefault(key, [1, 2, 5])
            elif key not in choices:
                raise UsageError("input %r has the free size %s: say --size %s=NUMBER" % (entry.name, key, key))
    random = np.random.RandomState(seed)
    limits = _index_limits(symbol)
    cases = []
    for number in range(max([len(values) for values in choices.values()], default=1)):
        feeds = {}
        for entry in runtime.inputs.values():
            shape = [s if isinstance(s, int) else choices[str(s)][number % len(choices[str(s)])] for s in entry.shape]
            dtype = _dtype(entry)
            if entry.name in limits:
                feeds[entry.name] = random.randint(0, limits[entry.name], size=shape).astype(dtype)
            elif dtype.startswith("float"):
                feeds[entry.name] = random.standard_normal(shape).astype(dtype)
            else:
                feeds[entry.name] = random.randint(0, 3, size=shape).astype(dtype)
        cases.append(feeds)
    return cases


class _Recorded:
    """Cases with MXNet's outputs, and its inner values where they are known."""

    def __init__(self, arrays: Mapping[str, Any], inputs: Iterable[str], outputs: Sequence[str]):
        self.cases: dict[int, dict[str, dict[str, Any]]] = {}
        for key in arrays:
            parts = key.split("/", 2)
            if len(parts) == 3 and parts[0].isdigit() and parts[1] in ("in", "out", "inner"):
                case = self.cases.setdefault(int(parts[0]), {"in": {}, "out": {}, "inner": {}})
                name = parts[2] if parts[1] == "in" else parts[2].split("/", 1)[1]
                # A name that comes twice is of two nodes: nothing can be said of them.
                case[parts[1]][name] = None if name in case[parts[1]] and parts[1] == "inner" else arrays[key]
        if not self.cases:  # made by hand: plain names
            names = set(arrays)
            plain = {"in": {n: arrays[n] for n in inputs if n in names}, "inner": {}}
            plain["out"] = {n: arrays[n] for n in outputs if n in names}
            if not plain["out"] and len(outputs) == 1 and "output" in names:
                plain["out"] = {outputs[0]: arrays["output"]}
            self.cases = {0: plain}
        for case in self.cases.values():
            if not case["in"] or not case["out"]:
                raise UsageError("the recorded file has no inputs and outputs of this model; it has %s"
                                 % ", ".join(sorted(arrays)))  # fmt: skip


def _run_mxnet(python: str, symbol: Path, params: Sequence[Path], cases: list[Any], internals: bool) -> dict[str, Any]:
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="mx2onnx-") as folder:
        given, made = os.path.join(folder, "in.npz"), os.path.join(folder, "out.npz")
        with open(given, "wb") as file:
            np.savez(file, **{"%d/in/%s" % (i, n): v for i, feeds in enumerate(cases) for n, v in feeds.items()})
        command = [python, RECORDER, os.fspath(symbol), *map(os.fspath, params), "-o", made, "--inputs", given]
        environment = dict(os.environ, MXNET_SUBGRAPH_BACKEND="NONE", OMP_WAIT_POLICY="passive")
        process = subprocess.run(command + ["--internals"] * internals, env=environment, capture_output=True, text=True)
        if process.returncode != 0:
            last = process.stderr.strip().splitlines()[-1:] or ["no message"]
            raise CannotCompare("MXNet could not run the model with %s: %s" % (python, last[0]))
        with np.load(made) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _first_difference(symbol: dict[str, Any], path: Path, case: dict[str, Any], rtol: Any, atol: Any) -> Any:
    """The first MXNet node, in the symbol's order, with an output that differs from the value of that name in the file."""
    inner = {name: value for name, value in case["inner"].items() if value is not None}
    inner.update(case["out"])
    in_file = [name for node in _onnx_file.nodes(path) for name in node.outputs]
    standing = set(_Runtime(path).outputs)
    wanted = [name for name in in_file if name in inner and name not in standing]
    found = _Runtime(path, wanted, optimised=False).run(case["in"])
    unseen: list[str] = []
    owners: dict[str, int] = {}
    for index, node in enumerate(symbol["nodes"]):
        if node["op"] != "null":
            owners.setdefault(node["name"], index)

    def outputs_of(node: dict[str, Any]) -> list[str]:
        names = []
        for output in inner:
            owner = output
            while owner and owner not in owners:
                owner = owner.rpartition("_")[0]
            if owner == node["name"]:
                names.append(output)
        return names

    for node in symbol["nodes"]:
        if node["op"] == "null":
            continue
        names = [name for name in outputs_of(node) if name in found]
        if not names:
            unseen.append(node["name"])
            continue
        for name in names:
            comparison = Comparison(name, found[name], inner[name], rtol, atol)
            if not comparison.same:
                place = {"node": node["name"], "op": node["op"], "output": name, "unseen": unseen}
                return dict(place, problem=comparison.problem, max_abs=comparison.max_abs)
        unseen = []
    return None


def verify(
    symbol: Path,
    params: Union[Path, Sequence[Path], None],
    model: Path,
    *,
    expect: Optional[Path] = None,
    mxnet_python: Optional[str] = None,
    inputs: Optional[Mapping[str, Any]] = None,
    sizes: Optional[Mapping[str, Sequence[int]]] = None,
    rename: Optional[Mapping[str, str]] = None,
    rtol: Optional[float] = None,
    atol: Optional[float] = None,
    seed: int = 0,
) -> VerifyResult:
    """Runs `model` in ONNX Runtime and compares its outputs with MXNet's.

    MXNet's numbers come from the file `expect` (see `mx2onnx record`), else from MXNet in the interpreter `mxnet_python`,
    else from MXNet in this interpreter. `inputs` are values by name; without them they are random, with the free sizes
    that `sizes` gives (a free first size is tried with 1, 2 and 5). `rename` is what the conversion was told.

    A value agrees if it differs by at most `atol + rtol * |MXNet's|`. By default `rtol` is 1e-3 and `atol` 1e-5 of
    the output's largest value (1e-2 and 1e-3 for float16; integers must be equal).

    Where numbers differ, the inner values are compared too, and the first node that differs is named.
    """
    import numpy as np

    paths: list[Any] = [] if params is None else [params] if isinstance(params, (str, os.PathLike)) else list(params)
    with open(symbol, encoding="utf-8", errors="replace") as file:
        graph = json.load(file)
    new_names = dict(rename or {})
    old_names = {new: old for old, new in new_names.items()}
    runtime = _Runtime(model)
    python = mxnet_python or sys.executable
    if expect is not None:
        with np.load(expect) as arrays:
            plain = {old_names.get(n, n) for n in runtime.inputs}
            outputs = [old_names.get(n, n) for n in runtime.outputs]
            recorded = _Recorded({n: arrays[n] for n in arrays.files}, plain, outputs)
    else:
        known = {node["name"] for node in graph["nodes"]}
        strange = [n for n in runtime.inputs if old_names.get(n, n) not in known]
        if strange:
            raise UsageError("input %r is not in the symbol; say --rename OLD=NEW as in the conversion" % strange[0])
        cases = [dict(inputs)] if inputs is not None else _random_cases(runtime, graph, sizes or {}, seed)
        cases = [{old_names.get(n, n): v for n, v in feeds.items()} for feeds in cases]
        recorded = _Recorded(_run_mxnet(python, symbol, paths, cases, False), [], [])
    result = VerifyResult()
    failed = None
    for case in recorded.cases.values():
        case["in"] = {new_names.get(n, n): v for n, v in case["in"].items()}
        case["out"] = {new_names.get(n, n): v for n, v in case["out"].items()}
        found = runtime.run(case["in"])
        compared = [Comparison(n, found[n], v, rtol, atol).to_dict() for n, v in case["out"].items() if n in found]
        if not compared:
            raise CannotCompare("no output of the file has a name of MXNet's: %s" % ", ".join(found))
        result.cases.append({"inputs": {n: list(v.shape) for n, v in case["in"].items()}, "outputs": compared})
        if failed is None and not all(c["same"] for c in compared):
            failed = case
    if failed is not None:
        if not failed["inner"] and expect is None:
            feeds = {old_names.get(n, n): v for n, v in failed["in"].items()}
            again = _run_mxnet(python, symbol, paths, [feeds], True)
            failed["inner"] = _Recorded(again, [], []).cases[0]["inner"]
        if failed["inner"]:
            result.first_difference = _first_difference(graph, model, failed, rtol, atol)
            if result.first_difference is None:
                result.note = (
                    "no inner value differs when ONNX Runtime does not optimise: its optimiser may be the cause"
                )
        else:
            result.note = "the recorded file has no inner values (record --internals): the node cannot be named"
    return result
