"""Conditions under which an operator's notes allow a difference: functions of a judge.Difference that give the allowed elements,
a mask for every output or one for all of them."""

import ast

import numpy as np


def not_finite(array):
    return ~np.isfinite(array.astype("float64"))


def in_sums_that_are_not_finite(case):
    """docs/numbers.md: sums and products with a term that is infinite, NaN or so large that products overflow, where one of both
    results is not finite, or they differ by no more than the rounding of the largest product."""
    finite = [np.abs(a[np.isfinite(a)].astype("float64")) for a in case.inputs if a.dtype.kind == "f"]
    largest = max((a.max() for a in finite if a.size), default=0)
    with np.errstate(all="ignore"):
        rounding = np.square(np.float64(largest)) * 1e-6
        near = [np.abs(a.astype("float64") - b.astype("float64")) < rounding for a, b in zip(case.found, case.expected)]
    return [a & (b | c) for a, b, c in zip(case.touched, case.not_finite, near)]


def beyond_float32(case):
    """Of float64 that is computed in float32, which the report says (W-cast-for-runtime): numbers that are beyond its range."""
    size = lambda a: np.abs(a[np.isfinite(a) & (a != 0)].astype("float64"))
    return np.array(any(((size(a) > 1e18) | (size(a) < 1e-30)).any() for a in case.inputs if a.dtype == "float64"))


def attribute(case, name, default=None):
    text = case.attrs.get(name) or "None"
    value = ast.literal_eval(text)
    return default if value is None else value


def axes_of(case, rank, name="axis"):
    axes = attribute(case, name)
    if axes in (None, ()) or not rank:
        return tuple(range(rank))
    axes = {a % rank for a in (axes if isinstance(axes, (tuple, list)) else (axes,))}
    return tuple(set(range(rank)) - axes if str(case.attrs.get("exclude")) in ("True", "1") else axes)


def in_slices_with(mask, case, name="axis"):
    """Elements of slices along the axis, or the axes, with an element of the mask; for outputs that have a size 1 there, that
    size, another one, or do not have the axis."""
    axes = axes_of(case, mask.ndim, name)
    marked = mask.any(axis=axes, keepdims=True)

    def of(output):
        if output.ndim == mask.ndim:
            return np.broadcast_to(marked, output.shape)
        return marked.any(axis=axes).reshape(output.shape) if output.size else np.zeros(output.shape, bool)

    return [of(output) for output in case.expected]


def in_planes_with(bad, case, leading):
    """All elements with the same first indices as a bad element of an input."""
    marked = bad.any(axis=tuple(range(leading, bad.ndim)))
    fits = lambda o: o.shape[:leading] == marked.shape
    return [
        marked.reshape(marked.shape + (1,) * (o.ndim - leading)) if fits(o) else np.zeros(o.shape, bool)
        for o in case.expected
    ]


def extreme(array):
    """Not finite, or so large that sums of products overflow."""
    limit = {2: 20, 4: 1e9, 8: 1e60}[array.dtype.itemsize] if array.dtype.kind == "f" else np.inf
    with np.errstate(all="ignore"):
        return ~(np.abs(array.astype("float64")) < limit)


def in_images_with_extremes(case):
    return in_planes_with(extreme(case.inputs[0]), case, 1)


def any_extreme(case):
    return np.array(any(extreme(a).any() for a in case.inputs))


def not_finite_beside_extremes(case):
    """Where one of both results is not finite, in a draw with a number that is not, or that overflows."""
    return [mask & any_extreme(case) for mask in case.not_finite]


def recurrent(case):
    """An extreme number is carried on to all that follows, which activation functions then may make finite again."""
    return any_extreme(case)


