// Arrays that are made of their places alone: sequences of numbers and matrices with a diagonal.
// Small ones become constants of the model, larger ones are made when it runs.
#pragma once

#include <optional>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Sequences and matrices up to this many elements are constants of the model.
constexpr std::int64_t kMostConstantElements = 1024;

/// start + (i / repeat) * step for i of 0, 1, 2, …, computed in one dtype and converted to another.
struct Sequence {
  double start = 0;
  double step = 1;
  std::int64_t repeat = 1;
  DType computed_in = DType::kFloat32;
  std::optional<double> last = std::nullopt;  ///< What the last element is, if not that.
};

/// Makes the first output such a sequence, of its shape and dtype.
void set_sequence(Translation& t, const Sequence& sequence);

/// The same as MXNet computes it for ranges, in the output's dtype: integers take start and step
/// cut; and so does float16, which MXNet holds to be unsigned here.
void set_arange(Translation& t, Sequence sequence);

/// How many elements a range has, at most 2^31; 0 if the step leads away from the stop.
std::int64_t arange_size(double start, double stop, double step);

/// Makes the first output a matrix with ones on diagonal `k`.
void set_eye(Translation& t, std::int64_t k);

/// Makes the first output an array of one value.
void fill_output(Translation& t, double value);
/// The same where the output has the first input's shape.
void fill_like(Translation& t, double value);

}  // namespace mx2onnx
