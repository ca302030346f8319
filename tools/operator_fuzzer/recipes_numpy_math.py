"""Recipes of NumPy's products, factors, statistics and distributions."""

from operator_fuzzer.common import size, tuple_text
from operator_fuzzer.recipes_numpy import broadcasting, product, shape_of

FLOATS = ["float32", "float32", "float64"]


def matmul(rng):
    m, k, n, lead = size(rng), size(rng), size(rng), shape_of(rng, 0, 2)
    left, right = broadcasting(rng, lead) + (m, k), broadcasting(rng, lead) + (k, n)
    left = (k,) if rng.random() < 0.15 else left
    return {}, [left, (k,) if rng.random() < 0.15 else right]


def dot(rng):
    k = size(rng)
    left = (*shape_of(rng, 0, 2), k)
    right = (k,) if rng.random() < 0.3 else (*shape_of(rng, 0, 2), k, size(rng))
    kind = rng.random()
    return {}, [() if kind < 0.1 else left, () if 0.1 < kind < 0.2 else right]


def tensordot(rng):
    shared = [size(rng, 1, 4) for _ in range(size(rng, 0, 2))]
    left = [("s", i) for i in range(len(shared))] + [("f", size(rng, 1, 4)) for _ in range(size(rng, 0, 2))]
    right = [("s", i) for i in range(len(shared))] + [("f", size(rng, 1, 4)) for _ in range(size(rng, 0, 2))]
    rng.shuffle(left)
    rng.shuffle(right)
    sizes = lambda part: tuple(shared[d] if kind == "s" else d for kind, d in part)
    axes = lambda part: tuple_text(
        [part.index(("s", i)) - len(part) * (rng.random() < 0.3) for i in range(len(shared))]
    )
    return {"a_axes_summed": axes(left), "b_axes_summed": axes(right)}, [sizes(left), sizes(right)]


def tensordot_int_axes(rng):
    shared = shape_of(rng, 0, 2)
    return {"axes": str(len(shared))}, [shape_of(rng, 0, 2) + shared, shared + shape_of(rng, 0, 2)]


def einsum(rng):
    letters = dict(zip("ijklm", [size(rng, 1, 4) for _ in range(5)]))
    count = rng.choice([1, 1, 2, 2, 2, 3])
    terms = []
    for _ in range(count):
        term = [rng.choice("ijklm") for _ in range(size(rng, 0 if count > 1 else 1, 3))]
        terms.append(term if rng.random() < 0.3 else list(dict.fromkeys(term)))
    lead, dots = shape_of(rng, 1, 2), rng.random() < 0.15
    shapes = [tuple(letters[c] for c in term) for term in terms]
    texts = ["".join(term) for term in terms]
    if dots:
        shapes = [broadcasting(rng, lead) + shape for shape in shapes]
        texts = ["..." + text for text in texts]
    text = ",".join(texts)
    if rng.random() < 0.7:
        used = sorted({c for term in terms for c in term})
        kept = rng.sample(used, rng.randint(0, len(used)))
        text += "->" + "..." * dots + "".join(kept)
    attrs = {"subscripts": text, "num_args": str(count), "optimize": rng.choice([None, "0", "1"])}
    return attrs, shapes


def square(rng):
    n = size(rng, 1, 4)
    return {}, [(*(size(rng, 1, 3) for _ in range(rng.choice([0, 0, 1, 2]))), n, n)], {}, {"dtypes": {0: FLOATS}}


def matrix(rng):
    lead = tuple(size(rng, 1, 3) for _ in range(rng.choice([0, 0, 1, 2])))
    return {}, [(*lead, size(rng, 1, 4), size(rng, 1, 4))], {}, {"dtypes": {0: FLOATS}}


def solve(rng):
    attrs, shapes, *_ = square(rng)
    n, real = shapes[0][-1], [rng.choice(FLOATS)]
    right = (n,) if rng.random() < 0.3 else (*shapes[0][:-2], n, size(rng))
    return attrs, [shapes[0], right], {}, {"dtypes": {0: real, 1: real}}


