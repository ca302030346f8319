#include "architectures/stream.h"

#include <algorithm>

#include "base/error.h"

namespace mx2onnx::architectures {

std::uint64_t Stream::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const unsigned char byte = take(1)[0];
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

std::span<const unsigned char> Stream::take(std::size_t size) {
  require(size <= bytes_.size(), "the data of the nets ends early");
  const auto taken = bytes_.first(size);
  bytes_ = bytes_.subspan(size);
  return taken;
}

std::string_view Stream::text() {
  const std::size_t index = count();
  require(index < texts_->size(), "the data of the nets has no such text");
  return (*texts_)[index];
}

std::string Stream::name() {
  const std::string_view pattern = text();
  auto& last = last_[pattern];
  last.resize(static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '#')));
  std::string result;
  std::size_t next = 0;
  for (const char c : pattern) {
    if (c != '#') {
      result += c;
      continue;
    }
    const std::uint64_t coded = number();
    const auto half = static_cast<std::int64_t>(coded >> 1);
    last[next] += (coded & 1) != 0 ? -half - 1 : half;
    result += std::to_string(last[next++]);
  }
  return result;
}

}  // namespace mx2onnx::architectures
