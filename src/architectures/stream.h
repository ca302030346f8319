// The numbers and names of data/architectures.bin; its form is described in
// tools/gen_architectures.py. The data is the program's own: what is out of bounds is a bug.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx::architectures {

using Texts = std::vector<std::string_view>;

class Stream {
 public:
  explicit Stream(std::span<const unsigned char> bytes, const Texts* texts = nullptr)
      : bytes_(bytes), texts_(texts) {}

  std::uint64_t number();
  std::size_t count() { return static_cast<std::size_t>(number()); }
  std::string_view text();
  /// The numbers in it follow from those that the same text had when it was last read.
  std::string name();
  std::span<const unsigned char> take(std::size_t size);
  /// As many bytes as the number before them says.
  std::span<const unsigned char> take_sized() { return take(count()); }
  std::span<const unsigned char> rest() const { return bytes_; }

 private:
  std::span<const unsigned char> bytes_;
  const Texts* texts_;
  std::map<std::string_view, std::vector<std::int64_t>> last_;
};

}  // namespace mx2onnx::architectures
