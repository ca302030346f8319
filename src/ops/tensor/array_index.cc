// Flat indices and coordinates: _ravel_multi_index, _unravel_index (src/operator/tensor/ravel.h).
#include <fmt/format.h>

#include <algorithm>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct RavelParam {
  Tuple shape;
  static void declare(AttrDeclarer<RavelParam>& d) {
    d.field("shape", &RavelParam::shape)
        .required()
        .sizes(1, 32)
        .help("of the array that is indexed; the first size does not matter");
  }
  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
};

void infer_ravel(const RavelParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0,
                    Shape{p.rank(), c.output_shape(0).rank() == 1 ? c.output_shape(0)[0] : Dim()});
  c.set_output_shape(0, Shape{c.input_shape(0)[1]});
}

// MXNet adds each coordinate in the arrays' own dtype and cuts the fraction of every sum.
void translate_ravel(const RavelParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  const DType adding = dtype == DType::kFloat16 ? DType::kFloat32 : dtype;
  const Dim& count = t.output_shape(0)[0];
  Value flat;
  for (std::int64_t i = 0; i < p.rank(); ++i) {
    const Value row = onnx::slice(b, t.input(0), {{0, i, i + 1}}, {1, count});
    if (is_integer(dtype)) {
      const Value whole = b.cast(row, DType::kInt64);
      flat = i == 0 ? whole
                    : b.add(b.mul(flat, b.int_scalar(p.shape[static_cast<std::size_t>(i)])), whole);
      continue;
    }
    Value sum = b.cast(row, adding);
    if (i > 0) {
      const Value scaled = b.mul(flat, b.int_scalar(p.shape[static_cast<std::size_t>(i)]));
      sum = b.add(b.cast(scaled, adding), sum);
    }
    flat = b.cast(b.cast(sum, dtype), DType::kInt64);
  }
  t.set_output(0, onnx::reshape(b, b.cast(flat, dtype), t.output_shape(0)));
}

void infer_unravel(const RavelParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) {
    if (c.output_shape(0).rank() == 2) c.set_input_shape(0, Shape{c.output_shape(0)[1]});
    return;
  }
  if (c.input_shape(0).rank() == 0) c.fail_input(0, "at least 1 dimension");
  c.set_output_shape(0, Shape{p.rank(), c.input_shape(0)[0]});
}

bool divides_by_zero(const RavelParam& p, std::int64_t count) {
  return std::find(p.shape.begin() + 1, p.shape.begin() + count, 0) != p.shape.begin() + count;
}

// The first `count` coordinates of the flattened data, shape (count, elements).
Value coordinates(const RavelParam& p, Translation& t, std::int64_t count) {
  Builder& b = t.b;
  const Shape flat{1, t.input_shape(0).count()};
  Value index = onnx::reshape(b, b.cast(t.input(0), DType::kInt64), flat);
  std::vector<Value> rows;
  for (auto i = static_cast<std::size_t>(count - 1); i > 0; --i) {
    // Divisions cut towards zero, in MXNet and in ONNX: coordinates of a negative index are not
    // positive.
    const Value size = b.int_scalar(p.shape[i]);
    const Value quotient = b.div(index, size);
    rows.push_back(b.sub(index, b.mul(quotient, size)));
    index = quotient;
  }
  rows.push_back(index);
  std::reverse(rows.begin(), rows.end());
  return rows.size() == 1 ? rows[0] : b.concat(rows, 0);
}

// MXNet 1.x gives its result the shape (number of sizes, first size of the data), whatever else the
// data has. Coordinates of all the data are written into that one after the other, as many of each
// element as there is room for, but at least one: from where the room ends, beside the array.
void translate_unravel(const RavelParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const Dim width = data.count(1, data.rank());
  if (!width.is_constant()) {
    return t.refuse("needs to know the sizes after the first", "give the input numbers for them");
  }
  if (width.value() == 0) return t.refuse("MXNet divides by the number of elements, which is 0");
  const std::int64_t made = std::max<std::int64_t>(p.rank() / width.value(), 1);
  if (made * width.value() < p.rank()) {
    return t.refuse(fmt::format("MXNet does not write all of its result for {} numbers in a row",
                                width.value()));
  }
  if (divides_by_zero(p, made)) return t.refuse("MXNet divides by the size 0");
  Value all = coordinates(p, t, made);
  const Dim room = t.output_shape(0).count();
  if (p.rank() < width.value()) {
    all = onnx::slice(b, all, {{1, 0, room}}, Shape{1, room});
  }
  t.set_output(0, onnx::reshape(b, b.cast(all, t.output_type(0).dtype), t.output_shape(0)));
}

void infer_unravel_each(const RavelParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& result = c.output_shape(0);
  if (!c.input_shape(0).known_rank()) {
    if (!result.known_rank() || result.rank() == 0) return;
    c.set_input_shape(0, Shape(std::vector<Dim>(result.dims().begin() + 1, result.dims().end())));
    return;
  }
  std::vector<Dim> dims = c.input_shape(0).dims();
  dims.insert(dims.begin(), p.rank());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_unravel_each(const RavelParam& p, Translation& t) {
  if (divides_by_zero(p, p.rank())) return t.refuse("MXNet divides by the size 0");
  const Value all = t.b.cast(coordinates(p, t, p.rank()), t.output_type(0).dtype);
  t.set_output(0, onnx::reshape(t.b, all, t.output_shape(0)));
}

}  // namespace

void register_array_index(Registry& r) {
  r.add<RavelParam>({"_ravel_multi_index", "ravel_multi_index"})
      .summary("Flat indices of coordinates.")
      .infer(infer_ravel)
      .translate(translate_ravel);
  r.add<RavelParam>({"_unravel_index", "unravel_index", "_npi_unravel_index"})
      .summary("Coordinates of flat indices.")
      .infer(infer_unravel)
      .translate(translate_unravel)
      .note(
          "Of N-d data, of which MXNet makes as many coordinates as its result has room for, the "
          "sizes after the first have to be known.")
      .variant(OriginRange::since(2, 0), "each element of N-d data has all its coordinates",
               [](OpDeclarer<RavelParam>& variant) {
                 variant.infer(infer_unravel_each).translate(translate_unravel_each).notes({});
               });
}

}  // namespace mx2onnx
