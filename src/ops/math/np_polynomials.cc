// NumPy's Kronecker and cross products (src/operator/numpy/np_kron-inl.h, np_cross-inl.h), and
// polynomials (np_polynomial_op-inl.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// Sums and products in the steps of an element type: of integers the low bits.
class Arithmetic {
 public:
  Arithmetic(Builder& b, DType dtype) : b_(b), dtype_(dtype), steps_(b, dtype) {}
  Value take(Value x) const { return steps_.take(x); }
  Value give(Value x) const { return steps_.give(x); }
  Value add(Value x, Value y) const { return whole() ? b_.add(x, y) : steps_.add(x, y); }
  Value sub(Value x, Value y) const { return whole() ? b_.sub(x, y) : steps_.sub(x, y); }
  Value mul(Value x, Value y) const { return whole() ? b_.mul(x, y) : steps_.mul(x, y); }
  bool whole() const { return is_integer(dtype_); }

 private:
  Builder& b_;
  DType dtype_;
  Stepwise steps_;
};

bool refuses_bool(Translation& t) {
  if (t.input_type(0).dtype != DType::kBool) return false;
  t.refuse("MXNet does not compute this on bool");
  return true;
}

// Kronecker.

Shape with_leading_ones(const Shape& shape, std::size_t rank) {
  std::vector<Dim> dims(rank - shape.rank(), Dim(1));
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  return Shape(std::move(dims));
}

void infer_kron(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank() || !c.input_shape(1).known_rank()) return;
  const std::size_t rank = std::max(c.input_shape(0).rank(), c.input_shape(1).rank());
  const Shape a = with_leading_ones(c.input_shape(0), rank);
  const Shape b = with_leading_ones(c.input_shape(1), rank);
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < rank; ++i) dims.push_back(a[i] * b[i]);
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_kron(const NoParam& /*p*/, Translation& t) {
  if (refuses_bool(t)) return;
  Builder& b = t.b;
  if (t.output_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, t.output_type(0).dtype, 0, t.output_shape(0)));
  }
  const std::size_t rank = t.output_shape(0).rank();
  const Shape a_shape = with_leading_ones(t.input_shape(0), rank);
  const Shape b_shape = with_leading_ones(t.input_shape(1), rank);
  std::vector<Dim> of_a;
  std::vector<Dim> of_b;
  for (std::size_t i = 0; i < rank; ++i) {
    of_a.insert(of_a.end(), {a_shape[i], Dim(1)});
    of_b.insert(of_b.end(), {Dim(1), b_shape[i]});
  }
  const Value product =
      binary::kMultiply.emit(b, onnx::reshape(b, t.input(0), Shape(std::move(of_a))),
                             onnx::reshape(b, t.input(1), Shape(std::move(of_b))));
  t.set_output(0, onnx::reshape(b, product, t.output_shape(0)));
}

// Cross.

struct CrossParam {
  std::int64_t axisa = -1;
  std::int64_t axisb = -1;
  std::int64_t axisc = -1;
  static void declare(AttrDeclarer<CrossParam>& d) {
    d.field("axisa", &CrossParam::axisa).help("the axis of a's vectors");
    d.field("axisb", &CrossParam::axisb).help("the axis of b's vectors");
    d.field("axisc", &CrossParam::axisc).help("the axis of the result's vectors");
  }
};

// The shape of an operand without the axis of its vectors, whose size must be 2 or 3.
struct Vectors {
  Shape others;
  std::size_t axis = 0;
  std::int64_t size = 0;
};

std::optional<Vectors> vectors_of(const Shape& shape, std::int64_t axis, std::string_view name) {
  if (!shape.known_rank()) return std::nullopt;
  if (shape.rank() == 0) fail(ErrorCode::kModel, "expected vectors, found a 0-d array");
  Vectors vectors;
  vectors.axis = checked_axis(axis, shape.rank(), name);
  const Dim& size = shape[vectors.axis];
  if (!size.is_constant()) return std::nullopt;
  vectors.size = size.value();
  if (vectors.size != 2 && vectors.size != 3) {
    fail(ErrorCode::kModel,
         fmt::format("expected vectors of 2 or 3 elements, found {}", vectors.size));
  }
  std::vector<Dim> dims = shape.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(vectors.axis));
  vectors.others = Shape(std::move(dims));
  return vectors;
}

