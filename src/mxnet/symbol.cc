#include "mxnet/symbol.h"

#include <fmt/format.h>

namespace mx2onnx::mxnet {

std::string version_text(std::int64_t mxnet_version) {
  return fmt::format("{}.{}.{}", mxnet_version / 10000, mxnet_version / 100 % 100,
                     mxnet_version % 100);
}

}  // namespace mx2onnx::mxnet
