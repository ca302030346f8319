"""Conditions (see conditions.py) on what MXNet does not check: sizes that do not fit, indices that are outside. Those of FAILS take the
inputs, the attributes and the outputs."""

import ast

import numpy as np

from operator_fuzzer.conditions import attribute, axes_of, extreme


def no_more_than_ddof(case):
    shape = case.inputs[0].shape
    count = int(np.prod([shape[a] for a in axes_of(case, len(shape))], dtype=int))
    return np.array(case.free and count <= int(attribute(case, "ddof", 0)))


def shifted_out(case):
    """The number is the distance, or the array is."""
    bits = 8 * case.expected[0].dtype.itemsize
    return np.array(any(((a < 0) | (a.astype("float64") >= bits)).any() for a in case.inputs))


def windows_do_not_fit_at_all(inputs, attrs, outputs):
    """Another number of heads or dilations, or arrays of other sizes; or, of the mask, a window that its size is not of."""
    heads = next(a.shape[2] for a in inputs if a.ndim == 4)
    dilations = [a for a in inputs if a.ndim == 1 and a.dtype == "int32"]
    window = int(attrs["w"]) * (2 if str(attrs["symmetric"]) in ("True", "1") else 1) + 1
    arrays = [a.shape for a in inputs if a.ndim == 4]
    same = len({shape[:3] for shape in arrays}) == 1
    scores = [a for a in arrays if len(arrays) == 1 or a is arrays[0]]
    is_score = len(outputs[0].shape) == 4 and outputs[0].shape[3] == window and len({a for a in arrays}) == 1
    fits = is_score or scores[0][3] == window
    lengths = [a for a in dilations[1:] if a.shape != arrays[0][:1] or (a < 0).any() or (a > arrays[0][1]).any()]
    return dilations[0].shape != (heads,) or not same or not fits or bool(lengths)


def windows_do_not_fit(case):
    return np.array(windows_do_not_fit_at_all(case.inputs, case.attrs, case.expected))


def places_outside(case):
    """Of an array of places to insert at, which MXNet does not check."""
    axis = attribute(case, "axis")
    length = case.inputs[0].size if axis is None else case.inputs[0].shape[int(axis)]
    return np.array(bool((np.abs(case.inputs[-1].astype("float64")) > length).any()))


def mask_is_outside(inputs, attrs, outputs):
    """Masks from an axis on that there is not, and values of more dimensions than the mask leaves."""
    start, mask = int(attrs.get("start_axis") or 0), inputs[1].ndim
    return (
        start + mask > inputs[0].ndim or (mask == 0 and start >= inputs[0].ndim) or any(a.ndim > 1 for a in inputs[2:])
    )


def wrongly_resized(case):
    """MXNet 2.0.0b1's own faults: int8, and more than four channels."""
    version = case.symbol["attrs"]["mxnet_version"][1]
    return np.array(version >= 20000 and (case.inputs[0].dtype == "int8" or case.inputs[0].shape[-1] > 4))


def only_the_background(inputs, attrs, outputs):
    """Of detections: no class."""
    return inputs[0].shape[1] == 1


def other_number_of_elements(inputs, attrs, outputs):
    """Of a reshape, which MXNet lets pass."""
    return inputs[0].size != outputs[0].size


def other_shape(inputs, attrs, outputs):
    return inputs[0].shape != inputs[1].shape


def has_no_dimension(inputs, attrs, outputs):
    return inputs[0].ndim == 0


def length_is_outside(inputs, attrs, outputs):
    return len(inputs) > 1 and bool(((inputs[1] < 0) | (inputs[1] > inputs[0].shape[0])).any())


def images_not_finite(inputs, attrs, outputs):
    return bool(extreme(inputs[0]).any())


def index_is_outside(inputs, attrs, outputs):
    """Boxes that a match names, and lengths of sequences."""
    if len(inputs) < 4:
        axis = int(attrs.get("axis") or 0)
        return len(inputs) > 1 and bool(((inputs[1] < 1) | (inputs[1] > inputs[0].shape[axis])).any())
    return bool(((inputs[1] < 0) | (inputs[1] >= inputs[3].shape[1])).any())


def sizes_do_not_fit(inputs, attrs, outputs):
    """Arrays of several shapes to stack, another number of repetitions than of elements, and shapes that are none."""
    if "to_begin_scalar" in attrs or "to_end_scalar" in attrs:
        return len(inputs) > 1 + sum(str(attrs.get("to_%s_arr_given" % at)) in ("True", "1") for at in ("begin", "end"))
    if "pad_width" in attrs:
        return "-" in attrs["pad_width"]
    if "act_type" in attrs:
        return len(inputs) > 1 and inputs[1].size not in (1, inputs[0].shape[1])
    if "kernel" in attrs:
        groups, places = int(attrs.get("num_deformable_group") or 1), int(np.prod(ast.literal_eval(attrs["kernel"])))
        same = inputs[0].shape[2:] == inputs[1].shape[2:] and len(inputs[0]) == len(inputs[1])
        same = same and (
            len(inputs) < 4 or inputs[2].shape[2:] == inputs[1].shape[2:] and len(inputs[0]) == len(inputs[2])
        )
        return not same or inputs[1].shape[1] % (2 * places * groups) != 0
    if "num_args" in attrs:
        return len({a.shape for a in inputs}) > 1
    if "heads" in attrs:
        batch, attention = inputs[0].shape[1] * int(attrs["heads"]), inputs[-1]
        apart = attention.shape[0] != batch or attention.shape[-1] != len(inputs[0])
        return any(a.shape[-1] % int(attrs["heads"]) for a in inputs) or (len(inputs) > 1 and apart)
    if "repeats" in attrs:
        count, axis = len(attrs["repeats"].strip("(),").split(",")), attrs.get("axis")
        length = inputs[0].size if axis in (None, "None") else inputs[0].shape[int(axis)]
        return attrs["repeats"] == "()" or count not in (1, length)
    return inputs[1].ndim != 1 or int(np.prod(inputs[1].astype("int64"))) != inputs[0].size