def normalised_together(case):
    """docs/numbers.md: all that is normalised with an element that is not finite or whose square overflows."""
    data = extreme(case.inputs[0])
    name = case.symbol["nodes"][-1]["op"].lower().replace("_", "")
    if "layernorm" in name:
        axis = attribute(case, "axis")
        marked = data.any(axis=axis, keepdims=True)
        scale = np.zeros((), bool)
        for array in case.inputs[1:]:
            shape = [1] * data.ndim
            shape[axis] = -1
            scale = scale | extreme(array).reshape(shape)
        whole = np.broadcast_to(marked | scale, data.shape)
        return [whole if o.shape == whole.shape else marked.reshape(o.shape) for o in case.expected]
    return any_extreme(case)  # of GroupNorm, InstanceNorm and L2Normalization


def cancelled_powers(case):
    """Sums of powers that cancel out: their root shows the rounding."""
    if str(case.attrs.get("pool_type")) != "lp":
        return np.array(False)
    power = float(case.attrs.get("p_value") or 1)
    data = np.abs(case.inputs[0].astype("float64"))
    largest = data[data < 1e9].max(initial=0) ** power
    a, b = (np.abs(o[0].astype("float64")) ** power for o in (case.found, case.expected))
    return np.minimum(a, b) < largest * 1e-5


def overflows_by_temperature(case):
    data = case.inputs[0].astype("float64")
    temperature = float(case.attrs["temperature"]) if str(case.attrs.get("temperature")) not in ("None", "") else 1
    limit = {2: 6e4, 4: 3e38, 8: 1.7e308}[case.inputs[0].dtype.itemsize]
    axis = attribute(case, "axis", -1)
    if data.ndim == 0:
        return np.array(not np.isfinite(data / temperature))
    with np.errstate(all="ignore"):
        spread = data.max(axis=axis, keepdims=True) - data.min(axis=axis, keepdims=True)
        span = {2: 11, 4: 88, 8: 709}[case.inputs[0].dtype.itemsize]
        bad = ~(np.abs(data / temperature) < limit).all(axis=axis, keepdims=True)
        bad = bad | ~(spread < limit) | ((temperature < 0) & ~(spread < span * -temperature))
    return np.broadcast_to(bad, data.shape)


def relu_of_nan(case):
    return np.isnan(case.inputs[0]) & (case.expected[0] == 0) & np.isnan(case.found[0])


def sampled_points(case):
    grid = case.inputs[1]
    if grid.ndim == 2:  # an affine matrix for each image
        far = ~(np.abs(grid) < 1e17).all(axis=1)
        return np.broadcast_to(far.reshape(-1, 1, 1, 1), case.expected[0].shape)
    return ~(np.abs(grid) < 1e17).all(axis=1, keepdims=True)


def does_not_fit(case):
    values, kind = case.inputs[0].astype("float64"), case.expected[0].dtype
    if kind.kind not in "iu":
        return np.array(False)
    with np.errstate(all="ignore"):
        return ~((np.trunc(values) >= np.iinfo(kind).min) & (np.trunc(values) <= np.iinfo(kind).max))


def nothing_to_average(case):
    return np.array(case.free and case.inputs[0].size == 0)


def across_channels(case):
    data = case.inputs[0]
    with np.errstate(all="ignore"):
        size = np.abs(data.astype("float64"))
        least = size.min(axis=1, keepdims=True)
    bad = (
        not_finite(data)
        | extreme(data)
        | (size > (1000 if float(case.attrs["knorm"]) else 30) * np.maximum(least, 1e-3))
    )
    return np.broadcast_to(bad.any(axis=1, keepdims=True), bad.shape)


def pooled_nan(case):
    data = case.inputs[0]
    if str(case.attrs.get("pool_type")) != "max":
        return np.array(False)
    last = str(case.attrs.get("layout")) in ("NWC", "NHWC", "NDHWC")
    return in_planes_with(np.isnan(np.moveaxis(data, -1, 1) if last else data), case, 2)


def bad_lengths(low):
    def allows(case):
        lengths = case.input("sequence_length")
        data = case.inputs[0]
        if lengths is None:
            return np.array(False)
        axis = attribute(case, "axis", 0)
        bad = ~((lengths >= low) & (lengths <= data.shape[axis]))
        shape = [1] * case.expected[0].ndim
        place = 0 if len(shape) < data.ndim else 1 - axis
        shape[place] = bad.size
        return bad.reshape(shape)

    return allows


