"""Shapes and attributes that fit, for the operators that tools/fuzz_operators.py hardly ever meets by chance: what one
input's shape has to do with another's, or with an attribute.

A recipe is a function of a random.Random that gives attributes (None leaves one out) and the shape of each input, None
where MXNet infers it, and perhaps the range of an input's values: (low, high) or (low, high, "integers"). Attributes that
it does not name are drawn as elsewhere.
"""


def size(rng, low=1, high=5):
    return rng.randint(low, high)


def tuple_text(values):
    return "(" + "".join("%d," % v for v in values) + ")"


def windows(rng, dims, deconvolution=False):
    """Kernel, stride, dilate, pad of as many dimensions, at times left out."""
    attrs = {"kernel": tuple_text([size(rng, 1, 3) for _ in range(dims)])}
    for name, low, high in (("stride", 1, 3), ("dilate", 1, 2), ("pad", 0, 2)):
        attrs[name] = tuple_text([size(rng, low, high) for _ in range(dims)]) if rng.random() < 0.6 else None
    return attrs


def image(rng, channels, dims=2, batch=None):
    return (batch or size(rng, 1, 3), channels) + tuple(size(rng, 4, 8) for _ in range(dims))


def convolution(rng):
    dims, group = rng.choice([1, 2, 2, 2, 3]), rng.choice([1, 1, 2, 3])
    bias = rng.random() < 0.6
    attrs = windows(rng, dims)
    attrs.update(num_group=str(group), num_filter=str(group * size(rng, 1, 3)), no_bias=str(not bias), layout=None)
    return attrs, [image(rng, group * size(rng, 1, 2), dims), None] + [None] * bias


def deconvolution(rng):
    attrs, shapes = convolution(rng)
    dims = len(shapes[0]) - 2
    attrs["adj"] = tuple_text([0] * dims) if rng.random() < 0.5 else None
    attrs["target_shape"] = tuple_text([size(rng, 5, 12) for _ in range(dims)]) if rng.random() < 0.2 else None
    return attrs, shapes


