// Numbers of sizes that are free in part, for counting what a model holds and computes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/dim.h"
#include "ir/tensor_type.h"

namespace mx2onnx {

/// A number of 0 or more; nothing if it is not known, or too large.
using Number = std::optional<std::uint64_t>;

Number plus(Number a, Number b);
Number times(Number a, Number b);

/// Evaluates sizes with 1 in the place of some free ones.
class SizeEvaluator {
 public:
  /// `ones` has to outlive the evaluator.
  explicit SizeEvaluator(const std::vector<std::string>& ones) : ones_(ones) {}

  Number operator()(const Dim& dim) const;
  /// Elements of an array.
  Number count(const Shape& shape) const;

 private:
  std::optional<std::int64_t> evaluate(const Dim& dim) const;
  std::optional<std::int64_t> evaluate(const DimAtom& atom) const;

  const std::vector<std::string>& ones_;
};

}  // namespace mx2onnx
