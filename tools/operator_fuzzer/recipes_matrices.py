"""Recipes of products and factors of matrices, and of attention."""

from operator_fuzzer.common import matrices, size


def interleaved(self_attention, values):
    def recipe(rng):
        heads, per_head, length, batch = size(rng, 1, 3), size(rng, 1, 3), size(rng, 1, 4), size(rng, 1, 3)
        width, other = heads * per_head, size(rng, 1, 4)
        attrs = {"heads": str(heads)}
        if self_attention:
            data = (length, batch, 3 * width)
            return attrs, [data] + ([(batch * heads, length, length)] if values else [])
        if values:
            return attrs, [(other, batch, 2 * width), (batch * heads, length, other)]
        return attrs, [(length, batch, width), (other, batch, 2 * width)]

    return recipe


def sldwin(order):
    def recipe(rng):
        batch, length, heads, width, window = 1 + size(rng, 0, 1), size(rng, 4, 6), size(rng, 1, 2), size(rng), 1
        symmetric = rng.random() < 0.5
        attrs = {"w": str(window), "symmetric": str(symmetric)}
        data = (batch, length, heads, width)
        score = (batch, length, heads, 2 * window + 1 if symmetric else window + 1)
        shapes = {"data": data, "score": score, "dilation": (heads,), "length": (batch,)}
        return attrs, [shapes[name] for name in order]

    return recipe


def gemm(three):
    def recipe(rng):
        lead, m, k, n = matrices(rng), size(rng), size(rng), size(rng)
        ta, tb = rng.random() < 0.4, rng.random() < 0.4
        attrs = {"transpose_a": str(ta), "transpose_b": str(tb), "axis": None}
        shapes = [lead + ((k, m) if ta else (m, k)), lead + ((n, k) if tb else (k, n))]
        return attrs, shapes + [(*lead, m, n)] * three

    return recipe


def square_matrices(rng):
    n = size(rng, 1, 4)
    return {}, [(*matrices(rng), n, n)]


def triangular(rng):
    lead, n, m = matrices(rng), size(rng, 1, 4), size(rng, 1, 4)
    right = rng.random() < 0.5
    return {"rightside": str(right)}, [(*lead, n, n), lead + ((m, n) if right else (n, m))]


def fully_connected(rng):
    bias, data = rng.random() < 0.6, tuple(size(rng) for _ in range(size(rng, 1, 4)))
    return {"num_hidden": str(size(rng)), "no_bias": str(not bias)}, [data, None] + [None] * bias


def khatri_rao(rng):
    count, columns = size(rng, 1, 3), size(rng)
    return {"num_args": str(count)}, [(size(rng), columns) for _ in range(count)]


def triangle_of_vector(rng):
    n = size(rng, 1, 4)
    offset = size(rng, -2, 2)
    return {"offset": str(offset)}, [(*matrices(rng), n * (n + 1) // 2)]


def batch_dot(rng):
    lead, m, k, n = tuple(size(rng, 1, 3) for _ in range(size(rng, 1, 2))), size(rng), size(rng), size(rng)
    ta, tb = rng.random() < 0.4, rng.random() < 0.4
    attrs = {"transpose_a": str(ta), "transpose_b": str(tb)}
    return attrs, [lead + ((k, m) if ta else (m, k)), lead + ((n, k) if tb else (k, n))]


def dot(rng):
    shared, ta, tb = size(rng), rng.random() < 0.4, rng.random() < 0.4
    left, right = [size(rng) for _ in range(size(rng, 0, 2))], [size(rng) for _ in range(size(rng, 0, 2))]
    attrs = {"transpose_a": str(ta), "transpose_b": str(tb), "forward_stype": None}
    left, right = [shared, *left] if ta else [*left, shared], [*right, shared] if tb else [shared, *right]
    real = [rng.choice(["float32", "float32", "float64", "float16"])]
    return attrs, [tuple(left), tuple(right)], {}, {"dtypes": {0: real, 1: real}}


def vectors(rng):
    shape = (*matrices(rng), size(rng))
    return {"offset": str(size(rng, -2, 2))}, [shape], {}, {"dtypes": {0: ["float32", "float64"]}}


RECIPES = {
    "_linalg_makediag": vectors,
    "_linalg_maketrian": triangle_of_vector,
    "batch_dot": batch_dot,
    "dot": dot,
    "_contrib_interleaved_matmul_selfatt_qk": interleaved(True, False),
    "_contrib_interleaved_matmul_selfatt_valatt": interleaved(True, True),
    "_contrib_interleaved_matmul_encdec_qk": interleaved(False, False),
    "_contrib_interleaved_matmul_encdec_valatt": interleaved(False, True),
    "_contrib_sldwin_atten_score": sldwin(("data", "data", "dilation")),
    "_contrib_sldwin_atten_mask_like": sldwin(("score", "dilation", "length")),
    "_contrib_sldwin_atten_context": sldwin(("score", "data", "dilation")),
    "_linalg_gemm": gemm(True),
    "_linalg_gemm2": gemm(False),
    "_linalg_potrf": square_matrices,
    "_linalg_potri": square_matrices,
    "_linalg_inverse": square_matrices,
    "_linalg_det": square_matrices,
    "_linalg_slogdet": square_matrices,
    "_linalg_sumlogdiag": square_matrices,
    "_linalg_extractdiag": square_matrices,
    "_linalg_extracttrian": square_matrices,
    "_linalg_syevd": square_matrices,
    "_linalg_trmm": triangular,
    "_linalg_trsm": triangular,
    "FullyConnected": fully_connected,
    "khatri_rao": khatri_rao,
}