def planes_of_nan(case):
    """(N, C, H, W), or an image (H, W, C) or several of them."""
    bad = not_finite(case.inputs[0]) | extreme(case.inputs[0])
    if (
        bad.ndim == 4
        and any(n in case.symbol["nodes"][-1]["op"] for n in ("BilinearResize2D", "Adaptive"))
        and str(case.attrs.get("layout")) != "NHWC"
    ):
        return in_planes_with(bad, case, 2)
    channels = bad.any(axis=(-3, -2), keepdims=True)
    channels[..., :-1] |= channels[..., 1:]  # ONNX Runtime may interpolate between channels, too, with a weight of 0
    return np.broadcast_to(channels, case.expected[0].shape)


def images_of_far_offsets(case):
    return in_planes_with(extreme(case.inputs[1]), case, 1)


def regions_of_bad_images(case):
    """Regions (R, 5) of an image with an element that is not finite."""
    data, rois = case.inputs[:2]
    bad = (not_finite(data) | extreme(data)).any(axis=tuple(range(1, data.ndim)))
    image = rois[:, 0].astype(int)
    return bad[np.clip(image, 0, len(bad) - 1)].reshape(-1, 1, 1, 1)


def negative_images(case):
    return (case.inputs[1][:, 0] < 0).reshape(-1, *[1] * (case.expected[0].ndim - 1))


def wide_indices(case):
    return np.array(any((np.abs(a.astype("float64")) >= 2**31).any() for a in case.inputs if a.dtype == "int64"))


def beyond_2_53(case):
    return np.array(any((np.abs(a.astype("float64")) > 2**53).any() for a in case.inputs if a.dtype == "int64"))


def slices_with_nan(case):
    if case.inputs[0].dtype.kind != "f":
        return np.array(False)
    return in_slices_with(np.isnan(case.inputs[0]), case)


def slices_not_finite(case):
    return in_slices_with(not_finite(case.inputs[0]), case)


def examples_not_finite(case):
    """SoftmaxOutput and SoftmaxActivation."""
    bad = extreme(case.inputs[0])
    channels = str(case.attrs.get("multi_output")) in ("True", "1") or str(case.attrs.get("mode")) == "channel"
    if channels:
        return np.broadcast_to(bad.any(axis=1, keepdims=True), bad.shape)
    along = (
        -1 if str(case.attrs.get("preserve_shape")) in ("True", "1") or bad.ndim == 4 or "mode" in case.attrs else None
    )
    axes = along if along is not None else tuple(range(1, bad.ndim)) or 0
    return np.broadcast_to(bad.any(axis=axes, keepdims=True), bad.shape)


def sorted_slices_with_nan(case):
    """The output may have fewer elements along the axis, or, without one, be flat."""
    nan = np.isnan(case.inputs[0].astype("float64"))
    axis = attribute(case, "axis") if str(case.attrs.get("axis")) != "" else -1
    if axis is None:
        return nan.any()
    marked = nan.any(axis=axis, keepdims=True)
    return [np.broadcast_to(marked, o.shape) for o in case.expected]


def places_of_equal_elements(case):
    """Where the indices name elements that are equal: the tie may be broken in another way."""
    data, axis = case.inputs[0], attribute(case, "axis")
    if data.size <= 16:
        return np.array(False)
    if axis is None:
        data, axis = data.reshape(-1), 0
    allowed = []
    for ours, theirs in zip(case.found, case.expected):
        places = [np.nan_to_num(a.astype("float64"), nan=0, posinf=0, neginf=0).astype(int) for a in (ours, theirs)]
        inside = [(p >= 0) & (p < data.shape[axis]) for p in places]
        taken = [np.take_along_axis(data, np.clip(p, 0, data.shape[axis] - 1), axis) for p in places]
        allowed.append(inside[0] & inside[1] & (taken[0] == taken[1]))
    return allowed


