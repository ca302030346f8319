// Flat indices and coordinates, diagonals, running sums: _ravel_multi_index, _unravel_index, diag,
// cumsum (src/operator/tensor/ravel.h, diag_op-inl.h, src/operator/numpy/np_cumsum-inl.h).
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"
#include "ops/expressions/stepwise.h"
#include "ops/expressions/zero_sign.h"

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
  const auto count = static_cast<std::int64_t>(p.shape.size());
  if (divides_by_zero(p, count)) return t.refuse("MXNet divides by the size 0");
  const Value all = t.b.cast(coordinates(p, t, count), t.output_type(0).dtype);
  t.set_output(0, onnx::reshape(t.b, all, t.output_shape(0)));
}

struct DiagParam {
  std::int64_t k = 0;
  std::int64_t axis1 = 0;
  std::int64_t axis2 = 1;
  static void declare(AttrDeclarer<DiagParam>& d) {
    d.field("k", &DiagParam::k)
        .at_least(-kMost)
        .at_most(kMost)
        .help("which diagonal; above 0 the upper ones");
    d.field("axis1", &DiagParam::axis1).help("rows; not of a vector");
    d.field("axis2", &DiagParam::axis2).help("columns; not of a vector");
  }
  static constexpr double kMost = INT32_MAX;

  std::pair<std::size_t, std::size_t> axes(std::size_t rank) const {
    const std::pair found{checked_axis(axis1, rank, "axis1"), checked_axis(axis2, rank, "axis2")};
    if (found.first == found.second) {
      fail(ErrorCode::kModel, fmt::format("axis1 and axis2 are both axis {}", found.first));
    }
    return found;
  }
  Dim length(const Dim& rows, const Dim& columns) const {
    return min(k < 0 ? rows + k : rows, k > 0 ? columns - k : columns);
  }
};

void infer_diag(const DiagParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (from.rank() == 1) {
    const Dim size = from[0] + std::abs(p.k);
    c.set_output_shape(0, {size, size});
    return;
  }
  const auto [rows, columns] = p.axes(from.rank());
  const Dim length = p.length(from[rows], from[columns]);
  if (length.is_constant() && length.value() < 0) {
    c.fail_input(0, fmt::format("a matrix that has diagonal {}", p.k));
  }
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (i != rows && i != columns) dims.push_back(from[i]);
  }
  dims.push_back(length);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// A matrix with the vector on a diagonal.
Value matrix_of_diagonal(Builder& b, const DiagParam& p, Value vector, const Shape& result) {
  const Dim& size = b.shape(vector)[0];
  const Value places = counting(b, result[0]);
  const Value rows = onnx::unsqueeze(b, places, {1});
  const Value columns = onnx::unsqueeze(b, places, {0});
  const Value hit = b.binary("Equal", b.add(rows, b.int_scalar(p.k)), columns);
  // The element is found by its row, or by its column if the diagonal is a lower one.
  const Value known = b.binary("Min", p.k < 0 ? columns : rows, onnx::size_tensor(b, size - 1));
  const DType dtype = b.dtype(vector);
  const DType compute = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value elements = b.cast(b.gather(vector, known, 0), compute);
  return b.cast(b.where(hit, elements, b.scalar(compute, 0)), dtype);
}

void translate_diag(const DiagParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& from = t.input_shape(0);
  const Shape& to = t.output_shape(0);
  if (from.rank() == 1) return t.set_output(0, matrix_of_diagonal(b, p, t.input(0), to));
  const auto [rows, columns] = p.axes(from.rank());
  onnx::Ints perm;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (i != rows && i != columns) perm.push_back(static_cast<std::int64_t>(i));
  }
  perm.push_back(static_cast<std::int64_t>(rows));
  perm.push_back(static_cast<std::int64_t>(columns));
  std::vector<Dim> flat(to.dims().begin(), to.dims().end() - 1);
  flat.push_back(from[rows] * from[columns]);
  const Value matrices = onnx::reshape(b, b.transpose(t.input(0), perm), Shape(std::move(flat)));
  const Dim& width = from[columns];
  const Dim first = p.k < 0 ? width * -p.k : Dim(p.k);
  const Value places = b.add(b.mul(counting(b, to.dims().back()), onnx::size_tensor(b, width + 1)),
                             onnx::size_tensor(b, first));
  t.set_output(0, b.gather(matrices, places, static_cast<std::int64_t>(to.rank()) - 1));
}

