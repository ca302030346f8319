"""Recipes of the other operators on arrays."""

from operator_fuzzer.common import image, size, tuple_text


def rnn(rng):
    mode = rng.choice(["lstm", "lstm", "gru", "rnn_tanh", "rnn_relu"])
    layers, two, hidden = size(rng, 1, 2), rng.choice([1, 1, 2]), size(rng, 1, 4)
    projection = size(rng, 1, hidden) if mode == "lstm" and rng.random() < 0.3 else None
    length, batch, features = size(rng, 1, 4), size(rng, 1, 3), size(rng, 1, 4)
    attrs = {
        "mode": mode,
        "num_layers": str(layers),
        "state_size": str(hidden),
        "bidirectional": str(two == 2),
        "projection_size": str(projection) if projection else None,
        "use_sequence_length": None,
        "lstm_state_clip_min": None,
        "lstm_state_clip_max": None,
        "p": None,
    }
    states = [(layers * two, batch, projection or hidden)] + [(layers * two, batch, hidden)] * (mode == "lstm")
    return attrs, [(length, batch, features), None, *states]


def histogram(rng):
    shape = tuple(size(rng) for _ in range(size(rng, 1, 3)))
    if rng.random() < 0.5:
        return {"bin_cnt": str(size(rng)), "range": "(-2, 3)"}, [shape]
    return {"bin_cnt": None, "range": None}, [shape, (size(rng, 2, 5),)]


def scatter_nd(set_nd):
    def recipe(rng):
        target = tuple(size(rng, 4, 5) for _ in range(size(rng, 1, 3)))
        depth = size(rng, 1, len(target))
        points = tuple(size(rng) for _ in range(size(rng, 1, 2)))
        data, indices = points + target[depth:], (depth, *points)
        attrs = {"shape": tuple_text(target)}
        shapes = [target, data, indices] if set_nd else [data, indices]
        return attrs, shapes, {len(shapes) - 1: (0, 3, "integers")}

    return recipe


def gather_nd(rng):
    data = tuple(size(rng, 4, 5) for _ in range(size(rng, 1, 4)))
    return {}, [data, (size(rng, 1, len(data)), size(rng), size(rng))], {1: (0, 3, "integers")}


def masked_softmax(rng):
    data = tuple(size(rng) for _ in range(size(rng, 1, 4)))
    mask = data if rng.random() < 0.6 else tuple(1 if rng.random() < 0.4 else d for d in data)
    attrs = {"axis": str(size(rng, -len(data), len(data) - 1))}
    return attrs, [data, mask], {}, {"dtypes": {0: ["float32", "float64", "float16"], 1: ["bool"]}}


def softmax_cross_entropy(rng):
    rows = size(rng)
    return {}, [(rows, 4), (rows,)], {1: (0, 3, "integers")}


def ctc_loss(rng):
    steps, batch, letters = size(rng, 2, 6), size(rng, 1, 3), size(rng, 3, 5)
    attrs = {"use_data_lengths": "False", "use_label_lengths": "False"}
    return attrs, [(steps, batch, letters), (batch, size(rng, 1, 3))], {1: (0, letters - 1, "integers")}


def hawkes(rng):
    """Marks are integers; a rate has to be positive."""
    n, k, t = size(rng, 1, 3), size(rng), size(rng, 1, 4)
    shapes = [(n, k), (k,), (k,), (n, k), (n, t), (n, t), (n,), (n,)]
    rates = {0: (0.1, 3), 1: (0, 1), 2: (0.1, 2), 3: (0, 2), 4: (0, 2)}
    bounds = {**rates, 5: (0, k - 1, "integers"), 6: (0, t, "integers"), 7: (0, 12)}
    real = [rng.choice(["float32", "float32", "float64"])]
    return {}, shapes, bounds, {"dtypes": {**{i: real for i in range(8)}, 5: ["int32"]}}