def deformable_convolution(rng, modulated=False):
    group, deformable = rng.choice([1, 1, 2]), rng.choice([1, 2])
    bias = rng.random() < 0.6
    kernel, stride, pad = [size(rng, 1, 3)] * 2, [size(rng, 1, 2)] * 2, [size(rng, 0, 1)] * 2
    data = image(rng, 2 * group * deformable)
    out = tuple((d + 2 * p - k) // s + 1 for d, k, s, p in zip(data[2:], kernel, stride, pad))
    taps = kernel[0] * kernel[1] * deformable
    attrs = {
        "kernel": tuple_text(kernel),
        "stride": tuple_text(stride),
        "pad": tuple_text(pad),
        "dilate": None,
        "num_group": str(group),
        "num_deformable_group": str(deformable),
        "num_filter": str(2 * group),
        "no_bias": str(not bias),
        "layout": None,
    }
    masks = [(data[0], taps, *out)] if modulated else []
    return attrs, [data, (data[0], 2 * taps, *out), *masks, None] + [None] * bias


def pooling(rng):
    dims = rng.choice([1, 2, 2, 2, 3])
    attrs = windows(rng, dims)
    del attrs["dilate"]
    attrs["layout"] = None
    return attrs, [image(rng, size(rng, 1, 3), dims)]


def im2col(rng):
    return windows(rng, 2), [image(rng, size(rng, 1, 3))]


def col2im(rng):
    attrs = windows(rng, 2)
    out = [size(rng, 4, 7), size(rng, 4, 7)]
    numbers = lambda name, default: [int(v) for v in (attrs[name] or default).strip("()").split(",") if v]
    kernel, stride = numbers("kernel", ""), numbers("stride", "1,1")
    dilate, pad = numbers("dilate", "1,1"), numbers("pad", "0,0")
    columns = 1
    for o, k, s, d, p in zip(out, kernel, stride, dilate, pad):
        columns *= max((o + 2 * p - d * (k - 1) - 1) // s + 1, 1)
    attrs["output_size"] = tuple_text(out)
    return attrs, [(size(rng, 1, 2), size(rng, 1, 3) * kernel[0] * kernel[1], columns)]


def correlation(rng):
    shape = image(rng, size(rng, 1, 3))
    attrs = {"kernel_size": str(rng.choice([1, 1, 3])), "pad_size": str(size(rng, 1, 4))}
    attrs.update(max_displacement=str(size(rng, 1, 3)), stride1=str(size(rng, 1, 2)), stride2=str(size(rng, 1, 2)))
    return attrs, [shape, shape]


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


def matrices(rng):
    return tuple(size(rng, 1, 3) for _ in range(rng.choice([0, 1, 1, 2])))


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


def spatial_transformer(rng):
    data = image(rng, size(rng, 1, 3))
    return {"target_shape": tuple_text([size(rng, 2, 6), size(rng, 2, 6)])}, [data, (data[0], 6)]


def bilinear_sampler(rng):
    data = image(rng, size(rng, 1, 3))
    return {}, [data, (data[0], 2, size(rng, 2, 6), size(rng, 2, 6))]


def grid_generator(rng):
    if rng.random() < 0.5:
        return {"transform_type": "affine", "target_shape": tuple_text([size(rng, 2, 6)] * 2)}, [(size(rng), 6)]
    return {"transform_type": "warp", "target_shape": None}, [(size(rng), 2, size(rng, 2, 5), size(rng, 2, 5))]


def regions(channels_of=lambda rng: size(rng, 1, 3)):
    def recipe(rng):
        data = image(rng, channels_of(rng))
        attrs = {"spatial_scale": rng.choice(["1", "0.5", "0.25"])}
        return attrs, [data, (size(rng, 1, 4), 5)], {1: (0, data[0] - 1, "integers")}

    return recipe


def rotated_regions(rng):
    _, (data, rois), bounds = regions()(rng)
    return {}, [data, (rois[0], 6)], bounds


def psroi_pooling(rng):
    group, out = size(rng, 1, 3), size(rng, 1, 3)
    attrs = {"spatial_scale": "1", "output_dim": str(out), "group_size": str(group), "pooled_size": str(group)}
    data = image(rng, out * group * group)
    return attrs, [data, (size(rng, 1, 4), 5)], {1: (0, data[0] - 1, "integers")}


def multibox_detection(rng):
    batch, classes, anchors = size(rng, 1, 2), size(rng, 2, 4), size(rng, 1, 6)
    attrs = {"variances": None}
    return attrs, [(batch, classes, anchors), (batch, 4 * anchors), (1, anchors, 4)]


def multibox_target(rng):
    batch, classes, anchors = size(rng, 1, 2), size(rng, 2, 4), size(rng, 1, 6)
    return {"variances": None}, [(1, anchors, 4), (batch, size(rng, 1, 3), 5), (batch, classes, anchors)]


def proposal(rng):
    ratios, scales, batch = size(rng, 1, 2), size(rng, 1, 2), 1
    anchors, rows, columns = ratios * scales, size(rng, 1, 4), size(rng, 1, 4)
    attrs = {
        "ratios": "(" + ",".join(["0.5", "1"][:ratios]) + ",)",
        "scales": "(" + ",".join(["2", "4"][:scales]) + ",)",
        "rpn_pre_nms_top_n": str(size(rng, 5, 12)),
        "rpn_post_nms_top_n": str(size(rng, 1, 5)),
        "rpn_min_size": "0",
        "threshold": "0.7",
        "feature_stride": "4",
    }
    return attrs, [(batch, 2 * anchors, rows, columns), (batch, 4 * anchors, rows, columns), (batch, 3)]


def upsampling(rng):
    if rng.random() < 0.4:
        channels = size(rng, 1, 3)
        attrs = {"sample_type": "bilinear", "num_filter": str(channels), "num_args": "2", "scale": str(size(rng, 1, 3))}
        return attrs, [image(rng, channels), None]
    return {"sample_type": "nearest", "num_args": "1", "scale": str(size(rng, 1, 3))}, [image(rng, size(rng))]


def crop(rng):
    data, two = (1, size(rng), 6, 7), rng.random() < 0.5
    attrs = {"num_args": "2" if two else "1", "offset": tuple_text([size(rng, 0, 2)] * 2)}
    attrs["h_w"] = tuple_text([size(rng, 1, 4), size(rng, 1, 4)])
    return attrs, [data] + [(1, size(rng), size(rng, 1, 4), size(rng, 1, 4))] * two


def histogram(rng):
    shape = tuple(size(rng) for _ in range(size(rng, 1, 3)))
    if rng.random() < 0.5:
        return {"bin_cnt": str(size(rng)), "range": "(-2, 3)"}, [shape]
    return {"bin_cnt": None, "range": None}, [shape, (size(rng, 2, 5),)]


def image_crop(rng):
    data = (6, 7, size(rng, 1, 4)) if rng.random() < 0.6 else (2, 6, 7, size(rng, 1, 4))
    values = {"x": size(rng, 0, 3), "y": size(rng, 0, 2), "width": size(rng, 1, 4), "height": size(rng, 1, 4)}
    return {k: str(v) for k, v in values.items()}, [data]


def image_normalize(rng):
    channels = rng.choice([1, 3])
    attrs = {"mean": rng.choice(["(0.5,)", "(0.1,0.2,0.3)"]), "std": rng.choice(["(2,)", "(0.5,0.25,2)"])}
    data = (channels, size(rng), size(rng))
    return attrs, [data if rng.random() < 0.6 else (2, *data)]


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
    return {"axis": str(size(rng, -len(data), len(data) - 1))}, [data, data]


def softmax_cross_entropy(rng):
    rows = size(rng)
    return {}, [(rows, 4), (rows,)], {1: (0, 3, "integers")}


def ctc_loss(rng):
    steps, batch, letters = size(rng, 2, 6), size(rng, 1, 3), size(rng, 3, 5)
    attrs = {"use_data_lengths": "False", "use_label_lengths": "False"}
    return attrs, [(steps, batch, letters), (batch, size(rng, 1, 3))], {1: (0, letters - 1, "integers")}


def hawkes(rng):
    n, k, t = size(rng, 1, 3), 4, size(rng, 1, 4)
    return (
        {},
        [(n, k), (k,), (k,), (n, k), (n, t), (n, t), (n,), (n,)],
        {5: (0, k - 1, "integers"), 6: (1, t, "integers")},
    )


def reshape_like(rng):
    shape = [size(rng, 1, 4) for _ in range(size(rng, 1, 4))]
    other = shape[:]
    rng.shuffle(other)
    attrs = {"lhs_begin": None, "lhs_end": None, "rhs_begin": None, "rhs_end": None}
    return attrs, [tuple(shape), tuple(other)]


def batch_norm(rng):
    data = tuple(size(rng) for _ in range(size(rng, 2, 5)))
    return {"axis": str(rng.choice([1, 1, -1]))}, [data, None, None, None, None]


def layer_norm(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 2, 4)))
    return {"axis": str(rng.choice([-1, -1, len(data) - 1, 0]))}, [data, None, None]


