#include "ops/record/origin.h"

#include <fmt/format.h>

namespace mx2onnx {
namespace {

constexpr std::int64_t kMajor = 10000;
constexpr std::int64_t kMinor = 100;

std::int64_t version_number(int major, int minor) { return major * kMajor + minor * kMinor; }

// "0.7" for 700 and for 799: a range has whole minor versions.
std::string minor_text(std::int64_t version) {
  return fmt::format("{}.{}", version / kMajor, version % kMajor / kMinor);
}

}  // namespace

OriginRange OriginRange::since(int major, int minor) {
  OriginRange range;
  range.first_ = version_number(major, minor);
  return range;
}

OriginRange OriginRange::until(int major, int minor) {
  OriginRange range;
  range.last_ = version_number(major, minor) + kMinor - 1;
  return range;
}

OriginRange OriginRange::with_np_shape(bool np_shape) const {
  OriginRange range = *this;
  range.np_shape_ = np_shape;
  return range;
}

bool OriginRange::contains(const Origin& origin) const {
  const bool semantics = !np_shape_ || *np_shape_ == origin.np_shape;
  return semantics && first_ <= origin.mxnet_version && origin.mxnet_version <= last_;
}

std::string OriginRange::text() const {
  std::string text;
  if (first_ > 0) text = fmt::format("since MXNet {}", minor_text(first_));
  if (last_ < kAny) text = fmt::format("until MXNet {}", minor_text(last_));
  if (!np_shape_) return text;
  return fmt::format("{}{} NumPy shapes", text.empty() ? "" : text + ", ",
                     *np_shape_ ? "with" : "without");
}

}  // namespace mx2onnx
