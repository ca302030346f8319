#include "architectures/scale.h"

#include "base/text.h"

namespace mx2onnx::architectures {
namespace {

// Sizes of pictures are far below what would overflow; what is not is left to be refused.
constexpr std::int64_t kMost = std::int64_t{1} << 24;

bool scale(mxnet::Attributes& attrs, const char* name, std::int64_t traced, std::int64_t wanted) {
  const auto attribute = attrs.find(name);
  if (attribute == attrs.end()) return true;
  const auto size = parse_int(attribute->second);
  if (!size || wanted > kMost || *size * wanted % traced != 0) return false;
  attribute->second = std::to_string(*size * wanted / traced);
  return true;
}

}  // namespace

std::optional<std::string> scale_sizes(mxnet::Symbol& symbol, PictureSize traced,
                                       PictureSize wanted) {
  mxnet::Symbol scaled = symbol;
  for (auto& node : scaled.nodes) {
    if (node.op != "_contrib_BilinearResize2D") continue;
    if (!scale(node.attrs, "height", traced.height, wanted.height) ||
        !scale(node.attrs, "width", traced.width, wanted.width)) {
      return node.name;
    }
  }
  symbol = std::move(scaled);
  return std::nullopt;
}

}  // namespace mx2onnx::architectures
