"""Conditions (see conditions.py) of products, factors and eigenvalues of matrices, and what rounding makes of them."""

import numpy as np

from operator_fuzzer.conditions import extreme


def singular_or_not_finite(case):
    """Matrices that have no inverse to the precision of their type, or elements that are not finite or overflow."""
    a = case.inputs[0].astype("float64")
    bad = extreme(case.inputs[0]).any(axis=(-2, -1))
    with np.errstate(all="ignore"):
        fine = np.where(bad[..., None, None], 1, a)
        kappa = np.linalg.cond(fine)
    bad = bad | ~(kappa < (1e6 if case.inputs[0].dtype.itemsize < 8 else 1e14))
    return [bad.reshape(bad.shape + (1,) * (o.ndim - bad.ndim)) for o in case.expected]


def triangle_is_singular(case):
    a = case.inputs[0]
    diagonal = np.diagonal(a, axis1=-2, axis2=-1)
    bad = (diagonal == 0).any(-1)
    for array in case.inputs[:2]:
        bad = bad | extreme(array).any(axis=(-2, -1))
    return bad[..., None, None]


def products_with_extremes(case):
    bad = False
    for array in case.inputs[:2]:
        bad = bad | extreme(array).any(axis=(-2, -1))
    return np.asarray(bad)[..., None, None]


def equal_eigenvalues(case):
    """Vectors of a matrix with close eigenvalues, or with two largest elements of one magnitude, or that are not finite. The vectors
    are the rows of the first output, or of eigh the columns of the second."""
    first, second = case.expected
    columns = first.ndim < second.ndim
    vectors, values = (second.swapaxes(-1, -2), first) if columns else (first, second)
    bad = extreme(case.inputs[0]).any(axis=(-2, -1))
    with np.errstate(all="ignore"):
        scale = np.abs(values).max(-1, keepdims=True) + 1e-30
        close = (np.diff(np.sort(values, -1), axis=-1) < 1e-3 * scale).any(-1)
        sizes = np.sort(np.abs(vectors), -1)
        tie = (sizes[..., -1] - sizes[..., -2] < 1e-3).any(-1) if vectors.shape[-1] > 1 else np.zeros(bad.shape, bool)
    masks = [(bad | close | tie)[..., None, None], bad[..., None]]
    return masks[::-1] if columns else masks


def matrices_with_extremes(case):
    bad = extreme(case.inputs[0]).any(axis=(-2, -1))
    return [
        bad.reshape(bad.shape + (1,) * (o.ndim - bad.ndim)) if o.ndim >= bad.ndim else bad.reshape(o.shape)
        for o in case.expected
    ]


def rounding(array):
    return {2: 1e-3, 4: 1.2e-7, 8: 2.2e-16}[array.dtype.itemsize]


def within_the_condition_of_a_matrix(case):
    """Inverses and solutions: an error of the rounding times the condition number, relative to the largest element."""
    a = case.inputs[0].astype("float64")
    if a.ndim < 2 or case.inputs[0].dtype.kind != "f" or not np.isfinite(a).all():
        return np.array(False)
    if a.shape[-1] != a.shape[-2]:
        rows = int(np.prod(a.shape[: int(case.attrs.get("ind") or 2)]))
        a = a.reshape(rows, -1) if rows and rows * rows == a.size else a
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        return np.array(False)
    with np.errstate(all="ignore"):
        allowed = 64 * rounding(case.inputs[0]) * np.nan_to_num(np.linalg.cond(a), nan=np.inf).max()
        masks = []
        for ours, theirs in zip(case.found, case.expected):
            ours, theirs = ours.astype("float64"), theirs.astype("float64")
            scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=0)
            masks.append((np.abs(ours - theirs) <= allowed * scale) | (allowed > 1))
    return masks


def within_the_rounding_of_a_determinant(case):
    """A determinant that cancels to no more than rounding leaves of the product of the rows' lengths, and its logarithm and sign."""
    a = case.inputs[0].astype("float64")
    with np.errstate(all="ignore"):
        size = np.prod(np.linalg.norm(a, axis=-1), axis=-1) * 64 * rounding(case.inputs[0])
        cancelled = np.abs(np.linalg.det(np.where(np.isfinite(a), a, 0))) < 1e4 * size
        return [cancelled | (np.abs(o - e) <= size) for o, e in zip(case.found, case.expected)]


