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
void register_attention(Registry& registry);
void register_foreach(Registry& registry);
void register_while_loop(Registry& registry);
void register_cond(Registry& registry);

/// All of them.
void register_all_families(Registry& registry);

}  // namespace mx2onnx