void infer_cross(const CrossParam& p, InferContext& c) {
  c.unify_dtypes();
  const auto a = vectors_of(c.input_shape(0), p.axisa, "axisa");
  const auto b = vectors_of(c.input_shape(1), p.axisb, "axisb");
  if (!a || !b) return;
  const Shape others = onnx::broadcast(a->others, b->others);
  if (!others.known_rank()) return;
  if (a->size == 2 && b->size == 2) return c.set_output_shape(0, others);
  std::vector<Dim> dims = others.dims();
  const std::size_t axis = checked_axis(p.axisc, dims.size() + 1, "axisc");
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), Dim(3));
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_cross(const CrossParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const auto left = vectors_of(t.input_shape(0), p.axisa, "axisa");
  const auto right = vectors_of(t.input_shape(1), p.axisb, "axisb");
  if (!left || !right) return t.refuse("the size of the vectors is not known");
  const Value x = t.input(0);
  const Value y = t.input(1);
  const auto element = [&](const Vectors& vectors, Value of, std::int64_t i) {
    return b.gather(of, b.int_scalar(i), static_cast<std::int64_t>(vectors.axis));
  };
  // left[i] * right[k]; nothing where one of them is the third element of a vector of two.
  const auto product = [&](std::int64_t i, std::int64_t k) -> Value {
    if (i >= left->size || k >= right->size) return {};
    return b.mul(element(*left, x, i), element(*right, y, k));
  };
  const auto component = [&](std::int64_t i, std::int64_t k) {
    const Value plus = product(i, k);
    const Value minus = product(k, i);
    if (!minus.present()) return plus;
    return plus.present() ? b.sub(plus, minus) : b.unary("Neg", minus);
  };
  if (left->size == 2 && right->size == 2) return t.set_output(0, component(0, 1));
  const Shape& result = t.output_shape(0);
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axisc, result.rank(), "axisc"));
  Shape part = result;
  part[static_cast<std::size_t>(axis)] = 1;
  std::vector<Value> parts;
  for (const auto& [i, k] : {std::pair{1, 2}, std::pair{2, 0}, std::pair{0, 1}}) {
    std::vector<Dim> dims = part.dims();
    dims.erase(dims.begin() + axis);
    const Value whole = onnx::expand(b, component(i, k), Shape(std::move(dims)));
    parts.push_back(onnx::unsqueeze(b, whole, {axis}));
  }
  t.set_output(0, b.concat(parts, axis));
}

// Polynomials.

void infer_polyval(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank() && c.input_shape(0).rank() != 1) {
    c.fail_input(0, "1 dimension");
  }
  c.set_output_shape(0, c.input_shape(1));
  c.set_input_shape(1, c.output_shape(0));
}

// Of more coefficients, or a number of them that is free, the steps are a Scan's.
constexpr std::int64_t kMostUnrolled = 32;

Value horner_in_scan(Builder& b, const Arithmetic& steps, Value coefficients, Value x) {
  const TensorType type = b.type(x);
  const Value start = onnx::fill(b, type.dtype, 0, type.shape);
  BodyScope scope(b);
  const Value sum = scope.add_input("sum", type);
  const Value coefficient = scope.add_input("coefficient", {type.dtype, Shape(std::vector<Dim>{})});
  const auto body = scope.finish({steps.add(steps.mul(sum, x), coefficient)});
  return b.emit("Scan", {start, coefficients}, {{"body", body}, {"num_scan_inputs", 1}}, type);
}

void translate_polyval(const NoParam& /*p*/, Translation& t) {
  if (refuses_bool(t)) return;
  Builder& b = t.b;
  const Arithmetic steps(b, t.input_type(0).dtype);
  const Dim count = t.input_shape(0)[0];
  const Value coefficients = steps.take(t.input(0));
  const Value x = steps.take(t.input(1));
  if (!count.is_constant() || count.value() > kMostUnrolled) {
    return t.set_output(0, steps.give(horner_in_scan(b, steps, coefficients, x)));
  }
  // 0 times an infinite number is NaN in MXNet, too.
  Value sum = onnx::fill(b, b.dtype(x), 0, b.shape(x));
  if (count.value() > 0) sum = b.mul(x, b.scalar(b.dtype(x), 0));
  for (std::int64_t i = 0; i < count.value(); ++i) {
    if (i > 0) sum = steps.mul(sum, x);
    sum = steps.add(sum, b.gather(coefficients, b.int_scalar(i), 0));
  }
  t.set_output(0, steps.give(sum));
}

}  // namespace

void register_np_polynomials(Registry& r) {
  const std::vector<InputDef> two{{"a", InputRole::kData}, {"b", InputRole::kData}};
  r.add<NoParam>({"_npi_kron"})
      .summary("The Kronecker product.")
      .inputs(two)
      .infer(infer_kron)
      .translate(translate_kron);
  r.add<CrossParam>({"_npi_cross"})
      .summary("Cross products of vectors of two or three elements.")
      .inputs(two)
      .infer(infer_cross)
      .translate(translate_cross);
  r.add<NoParam>({"_npi_polyval"})
      .summary("The polynomial whose coefficients are p, the highest first, of each element of x.")
      .inputs({{"p", InputRole::kData}, {"x", InputRole::kData}})
      .infer(infer_polyval)
      .translate(translate_polyval);
}

}  // namespace mx2onnx
