"""What MXNet computes: read from a file of `mx2onnx record`, or computed in a process of its own."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from ._api import Path
from ._arrays import values
from ._errors import FormatError, UsageError
from ._runtime import CannotCompare

RECORDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record_mxnet.py")
_NO_MXNET = "hint: name a Python that has MXNet (--mxnet-python), or a file of what it computed (--expect)"


class Case:
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


def _cases(arrays: Mapping[str, Any]) -> list[Case]:
    """The cases of a file of `mx2onnx record`; none if it was made by other means."""
    cases: dict[int, Case] = {}
    numbered = []
    for key, value in arrays.items():
        parts = key.split("/", 2)
        if len(parts) == 3 and parts[0].isdigit() and parts[1] in ("in", "out", "inner"):
            case = cases.setdefault(int(parts[0]), Case())
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
    """The arrays of a .npz file, plain ones. FormatError if it is none."""
    import zipfile
    import zlib

    import numpy as np

    if not zipfile.is_zipfile(path):
        open(path, "rb").close()  # says what is wrong with it if it cannot be read
        raise FormatError("%s: expected a .npz file of NumPy's" % os.fspath(path), file=os.fspath(path))
    try:
        with np.load(path) as file:
            return values(os.fspath(path), {name: file[name] for name in file.files})
    except (TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:  # objects, damage
        text = str(error) if isinstance(error, TypeError) else "%s: %s" % (os.fspath(path), error)
        raise FormatError(text, file=os.fspath(path)) from error


def recorded_cases(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> list[Case]:
    arrays = read_npz(path)
    cases = _cases(arrays)
    if not cases:  # made by hand: plain names
        case = Case()
        case.inputs = {n: arrays[n] for n in inputs if n in arrays}
        case.out = [(n, arrays[n]) for n in outputs if n in arrays]
        if not case.out and len(outputs) == 1 and "output" in arrays:
            case.out = [(outputs[0], arrays["output"])]
        cases = [case]
    if any(not case.inputs or not (case.out or case.inner) for case in cases):
        raise UsageError("the recorded file has no inputs and outputs of this model; it has %s"
                         % ", ".join(sorted(arrays)))  # fmt: skip
    return cases


def run_mxnet(
    python: str, symbol: Path, params: Sequence[Path], cases: list[Any], notes: set[str], *options: str
) -> list[Case]:
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
