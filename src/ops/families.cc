// The explicit list of operator families: one line each. A static registrar object in a static
// library can be lost by the linker without a word; this list cannot.
#include "ops/record/registry.h"

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
void register_np_where(Registry& registry);
void register_np_diff(Registry& registry);
void register_np_trace(Registry& registry);
void register_np_products(Registry& registry);
void register_np_norm(Registry& registry);
void register_np_percentile(Registry& registry);
void register_np_bincount(Registry& registry);
void register_np_interp(Registry& registry);
void register_argmax(Registry& registry);
void register_cumsum(Registry& registry);
void register_special_functions(Registry& registry);
void register_histogram(Registry& registry);
void register_all_finite(Registry& registry);
void register_multi_sum_sq(Registry& registry);
void register_fft(Registry& registry);
void register_count_sketch(Registry& registry);
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

void register_all_families(Registry& registry) {
  register_activation(registry);
  register_conv(registry);
  register_pool(registry);
  register_pool_v1(registry);
  register_adaptive_pool(registry);
  register_batch_norm(registry);
  register_norm(registry);
  register_lrn(registry);
  register_fully_connected(registry);
  register_softmax(registry);
  register_softmax_cross_entropy(registry);
  register_dropout(registry);
  register_loss_head(registry);
  register_deformable(registry);
  register_attention(registry);
  register_sldwin_attention(registry);
  register_rnn(registry);
  register_ctc_loss(registry);
  register_im2col(registry);

  register_identity(registry);
  register_indexing(registry);
  register_gather(registry);
  register_cast(registry);
  register_init(registry);
  register_reshape(registry);
  register_np_reshape(registry);
  register_np_axes(registry);
  register_np_pad(registry);
  register_np_init(registry);
  register_np_indexing(registry);
  register_np_insert(registry);
  register_np_unique(registry);
  register_np_diag(registry);
  register_axes(registry);
  register_broadcast_to(registry);
  register_slice(registry);
  register_split(registry);
  register_concat(registry);
  register_tile(registry);
  register_pad(registry);
  register_sorting(registry);
  register_boolean_mask(registry);
  register_sequence(registry);
  register_array_index(registry);
  register_diag(registry);
  register_assign(registry);

  register_unary(registry);
  register_np_unary(registry);
  register_elemwise(registry);
  register_broadcast(registry);
  register_scalar(registry);
  register_reduce(registry);
  register_np_reduce(registry);
  register_norm_over_axes(registry);
  register_moments(registry);
  register_np_moments(registry);
  register_np_where(registry);
  register_np_diff(registry);
  register_np_trace(registry);
  register_np_products(registry);
  register_np_norm(registry);
  register_np_percentile(registry);
  register_np_bincount(registry);
  register_np_interp(registry);
  register_argmax(registry);
  register_cumsum(registry);
  register_special_functions(registry);
  register_histogram(registry);
  register_all_finite(registry);
  register_multi_sum_sq(registry);
  register_fft(registry);
  register_count_sketch(registry);

  register_resize(registry);
  register_boxes(registry);
  register_box_nms(registry);
  register_matching(registry);
  register_roi(registry);
  register_multibox(registry);
  register_proposal(registry);
  register_psroi(registry);
  register_sampler(registry);
  register_correlation(registry);
  register_image(registry);
  register_image_random(registry);
  register_image_resize(registry);
  register_image_border(registry);

  register_foreach(registry);
  register_while_loop(registry);
  register_cond(registry);

  register_linalg_products(registry);
  register_linalg_factors(registry);
  register_linalg_eigen(registry);
  register_dot(registry);
  register_np_products(registry);
  register_einsum(registry);
  register_np_norm(registry);
  register_np_factors(registry);
  register_np_least_squares(registry);
  register_khatri_rao(registry);

  register_random_pdf(registry);
  register_random(registry);
  register_sample(registry);
  register_randint(registry);
  register_multinomial(registry);
  register_np_random(registry);
  register_np_choice(registry);
  register_shuffle(registry);
  register_zipfian(registry);
  register_hawkes(registry);
}

}  // namespace mx2onnx
