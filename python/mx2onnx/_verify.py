"""Comparing an ONNX file with MXNet: the same inputs through ONNX Runtime and through MXNet (or what was recorded of it)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from . import _onnx_file, _pieces
from ._errors import FileError, FormatError, UsageError

Path = Union[str, "os.PathLike[str]"]
RECORDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record_mxnet.py")
_NO_MXNET = "hint: name a Python that has MXNet (--mxnet-python), or a file of what it computed (--expect)"
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
    - ``not_compared``: outputs of the file of which MXNet's numbers are not known
    - ``first_difference``: where the numbers part: a dict with ``node``, ``op``, ``output`` and ``unseen`` (nodes
      before it that have no value of their own in the ONNX file); None if all agree or it could not be found
    """

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.not_compared: list[str] = []
        self.first_difference: Optional[dict[str, Any]] = None
        self.note = ""

    @property
    def ok(self) -> bool:
        return bool(self.cases) and all(output["same"] for case in self.cases for output in case["outputs"])

    def to_dict(self) -> dict[str, Any]:
        names = ("ok", "cases", "not_compared", "first_difference", "note")
        return {name: getattr(self, name) for name in names}

    def table(self) -> str:
        """The result as text."""
        lines = []
        for case in self.cases:
            lines.append("inputs " + ", ".join("%s %s" % (n, tuple(s)) for n, s in case["inputs"].items()))
            for o in case["outputs"]:
                place = "" if o["where"] is None else " at %s" % (tuple(o["where"]),)
                lines.append("  %-4s %s %s  largest difference %.3g, relative %s%s%s" % (
                    "ok" if o["same"] else "BAD", o["name"], tuple(o["shape"]), o["max_abs"],
                    "%.3g" % o["max_rel"] if o["max_rel"] < 1e300 else "infinite", place,
                    "" if o["same"] else ": " + o["problem"]))  # fmt: skip
        if self.not_compared:
            lines.append("NOT COMPARED, for MXNet's numbers are not known: " + ", ".join(self.not_compared))
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
        self.metadata: Mapping[str, str] = self.session.get_modelmeta().custom_metadata_map

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        try:
            values = self.session.run(None, {n: v for n, v in feeds.items() if n in self.inputs})
        except Exception as error:
            raise CannotCompare("ONNX Runtime cannot run the file: %s" % error) from error
        return dict(zip(self.outputs, values))


def _dtype(entry: Any) -> str:
    name = entry.type[len("tensor(") : -1]
    return _NUMPY_NAMES.get(name, "float16" if name == "float16" else name)


# Operators that hand their first input on, so that what is asked of the output is asked of it.
_PASSING = {"Cast", "amp_cast", "_copy", "identity", "BlockGrad", "Reshape", "reshape", "expand_dims", "squeeze", "Flatten",
            "transpose", "SwapAxis", "slice_axis", "_npx_reshape"}  # fmt: skip
_OF_LENGTHS = {"SequenceMask", "SequenceLast", "SequenceReverse", "_npx_sequence_mask"}


def _whole_numbers(graph: "_Graph") -> dict[str, tuple[int, int]]:
    """Inputs that must be whole numbers, with the range (without its end) that they are from: indices into the rows of an
    Embedding, and lengths of sequences, for which 1 and 2 are always right."""
    found = {}

    def source(entry: Sequence[int]) -> str:
        node = graph.nodes[entry[0]]
        while node["op"] in _PASSING and node["inputs"]:
            node = graph.nodes[node["inputs"][0][0]]
        return str(node["name"])

    for node in graph.nodes:
        if node["op"] in ("Embedding", "_npx_embedding"):
            attrs = node.get("attrs") or node.get("attr") or node.get("param") or {}
            found[source(node["inputs"][0])] = (0, int(attrs.get("input_dim", 1)))
        elif node["op"] in _OF_LENGTHS and len(node["inputs"]) > 1:
            found[source(node["inputs"][1])] = (1, 3)
    return found


