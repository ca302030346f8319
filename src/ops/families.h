// The explicit list of operator families: one line each. A static registrar object in a static
// library can be lost by the linker without a word; this list cannot.
#pragma once

namespace mx2onnx {

class Registry;

void register_activation(Registry& registry);
void register_conv(Registry& registry);
void register_pool(Registry& registry);
void register_pool_v1(Registry& registry);
void register_adaptive_pool(Registry& registry);
void register_norm(Registry& registry);
void register_lrn(Registry& registry);
void register_fully_connected(Registry& registry);
void register_softmax(Registry& registry);
void register_loss_head(Registry& registry);
void register_identity(Registry& registry);
void register_indexing(Registry& registry);
void register_gather(Registry& registry);
void register_unary(Registry& registry);
void register_elemwise(Registry& registry);
void register_broadcast(Registry& registry);
void register_scalar(Registry& registry);
void register_reduce(Registry& registry);
void register_cast(Registry& registry);
void register_init(Registry& registry);
void register_reshape(Registry& registry);
void register_axes(Registry& registry);
void register_slice(Registry& registry);
void register_split(Registry& registry);
void register_concat(Registry& registry);
void register_resize(Registry& registry);
void register_sorting(Registry& registry);
void register_boxes(Registry& registry);
void register_box_nms(Registry& registry);
void register_matching(Registry& registry);
void register_roi(Registry& registry);
void register_multibox(Registry& registry);
void register_deformable(Registry& registry);
void register_proposal(Registry& registry);
void register_psroi(Registry& registry);
void register_boolean_mask(Registry& registry);
void register_attention(Registry& registry);
void register_rnn(Registry& registry);
void register_sequence(Registry& registry);
void register_foreach(Registry& registry);
void register_while_loop(Registry& registry);
void register_cond(Registry& registry);
void register_linalg_products(Registry& registry);
void register_linalg_factors(Registry& registry);
void register_linalg_eigen(Registry& registry);
void register_special_functions(Registry& registry);
void register_random_pdf(Registry& registry);
void register_numeric(Registry& registry);
void register_hawkes(Registry& registry);
void register_histogram(Registry& registry);
void register_ctc_loss(Registry& registry);
void register_sampler(Registry& registry);
void register_im2col(Registry& registry);
void register_correlation(Registry& registry);
void register_image(Registry& registry);
void register_image_random(Registry& registry);
void register_image_resize(Registry& registry);
void register_array_index(Registry& registry);
void register_assign(Registry& registry);
void register_random(Registry& registry);

/// All of them.
void register_all_families(Registry& registry);

}  // namespace mx2onnx
