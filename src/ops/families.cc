#include "ops/families.h"

namespace mx2onnx {

void register_all_families(Registry& registry) {
  register_activation(registry);
  register_conv(registry);
  register_pool(registry);
  register_pool_v1(registry);
  register_adaptive_pool(registry);
  register_norm(registry);
  register_lrn(registry);
  register_fully_connected(registry);
  register_softmax(registry);
  register_loss_head(registry);
  register_identity(registry);
  register_indexing(registry);
  register_gather(registry);
  register_unary(registry);
  register_elemwise(registry);
  register_broadcast(registry);
  register_scalar(registry);
  register_reduce(registry);
  register_cast(registry);
  register_init(registry);
  register_reshape(registry);
  register_axes(registry);
  register_slice(registry);
  register_split(registry);
  register_concat(registry);
  register_resize(registry);
  register_sorting(registry);
  register_boxes(registry);
  register_box_nms(registry);
  register_matching(registry);
  register_roi(registry);
  register_multibox(registry);
  register_deformable(registry);
  register_proposal(registry);
  register_psroi(registry);
  register_boolean_mask(registry);
  register_attention(registry);
  register_rnn(registry);
  register_sequence(registry);
  register_foreach(registry);
  register_while_loop(registry);
  register_cond(registry);
  register_linalg_products(registry);
  register_linalg_factors(registry);
  register_linalg_eigen(registry);
  register_special_functions(registry);
  register_random_pdf(registry);
  register_numeric(registry);
  register_hawkes(registry);
  register_histogram(registry);
  register_ctc_loss(registry);
  register_sampler(registry);
  register_im2col(registry);
  register_correlation(registry);
  register_image(registry);
  register_image_random(registry);
  register_image_resize(registry);
  register_array_index(registry);
  register_assign(registry);
  register_random(registry);
}

}  // namespace mx2onnx