def _random_cases(
    runtime: _Runtime,
    graph: "_Graph",
    preparation: "_Preparation",
    old_names: Mapping[str, str],
    sizes: Mapping[str, Sequence[int]],
    seed: int,
) -> list[Any]:
    import numpy as np

    choices: dict[str, list[int]] = {name: list(values) for name, values in sizes.items()}
    for entry in runtime.inputs.values():
        if entry.shape and not isinstance(entry.shape[0], int):
            choices.setdefault(str(entry.shape[0]), [1, 2, 5])
    for entry in runtime.inputs.values():
        for key in (str(size) for size in entry.shape if not isinstance(size, int)):
            if key not in choices:
                raise UsageError("input %r has the free size %s: say --size %s=NUMBER" % (entry.name, key, key))
    shown = {str(size) for entry in runtime.inputs.values() for size in entry.shape}
    strange = set(sizes) - shown
    if strange:
        raise UsageError("no input has a free size %s" % ", ".join(sorted(strange)))
    random = np.random.RandomState(seed)
    whole = _whole_numbers(graph)
    cases = []
    for number in range(max([len(values) for values in choices.values()], default=1)):
        feeds = {}
        for entry in runtime.inputs.values():
            shape = [s if isinstance(s, int) else choices[str(s)][number % len(choices[str(s)])] for s in entry.shape]
            dtype = _dtype(entry)
            name = old_names.get(entry.name, entry.name)
            if name == preparation.input:  # an image, of the range that the preparation expects
                image = random.randint(0, 128 if dtype == "int8" else 256, size=shape)
                feeds[entry.name] = image.astype(dtype)
            elif name in whole:
                feeds[entry.name] = random.randint(*whole[name], size=shape).astype(dtype)
            elif dtype.startswith("float"):
                feeds[entry.name] = random.standard_normal(shape).astype(dtype)
            else:
                feeds[entry.name] = random.randint(0, 3, size=shape).astype(dtype)
        cases.append(feeds)
    return cases


def _from_metadata(metadata: Mapping[str, str], key: str, members: Sequence[str] = ()) -> dict[str, Any]:
    if key not in metadata:
        return {}
    try:
        found = json.loads(metadata[key])
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(member not in found for member in members):
        raise FormatError("the file's metadata %r is not as mx2onnx writes it" % key)
    return found


class _Preparation:
    """The preparation of an image that the file does itself (`--mean` and the like), read from its metadata: MXNet gets
    the prepared image, the file the image."""

    def __init__(self, metadata: Mapping[str, str]):
        self.steps = _from_metadata(
            metadata, "mx2onnx.preprocessing", ("input", "layout", "scale", "mean", "std", "dtype")
        )
        self.input: Optional[str] = self.steps.get("input")  # MXNet's name

    def _per_channel(self, name: str, rank: int) -> Any:
        import numpy as np

        values = np.array(self.steps[name] or [0.0 if name == "mean" else 1.0], self.steps["dtype"])
        return values if values.size == 1 else values.reshape([-1] + [1] * (rank - 2))

    def _scale(self) -> list[Any]:
        import numpy as np

        times, _, over = self.steps["scale"].partition("/")
        return [np.array(float(text or 1), self.steps["dtype"]) for text in (times, over)]

    def prepared(self, image: Any) -> Any:
        """What MXNet takes, in the converter's order of operations, in MXNet's element type."""
        x = image.transpose(0, 3, 1, 2) if self.steps["layout"] == "nhwc" else image
        times, over = self._scale()
        x = x.astype(self.steps["dtype"]) * times / over
        return (x - self._per_channel("mean", x.ndim)) / self._per_channel("std", x.ndim)

    def image(self, prepared: Any, dtype: str) -> Any:
        """The image that was prepared to this. CannotCompare if no image of this type can have been."""
        import numpy as np

        times, over = (value.astype("float64") for value in self._scale())
        x = prepared.astype("float64") * self._per_channel("std", prepared.ndim)
        x = (x + self._per_channel("mean", prepared.ndim)) * over / times
        if self.steps["layout"] == "nhwc":
            x = x.transpose(0, 2, 3, 1)
        if dtype.startswith("float"):
            return x.astype(dtype)
        limits, rounded = np.iinfo(dtype), np.rint(x)
        if not (np.abs(x - rounded) < 0.01).all() or rounded.min() < limits.min or rounded.max() > limits.max:
            raise CannotCompare(
                "the file takes %s images, and the recorded values of %r are not made from such: record MXNet with prepared "
                "images (--inputs), or verify a file that was converted without the preparation" % (dtype, self.input)
            )
        return rounded.astype(dtype)


