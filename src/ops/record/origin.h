// Which MXNet wrote a file, and for the files of which MXNets a variant of an operator is.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace mx2onnx {

/// What decides, beside its name, what an operator of a file means.
struct Origin {
  std::int64_t mxnet_version = 0;  ///< As MXNet counts: 10901 is 1.9.1.
  bool np_shape = false;           ///< NumPy's shape semantics.
};

/// The files of a range of MXNet's versions, or only those of them with one of the two shape
/// semantics.
class OriginRange {
 public:
  /// Every file.
  OriginRange() = default;
  /// Of this version and all that followed.
  static OriginRange since(int major, int minor);
  /// Of this version, with all its patches, and all before.
  static OriginRange until(int major, int minor);

  /// The files of the range with NumPy's shape semantics, or those without.
  OriginRange with_np_shape(bool np_shape) const;

  bool contains(const Origin& origin) const;

  /// "until MXNet 0.7", "since MXNet 2.0", "with NumPy shapes".
  std::string text() const;

 private:
  static constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();

  std::int64_t first_ = 0;
  std::int64_t last_ = kAny;
  std::optional<bool> np_shape_;
};

}  // namespace mx2onnx
