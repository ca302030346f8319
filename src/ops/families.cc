#include "ops/families.h"

namespace mx2onnx {

void register_all_families(Registry& registry) {
  register_activation(registry);
  register_conv(registry);
  register_pool(registry);
}

}  // namespace mx2onnx