class _Graph:
    """What is needed of a symbol file."""

    def __init__(self, path: Path):
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        try:
            self.symbol: dict[str, Any] = json.loads(text)
            self.nodes: list[dict[str, Any]] = self.symbol["nodes"]
            self.names = {node["name"] for node in self.nodes}
            self.heads = [self.nodes[head[0]]["name"] for head in self.symbol["heads"]]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            name = os.fspath(path)
            raise FormatError("%s: this is no symbol file of MXNet" % name, file=name) from error

    def owner(self, output: str) -> str:
        """The node that an output's name is made from: "relu1" for "relu1_output"."""
        while output and output not in self.names:
            output = output.rpartition("_")[0]
        return output

    def are_heads(self, outputs: Sequence[str]) -> bool:
        """True if these are the outputs that the symbol itself has."""
        return [self.owner(output) for output in outputs] == self.heads


class _Case:
    """What MXNet was fed with and what it computed. `out` is in its order, for a name may be there twice."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.out: list[tuple[str, Any]] = []
        self.inner: dict[str, Any] = {}

    def outputs(self, wanted: Sequence[str]) -> list[Any]:
        """The values of these outputs (as MXNet names them), None for those that are not known."""
        names = [name for name, _ in self.out]
        return [self._output(name, i, names, len(wanted)) for i, name in enumerate(wanted)]

    def _output(self, name: str, place: int, names: list[str], count: int) -> Any:
        if names.count(name) == 1:
            return self.out[names.index(name)][1]
        # Of one name twice, and of an input that is an output too, the file has made another name.
        if len(names) == count and name.startswith(names[place]):
            return self.out[place][1]
        return self.inner.get(name)


def _cases(arrays: Mapping[str, Any]) -> list[_Case]:
    """The cases of a file of `mx2onnx record`; none if it was made by other means."""
    cases: dict[int, _Case] = {}
    numbered = []
    for key, value in arrays.items():
        parts = key.split("/", 2)
        if len(parts) == 3 and parts[0].isdigit() and parts[1] in ("in", "out", "inner"):
            case = cases.setdefault(int(parts[0]), _Case())
            if parts[1] == "in":
                case.inputs[parts[2]] = value
                continue
            index, _, name = parts[2].partition("/")
            if parts[1] == "out":
                numbered.append((int(parts[0]), int(index), name, value))
            else:  # a name that comes twice is of two nodes: nothing can be said of them
                case.inner[name] = None if name in case.inner else value
    for number, _, name, value in sorted(numbered, key=lambda entry: entry[:2]):
        cases[number].out.append((name, value))
    return [cases[number] for number in sorted(cases)]


def read_npz(path: Path) -> dict[str, Any]:
    """The arrays of a .npz file. FormatError if it is none."""
    import zipfile

    import numpy as np

    if not zipfile.is_zipfile(path):
        open(path, "rb").close()  # says what is wrong with it if it cannot be read
        raise FormatError("%s: expected a .npz file of NumPy's" % os.fspath(path), file=os.fspath(path))
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def _recorded(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> list[_Case]:
    arrays = read_npz(path)
    cases = _cases(arrays)
    if not cases:  # made by hand: plain names
        case = _Case()
        case.inputs = {n: arrays[n] for n in inputs if n in arrays}
        case.out = [(n, arrays[n]) for n in outputs if n in arrays]
        if not case.out and len(outputs) == 1 and "output" in arrays:
            case.out = [(outputs[0], arrays["output"])]
        cases = [case]
    if any(not case.inputs or not (case.out or case.inner) for case in cases):
        raise UsageError("the recorded file has no inputs and outputs of this model; it has %s"
                         % ", ".join(sorted(arrays)))  # fmt: skip
    return cases


def _run_mxnet(
    python: str, symbol: Path, params: Sequence[Path], cases: list[Any], notes: set[str], *options: str
) -> list[_Case]:
    """What MXNet computes in a process of its own; `notes` gets what the recorder says of it."""
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="mx2onnx-") as folder:
        given, made = os.path.join(folder, "in.npz"), os.path.join(folder, "out.npz")
        with open(given, "wb") as file:
            np.savez(file, **{"%d/in/%s" % (i, n): v for i, feeds in enumerate(cases) for n, v in feeds.items()})
        command = [
            python,
            RECORDER,
            os.fspath(symbol),
            *[os.fspath(p) for p in params],
            "-o",
            made,
            "--inputs",
            given,
            *options,
        ]
        environment = dict(os.environ, OMP_WAIT_POLICY="passive")
        try:
            process = subprocess.run(command, env=environment, capture_output=True, text=True)
        except OSError as error:
            raise CannotCompare("%s cannot be run: %s" % (python, error)) from error
        if process.returncode != 0:
            lines = process.stderr.strip().splitlines() or ["no message"]
            # MXNet's own words have a stack of addresses behind them.
            last = [line for line in lines if "Error: " in line][-1:] or lines[-1:]
            raise CannotCompare("MXNet could not run the model with %s: %s\n%s" % (python, last[0], _NO_MXNET))
        notes.update(line for line in process.stderr.splitlines() if line.startswith("record: "))
        with np.load(made) as arrays:
            return _cases({name: arrays[name] for name in arrays.files})


def _first_difference(
    graph: _Graph, path: Path, case: _Case, feeds: Mapping[str, Any], outputs: Mapping[str, Any], rtol: Any, atol: Any
) -> Any:
    """The first MXNet node, in the symbol's order, with an output that differs from the value of that name in the file.
    `outputs` are MXNet's numbers by the names that the file's outputs have, with MXNet's name."""
    inner = {name: value for name, value in case.inner.items() if value is not None}
    in_file = [name for node in _onnx_file.nodes(path) for name in node.outputs]
    standing = set(_Runtime(path).outputs)
    wanted = [name for name in in_file if name in inner and name not in standing]
    found = _Runtime(path, wanted, optimised=False).run(feeds)
    for name, (mxnets_name, value) in outputs.items():
        inner.setdefault(mxnets_name, value)
        found[mxnets_name] = found[name]
    names_of: dict[str, list[str]] = {}
    for name in inner:
        names_of.setdefault(graph.owner(name), []).append(name)
    unseen: list[str] = []
    for node in graph.nodes:
        if node["op"] == "null":
            continue
        names = [name for name in names_of.get(node["name"], []) if name in found]
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
    symbol: Optional[Path],
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
    that `sizes` gives (a free first size is tried with 1, 2 and 5). They are what the file takes: images as they come
    if it prepares them itself (`mean`, `std` and so on), which its metadata say. `rename` is what the conversion was
    told, for a file that does not say so itself. With `expect`, `symbol` may be None: then a node that differs is not
    named. A recording of another batch than the file's is fed piece by piece.

    A value agrees if it differs by at most `atol + rtol * |MXNet's|`. By default `rtol` is 1e-3 and `atol` 1e-5 of
    the output's largest value (1e-2 and 1e-3 for float16; integers must be equal).

    Where numbers differ, the inner values are compared too, and the first node that differs is named. A node within the
    body of a loop or a branch has no value that MXNet shows: the loop or the branch is named.
    """
    paths: list[Any] = [] if params is None else [params] if isinstance(params, (str, os.PathLike)) else list(params)
    if symbol is None and expect is None:
        raise UsageError("without a symbol there is nothing to compare with but a recording: say --expect FILE.npz")
    graph = None if symbol is None else _Graph(symbol)
    runtime = _Runtime(model)
    new_names: dict[str, str] = {**_from_metadata(runtime.metadata, "mx2onnx.renamed"), **(rename or {})}
    old_names = {new: old for old, new in new_names.items()}
    preparation = _Preparation(runtime.metadata)
    wanted = [old_names.get(n, n) for n in runtime.outputs]
    python = mxnet_python or sys.executable
    notes: set[str] = set()

    def as_mxnet(feeds: Mapping[str, Any]) -> dict[str, Any]:
        plain = {old_names.get(n, n): v for n, v in feeds.items()}
        return {n: preparation.prepared(v) if n == preparation.input else v for n, v in plain.items()}

    def as_file(feeds: Mapping[str, Any]) -> dict[str, Any]:
        result = {}
        for name, value in feeds.items():
            entry = runtime.inputs.get(new_names.get(name, name))
            if name == preparation.input and entry is not None:
                value = preparation.image(value, _dtype(entry))
            result[new_names.get(name, name)] = value
        return result

    if expect is not None:
        recorded = _recorded(expect, [old_names.get(n, n) for n in runtime.inputs], wanted)
        given = [as_file(case.inputs) for case in recorded]
    else:
        assert symbol is not None and graph is not None
        strange = [n for n in runtime.inputs if old_names.get(n, n) not in graph.names]
        if strange:
            raise UsageError("input %r is not in the symbol; say --rename OLD=NEW as in the conversion" % strange[0])
        given = (
            [dict(inputs)]
            if inputs is not None
            else _random_cases(runtime, graph, preparation, old_names, sizes or {}, seed)
        )
        given = [{new_names.get(n, n): v for n, v in feeds.items()} for feeds in given]
        missing = [n for feeds in given for n in runtime.inputs if n not in feeds]
        if missing:
            raise UsageError("the inputs have no value of %r" % missing[0])
        options = () if graph.are_heads(wanted) else ("--outputs", ",".join(wanted))
        recorded = _run_mxnet(python, symbol, paths, [as_mxnet(feeds) for feeds in given], notes, *options)
    result = VerifyResult()
    failed = None
    for case, feeds in zip(recorded, given):
        known = {n: (old, v) for n, old, v in zip(runtime.outputs, wanted, case.outputs(wanted)) if v is not None}
        found, pieces = _pieces.run(runtime, feeds, {n: v for n, (_, v) in known.items()})
        if pieces > 1:
            notes.add("the recording was fed in %d pieces: the file takes another batch" % pieces)
        if not known:
            raise CannotCompare("no output of the file has a name of MXNet's: %s" % ", ".join(found))
        result.not_compared = [n for n in runtime.outputs if n not in known]
        compared = [Comparison(n, found[n], v, rtol, atol).to_dict() for n, (_, v) in known.items()]
        result.cases.append({"inputs": {n: list(v.shape) for n, v in feeds.items()}, "outputs": compared})
        if failed is None and pieces == 1 and not all(c["same"] for c in compared):
            failed = (case, feeds, known)
    if failed is not None:
        case, feeds, known = failed
        if symbol is not None and not case.inner and expect is None:
            case.inner = _run_mxnet(python, symbol, paths, [as_mxnet(feeds)], notes, "--internals", *options)[0].inner
        if graph is None:
            notes.add("without the symbol the node cannot be named")
        elif case.inner:
            result.first_difference = _first_difference(graph, model, case, feeds, known, rtol, atol)
            if result.first_difference is None:
                notes.add("no inner value differs when ONNX Runtime does not optimise: its optimiser may be the cause")
        else:
            notes.add("the recorded file has no inner values (record --internals): the node cannot be named")
    result.note = "\n".join(sorted(notes))
    return result