def boolean_mask(rng):
    """Under np-shape MXNet's executor gives an empty array, whatever the mask."""
    data = tuple(size(rng) for _ in range(size(rng, 1, 4)))
    kinds = ["float32", "float64", "bool", "int32", "int64", "uint8", "int8", "float16"]
    return {"axis": "0"}, [data, data[:1]], {1: (0, 1, "integers")}, {"dtypes": {1: kinds}, "np_shape": False}


def sparse(stype, recipe):
    """The recipe on an array that another node makes sparse."""

    def with_cast(rng):
        attrs, shapes, *given = recipe(rng)
        real = ["float32"] * 3 + ["float64", "int32", "int64"]
        before = {0: ("cast_storage", {"stype": stype})}
        dtypes = {"dtypes": {0: real}} if len(shapes) == 1 else {"dtypes": {0: real, 1: ["float32", "int32", "int64"]}}
        return attrs, shapes, given[0] if given else {}, {**dtypes, "before": before}

    return with_cast


def rows_to_retain(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 3)))
    return {}, [data, (size(rng, 1, data[0]),)], {1: (0, data[0] - 1, "integers")}


def count_of_stored(rng):
    return {"axis": rng.choice([None, "0", "1", "None"])}, [(size(rng), size(rng))], {0: (-1, 1, "integers")}


def sum_of_squares(rng):
    attrs = {"axis": rng.choice(["0", "1", "(1,)"]), "keepdims": rng.choice(["True", "False"]), "exclude": None}
    return attrs, [(size(rng), size(rng))]


def scatter_set(rng):
    """Its first input has to be the result of a node, which MXNet then writes into."""
    attrs, shapes, bounds = scatter_nd(True)(rng)
    return attrs, shapes, bounds, {"before": {0: ("_copy", {})}}


def reshape_like(rng):
    shape = [size(rng, 1, 4) for _ in range(size(rng, 1, 4))]
    other = shape[:]
    rng.shuffle(other)
    attrs = {"lhs_begin": None, "lhs_end": None, "rhs_begin": None, "rhs_end": None}
    return attrs, [tuple(shape), tuple(other)]


def batch_norm(rng):
    data = tuple(size(rng) for _ in range(size(rng, 2, 5)))
    return {"axis": str(rng.choice([1, 1, -1]))}, [data, None, None, None, None]


def batch_norm_of_onednn(rng):
    data, real = image(rng, size(rng)), {i: ["float32"] for i in range(5)}
    return {"axis": "1", "output_mean_var": None}, [data, None, None, None, None], {}, {"dtypes": real}


def layer_norm(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 2, 4)))
    return {"axis": str(rng.choice([-1, -1, len(data) - 1, 0]))}, [data, None, None]


def group_norm(rng):
    groups = size(rng, 1, 3)
    return {"num_groups": str(groups)}, [image(rng, groups * size(rng, 1, 2), rng.choice([1, 2])), None, None]


def split(rng):
    parts, axis = size(rng, 1, 3), size(rng, 0, 2)
    shape = [size(rng, 1, 4) for _ in range(3)]
    shape[axis] = parts * rng.choice([1, 1, 2])
    return {"num_outputs": str(parts), "axis": str(axis - 3 * (rng.random() < 0.3))}, [tuple(shape)]


def sequence(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 2, 4)))
    axis = rng.choice([0, 0, 1])
    if rng.random() < 0.3:
        return {"axis": str(axis), "use_sequence_length": "False"}, [data]
    return (
        {"axis": str(axis), "use_sequence_length": "True"},
        [data, (data[1 - axis],)],
        {1: (1, data[axis], "integers")},
    )


def sequence_reverse(rng):
    attrs, shapes, *_ = sequence(rng)
    attrs["axis"] = "0"
    return attrs, [shapes[0]] + [(shapes[0][1],)] * (len(shapes) - 1), {1: (1, shapes[0][0], "integers")}


def embedding(rng):
    rows, columns = size(rng, 2, 6), size(rng)
    return {"input_dim": str(rows), "output_dim": str(columns)}, [(size(rng), size(rng)), (rows, columns)]