def group_norm(rng):
    groups = size(rng, 1, 3)
    return {"num_groups": str(groups)}, [image(rng, groups * size(rng, 1, 2), rng.choice([1, 2])), None, None]


def box_nms(rng):
    return {"coord_start": "2", "score_index": "1", "id_index": rng.choice(["-1", "0"])}, [(size(rng, 1, 3), 5, 6)]


def box_decode(rng):
    batch, anchors = size(rng, 1, 3), size(rng)
    return {}, [(batch, anchors, 4), (1, anchors, 4)]


def box_iou(rng):
    return {}, [tuple(size(rng) for _ in range(size(rng, 1, 2))) + (4,), (size(rng), 4)]


def count_for_channels(rng):
    return {"block_size": "2"}, [(size(rng, 1, 2), 4 * size(rng, 1, 2), 2 * size(rng, 1, 2), 2 * size(rng, 1, 2))]


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


def fully_connected(rng):
    bias, data = rng.random() < 0.6, tuple(size(rng) for _ in range(size(rng, 1, 4)))
    return {"num_hidden": str(size(rng)), "no_bias": str(not bias)}, [data, None] + [None] * bias


def pick(rng):
    data, axis = tuple(size(rng, 1, 4) for _ in range(size(rng, 1, 4))), 0
    axis = size(rng, 0, len(data) - 1)
    keep = rng.random() < 0.5
    return {"axis": str(axis)}, [data, data[:axis] + (1,) * keep + data[axis + 1 :] or (1,)]


