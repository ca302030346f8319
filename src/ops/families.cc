// The explicit list of operator families: two lines each. A static registrar object in a static
// library can be lost by the linker without a word; this list cannot.
#include "ops/fields.h"

namespace mx2onnx {

// nn
void register_activation(Registry& registry);
void register_conv(Registry& registry);
void register_pool(Registry& registry);
void register_pool_v1(Registry& registry);
void register_adaptive_pool(Registry& registry);
void register_batch_norm(Registry& registry);
void register_norm(Registry& registry);
void register_lrn(Registry& registry);
void register_fully_connected(Registry& registry);
void register_softmax(Registry& registry);
void register_softmax_cross_entropy(Registry& registry);
void register_dropout(Registry& registry);
void register_loss_head(Registry& registry);
void register_deformable(Registry& registry);
void register_attention(Registry& registry);
void register_sldwin_attention(Registry& registry);
void register_rnn(Registry& registry);
void register_ctc_loss(Registry& registry);
void register_im2col(Registry& registry);
void register_intgemm(Registry& registry);
// tensor
void register_identity(Registry& registry);
void register_indexing(Registry& registry);
void register_gather(Registry& registry);
void register_cast(Registry& registry);
void register_init(Registry& registry);
void register_reshape(Registry& registry);
void register_np_reshape(Registry& registry);
void register_np_axes(Registry& registry);
void register_np_pad(Registry& registry);
void register_np_init(Registry& registry);
void register_np_indexing(Registry& registry);
void register_np_insert(Registry& registry);
void register_np_unique(Registry& registry);
void register_np_diag(Registry& registry);
void register_axes(Registry& registry);
void register_broadcast_to(Registry& registry);
void register_slice(Registry& registry);
void register_split(Registry& registry);
void register_concat(Registry& registry);
void register_tile(Registry& registry);
void register_pad(Registry& registry);
void register_sorting(Registry& registry);
void register_boolean_mask(Registry& registry);
void register_sequence(Registry& registry);
void register_array_index(Registry& registry);
void register_diag(Registry& registry);
void register_assign(Registry& registry);
// math
void register_unary(Registry& registry);
void register_np_unary(Registry& registry);
void register_elemwise(Registry& registry);
void register_broadcast(Registry& registry);
void register_scalar(Registry& registry);
void register_reduce(Registry& registry);
void register_np_reduce(Registry& registry);
void register_norm_over_axes(Registry& registry);
void register_moments(Registry& registry);
void register_np_moments(Registry& registry);
void register_argmax(Registry& registry);
void register_cumsum(Registry& registry);
void register_special_functions(Registry& registry);
void register_histogram(Registry& registry);
void register_all_finite(Registry& registry);
void register_multi_sum_sq(Registry& registry);
void register_fft(Registry& registry);
void register_count_sketch(Registry& registry);
void register_np_bincount(Registry& registry);
void register_np_diff(Registry& registry);
void register_np_interp(Registry& registry);
void register_np_percentile(Registry& registry);
void register_np_trace(Registry& registry);
void register_np_where(Registry& registry);
void register_np_polynomials(Registry& registry);
// vision
void register_resize(Registry& registry);
void register_boxes(Registry& registry);
void register_box_nms(Registry& registry);
void register_matching(Registry& registry);
void register_roi(Registry& registry);
void register_multibox(Registry& registry);
void register_proposal(Registry& registry);
void register_psroi(Registry& registry);
void register_sampler(Registry& registry);
void register_correlation(Registry& registry);
void register_image(Registry& registry);
void register_image_random(Registry& registry);
void register_image_resize(Registry& registry);
void register_image_border(Registry& registry);
void register_image_random_crop(Registry& registry);
// control_flow
void register_foreach(Registry& registry);
void register_while_loop(Registry& registry);
void register_cond(Registry& registry);
// linalg
void register_linalg_products(Registry& registry);
void register_linalg_factors(Registry& registry);
void register_linalg_eigen(Registry& registry);
void register_dot(Registry& registry);
void register_np_products(Registry& registry);
void register_einsum(Registry& registry);
void register_np_norm(Registry& registry);
void register_np_factors(Registry& registry);
void register_np_least_squares(Registry& registry);
void register_khatri_rao(Registry& registry);
// quantization
void register_quantize(Registry& registry);
void register_quantize_asym(Registry& registry);
void register_quantized_layers(Registry& registry);
void register_quantized_elementwise(Registry& registry);
void register_quantized_shapes(Registry& registry);
void register_onednn_fused(Registry& registry);
void register_onednn_inputs(Registry& registry);
void register_onednn_results(Registry& registry);
// random
void register_random_pdf(Registry& registry);
void register_random(Registry& registry);
void register_sample(Registry& registry);
void register_randint(Registry& registry);
void register_multinomial(Registry& registry);
void register_np_random(Registry& registry);
void register_np_choice(Registry& registry);
void register_shuffle(Registry& registry);
void register_zipfian(Registry& registry);
void register_hawkes(Registry& registry);

namespace {

using Family = void (*)(Registry&);

constexpr Family kNn[] = {
    register_activation,
    register_conv,
    register_pool,
    register_pool_v1,
    register_adaptive_pool,
    register_batch_norm,
    register_norm,
    register_lrn,
    register_fully_connected,
    register_softmax,
    register_softmax_cross_entropy,
    register_dropout,
    register_loss_head,
    register_deformable,
    register_attention,
    register_sldwin_attention,
    register_rnn,
    register_ctc_loss,
    register_im2col,
    register_intgemm,
};
constexpr Family kTensor[] = {
    register_identity,    register_indexing, register_gather,       register_cast,
    register_init,        register_reshape,  register_np_reshape,   register_np_axes,
    register_np_pad,      register_np_init,  register_np_indexing,  register_np_insert,
    register_np_unique,   register_np_diag,  register_axes,         register_broadcast_to,
    register_slice,       register_split,    register_concat,       register_tile,
    register_pad,         register_sorting,  register_boolean_mask, register_sequence,
    register_array_index, register_diag,     register_assign,
};
constexpr Family kMath[] = {
    register_unary,
    register_np_unary,
    register_elemwise,
    register_broadcast,
    register_scalar,
    register_reduce,
    register_np_reduce,
    register_norm_over_axes,
    register_moments,
    register_np_moments,
    register_argmax,
    register_cumsum,
    register_special_functions,
    register_histogram,
    register_all_finite,
    register_multi_sum_sq,
    register_fft,
    register_count_sketch,
    register_np_bincount,
    register_np_diff,
    register_np_interp,
    register_np_percentile,
    register_np_trace,
    register_np_where,
    register_np_polynomials,
};
constexpr Family kVision[] = {
    register_resize,       register_boxes,        register_box_nms,
    register_matching,     register_roi,          register_multibox,
    register_proposal,     register_psroi,        register_sampler,
    register_correlation,  register_image,        register_image_random,
    register_image_resize, register_image_border, register_image_random_crop,
};
constexpr Family kControlFlow[] = {
    register_foreach,
    register_while_loop,
    register_cond,
};
constexpr Family kLinalg[] = {
    register_linalg_products,  register_linalg_factors, register_linalg_eigen, register_dot,
    register_np_products,      register_einsum,         register_np_norm,      register_np_factors,
    register_np_least_squares, register_khatri_rao,
};
constexpr Family kQuantization[] = {
    register_quantize,         register_quantize_asym,
    register_quantized_layers, register_quantized_elementwise,
    register_quantized_shapes, register_onednn_fused,
    register_onednn_inputs,    register_onednn_results,
};
constexpr Family kRandom[] = {
    register_random_pdf,  register_random,    register_sample,    register_randint,
    register_multinomial, register_np_random, register_np_choice, register_shuffle,
    register_zipfian,     register_hawkes,
};

constexpr Field kFields[] = {
    {"nn", "Layers", kNn},
    {"tensor", "Moving, making and picking elements", kTensor},
    {"math", "Computing elements", kMath},
    {"vision", "Vision", kVision},
    {"control_flow", "Control flow", kControlFlow},
    {"linalg", "Linear algebra", kLinalg},
    {"random", "Random numbers", kRandom},
    {"quantization", "Models that MXNet quantised", kQuantization},
};

}  // namespace

std::span<const Field> fields() { return kFields; }

void register_field(const Field& field, Registry& registry) {
  for (const Family family : field.families) family(registry);
}

void register_all_families(Registry& registry) {
  for (const Field& field : fields()) register_field(field, registry);
}

}  // namespace mx2onnx
