"""Converts models of the corpora, runs them in ONNX Runtime, and compares with what MXNet gave: for tools/zoo.py and the tests.

The error of an output is the largest difference in relation to its largest magnitude. Where a detector's rows (class, score, box) differ in
place, they are compared as a set: see `compare_rows`.
"""

import hashlib
import json
import re
from collections import Counter

import mx2onnx
import numpy as np
import onnxruntime
from running import spelling_changes

import onnx

TOLERANCE = 1e-3
"""The largest error that is the rounding of another order of additions, through up to 400 layers; most models have 1e-6."""

ROWS_UNMATCHED = 0.02
"""The share of a detector's rows that may be without a partner: those whose neighbours' scores differ by rounding only."""


STAGE_OUTLIERS = 0.002
"""The share of values before a sort that may be off: MXNet's ROIAlign damages the features of region 0 (see docs/zoo.md)."""


class Different(Exception):
    """The converted model does not give MXNet's numbers."""


class DifferentValues(Different):
    """Shapes and types are MXNet's; values are not."""


def error_of(found, expected):
    """The largest difference in relation to the largest magnitude; infinite where one has a NaN and the other has not."""
    if found.size == 0:
        return 0.0
    found, expected = np.asarray(found, "f8"), np.asarray(expected, "f8")
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(found)) or not np.array_equal(
        found[~finite], expected[~finite], equal_nan=True
    ):
        return float("inf")
    if not finite.any():
        return 0.0
    return float(np.abs(found - expected)[finite].max() / max(1e-6, np.abs(expected[finite]).max()))


def rows_of(outputs):
    """The outputs of a detector as one matrix of rows, (class, score, box…), each column in relation to its output's magnitude."""
    count = int(np.prod(outputs[0].shape[:2]))
    return np.concatenate([np.asarray(o, "f8").reshape(count, -1) for o in outputs], 1)


def are_rows(shapes):
    """Whether outputs of these shapes are a detector's classes, scores and boxes."""
    if len(shapes) != 3 or any(len(s) < 2 or s[:2] != shapes[0][:2] for s in shapes):
        return False
    return [int(np.prod(s[2:])) for s in shapes] == [1, 1, 4]


def compare_rows(found, expected, tolerance=TOLERANCE):
    """(error, moved, unmatched) of two lists of outputs as sets of rows.

    Each row of MXNet takes the nearest of our rows that nobody has taken, in MXNet's order; a pair differs by the largest difference
    of a column in relation to that output's magnitude, and must stay within the tolerance. Classes are equal.
    """
    ours, theirs = rows_of(found), rows_of(expected)
    scale = np.concatenate([np.full(int(np.prod(o.shape[2:])), max(1e-6, np.abs(o).max())) for o in expected])
    free = np.ones(len(ours), bool)
    error, moved, unmatched = 0.0, 0, 0
    for place, row in enumerate(theirs):
        distance = (np.abs(ours - row) / scale).max(1)
        distance[~free | (ours[:, 0] != row[0])] = np.inf
        # The same place first: equal rows of -1 then count as unmoved.
        nearest = place if distance[place] <= tolerance else int(distance.argmin())
        if distance[nearest] > tolerance:
            unmatched += 1
            continue
        free[nearest] = False
        error = max(error, float(distance[nearest]))
        moved += nearest != place
    return error, moved, unmatched


