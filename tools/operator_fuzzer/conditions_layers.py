"""Conditions (see conditions.py) of layers and of what is chosen by masks."""

import numpy as np

from operator_fuzzer.conditions import attribute


def nothing_counts(case):
    """Rows that are masked whole, where MXNet 2.0's oneDNN overflows."""
    cold = case.inputs[0].dtype == "float32" and 0 < float(attribute(case, "temperature", 1)) < 1
    mask = np.broadcast_to(case.inputs[1] != 0, case.inputs[0].shape)
    return np.broadcast_to(cold & ~mask.any(axis=attribute(case, "axis", -1), keepdims=True), case.inputs[0].shape)


def not_chosen_is_not_finite(case):
    """Elements for which one of the two values is not finite."""
    whole = lambda a: np.isfinite(a.astype("float64"))
    return np.broadcast_to(~(whole(case.inputs[1]) & whole(case.inputs[2])), case.expected[0].shape)


def behind_the_padding(case):
    """Averages that are NaN in MXNet and 0 here: of windows that begin behind the padded array."""
    full = str(case.attrs.get("pooling_convention")) == "full" and str(case.attrs.get("pool_type")) == "avg"
    return full & np.isnan(case.expected[0]) & (case.found[0] == 0)


def gelu_in_float32(case):
    """MXNet computes it in float32 for float64, too; far below 0 what is left of 1 + erf(x) is its rounding."""
    gelu = str(case.attrs.get("act_type")) == "gelu" and case.inputs[0].dtype == "float64"
    with np.errstate(all="ignore"):
        return gelu & (np.abs(case.found[0] - case.expected[0]) < 1e-6)


def infinite_integers(case):
    """Integers made of an infinite float: undefined in C++."""
    return case.inputs[0].dtype.kind in "iu" and np.abs(case.inputs[0].astype("float64")) >= 1


def exponential_overflows(case):
    """Of log_sigmoid, which is the number itself there."""
    limit = 709 if case.inputs[0].dtype == "float64" else 88
    return (str(case.attrs.get("act_type")) == "log_sigmoid") & (case.inputs[0].astype("float64") < -limit)
