"""Converts a draw at several opsets, runs it in ONNX Runtime, and says what is wrong with it."""

import functools
import json
import os
import pickle
import re
import struct
import subprocess

import mx2onnx
import numpy as np
from running import run

from operator_fuzzer.conditions import beyond_float32, in_sums_that_are_not_finite
from operator_fuzzer.excuses import EXCUSES, FAILS, GENERAL

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")
DISAGREEMENTS = ("different", "runtime", "wrongly refused")
KINDS = (
    *DISAGREEMENTS,
    "other in MXNet without oneDNN, with a warning",
    "other for a size that the report calls fixed",
    "other as a note says",
    "another sign of 0",
    "fails where MXNet does not check",
    "fails with free sizes where an array is empty",
    "undefined in MXNet",
    "refused",
    "refused with free sizes",
)
WITHOUT_ONEDNN = {"MXNET_MKLDNN_ENABLED": "0", "MXNET_ONEDNN_ENABLED": "0"}  # its name in 1.9.1, and in 2.0
# Draws at random: shapes and types are compared, and the distributions by tests/python/test_random.py.
RANDOM = re.compile(
    "^_random_(?!pdf)|^_sample_|^_shuffle$|^_image_random"
    "|^_npi_(uniform|normal|bernoulli|choice|exponential|gamma|gumbel|laplace|logistic|multinomial|pareto|powerd|rayleigh|weibull)"
)
# Their elements are sums, so that an error is one of the largest terms.
SUMS = re.compile(
    "Conv|conv|dot|linalg|FullyConnected|Norm|norm|LRN|RNN|sum|mean|moments|matmul|sldwin|Correlation|Resize|Sampler"
    "|Spatial|Grid|ROI|Pool|box|Box|Proposal|UpSampling|resize|khatri|fft|hawkes|^_(foreach|while_loop|cond)$|col2im|loss|softm|prod|average|std|var|polyval|kron|cross|trace|einsum|interp|percentile|inv|solve|lstsq|svd|qr|eig|cholesky|diff|hypot|logaddexp"
)


def notes_of(operator):
    """All notes, also those of variants for other versions of MXNet."""
    return operator["notes"] + [note for variant in operator["variants"] for note in variant["notes"]]