def compare(found, expected, samples=1, tolerance=TOLERANCE):
    """{"error", "moved", "unmatched", "rows"} of a model's outputs; Different if they are not MXNet's.

    With `samples` the model ran on a batch whose first samples are those that MXNet saw.
    """
    if len(found) != len(expected):
        raise Different("%d outputs, MXNet %d" % (len(found), len(expected)))
    first, worst, message = [], 0.0, ""
    for i, (ours, (shape, dtype, step, values)) in enumerate(zip(found, expected)):
        if samples > 1:
            if ours.ndim == 0 or shape[0] * samples != ours.shape[0]:
                raise Different(
                    "output %d: shape %s for %d samples, MXNet %s for one" % (i, ours.shape, samples, shape)
                )
            ours = ours[: shape[0]]
        if ours.shape != shape:
            raise Different("output %d: shape %s, MXNet %s" % (i, ours.shape, shape))
        if ours.dtype.name != dtype:
            raise Different("output %d: %s, MXNet %s" % (i, ours.dtype.name, dtype))
        first.append(ours)
        error = error_of(ours.reshape(-1)[::step], values)
        worst = max(worst, error)
        if error > tolerance and not message:
            message = "output %d: error %.2g" % (i, error)
    result = {"error": worst, "moved": 0, "unmatched": 0, "rows": 0}
    if not message:
        return result
    shapes = [e[0] for e in expected]
    if are_rows(shapes) and all(e[2] == 1 for e in expected):
        result["rows"] = len(rows_of(first))
        recorded = [e[3].reshape(e[0]) for e in expected]
        result["error"], result["moved"], result["unmatched"] = compare_rows(first, recorded, tolerance)
        if result["unmatched"] <= ROWS_UNMATCHED * result["rows"]:
            return result
        message += ", %d of %d rows without a partner" % (result["unmatched"], result["rows"])
    raise DifferentValues(message)


def cut(symbol, nodes):
    """The symbol with inputs in place of these nodes."""
    graph = json.loads(symbol)
    for i, node in enumerate(graph["nodes"]):
        if node["name"] in nodes and node["op"] != "null":
            graph["nodes"][i] = {"op": "null", "name": node["name"], "inputs": []}
            graph["arg_nodes"].append(i)
    return json.dumps(graph)


def compare_stages(entry, symbol, params, feeds, opset):
    """The error of what goes into each sort of a detector, where the earlier ones gave what they gave in MXNet."""
    worst, given, inputs = 0.0, {}, dict(entry.fixed_inputs())
    for i, stage in enumerate(entry.meta["stages"]):
        text = cut(symbol, given) if given else symbol
        result = mx2onnx.convert(text, params, inputs=inputs, opset=opset, outputs=[stage["before"]])
        (found,) = run(result.model, dict(feeds, **given))
        if list(found.shape) != stage["shape"]:
            raise Different("%s: shape %s, MXNet %s" % (stage["before"], found.shape, stage["shape"]))
        expected = entry.golden()["before/%d" % i].astype("f8")
        scale = max(1e-6, np.abs(expected).max())
        errors = np.abs(found.reshape(-1)[:: stage["step"]] - expected) / scale
        off = errors > TOLERANCE
        if not off.mean() <= STAGE_OUTLIERS:
            raise Different(
                "%s: error %.2g, %.2g %% of the values off" % (stage["before"], errors.max(), 100 * off.mean())
            )
        worst = max(worst, float(errors[~off].max()))
        after = entry.golden().get("after/%d" % i)
        if after is not None:
            given[stage["node"]] = after
            inputs[stage["node"]] = (after.shape, after.dtype.name)
    return {"error": worst, "moved": 0, "unmatched": 0, "rows": 0, "stages": len(entry.meta["stages"])}


def check(entry, symbol, params, feeds, model, opset):
    """compare() of a model run at the recorded sizes; where a detector's sorts hide what is before them, compare_stages()."""
    try:
        return compare(run(model, feeds), entry.expected())
    except DifferentValues:
        if "stages" not in entry.meta:
            raise
        return compare_stages(entry, symbol, params, feeds, opset)


def check_alt(entry, symbol, params, model, inputs, opset):
    """compare() of a model with free sizes at MXNet's second ones; of a detector, if need be, what goes into its first sort."""
    feeds = entry.feeds(alt=True)
    try:
        return compare(run(model, feeds), entry.expected(alt=True))
    except DifferentValues:
        if "stage" not in entry.meta["alt"]:
            raise
    stage = entry.meta["alt"]["stage"]
    result = mx2onnx.convert(symbol, params, inputs=inputs, opset=opset, outputs=[stage["before"]])
    (found,) = run(result.model, feeds)
    expected = [(tuple(stage["shape"]), "float32", stage["step"], entry.golden()["alt/before/0"])]
    return dict(compare([found], expected), stages=1)