def tensorinv(rng):
    first = tuple(size(rng, 1, 3) for _ in range(size(rng, 1, 2)))
    return {"ind": str(len(first))}, [(*first, product(first))], {}, {"dtypes": {0: FLOATS}}


def lstsq(rng):
    m, n, real = size(rng, 1, 4), size(rng, 1, 4), [rng.choice(FLOATS)]
    right = (m,) if rng.random() < 0.4 else (m, size(rng, 1, 3))
    return {"rcond": rng.choice(["-1", "0.1", "1e-6"])}, [(m, n), right], {}, {"dtypes": {0: real, 1: real}}


def cross(rng):
    a, b = rng.choice([(3, 3), (3, 3), (2, 3), (3, 2), (2, 2)])
    lead = shape_of(rng, 0, 2)
    return {"axisa": "-1", "axisb": "-1", "axisc": "-1"}, [(*lead, a), (*lead, b)]


def interp(rng):
    n, real = size(rng, 2, 6), rng.choice(FLOATS)
    points = {0: ("values", [float(i) / 2 for i in range(n)])}
    attrs = {"x_is_scalar": "False", "x_scalar": None, "period": rng.choice([None, None, None, "1.5"])}
    return attrs, [(n,), (n,), shape_of(rng, 0, 3)], points, {"dtypes": {0: [real], 1: [real], 2: [real]}}


def percentile(rng):
    shape = tuple(size(rng) for _ in range(size(rng, 1, 3)))
    attrs = {"interpolation": rng.choice(["linear", "lower", "higher", "midpoint", "nearest"])}
    if rng.random() < 0.4:
        return {**attrs, "q_scalar": rng.choice(["0", "100", "50", "33.5", "75"])}, [shape]
    return (
        {**attrs, "q_scalar": None},
        [shape, shape_of(rng, 0, 1)],
        {1: (0, 100)},
        {"dtypes": {1: ["float32", "float64"]}},
    )


def bincount(rng):
    weighted = rng.random() < 0.5
    shapes = [(size(rng),)] * (1 + weighted)
    bounds = {0: (0, 6, "integers")}
    return {"has_weights": str(weighted)}, shapes, bounds, {"dtypes": {0: ["int32", "int64", "uint8"]}}


def polyval(rng):
    real = [rng.choice(["float32", "float64", "int32", "float16"])]
    return {}, [(size(rng, 1, 4),), shape_of(rng, 0, 3)], {}, {"dtypes": {0: real, 1: real}}


def average(rng):
    shape = tuple(size(rng) for _ in range(size(rng, 1, 4)))
    real, weighted = [rng.choice(FLOATS)], rng.random() < 0.7
    attrs = {"weighted": str(weighted), "returned": rng.choice(["False", "True"])}
    dtypes = {"dtypes": {0: real, 1: real}}
    if not weighted:
        return attrs, [shape], {}, dtypes
    if rng.random() < 0.4:
        axis = rng.randrange(len(shape))
        return {**attrs, "axis": "(%d,)" % axis}, [shape, (shape[axis],)], {1: (0.1, 2)}, dtypes
    return attrs, [shape, shape], {1: (0.1, 2)}, dtypes


def delta(rng):
    given = {key: rng.choice([None, "1.5", "-2"]) for key in ("to_begin_scalar", "to_end_scalar")}
    return {**given, "to_begin_arr_given": None, "to_end_arr_given": None}, [shape_of(rng, 1, 3)]


def drawn(*parameters):
    """A distribution whose parameters are numbers or arrays: what is an array is an input, and no attribute."""

    def recipe(rng):
        shape, attrs, shapes, bounds = shape_of(rng, 1, 3), {}, [], {}
        for name, low, high in parameters:
            if rng.random() < 0.4:
                bounds[len(shapes)] = (low, high)
                shapes.append(broadcasting(rng, shape) or (1,))
                attrs[name] = "None"
            else:
                attrs[name] = rng.choice([str(low), str(high)])
        size_text = tuple_text([size(rng, 1, 3) for _ in range(size(rng, 1, 2))])
        attrs["size"] = rng.choice(["None", size_text, size_text]) if not shapes else "None"
        if shapes and rng.random() < 0.5:
            attrs["size"] = tuple_text([size(rng, 1, 3), *shape])
        return attrs, shapes, bounds, {"dtypes": {i: ["float32", "float64"] for i in range(len(shapes))}}

    return recipe