def masked_ties(case):
    """topk(ret_typ="mask"): equal elements at both places."""
    if str(case.attrs.get("ret_typ")) != "mask":
        return places_of_equal_elements(case) if str(case.attrs.get("ret_typ")) != "value" else np.array(False)
    data, axis = case.inputs[0], attribute(case, "axis")
    if axis is None:
        return np.array(False)
    chosen = lambda mask: np.sort(np.where(mask != 0, data, np.inf), axis=axis)
    same = (chosen(case.found[0]) == chosen(case.expected[0])).all(axis=axis, keepdims=True)
    return np.broadcast_to(same & (data.size > 16), data.shape)


def half_sums(case):
    halves = [a for a in case.inputs + case.expected if a.dtype == "float16"]
    total = max((np.abs(a.astype("float64")).sum() for a in case.inputs), default=0)
    return np.array(bool(halves) and not total < 2048)


def doubled_or_negative_places(case):
    indices = case.inputs[-1]
    places = indices.reshape(len(indices), -1).T.tolist()
    return np.array((indices < 0).any() or len({tuple(p) for p in places}) < len(places))


def doubled_rows(case):
    rows = case.inputs[1].ravel().astype(int).tolist()
    return np.array(len(set(rows)) < len(rows))


def bounds_not_in_order(case):
    if len(case.inputs) < 2:
        return np.array(False)
    return np.array(np.isnan(case.inputs[1]).any() or (np.diff(case.inputs[1].astype("float64")) < 0).any())


def rows_behind_the_last(case):
    """A counter at the first input that the condition compares with a number."""
    node = case.symbol["nodes"][-1]
    limit = float(node["subgraphs"][0]["nodes"][-1]["attrs"]["scalar"])
    steps = int(np.ceil(limit - float(case.inputs[0][0])))
    masks = []
    for i, output in enumerate(case.expected):
        stacked = i < int(case.attrs["num_out_data"])
        behind = np.arange(len(output)) >= steps
        masks.append(behind.reshape(-1, *[1] * (output.ndim - 1)) if stacked else np.zeros(output.shape, bool))
    return masks


def clipped_nan(case):
    return np.isnan(case.found[0]) & ~np.isnan(case.expected[0])


def examples_with_nan(case):
    return np.array(any(extreme(a).any() for a in case.inputs))


def does_not_divide(inputs, attrs, outputs):
    """MXNet does not check that the last size is three times the heads' sizes."""
    return inputs[0].shape[-1] % (3 * int(attrs["heads"])) != 0


def row_is_outside(inputs, attrs, outputs):
    """MXNet does not check, and writes beside its result."""
    return bool((~((inputs[1] >= 0) & (inputs[1] < len(inputs[0])))).any())


def nothing_to_compute(inputs, attrs, outputs):
    """ONNX Runtime's kernels refuse empty results and arrays, which a free size can have only where the model runs."""
    return any(a.size == 0 for a in [*inputs, *outputs])


def letter_is_outside(inputs, attrs, outputs):
    """MXNet does not check, and reads beside the row: of labels, and of lengths of data and labels."""
    labels, letters = inputs[1], inputs[0].shape[2]
    given = [str(attrs.get("use_%s_lengths" % kind)) in ("True", "1") for kind in ("data", "label")]
    limits = [limit for limit, is_given in zip((len(inputs[0]), labels.shape[1]), given) if is_given]
    lengths = any((~(length <= limit)).any() for length, limit in zip(inputs[2:], limits))
    low = 0 if given[1] or str(attrs.get("blank_label")) != "last" else -1
    return bool((~((labels >= low) & (labels < letters))).any() or lengths)


def broken_target_shape(case):
    version = case.symbol["attrs"]["mxnet_version"][1]
    return np.array(version >= 20000 and case.inputs[0].dtype != "float32" and "target_shape" in case.attrs)


def points_not_ascending(case):
    return np.array((np.diff(case.inputs[0].astype("float64")) <= 0).any())


def letters_outside(case):
    return np.array(letter_is_outside(case.inputs, case.attrs, case.expected))