def pick(rng):
    data, axis = tuple(size(rng, 1, 4) for _ in range(size(rng, 1, 4))), 0
    axis = size(rng, 0, len(data) - 1)
    keep = rng.random() < 0.5
    return {"axis": str(axis)}, [data, data[:axis] + (1,) * keep + data[axis + 1 :] or (1,)]


def concat(rng):
    count, shape = size(rng, 1, 3), tuple(size(rng) for _ in range(size(rng, 1, 4)))
    axis = size(rng, 0, len(shape) - 1)
    parts = [shape[:axis] + (size(rng),) + shape[axis + 1 :] for _ in range(count)]
    return {"num_args": str(count), "dim": str(axis)}, parts


def multi_like(name):
    def recipe(rng):
        count = size(rng, 1, 3)
        return {name: str(count)}, [tuple(size(rng) for _ in range(size(rng, 1, 3))) for _ in range(count)]

    return recipe


def slice_assign(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 3)))
    begin = [size(rng, 0, d - 1) for d in data]
    end = [size(rng, b + 1, d) for b, d in zip(begin, data)]
    attrs = {"begin": tuple_text(begin), "end": tuple_text(end), "step": None}
    return attrs, [data, tuple(e - b for b, e in zip(begin, end))]


def slice_assign_scalar(rng):
    attrs, shapes = slice_assign(rng)
    return attrs, shapes[:1]


def batch_take(rng):
    data = tuple(size(rng) for _ in range(size(rng, 2, 4)))
    return {}, [data, data[:-1]]


def broadcast_to(rng):
    target = [size(rng) for _ in range(size(rng, 1, 4))]
    data = tuple(1 if rng.random() < 0.5 else d for d in target)
    return {"shape": tuple_text([0 if d == t and rng.random() < 0.3 else t for d, t in zip(data, target)])}, [data]


def ravel(rng):
    shape = [size(rng, 3, 6) for _ in range(size(rng, 1, 3))]
    return {"shape": tuple_text(shape)}, [(len(shape), size(rng))], {0: (0, 3, "integers")}


RECIPES = {
    "_zeros_without_dtype": lambda rng: (
        {"shape": tuple_text([size(rng), size(rng)]), "dtype": rng.choice("01234")},
        [],
    ),
    "_slice_assign": slice_assign,
    "_slice_assign_scalar": slice_assign_scalar,
    "batch_take": batch_take,
    "broadcast_to": broadcast_to,
    "_ravel_multi_index": ravel,
    "_contrib_SparseEmbedding": lambda rng: embedding(rng),
    "_contrib_BatchNormWithReLU": batch_norm_of_onednn,
    "_contrib_SyncBatchNorm": lambda rng: ({"key": "a"}, batch_norm(rng)[1]),
    "cast_storage": lambda rng: ({"stype": "default"}, [tuple(size(rng) for _ in range(2))]),
    "SVMOutput": lambda rng: ({}, [(4, 3), (4,)]),
    "RNN": rnn,
    "_histogram": histogram,
    "scatter_nd": scatter_nd(False),
    "_scatter_set_nd": scatter_set,
    "_contrib_boolean_mask": boolean_mask,
    "_sparse_retain": sparse("row_sparse", rows_to_retain),
    "_square_sum": sparse("row_sparse", sum_of_squares),
    "_contrib_getnnz": sparse("csr", count_of_stored),
    "gather_nd": gather_nd,
    "masked_softmax": masked_softmax,
    "masked_log_softmax": masked_softmax,
    "softmax_cross_entropy": softmax_cross_entropy,
    "CTCLoss": ctc_loss,
    "_contrib_hawkesll": hawkes,
    "reshape_like": reshape_like,
    "BatchNorm": batch_norm,
    "LayerNorm": layer_norm,
    "GroupNorm": group_norm,
    "SliceChannel": split,
    "SequenceLast": sequence,
    "SequenceMask": sequence,
    "SequenceReverse": sequence_reverse,
    "Embedding": embedding,
    "pick": pick,
    "Concat": concat,
    "amp_multicast": multi_like("num_outputs"),
    "multi_sum_sq": multi_like("num_arrays"),
    "multi_all_finite": multi_like("num_arrays"),
}
