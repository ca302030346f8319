// See sequences.h.
#include "ops/tensor/sequences.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/schema.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value sequence_constant(Builder& b, const Sequence& s, std::int64_t count, DType dtype) {
  std::vector<double> elements;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t k = i / s.repeat;
    double element = s.start + static_cast<double>(k) * s.step;
    if (s.computed_in == DType::kFloat32) {
      element = static_cast<float>(s.start) + static_cast<float>(k) * static_cast<float>(s.step);
    }
    elements.push_back(s.last && i + 1 == count ? *s.last : element);
  }
  return b.constant(make_tensor_as(dtype, {count}, elements));
}

Value sequence_at_run_time(Builder& b, const Sequence& s, const Dim& count, DType dtype) {
  const Value limit = onnx::reshape(b, onnx::size_tensor(b, count), Shape(std::vector<Dim>{}));
  Value x =
      b.emit("Range", {b.int_scalar(0), limit, b.int_scalar(1)}, {}, {DType::kInt64, Shape{count}});
  if (s.repeat != 1) x = b.div(x, b.int_scalar(s.repeat));
  x = b.cast(x, s.computed_in);
  if (s.step != 1) x = b.mul(x, b.scalar(s.computed_in, s.step));
  if (s.start != 0) x = b.add(x, b.scalar(s.computed_in, s.start));
  if (s.last) {
    const Value place = b.int_scalar(count.value() - 1);
    const Value is_last = b.binary("Equal", counting(b, count), place);
    x = b.where(is_last, b.scalar(s.computed_in, *s.last), x);
  }
  return b.cast(x, dtype);
}

}  // namespace

void set_sequence(Translation& t, const Sequence& s) {
  const DType dtype = t.output_type(0).dtype;
  const Dim count = t.output_shape(0).count();
  const bool is_small = count.is_constant() && count.value() <= kMostConstantElements;
  const Value elements = is_small ? sequence_constant(t.b, s, count.value(), dtype)
                                  : sequence_at_run_time(t.b, s, count, dtype);
  t.set_output(0, onnx::reshape(t.b, elements, t.output_shape(0)));
}

void set_arange(Translation& t, Sequence s) {
  s.computed_in = t.output_type(0).dtype;
  // Integers take start and step cut; and so does float16, which MXNet holds to be unsigned here.
  if (!is_floating(s.computed_in) || dtype_size(s.computed_in) == 2) {
    s.computed_in = DType::kInt64;
    s.start = std::trunc(s.start);
    s.step = std::trunc(s.step);
  }
  set_sequence(t, s);
}

std::int64_t arange_size(double start, double stop, double step) {
  const double count = std::ceil((stop - start) / step);
  if (!(count < 0x1p31)) fail(ErrorCode::kModel, "the range has more than 2^31 elements");
  return static_cast<std::int64_t>(std::max(count, 0.0));
}

void set_eye(Translation& t, std::int64_t k) {
  Builder& b = t.b;
  const Shape& shape = t.output_shape(0);
  const DType dtype = t.output_type(0).dtype;
  const std::int64_t rows = shape[0].value();
  const std::int64_t columns = shape[1].value();
  if (shape.count().value() <= kMostConstantElements) {
    std::vector<double> elements;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        elements.push_back(column - row == k ? 1 : 0);
      }
    }
    return t.set_output(0, b.constant(make_tensor_as(dtype, {rows, columns}, elements)));
  }
  // ONNX Runtime has EyeLike for few dtypes.
  const DType made = dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  const Value zeros = onnx::fill(b, made, 0, shape);
  const Value eye = b.emit("EyeLike", {zeros}, {{"k", k}}, {made, shape});
  t.set_output(0, b.cast(eye, dtype));
}

void fill_output(Translation& t, double value) {
  const DType dtype = t.output_type(0).dtype;
  if (!has_defined_value(value, dtype)) {
    return t.refuse(fmt::format("the value {:g} does not fit {}", value, dtype_name(dtype)));
  }
  t.set_output(0, onnx::fill(t.b, dtype, value, t.output_shape(0)));
}

void fill_like(Translation& t, double value) {
  const Shape& shape = t.output_shape(0);
  if (shape.is_static()) return fill_output(t, value);
  const Value sizes = onnx::shape_slice(t.b, t.input(0), 0, shape.rank());
  const DType dtype = t.output_type(0).dtype;
  t.set_output(0, t.b.emit("ConstantOfShape", {sizes},
                           {{"value", make_tensor_as(dtype, {1}, {&value, 1})}}, t.output_type(0)));
}

}  // namespace mx2onnx