def bernoulli(rng):
    is_logit = rng.random() < 0.5
    attrs, *more = drawn(("logit", -2, 2) if is_logit else ("prob", 0, 1))(rng)
    return {"logit": "None", "prob": "None", **attrs, "is_logit": str(is_logit)}, *more


def choice(rng):
    count, number = size(rng, 2, 5), rng.random() < 0.5
    attrs = {"a": str(count) if number else "None", "size": tuple_text([size(rng, 1, 3)]), "weighted": "False"}
    return {**attrs, "replace": rng.choice(["True", "True", "False"])}, [] if number else [(count,)]


def normal_n(*parameters):
    """With a size in front of what the parameters' shapes give."""

    def recipe(rng):
        attrs, *more = drawn(*parameters)(rng)
        return {**attrs, "size": rng.choice(["None", tuple_text([size(rng, 1, 3)])])}, *more

    return recipe


def intgemm(rng):
    """A weight that another node prepares; its rows are a multiple of 8, its columns of 64."""
    columns, rows, bias, as_int32 = 64 * size(rng, 1, 2), 8 * size(rng, 1, 3), rng.random() < 0.6, rng.random() < 0.3
    shapes = [(size(rng), columns), (rows, columns)] + [(1,)] * (not as_int32) + [(rows,)] * bias
    attrs = {"num_hidden": str(rows), "no_bias": str(not bias), "out_type": "int32" if as_int32 else "float32"}
    kinds = {0: ["int8"] if as_int32 else ["int8", "float32"], 1: ["int8"]}
    kinds.update({i: ["int32" if as_int32 else "float32"] for i in range(2, len(shapes))})
    bounds = {1: (-127, 127, "integers"), **({} if as_int32 else {2: (0.01, 0.1)})}
    prepared = {1: ("_contrib_intgemm_prepare_weight", {"already_quantized": "True"})}
    return {**attrs, "flatten": None}, shapes, bounds, {"dtypes": kinds, "before": prepared}


# What is given as a number must not be an input, too.
DISTRIBUTIONS = {
    **{
        "_npi_" + name: drawn(("loc", -1, 1), ("scale", 0.5, 2)) for name in ("normal", "gumbel", "laplace", "logistic")
    },
    **{"_npi_" + name: drawn(("a", 1, 3)) for name in ("pareto", "powerd", "weibull")},
    "_npi_uniform": drawn(("low", 0, 1), ("high", 2, 3)),
    "_npi_gamma": drawn(("shape", 1, 3), ("scale", 0.5, 2)),
    "_npi_uniform_n": normal_n(("low", 0, 1), ("high", 2, 3)),
    "_npi_normal_n": normal_n(("loc", -1, 1), ("scale", 0.5, 2)),
    "_npi_bernoulli": bernoulli,
    "_npi_choice": choice,
}
RECIPES = {
    **DISTRIBUTIONS,
    **{name: square for name in ("_linalg_det", "_linalg_inverse", "_linalg_slogdet", "_npi_eigh", "_npi_eigvalsh")},
    **{name: matrix for name in ("_npi_qr", "_npi_svd", "_npi_matrix_rank_none_tol", "_npi_pinv_scalar_rcond")},
    "_contrib_intgemm_fully_connected": intgemm,
    "_npi_matmul": matmul,
    "_np_dot": dot,
    "_npi_tensordot": tensordot,
    "_npi_tensordot_int_axes": tensordot_int_axes,
    "_npi_einsum": einsum,
    "_npi_solve": solve,
    "_npi_tensorinv": tensorinv,
    "_npi_lstsq": lstsq,
    "_npi_cross": cross,
    "_npi_interp": interp,
    "_npi_percentile": percentile,
    "_npi_bincount": bincount,
    "_npi_polyval": polyval,
    "_npi_average": average,
    "_npi_ediff1d": delta,
}
