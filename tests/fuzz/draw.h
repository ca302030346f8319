// Random choices of the structure-aware fuzzer: numbers, sizes, values of attributes by what their
// records declare.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ops/record/attr_schema.h"

namespace mx2onnx::fuzz {

class Draw {
 public:
  explicit Draw(unsigned seed) : engine_(seed) {}

  /// Below `count`, which is at least 1.
  std::size_t below(std::size_t count) { return engine_() % count; }
  std::int64_t from_to(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(below(static_cast<std::size_t>(last - first + 1)));
  }
  /// True once in `count` times.
  bool once_in(std::size_t count) { return below(count) == 0; }
  template <typename List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }

  /// A size of a shape: mostly small, now and then 0, unknown, or huge.
  std::int64_t size();
  /// "(2, 3)": mostly of what models have.
  std::vector<std::int64_t> shape();
  /// A text for an attribute, mostly one that it takes.
  std::string value(const AttrField& field);

 private:
  std::string integer(const AttrField& field);
  std::string real();

  std::mt19937 engine_;
};

std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace mx2onnx::fuzz
