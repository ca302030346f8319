// See random_counter.h.
#include "ops/expressions/random_counter.h"

#include <cmath>
#include <cstdint>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

// Odd numbers that have nothing to do with each other, so that the counters of small numbers of
// elements, draws and rounds differ. The first is SplitMix64's; all are fractions of irrational
// numbers: the golden ratio, the square roots of 2 and 3.
constexpr std::uint64_t kPerElement = 0x9E3779B97F4A7C15;
constexpr std::uint64_t kPerDraw = 0x6A09E667F3BCC909;
constexpr std::uint64_t kPerRound = 0xBB67AE8584CAA73B;

// int64 products are those of uint64, for which ONNX Runtime need not have a kernel.
Value number(Builder& b, std::uint64_t value) {
  return b.int_scalar(static_cast<std::int64_t>(value));
}

Value shifted_right(Builder& b, Value unsigned_bits, int count) {
  const Value by = b.scalar(DType::kUint64, count);
  return b.emit("BitShift", {unsigned_bits, by}, {{"direction", "RIGHT"}}, b.type(unsigned_bits));
}

// x ^ (x >> count), of uint64.
Value folded(Builder& b, Value x, int count) {
  return b.emit("BitwiseXor", {x, shifted_right(b, x, count)}, {}, b.type(x));
}

Value scrambled(Builder& b, Value x, int shift, std::uint64_t factor) {
  const Value bits = b.cast(folded(b, b.cast(x, DType::kUint64), shift), DType::kInt64);
  return b.mul(bits, number(b, factor));
}

// As many random bits as a float64 holds: each with its weight, so that no sum of them is rounded.
Value random_seed(Builder& b) {
  constexpr std::int64_t kBits = 53;
  std::vector<double> weights(kBits);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = std::ldexp(1.0, static_cast<int>(i));
  const Value ones = onnx::fill(b, DType::kFloat32, 1, Shape{Dim(kBits)});
  const Value bits = b.cast(onnx::drawn_dropout(b, ones, 0.5), DType::kFloat64);
  const Value factors = b.constant(make_tensor_as(DType::kFloat64, {kBits}, weights));
  return b.cast(b.emit("MatMul", {bits, factors}, {}, {DType::kFloat64, Shape(std::vector<Dim>{})}),
                DType::kInt64);
}

}  // namespace

RandomCounter::RandomCounter(Builder& b, Shape shape) : shape_(std::move(shape)) {
  const Value elements = onnx::reshape(b, counting(b, shape_.count()), shape_);
  const Value seed = scrambled(b, random_seed(b), 30, 0xBF58476D1CE4E5B9);
  first_ = b.add(b.mul(elements, number(b, kPerElement)), seed);
}

Value RandomCounter::unit(Builder& b, DType dtype, Value round) {
  const auto draw = static_cast<std::uint64_t>(++draws_);
  Value counter = b.add(first_, number(b, draw * kPerDraw));
  if (round.present()) counter = b.add(counter, b.mul(round, number(b, kPerRound)));
  const Value once = scrambled(b, counter, 30, 0xBF58476D1CE4E5B9);
  const Value twice = scrambled(b, once, 27, 0x94D049BB133111EB);
  const Value bits = folded(b, b.cast(twice, DType::kUint64), 31);
  const int kept = dtype == DType::kFloat64 ? 53 : 24;
  const Value whole = b.cast(shifted_right(b, bits, 64 - kept), dtype);
  return b.mul(whole, b.scalar(dtype, std::ldexp(1.0, -kept)));
}

}  // namespace mx2onnx