def khatri_rao(rng):
    count, columns = size(rng, 1, 3), size(rng)
    return {"num_args": str(count)}, [(size(rng), columns) for _ in range(count)]


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


def pad(rng):
    data = tuple(size(rng, 3, 5) for _ in range(rng.choice([4, 5])))
    low = rng.choice([0, 0, -1])
    width = [0] * 4 + [size(rng, low, 2) for _ in range(2 * len(data) - 4)]
    return {"pad_width": tuple_text(width)}, [data]


def bilinear_resize(rng):
    data = image(rng, size(rng, 1, 3))
    attrs = {k: None for k in ("height", "width", "scale_height", "scale_width", "mode")}
    kind = rng.random()
    if kind < 0.4:
        attrs.update(height=str(size(rng, 1, 9)), width=str(size(rng, 1, 9)))
    elif kind < 0.6:
        attrs.update(scale_height=rng.choice(["2", "0.5", "1.5"]), scale_width=rng.choice(["2", "0.5", "3"]))
    elif kind < 0.75:
        attrs["mode"] = "like"
        return attrs, [data, image(rng, size(rng))]
    else:
        attrs["mode"] = rng.choice(["odd_scale", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up"])
        if attrs["mode"] == "odd_scale":
            attrs.update(scale_height="2", scale_width="0.5")
    return attrs, [data]


def box_encode(rng):
    batch, anchors, boxes = size(rng, 1, 3), size(rng), size(rng, 1, 3)
    pairs = (batch, anchors)
    shapes = [pairs, pairs, (batch, anchors, 4), (batch, boxes, 4), (4,), (4,)]
    return {}, shapes, {0: (-1, 1, "integers"), 1: (0, boxes - 1, "integers"), 5: (0.1, 2)}


def upright_image(rng):
    return {}, [(size(rng), size(rng), rng.choice([1, 3]))]


def triangle_of_vector(rng):
    n = size(rng, 1, 4)
    offset = size(rng, -2, 2)
    return {"offset": str(offset)}, [(*matrices(rng), n * (n + 1) // 2)]


def slice_assign(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 3)))
    begin = [size(rng, 0, d - 1) for d in data]
    end = [size(rng, b + 1, d) for b, d in zip(begin, data)]
    attrs = {"begin": tuple_text(begin), "end": tuple_text(end), "step": None}
    return attrs, [data, tuple(e - b for b, e in zip(begin, end))]


def slice_assign_scalar(rng):
    attrs, shapes = slice_assign(rng)
    return attrs, shapes[:1]


def batch_dot(rng):
    lead, m, k, n = tuple(size(rng, 1, 3) for _ in range(size(rng, 1, 2))), size(rng), size(rng), size(rng)
    ta, tb = rng.random() < 0.4, rng.random() < 0.4
    attrs = {"transpose_a": str(ta), "transpose_b": str(tb)}
    return attrs, [lead + ((k, m) if ta else (m, k)), lead + ((n, k) if tb else (k, n))]


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


def deformable_psroi_pooling(rng):
    attrs, (data, rois), bounds = psroi_pooling(rng)
    attrs.update(part_size="0", sample_per_part=str(size(rng, 1, 3)), no_trans="True", trans_std="0")
    return attrs, [data, rois], bounds


RECIPES = {
    "Pad": pad,
    "_contrib_BilinearResize2D": bilinear_resize,
    "_contrib_box_encode": box_encode,
    "_image_flip_left_right": upright_image,
    "_image_flip_top_bottom": upright_image,
    "_image_adjust_lighting": upright_image,
    "_image_to_tensor": upright_image,
    "_linalg_maketrian": triangle_of_vector,
    "_slice_assign": slice_assign,
    "_slice_assign_scalar": slice_assign_scalar,
    "batch_dot": batch_dot,
    "batch_take": batch_take,
    "broadcast_to": broadcast_to,
    "_ravel_multi_index": ravel,
    "_contrib_DeformablePSROIPooling": deformable_psroi_pooling,
    "_contrib_SparseEmbedding": lambda rng: embedding(rng),
    "_contrib_BatchNormWithReLU": lambda rng: batch_norm(rng),
    "_contrib_SyncBatchNorm": lambda rng: ({"key": "a"}, batch_norm(rng)[1]),
    "cast_storage": lambda rng: ({"stype": "default"}, [tuple(size(rng) for _ in range(2))]),
    "SVMOutput": lambda rng: ({}, [(4, 3), (4,)]),
    "Convolution": convolution,
    "Convolution_v1": convolution,
    "Deconvolution": deconvolution,
    "_contrib_DeformableConvolution": deformable_convolution,
    "_contrib_ModulatedDeformableConvolution": lambda rng: deformable_convolution(rng, True),
    "Pooling": pooling,
    "Pooling_v1": pooling,
    "im2col": im2col,
    "col2im": col2im,
    "Correlation": correlation,
    "RNN": rnn,
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
    "SpatialTransformer": spatial_transformer,
    "BilinearSampler": bilinear_sampler,
    "GridGenerator": grid_generator,
    "ROIPooling": regions(),
    "_contrib_ROIAlign": regions(),
    "_contrib_RROIAlign": rotated_regions,
    "_contrib_PSROIPooling": psroi_pooling,
    "_contrib_MultiBoxDetection": multibox_detection,
    "_contrib_MultiBoxTarget": multibox_target,
    "_contrib_Proposal": proposal,
    "_contrib_MultiProposal": proposal,
    "UpSampling": upsampling,
    "Crop": crop,
    "_histogram": histogram,
    "_image_crop": image_crop,
    "_image_normalize": image_normalize,
    "scatter_nd": scatter_nd(False),
    "_scatter_set_nd": scatter_nd(True),
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
    "InstanceNorm": lambda rng: ({}, [image(rng, size(rng, 1, 3), rng.choice([1, 2, 3])), None, None]),
    "LRN": lambda rng: ({"nsize": str(rng.choice([1, 3, 5]))}, [image(rng, size(rng, 1, 6))]),
    "_contrib_box_nms": box_nms,
    "_contrib_box_decode": box_decode,
    "_contrib_box_iou": box_iou,
    "depth_to_space": count_for_channels,
    "space_to_depth": count_for_channels,
    "SliceChannel": split,
    "SequenceLast": sequence,
    "SequenceMask": sequence,
    "SequenceReverse": sequence_reverse,
    "Embedding": embedding,
    "FullyConnected": fully_connected,
    "pick": pick,
    "khatri_rao": khatri_rao,
    "Concat": concat,
    "amp_multicast": multi_like("num_outputs"),
    "multi_sum_sq": multi_like("num_arrays"),
    "multi_all_finite": multi_like("num_arrays"),
}
