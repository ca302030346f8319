"""Looks at many draws at once: their nodes stand side by side in one symbol, which is converted and run once, so that what a
conversion and a session of ONNX Runtime cost is shared. It only finds those that are worth a look; judge.Judge says what of them is
wrong."""

import json

import mx2onnx
from running import run

from operator_fuzzer.judge import RANDOM, differing_elements

OPSETS = (mx2onnx.FIRST_OPSET, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET)


class Draw:
    """A node that MXNet accepted: the request and its answer, and the same for other sizes where MXNet has one."""

    def __init__(self, operator, request, answer, changed, other):
        self.operator = operator
        self.graph = json.loads(answer[0])  # with all outputs as heads
        self.one = (request, answer)
        self.answers = [self.one] + ([] if isinstance(other, str) else [(changed, other)])

    def inputs(self, free, prefix=""):
        """Shapes and types for a conversion, by the variables' names."""
        shape = lambda k, v: ["%s_%d" % (k, i) for i in range(v.ndim)] if free else v.shape
        return {prefix + k: (shape(prefix + k, v), v.dtype.name) for k, v in self.one[1][1].items()}


def stops_the_runtime(draw):
    """ONNX Runtime 1.32 dies of a CumSum of float16 without elements (SIGFPE), which a free size can have only where the model runs, and
    of a Unique of rows with NaN or of none (abort)."""
    arrays = [a for _, answer in draw.answers for a in answer[1].values()]
    name = draw.operator["name"]
    if "cumsum" in name:
        return any(a.dtype == "float16" and a.size == 0 for a in arrays)
    return "unique" in name and any(a.size == 0 or (a != a).any() for a in arrays)


def side_by_side(draws):
    """The symbol of all their nodes, with a prefix for each."""
    nodes, arguments, heads = [], [], []
    for i, draw in enumerate(draws):
        first, graph = len(nodes), draw.graph
        moved = lambda entries, by=first: [[entry[0] + by, *entry[1:]] for entry in entries]
        nodes += [{**n, "name": "d%d_%s" % (i, n["name"]), "inputs": moved(n["inputs"])} for n in graph["nodes"]]
        arguments += [first + a for a in graph["arg_nodes"]]
        heads += moved(graph["heads"])
    return json.dumps({"nodes": nodes, "arg_nodes": arguments, "heads": heads, "attrs": draws[0].graph["attrs"]})


def agrees(draw, one, found):
    _, arrays, expected = one[0], one[1][1], one[1][2]
    dtypes = " ".join(a.dtype.name for a in [*arrays.values(), *expected])
    for ours, theirs in zip(found, expected):
        if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
            return False
        if not RANDOM.search(draw.operator["name"]) and differing_elements(draw.operator, ours, theirs, dtypes).any():
            return False
    return True


def disagreeing(draws, opset, free, other_sizes=False):
    """Those of the draws that fail, or whose outputs are not MXNet's."""
    if not draws:
        return []
    try:
        inputs = {k: v for i, d in enumerate(draws) for k, v in d.inputs(free, "d%d_" % i).items()}
        model = mx2onnx.convert(side_by_side(draws), inputs=inputs, opset=opset).model
        ones = [d.answers[1] if other_sizes else d.one for d in draws]
        found = run(model, {"d%d_%s" % (i, k): v for i, one in enumerate(ones) for k, v in one[1][1].items()})
        if len(found) != sum(len(one[1][2]) for one in ones):
            raise ValueError("another number of outputs")
    except Exception:  # of one of them at least
        if len(draws) == 1:
            return draws
        half = len(draws) // 2
        return [d for part in (draws[:half], draws[half:]) for d in disagreeing(part, opset, free, other_sizes)]
    bad, at = [], 0
    for draw, one in zip(draws, ones):
        count = len(one[1][2])
        if not agrees(draw, one, found[at : at + count]):
            bad.append(draw)
        at += count
    return bad


def suspects(draws, turn):
    """Those of the draws that a conversion with fixed or with free sizes does not give MXNet's outputs for: each kind at one of the
    opsets, by turns, and the refused."""
    bad, left = [], []
    for draw in draws:
        try:
            mx2onnx.convert(draw.one[1][0], inputs=draw.inputs(False), opset=OPSETS[turn % 3])
            left.append(draw)
        except mx2onnx.Error:
            bad.append(draw)
    for np_shape in (False, True):
        for free, other in ((False, False), (True, False), (True, True)):
            part = [d for d in left if d.one[0]["np_shape"] == np_shape and not (other and len(d.answers) < 2)]
            found = disagreeing(part, OPSETS[(turn + free) % 3], free, other)
            bad += found
            left = [d for d in left if not any(d is f for f in found)]
    return bad