class Oracle:
    """A process of MXNet's Python that answers requests."""

    def __init__(self, python, second=False, onednn=True, naive=False, program=(SERVER,)):
        # Memory that nothing was written to has this byte: what depends on it is not defined.
        engine = {"MXNET_ENGINE_TYPE": "NaiveEngine"} if naive else {}  # no threads that wait for each other
        more = {**engine, "MALLOC_PERTURB_": "170" if second else "85", **({} if onednn else WITHOUT_ONEDNN)}
        self.process = subprocess.Popen(
            [python, *program] + ["--second"] * second,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **more},
        )

    def ask(self, request):
        data = pickle.dumps(request, 4)
        self.process.stdin.write(struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        size = struct.unpack("<I", self.process.stdout.read(4))[0]
        return pickle.loads(self.process.stdout.read(size))


class Oracles:
    """MXNet as it is; with other memory around its arrays; and without oneDNN."""

    def __init__(self, python):
        self.python = python
        self.started = {}

    def ask(self, request, **kind):
        key = str(kind)
        if key not in self.started:
            self.started[key] = Oracle(self.python, **kind)
        return self.started[key].ask(request)

    def ask_all(self, requests):
        """The answers to a list of requests, of processes that answer several: what is wrong of these has to be asked again."""
        return self.ask(requests, naive=True)


class Difference:
    """A disagreement in the values of a draw, for excuses to look at."""

    def __init__(self, operator, request, answer, found, differing, again, free):
        node = json.loads(request["symbol"])["nodes"][-1]
        defaults = {a["name"]: a["default"] for a in operator["attributes"]}
        self.attrs = {**defaults, **node.get("attrs", {})}
        self.names = request["roles"]
        self.arrays = answer[1]
        self.inputs = list(answer[1].values())
        self.expected = answer[2]
        self.found = found
        self.differing = differing
        self.request = request
        self.again = again
        self.free = free
        self.symbol = json.loads(request["symbol"])

    def input(self, role):
        """The input of this name of the operator; None if the draw has none."""
        return next((a for name, a in self.arrays.items() if self.names[name] == role), None)

    @functools.cached_property
    def touched(self):
        """Masks of the outputs' elements that depend on an input's element that is not finite or so large that a sum of products
        may overflow: these change with what stands in its place."""
        runs = [self.again({**self.request, "step": step}) for step in range(3)]
        if any(run is None or [a.shape for a in run] != [a.shape for a in self.expected] for run in runs):
            return [np.ones(a.shape, bool) for a in self.expected]
        with np.errstate(all="ignore"):
            same = lambda a, b: (a == b) | ((a != a) & (b != b))
            return [~(same(a, b) & same(a, c)) for a, b, c in zip(*runs)]

    @property
    def not_finite(self):
        """Masks of the outputs' elements that are not finite here or in MXNet."""
        whole = lambda a: np.isfinite(a.astype("float64"))
        return [~(whole(a) & whole(b)) for a, b in zip(self.found, self.expected)]


def tolerance(operator, dtypes, expected):
    if "float16" in dtypes:
        rtol, atol = (2e-2, 2e-3) if SUMS.search(operator["name"]) else (2e-3, 1e-5)
    elif "float32" in dtypes or "float64" not in dtypes:
        rtol, atol = 1e-4, 1e-5
    else:
        rtol, atol = 1e-6, 1e-7
    if SUMS.search(operator["name"]):
        finite = np.isfinite(expected)
        scale = float(np.abs(expected[finite]).max()) if finite.any() else 1.0
        atol = max(atol, atol * min(scale, 1e6))
    return rtol, atol


def differing_elements(operator, found, expected, dtypes):
    if expected.dtype.kind != "f":
        return found != expected
    rtol, atol = tolerance(operator, dtypes, expected)
    with np.errstate(all="ignore"):
        apart = ~np.isclose(found.astype("float64"), expected.astype("float64"), rtol, atol, equal_nan=True)
    if SUMS.search(operator["name"]):
        return apart
    return apart | ((found == 0) & (expected == 0) & (np.signbit(found) != np.signbit(expected)))


def describe(i, found, expected, differing):
    a, b = found.ravel(), expected.ravel()
    with np.errstate(all="ignore"):
        distance = np.nan_to_num(np.abs(a.astype("float64") - b.astype("float64")), nan=1e30, posinf=1e30)
    at = int(np.where(differing.ravel(), distance + 1e-300, -1).argmax())
    text = "element %d is %s, MXNet %s (%d of %d differ)" % (at, a[at], b[at], differing.sum(), a.size)
    return ("output %d: " % i if i else "") + text


def still_differing(operator, differing, allows, case):
    """What of the differing elements is not allowed."""
    try:
        allowed = allows(case)
        allowed = allowed if isinstance(allowed, list) else [allowed] * len(differing)
        return [m & ~np.broadcast_to(a, m.shape) for m, a in zip(differing, allowed, strict=True)]
    except Exception as error:  # a condition that is not made for this draw allows nothing
        print("%s: %s fails: %s" % (operator["name"], getattr(allows, "__name__", ""), error), flush=True)
        return differing


class Judge:
    def __init__(self, oracles):
        self.oracles = oracles
        self.compared = 0  # runs whose outputs were compared

    def findings(self, operator, request, answers):
        """What is wrong with the conversion of a draw, the worst first: (kind, text). `answers` has pairs of a request and what
        MXNet answered; the second is for other sizes."""
        return sorted(self._findings(operator, request, answers), key=lambda f: KINDS.index(f[0]))

    def _findings(self, operator, request, answers):
        arrays = answers[0][1][1]
        for free in (False, True):
            inputs = {
                k: (["%s_%d" % (k, i) for i in range(v.ndim)] if free else v.shape, v.dtype.name)
                for k, v in arrays.items()
            }
            for opset in (mx2onnx.FIRST_OPSET, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET):
                where = "opset %d%s" % (opset, ", free sizes" if free else "")
                try:
                    conversion = mx2onnx.convert(request["symbol"], inputs=inputs, opset=opset)
                except mx2onnx.UnsupportedError as error:
                    yield "refused" + " with free sizes" * free, "%s: %s" % (where, str(error)[:300])
                    continue
                except mx2onnx.Error as error:
                    kind = (
                        "refused with free sizes"
                        if free
                        else self._other_than_values(operator, answers[0], "wrongly refused", set(), 0)
                    )
                    yield kind, "%s: %s" % (where, str(error)[:300])
                    continue
                warnings = {d["id"] for d in conversion.report["diagnostics"]}
                for i, one in enumerate(answers if free else answers[:1]):
                    at = where + (", other sizes" if i else "")
                    finding = self._run(operator, conversion.model, one, warnings, free, i)
                    if finding:
                        yield finding[0], "%s: %s" % (at, finding[1])

    def _run(self, operator, model, one, warnings, free, other_sizes):
        request, answer = one
        _, arrays, outputs = answer
        try:
            found = run(model, arrays)
        except Exception as error:
            text = str(error).strip().split("\n")[-1][:300]
            if free and any(a.size == 0 for a in arrays.values()):
                return "fails with free sizes where an array is empty", text
            return self._other_than_values(operator, one, "runtime", warnings, other_sizes), text
        if len(found) != len(outputs):
            return "different", "%d outputs, MXNet %d" % (len(found), len(outputs))
        for i, (ours, theirs) in enumerate(zip(found, outputs)):
            if ours.dtype != theirs.dtype:
                return "different", "output %d: %s, MXNet %s" % (i, ours.dtype, theirs.dtype)
            if ours.shape != theirs.shape:
                kind = self._other_than_values(operator, one, "different", warnings, other_sizes)
                ones = any(1 in a.shape for a in arrays.values())
                if free and ones and "W-free-size-not-one" in warnings:
                    kind = "other for a size that the report calls fixed"
                return kind, "output %d: shape %s, MXNet %s" % (i, ours.shape, theirs.shape)
        self.compared += 1
        if RANDOM.search(operator["name"]) or "W-random-draws-differ" in warnings:
            return None
        dtypes = " ".join(a.dtype.name for a in [*arrays.values(), *outputs])
        if "W-cast-for-runtime" in warnings:
            dtypes += " float32"
        differing = [differing_elements(operator, a, b, dtypes) for a, b in zip(found, outputs)]
        if not any(mask.any() for mask in differing):
            return None
        kind, left = self._kind_of_difference(operator, one, found, differing, warnings, dtypes, free)
        worst = next(i for i, mask in enumerate(left) if mask.any())
        return kind, describe(worst, found[worst], outputs[worst], left[worst])

    def _again(self, request, **kind):
        """The outputs of another MXNet for the same draw; None if it refuses."""
        result = self.oracles.ask(dict(request), **kind)
        return None if isinstance(result, str) else result[2]

    def _other_than_values(self, operator, one, kind, warnings, other_sizes):
        """The kind of a finding that is not one of values."""
        attrs = json.loads(one[0]["symbol"])["nodes"][-1].get("attrs", {})
        for names, allows in FAILS:
            if re.search(names, operator["name"]) and allows(list(one[1][1].values()), attrs, one[1][2]):
                return "fails where MXNet does not check"
        if other_sizes and "W-dim-fixed" in warnings:
            return "other for a size that the report calls fixed"
        outputs = self._again(one[0], second=True)
        same = outputs is not None and all(
            a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(one[1][2], outputs)
        )
        return kind if same else "undefined in MXNet"

    def _kind_of_difference(self, operator, one, found, differing, warnings, dtypes, free):
        """The kind, and masks of the elements that nothing allows to differ, or of all that do."""
        request, answer = one
        if "W-backends-differ" in warnings:
            plain = self._again(request, onednn=False)
            if plain and not any(
                (m & differing_elements(operator, a, b, dtypes)).any() for m, a, b in zip(differing, found, plain)
            ):
                return "other in MXNet without oneDNN, with a warning", differing
        second = self._again(request, second=True)
        if second is None or [a.shape for a in second] != [a.shape for a in answer[2]]:
            return "undefined in MXNet", differing
        with np.errstate(all="ignore"):
            left = [
                m & ((a == b) | ((a != a) & (b != b))) for m, a, b in zip(differing, answer[2], second)
            ]  # elements that do not depend on what lies around the arrays
        if not any(m.any() for m in left):
            return "undefined in MXNet", differing
        case = Difference(operator, request, answer, found, left, self._again, free)
        excuses = [
            allows
            for names, words, allows in EXCUSES
            if re.search(names, operator["name"]) and any(words in note for note in notes_of(operator))
        ]
        excuses += [allows for names, allows in GENERAL if re.search(names, operator["name"])]
        if SUMS.search(operator["name"]):
            excuses.append(in_sums_that_are_not_finite)
        if "W-cast-for-runtime" in warnings:
            excuses.append(beyond_float32)
        for allows in excuses:
            if any(m.any() for m in left):
                left = still_differing(operator, left, allows, case)
        if not any(m.any() for m in left):
            return "other as a note says", differing
        zeros = all(not m.any() or not (a[m].any() or b[m].any()) for m, a, b in zip(left, found, answer[2]))
        return ("another sign of 0" if zeros else "different"), left