def values_do_not_fit(inputs, attrs, outputs):
    """MXNet does not check, and reads beside the values, where they do not broadcast to the room that is made for them."""
    return len(inputs) > 1 and attrs.get("val") in (None, "None")


def equal_singular_values(case):
    """Vectors of close singular values, of values of 0, or with two largest elements of one magnitude."""
    left, values, right = case.expected
    bad = extreme(case.inputs[0]).any(axis=(-2, -1))
    with np.errstate(all="ignore"):
        scale = np.abs(values).max(-1, keepdims=True) + 1e-30
        steps = np.abs(np.diff(np.concatenate([values, np.zeros_like(values[..., :1])], -1), axis=-1))
        close = (steps < 1e-3 * scale).any(-1)
        sizes = np.sort(np.abs(right), -1)
        tie = (sizes[..., -1] - sizes[..., -2] < 1e-3).any(-1) if right.shape[-1] > 1 else np.zeros(bad.shape, bool)
    vectors = (bad | close | tie)[..., None, None]
    return [vectors, bad[..., None], vectors]


def values_of(array):
    a = array.astype("float64")
    return np.linalg.svd(np.where(np.isfinite(a), a, 0), compute_uv=False)


def dependent_columns(case):
    """The columns of Q for which no direction is left."""
    a = case.inputs[0]
    if min(a.shape[-2:]) == 0:
        return np.array(False)
    values = values_of(a)
    return (values.min(-1) < 1e-5 * values.max(-1) + 1e-30)[..., None, None]


def signs_by_rounding(case):
    """Of a reflection whose pivot is 0 but for rounding: whole matrices."""
    shape = case.inputs[0].shape
    cancelled = []
    for matrix in case.inputs[0].astype("float64").reshape(-1, *shape[-2:]):
        a, scale, found = matrix.copy(), np.abs(matrix).max(initial=0), False
        for k in range(min(shape[-2:])):
            x = a[k:, k].copy()
            found |= k > 0 and abs(x[0]) < 1e-6 * scale
            x[0] += np.copysign(np.linalg.norm(x), x[0])
            if np.linalg.norm(x) > 0:
                a[k:] -= 2 * np.outer(x, x @ a[k:]) / (x @ x)
        cancelled.append(found)
    return np.array(cancelled).reshape(shape[:-2])[..., None, None]


def scaled_away(case):
    """A norm is scaled by the largest element: the least may become 0, and then has no part. MXNet 2.0 does so in float64."""
    sizes = np.abs(case.inputs[0].astype("float64"))
    least = sizes[sizes > 0].min(initial=np.inf)
    limit = 1e-37 if case.symbol["attrs"]["mxnet_version"][1] < 20000 else 1e-307
    return np.array(np.isinf(sizes).any() or least < limit * sizes.max(initial=0))


def singular_values_at_the_limit(case):
    """Whether a singular value counts is decided by rounding where it is the limit, or where both are 0."""
    a = case.inputs[0]
    if a.ndim < 2 or a.size == 0:
        return np.array(False)
    values = values_of(a)
    largest = values.max(-1, keepdims=True)
    name = case.symbol["nodes"][-1]["op"]
    if name == "_npi_matrix_rank":
        limits = case.inputs[1].astype("float64")[..., None]
    elif name == "_npi_pinv":
        limits = case.inputs[1].astype("float64")[..., None] * largest
    elif name == "_npi_matrix_rank_none_tol":
        limits = largest * max(a.shape[-2:]) * float(case.attrs["finfoEps%d" % (8 * a.dtype.itemsize)])
    else:
        limits = largest * max(float(case.attrs["rcond"]), rounding(a))
    near = np.abs(values - limits) < 1e-5 * largest + 1e-30
    return np.array(bool((near | (values < 1e-6 * largest + 1e-30)).any()))
