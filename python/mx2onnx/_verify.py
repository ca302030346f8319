"""Comparing an ONNX file with MXNet: the same inputs through ONNX Runtime and through MXNet (or what was recorded of it)."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from . import _arrays, _onnx_file, _pieces
from ._api import Path
from ._comparison import TOLERANCES, Comparison, VerifyResult
from ._errors import UsageError
from ._mxnet_values import Case, recorded_cases, run_mxnet
from ._preparation import Preparation, from_metadata
from ._random_inputs import random_cases
from ._runtime import CannotCompare, Runtime, dtype_of
from ._symbol_file import SymbolFile


def _first_difference(
    graph: SymbolFile,
    path: Path,
    case: Case,
    feeds: Mapping[str, Any],
    outputs: Mapping[str, Any],
    *tolerance: Any,
) -> Any:
    """The first MXNet node, in the symbol's order, with an output that differs from the value of that name in the file.
    `outputs` are MXNet's numbers by the names that the file's outputs have, with MXNet's name."""
    inner = {name: value for name, value in case.inner.items() if value is not None}
    in_file = [name for node in _onnx_file.nodes(path) for name in node.outputs]
    standing = set(Runtime(path).outputs)
    wanted = [name for name in in_file if name in inner and name not in standing]
    found = Runtime(path, wanted, optimised=False).run(feeds)
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
            comparison = Comparison(name, found[name], inner[name], *tolerance)
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
    the output's largest value (1e-2 and 1e-3 for float16, and for a file that was converted with `float16` or
    `bfloat16`; 5e-2 for both if its weights are int8, and 3e-1 if they are int4; integers must be equal). What each
    output differs by is in the result.

    Where numbers differ, the inner values are compared too, and the first node that differs is named. A node within the
    body of a loop or a branch has no value that MXNet shows: the loop or the branch is named.
    """
    paths: list[Any] = [] if params is None else [params] if isinstance(params, (str, os.PathLike)) else list(params)
    if symbol is None and expect is None:
        raise UsageError("without a symbol there is nothing to compare with but a recording: say --expect FILE.npz")
    graph = None if symbol is None else SymbolFile(symbol)
    runtime = Runtime(model)
    new_names: dict[str, str] = {**from_metadata(runtime.metadata, "mx2onnx.renamed"), **(rename or {})}
    old_names = {new: old for old, new in new_names.items()}
    preparation = Preparation(runtime.metadata)
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
                value = preparation.image(value, dtype_of(entry))
            result[new_names.get(name, name)] = value
        return result

    if expect is not None:
        recorded = recorded_cases(expect, [old_names.get(n, n) for n in runtime.inputs], wanted)
        given = [as_file(case.inputs) for case in recorded]
    else:
        assert symbol is not None and graph is not None
        strange = [n for n in runtime.inputs if old_names.get(n, n) not in graph.names]
        if strange:
            raise UsageError("input %r is not in the symbol; say --rename OLD=NEW as in the conversion" % strange[0])
        given = (
            [_arrays.values("inputs", inputs)]
            if inputs is not None
            else random_cases(runtime, graph, preparation, old_names, sizes or {}, seed)
        )
        given = [{new_names.get(n, n): v for n, v in feeds.items()} for feeds in given]
        missing = [n for feeds in given for n in runtime.inputs if n not in feeds]
        if missing:
            raise UsageError("the inputs have no value of %r" % missing[0])
        options = () if graph.are_heads(wanted) else ("--outputs", ",".join(wanted))
        recorded = run_mxnet(python, symbol, paths, [as_mxnet(feeds) for feeds in given], notes, *options)
    precision = runtime.metadata.get("mx2onnx.precision", "float32")
    weights = runtime.metadata.get("mx2onnx.weights", "float32")
    if precision not in TOLERANCES or weights not in TOLERANCES:
        raise CannotCompare("the file was written by a newer mx2onnx: it is %s, its weights %s" % (precision, weights))
    if weights != "float32":
        notes.add("the file's weights are %s: differences are those to MXNet's own precision" % weights)
        precision = weights
    elif precision != "float32":
        notes.add("the file is %s: differences are those to MXNet's own precision" % precision)
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
        compared = [Comparison(n, found[n], v, rtol, atol, precision).to_dict() for n, (_, v) in known.items()]
        result.cases.append({"inputs": {n: list(v.shape) for n, v in feeds.items()}, "outputs": compared})
        if failed is None and pieces == 1 and not all(c["same"] for c in compared):
            failed = (case, feeds, known)
    if failed is not None:
        case, feeds, known = failed
        if symbol is not None and not case.inner and expect is None:
            case.inner = run_mxnet(python, symbol, paths, [as_mxnet(feeds)], notes, "--internals", *options)[0].inner
        if graph is None:
            notes.add("without the symbol the node cannot be named")
        elif case.inner:
            result.first_difference = _first_difference(graph, model, case, feeds, known, rtol, atol, precision)
            if result.first_difference is None:
                notes.add("no inner value differs when ONNX Runtime does not optimise: its optimiser may be the cause")
        else:
            notes.add("the recorded file has no inner values (record --internals): the node cannot be named")
    result.note = "\n".join(sorted(notes))
    return result