def check_free(entry, symbol, params, feeds, opset):
    """(conversion with all free sizes, the letters that stayed free, compare() at MXNet's second sizes or on a batch of two)."""
    inputs = entry.free_inputs()
    result = convert(entry, symbol, params, inputs, opset)
    letters = {size for shape, _ in inputs.values() for size in shape if isinstance(size, str)}
    free = sorted(letters & {str(size) for port in result.inputs for size in port["shape"]})
    if entry.alt:
        model = result.model
        if not takes(result, entry.meta["alt"]["inputs"]):
            # A size that was chosen from several: with MXNet's second one given as a number.
            inputs = numbers_where_fixed(result, inputs, entry.meta["alt"]["inputs"])
            model = convert(entry, symbol, params, inputs, opset).model
        found = check_alt(entry, symbol, params, model, inputs, opset)
    elif entry.corpus == "gluoncv" and "B" in free:
        found = compare(run(result.model, second_sample(feeds, entry)), entry.expected(), samples=2)
    else:
        found = compare(run(result.model, feeds), entry.expected())
    return result, free, found


def takes(result, shapes):
    """Whether inputs of these shapes can be fed to a converted model."""
    return all(
        not str(size).isdigit() or int(size) == given
        for port in result.inputs
        for size, given in zip(port["shape"], shapes[port["name"]])
    )


def numbers_where_fixed(result, inputs, shapes):
    """Inputs for convert(), with the given number wherever the converted model has one."""
    fixed = {port["name"]: [str(size).isdigit() for size in port["shape"]] for port in result.inputs}
    return {
        name: (tuple(n if f else s for s, n, f in zip(shape, shapes[name], fixed[name])), dtype)
        for name, (shape, dtype) in inputs.items()
    }


def session(model, optimised=True):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(model, feeds):
    """The outputs of a model."""
    loaded = session(model)
    wanted = {i.name for i in loaded.get_inputs()}
    return loaded.run(None, {name: value for name, value in feeds.items() if name in wanted})


def root_mean_square(found, expected):
    """The root of the mean square difference of an output from what is recorded of it, in relation to that one's
    standard deviation; infinite for another shape."""
    shape, _, step, values = expected
    if tuple(found.shape) != shape:
        return float("inf")
    difference = found.reshape(-1)[::step].astype("float64") - values
    return float(np.sqrt(np.mean(difference**2)) / max(values.std(), 1e-30))


def fixed_parts(result):
    """[(node, message)] of free sizes that the graph itself fixes, or frees on a condition."""
    return [(d["node"], d["message"]) for d in result.diagnostics if d["id"] in ("W-dim-fixed", "W-dim-condition")]


def _nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def form_of(model):
    """(digest, operators): what the graph computes, apart from the opset's number."""
    graph = onnx.load_from_string(model).graph
    digest = hashlib.sha256()
    for node in graph.node:
        digest.update(node.SerializeToString())
    for tensor in graph.initializer:
        digest.update(tensor.name.encode() + tensor.SerializeToString()[: 1 << 16])
    for port in list(graph.input) + list(graph.output):
        digest.update(port.SerializeToString())
    return digest.digest(), {node.op_type for node in _nodes(graph)}


def counts(graph):
    """The operators of a graph and how many there are, a line each."""
    count = Counter(node.op_type for node in _nodes(graph))
    lines = ["%d nodes" % sum(count.values())] + [
        "%4d %s" % (n, op) for op, n in sorted(count.items(), key=lambda i: (-i[1], i[0]))
    ]
    return "\n".join(lines) + "\n"


def same_meaning(form, other, opsets):
    """Whether two graphs, of form_of(), are one, and no operator in it is spelled differently in one of the opsets."""
    low, high = sorted(opsets)
    return form[0] == other[0] and not any(low < o <= high for op in form[1] for o in spelling_changes(op))


def one_line(error):
    """An error's text on one line; of a refusal, what stands behind "cannot be converted to opset N:"."""
    text = re.sub(r"\s+", " ", str(error).strip())
    return re.sub(r"^symbol: the model cannot be converted to opset \d+: ", "", text)[:300]


def convert(entry, symbol, params, inputs, opset):
    return mx2onnx.convert(symbol, params, inputs=inputs, opset=opset)


def second_sample(feeds, entry):
    """A batch of two: what MXNet saw, and its mirror image."""
    return {
        name: np.concatenate([value, value[..., ::-1]])
        if entry.meta["inputs"][name].get("axes", [None])[0] == "B"
        else value
        for name, value in feeds.items()
    }
