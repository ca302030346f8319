"""Which differences of values an operator's notes allow: each entry binds words of a note to the exact condition. An entry whose
words are in none of the operator's notes has no effect.

(operators, words of a note, function of a judge.Difference that gives the allowed elements: a mask for every output, or
one for all of them)
"""

import numpy as np

from operator_fuzzer.conditions import (
    across_channels,
    any_extreme,
    bad_lengths,
    beyond_2_53,
    bounds_not_in_order,
    cancelled_powers,
    clipped_nan,
    does_not_divide,
    does_not_fit,
    doubled_or_negative_places,
    doubled_rows,
    equal_eigenvalues,
    examples_not_finite,
    examples_with_nan,
    half_sums,
    images_of_far_offsets,
    masked_ties,
    matrices_with_extremes,
    negative_images,
    normalised_together,
    not_finite_beside_extremes,
    nothing_to_average,
    nothing_to_compute,
    overflows_by_temperature,
    places_of_equal_elements,
    planes_of_nan,
    pooled_nan,
    products_with_extremes,
    recurrent,
    regions_of_bad_images,
    relu_of_nan,
    row_is_outside,
    rows_behind_the_last,
    sampled_points,
    singular_or_not_finite,
    slices_not_finite,
    slices_with_nan,
    sorted_slices_with_nan,
    triangle_is_singular,
    wide_indices,
)

EXCUSES = [
    ("^Activation$", "relu is 0", relu_of_nan),
    ("^(BilinearSampler|SpatialTransformer)$", "A point that is infinite", sampled_points),
    ("^Cast$", "does not fit the dtype", does_not_fit),
    ("Adaptive|^mean$|^moments$", "Of no elements", nothing_to_average),
    ("^LRN$", "spreads an element", across_channels),
    ("^Pooling", "NaN", pooled_nan),
    ("^RNN$", "activation functions", recurrent),
    ("box_iou", "NaN coordinates", any_extreme),
    ("bipartite_matching", "is NaN", lambda case: np.array(np.isnan(case.inputs[0].astype("float64")).any())),
    ("^SequenceLast$", "length", bad_lengths(1)),
    ("^SequenceMask$", "Lengths", bad_lengths(0)),
    ("^SequenceReverse$", "length", bad_lengths(0)),
    ("BilinearResize2D|imresize|_image_resize", "makes NaN of pixels", planes_of_nan),
    ("DeformableConvolution", "offsets that are infinite", images_of_far_offsets),
    ("MultiBoxDetection|Proposal", "NaN", examples_with_nan),
    ("PSROIPooling", "infinite or NaN pixel", regions_of_bad_images),
    ("_random_pdf", "overflows", not_finite_beside_extremes),
    ("ROIAlign", "negative image", negative_images),
    ("_contrib_R?ROIAlign", "has no weight in", regions_of_bad_images),
    ("box_decode", "NaN is clipped", clipped_nan),
    ("_histogram", "not in order", bounds_not_in_order),
    ("_linalg_(inverse|potri|potrf|gelqf)", "finite", singular_or_not_finite),
    ("_linalg_(det|slogdet)", "not finite", matrices_with_extremes),
    ("_linalg_trsm", "singular", triangle_is_singular),
    ("_linalg_trmm", "NaN", products_with_extremes),
    ("_linalg_syevd", "eigenvalues are equal", equal_eigenvalues),
    ("mod", "2^53", beyond_2_53),
    ("^(pick|one_hot)$", "last 32 bits", wide_indices),
    ("^digamma$", "beyond 3.4e38", lambda case: ~(np.abs(case.inputs[0].astype("float64")) < 3e38)),
    ("^(argmax|argmin|max|min)$", "NaN", slices_with_nan),
    ("softmax|softmin", "temperature", overflows_by_temperature),
    ("^(sort|argsort|topk)$", "NaN", sorted_slices_with_nan),
    ("^argsort$", "equal elements", places_of_equal_elements),
    ("^topk$", "equal elements", masked_ties),
    ("softmax|softmin", "infinity or NaN", slices_not_finite),
    ("Softmax", "infinity or NaN", examples_not_finite),
    ("Adaptive", "is not in", planes_of_nan),
    ("", "Of float16 MXNet on a CPU sums", half_sums),
    ("scatter_(set_)?nd", "for the same place", doubled_or_negative_places),
    ("index_copy", "same place", doubled_rows),
    ("_while_loop", "behind the last iteration", rows_behind_the_last),
]

# What no note says: docs/numbers.md does, for all operators at once.
GENERAL = [
    ("Norm|L2Normalization", normalised_together),
    ("^Pooling", cancelled_powers),
]

# Where a model of free sizes, or with indices that MXNet does not check, fails loudly instead.
FAILS = [
    ("selfatt", does_not_divide),
    ("_contrib_index_copy", row_is_outside),
    ("Convolution|Deconvolution|Correlation|bipartite|_linalg_|softm|^diag$", nothing_to_compute),
]
