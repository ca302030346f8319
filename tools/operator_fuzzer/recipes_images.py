"""Recipes of operators on images, boxes and regions."""

from operator_fuzzer.common import image, size, tuple_text


def windows(rng, dims, deconvolution=False):
    """Kernel, stride, dilate, pad of as many dimensions, at times left out."""
    attrs = {"kernel": tuple_text([size(rng, 1, 3) for _ in range(dims)])}
    for name, low, high in (("stride", 1, 3), ("dilate", 1, 2), ("pad", 0, 2)):
        attrs[name] = tuple_text([size(rng, low, high) for _ in range(dims)]) if rng.random() < 0.6 else None
    return attrs


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


def image_crop(rng):
    data = (6, 7, size(rng, 1, 4)) if rng.random() < 0.6 else (2, 6, 7, size(rng, 1, 4))
    values = {"x": size(rng, 0, 3), "y": size(rng, 0, 2), "width": size(rng, 1, 4), "height": size(rng, 1, 4)}
    return {k: str(v) for k, v in values.items()}, [data]


def image_normalize(rng):
    channels = rng.choice([1, 3])
    attrs = {"mean": rng.choice(["(0.5,)", "(0.1,0.2,0.3)"]), "std": rng.choice(["(2,)", "(0.5,0.25,2)"])}
    data = (channels, size(rng), size(rng))
    return attrs, [data if rng.random() < 0.6 else (2, *data)]


def box_nms(rng):
    return {"coord_start": "2", "score_index": "1", "id_index": rng.choice(["-1", "0"])}, [(size(rng, 1, 3), 5, 6)]


def box_decode(rng):
    batch, anchors = size(rng, 1, 3), size(rng)
    return {}, [(batch, anchors, 4), (1, anchors, 4)]


def box_iou(rng):
    return {}, [tuple(size(rng) for _ in range(size(rng, 1, 2))) + (4,), (size(rng), 4)]


def count_for_channels(rng):
    return {"block_size": "2"}, [(size(rng, 1, 2), 4 * size(rng, 1, 2), 2 * size(rng, 1, 2), 2 * size(rng, 1, 2))]


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


def deformable_psroi_pooling(rng):
    attrs, (data, rois), bounds = psroi_pooling(rng)
    attrs.update(part_size="0", sample_per_part=str(size(rng, 1, 3)), no_trans="True", trans_std="0")
    return attrs, [data, rois], bounds


def same_brightness(rng):
    factor = rng.choice(["1", "0.5", "2.5", "0"])
    return {"min_factor": factor, "max_factor": factor}, [(size(rng), size(rng), rng.choice([1, 3]))]


def border(rng):
    widths = {k: str(size(rng, 0, 2)) for k in ("top", "bot", "left", "right")}
    attrs = {**widths, "type": str(rng.choice([0, 0, 1, 2, 3, 4])), "value": rng.choice(["0", "3"]), "values": None}
    return attrs, [(size(rng, 3, 5), size(rng, 3, 5), rng.choice([1, 3]))], {}, {"dtypes": {0: ["uint8", "float32"]}}


def image_resize(rng):
    lengths = [size(rng, 1, 8) for _ in range(rng.choice([1, 2]))]
    attrs = {"size": tuple_text(lengths), "keep_ratio": rng.choice(["False", "True"]), "interp": rng.choice(["0", "1"])}
    return attrs, [(size(rng, 2, 6), size(rng, 2, 6), rng.choice([1, 3]))], {}, {"dtypes": {0: ["uint8", "float32"]}}


RECIPES = {
    "_image_resize": image_resize,
    "_image_random_brightness": same_brightness,
    "_cvcopyMakeBorder": border,
    "Pad": pad,
    "_contrib_BilinearResize2D": bilinear_resize,
    "_contrib_box_encode": box_encode,
    "_image_flip_left_right": upright_image,
    "_image_flip_top_bottom": upright_image,
    "_image_adjust_lighting": lambda rng: ({"alpha": "(0.5,-0.25,1)"}, [(size(rng), size(rng), 3)]),
    "_image_to_tensor": upright_image,
    "_contrib_DeformablePSROIPooling": deformable_psroi_pooling,
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
    "_image_crop": image_crop,
    "_image_normalize": image_normalize,
    "InstanceNorm": lambda rng: ({}, [image(rng, size(rng, 1, 3), rng.choice([1, 2, 3])), None, None]),
    "LRN": lambda rng: ({"nsize": str(rng.choice([1, 3, 5]))}, [image(rng, size(rng, 1, 6))]),
    "_contrib_box_nms": box_nms,
    "_contrib_box_decode": box_decode,
    "_contrib_box_iou": box_iou,
    "depth_to_space": count_for_channels,
    "space_to_depth": count_for_channels,
}