struct CumsumParam {
  std::optional<std::int64_t> axis;
  std::optional<DType> dtype;
  static void declare(AttrDeclarer<CumsumParam>& d) {
    // MXNet fails on negative axes.
    d.field("axis", &CumsumParam::axis).at_least(0).help("None: of the flattened array");
    d.dtype("dtype", &CumsumParam::dtype).help("of the result and its sums; None: the input's");
  }
};

void infer_cumsum(const CumsumParam& p, InferContext& c) {
  if (p.dtype) {
    c.set_output_dtype(0, *p.dtype);
  } else if (c.input(0).dtype == DType::kBool) {
    c.set_output_dtype(0, DType::kInt64);
  } else {
    c.unify_dtypes();
  }
  if (p.axis) {
    // MXNet looks at the axis only where there are elements.
    const Shape& data = c.input_shape(0);
    if (data.known_rank() && !data.is_empty()) checked_axis(*p.axis, data.rank());
    c.unify_shapes();
  } else if (c.input_shape(0).known_rank()) {
    c.set_output_shape(0, Shape{c.input_shape(0).count()});
  }
}

// In float16 MXNet rounds after each element.
Value rounded_sums(const CumsumParam& p, Translation& t) {
  Builder& b = t.b;
  const Stepwise steps(b, DType::kFloat16);
  const Shape& shape = t.output_shape(0);
  const Value terms = onnx::reshape(b, b.cast(t.input(0), DType::kFloat16), shape);
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis.value_or(0), shape.rank()));
  std::vector<Dim> dims = shape.dims();
  dims.erase(dims.begin() + axis);
  const TensorType lane{DType::kFloat32, Shape(std::move(dims))};
  // The first sum is the first element, if that is -0, too.
  const Value start = onnx::fill(b, DType::kFloat32, -0.0, lane.shape);
  BodyScope scope(b);
  const Value sum = scope.add_input("sum", lane);
  const Value next = steps.add(sum, scope.add_input("term", lane));
  const auto body = scope.finish({next, b.identity(next)});
  const auto outputs = b.emit_many("Scan", {start, steps.take(terms)},
                                   {{"body", body},
                                    {"num_scan_inputs", 1},
                                    {"scan_input_axes", onnx::Ints{axis}},
                                    {"scan_output_axes", onnx::Ints{axis}}},
                                   {lane, {DType::kFloat32, shape}});
  return steps.give(outputs[1]);
}

void translate_cumsum(const CumsumParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (dtype == DType::kFloat16) return t.set_output(0, rounded_sums(p, t));
  // Of narrow integers, the low bits of wider ones are the sum.
  const DType summing = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value terms = b.cast(b.cast(t.input(0), dtype), summing);
  const Value x = p.axis ? terms : onnx::reshape(b, terms, t.output_shape(0));
  const Value sums = b.emit("CumSum", {x, b.int_scalar(p.axis.value_or(0))}, {}, b.type(x));
  t.set_output(0, b.cast(sums, dtype));
}

}  // namespace

void register_array_index(Registry& r) {
  r.add<RavelParam>({"_ravel_multi_index", "ravel_multi_index"})
      .summary("Flat indices of coordinates.")
      .infer(infer_ravel)
      .translate(translate_ravel);
  r.add<RavelParam>({"_unravel_index", "unravel_index"})
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
  r.add<DiagParam>({"diag"})
      .summary("A diagonal of matrices, or a matrix with a given diagonal.")
      .infer(infer_diag)
      .translate(translate_diag)
      .note(std::string(kZeroSignNote));
  r.add<CumsumParam>({"_np_cumsum", "cumsum"})
      .summary("Running sums along an axis.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_cumsum)
      .translate(translate_cumsum);
}

}  // namespace mx2onnx
