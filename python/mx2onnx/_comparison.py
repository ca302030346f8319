"""What a comparison of two arrays found, and what a verification found in all."""

from typing import Any, Optional

from ._printable import shown, shown_lines

TOLERANCES = {
    "float32": (1e-3, 1e-5),
    "float16": (1e-2, 1e-3),
    "bfloat16": (1e-2, 1e-3),
    "int8": (5e-2, 5e-2),
    "int4": (3e-1, 3e-1),
}
"""By what a file computes in or stores its weights in: of a value, and of the largest value of its output."""


class Comparison:
    """One output of one case: shapes, the largest differences and where, and `same`. `precision` is a key of `TOLERANCES`."""

    def __init__(
        self,
        name: str,
        ours: Any,
        theirs: Any,
        rtol: Optional[float],
        atol: Optional[float],
        precision: str = "float32",
    ):
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
        if precision == "float32" and np.float16 in (ours.dtype, theirs.dtype):
            precision = "float16"
        of_value, of_largest = TOLERANCES[precision]
        exact = not np.issubdtype(theirs.dtype, np.floating)
        a, b = ours.astype("float64"), theirs.astype("float64")
        finite = np.isfinite(b)
        scale = float(np.abs(b[finite]).max()) if finite.any() else 0.0
        rtol = (0.0 if exact else of_value) if rtol is None else rtol
        atol = (0.0 if exact else scale * of_largest + 1e-7) if atol is None else atol
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
            lines.append("inputs " + ", ".join("%s %s" % (shown(n), tuple(s)) for n, s in case["inputs"].items()))
            for o in case["outputs"]:
                place = "" if o["where"] is None else " at %s" % (tuple(o["where"]),)
                lines.append("  %-4s %s %s  largest difference %.3g, relative %s%s%s" % (
                    "ok" if o["same"] else "BAD", shown(o["name"]), tuple(o["shape"]), o["max_abs"],
                    "%.3g" % o["max_rel"] if o["max_rel"] < 1e300 else "infinite", place,
                    "" if o["same"] else ": " + o["problem"]))  # fmt: skip
        if self.not_compared:
            lines.append("NOT COMPARED, for MXNet's numbers are not known: " + ", ".join(map(shown, self.not_compared)))
        if self.first_difference:
            f = self.first_difference
            lines.append("first node that differs: '%s' (%s), output %s: %s"
                         % (shown(f["node"]), shown(f["op"]), shown(f["output"]), f["problem"]))  # fmt: skip
            if f["unseen"]:
                lines.append(
                    "  or one of these before it, whose values are not in the file: "
                    + ", ".join(map(shown, f["unseen"]))
                )
        if self.note:
            lines.append(shown_lines(self.note))
        lines.append("the numbers agree" if self.ok else "THE NUMBERS DIFFER")
        return "\n".join(lines)

    def __repr__(self) -> str:
        count = "1 case" if len(self.cases) == 1 else "%d cases" % len(self.cases)
        return "<VerifyResult of %s: %s>" % (count, "the numbers agree" if self.ok else "THE NUMBERS DIFFER")

    def _repr_html_(self) -> str:
        from html import escape

        return "<pre>%s</pre>" % escape(self.table())
