// Differences of neighbours: _npi_diff (src/operator/numpy/np_diff-inl.h) and _npi_ediff1d
// (src/operator/numpy/np_ediff1d_op-inl.h).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// MXNet's factors are int, and those of more differences do not fit.
constexpr std::int64_t kMostDifferences = 30;

struct DiffParam {
  std::int64_t n = 1;
  std::int64_t axis = -1;
  static void declare(AttrDeclarer<DiffParam>& d) {
    d.field("n", &DiffParam::n).at_least(0).help("how often differences are taken");
    d.field("axis", &DiffParam::axis).help("the axis of the neighbours");
  }
};

std::vector<AttrProblem> check_diff(const DiffParam& p, const CheckContext& /*context*/) {
  if (p.n <= kMostDifferences) return {};
  return {{"n", fmt::format("expected at most {}, got {}", kMostDifferences, p.n), ""}};
}

Dim less(const Dim& size, std::int64_t by) { return by == 0 ? size : max(size - by, Dim(0)); }

void infer_diff(const DiffParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, shape.rank());
  shape[axis] = less(shape[axis], p.n);
  c.set_output_shape(0, shape);
}

// The elements from `start` on that are neighbours of the result's.
Value shifted(Builder& b, Value x, std::size_t axis, std::int64_t start, const Shape& result) {
  if (b.shape(x) == result) return x;
  const auto a = static_cast<std::int64_t>(axis);
  return onnx::slice(b, x, {{a, start, result[axis] + start}}, result);
}

// MXNet adds up the elements times binomial coefficients, the last one first. Of narrow integers
// the low bits of int32 are the result.
Value differences(Builder& b, Value x, std::size_t axis, std::int64_t n, const Shape& result) {
  const DType dtype = b.dtype(x);
  const DType computing = is_integer(dtype) && dtype_size(dtype) < 4 ? DType::kInt32 : dtype;
  const Stepwise steps(b, computing);
  const bool is_whole = is_integer(computing);
  const auto take = [&](Value value) {
    const Value wide = b.cast(value, computing);
    return is_whole ? wide : steps.take(wide);
  };
  Value sum;
  double factor = 1;
  for (std::int64_t k = n; k >= 0; --k) {
    Value term = take(shifted(b, x, axis, k, result));
    const double magnitude = std::abs(factor);
    if (magnitude != 1) {
      const Value times = b.scalar(b.dtype(term), magnitude);
      term = is_whole ? b.mul(term, times) : steps.mul(term, times);
    }
    if (!sum.present()) {
      sum = term;
    } else if (is_whole) {
      sum = factor < 0 ? b.sub(sum, term) : b.add(sum, term);
    } else {
      sum = factor < 0 ? steps.sub(sum, term) : steps.add(sum, term);
    }
    factor = -factor * static_cast<double>(k) / static_cast<double>(n - k + 1);
  }
  return b.cast(sum, dtype);
}

bool has_no_elements(const Shape& shape, std::size_t axis) {
  return shape[axis].is_constant() && shape[axis].value() == 0;
}

void translate_diff(const DiffParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  if (b.dtype(x) == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  const Shape& result = t.output_shape(0);
  if (has_no_elements(result, axis)) {
    return t.set_output(0, onnx::fill(b, b.dtype(x), 0, result));
  }
  t.set_output(0, differences(b, x, axis, p.n, result));
}

struct Ediff1dParam {
  bool to_begin_arr_given = false;
  bool to_end_arr_given = false;
  std::optional<double> to_begin_scalar;
  std::optional<double> to_end_scalar;
  static void declare(AttrDeclarer<Ediff1dParam>& d) {
    d.field("to_begin_arr_given", &Ediff1dParam::to_begin_arr_given)
        .help("an input has what comes before the differences");
    d.field("to_end_arr_given", &Ediff1dParam::to_end_arr_given)
        .help("an input has what comes after the differences");
    d.field("to_begin_scalar", &Ediff1dParam::to_begin_scalar).help("a number before them");
    d.field("to_end_scalar", &Ediff1dParam::to_end_scalar).help("a number after them");
  }
};

std::vector<AttrProblem> check_ediff1d(const Ediff1dParam& p, const CheckContext& /*context*/) {
  const auto both = [](const char* name) {
    return AttrProblem{name, "expected an array or a number, got both", ""};
  };
  if (p.to_begin_arr_given && p.to_begin_scalar) return {both("to_begin_scalar")};
  if (p.to_end_arr_given && p.to_end_scalar) return {both("to_end_scalar")};
  return {};
}

std::vector<InputDef> ediff1d_inputs(const Ediff1dParam& p) {
  std::vector<InputDef> inputs{{"input1", InputRole::kData}};
  const int more = static_cast<int>(p.to_begin_arr_given) + static_cast<int>(p.to_end_arr_given);
  for (int i = 0; i < more; ++i)
    inputs.push_back({fmt::format("input{}", i + 2), InputRole::kData});
  return inputs;
}

void infer_ediff1d(const Ediff1dParam& p, InferContext& c) {
  c.unify_dtypes();
  Dim size = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known_rank()) return;
    size = size + (i == 0 ? less(c.input_shape(0).count(), 1) : c.input_shape(i).count());
  }
  const int numbers = static_cast<int>(p.to_begin_scalar.has_value()) +
                      static_cast<int>(p.to_end_scalar.has_value());
  c.set_output_shape(0, Shape{size + numbers});
}

void translate_ediff1d(const Ediff1dParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  for (const auto& number : {p.to_begin_scalar, p.to_end_scalar}) {
    if (number && !has_defined_value(*number, dtype)) {
      return t.refuse(fmt::format("the number {:g} does not fit {}", *number, dtype_name(dtype)));
    }
  }
  const auto flat = [&](Value x) { return onnx::reshape(b, x, Shape{b.shape(x).count()}); };
  const auto one = [&](double x) { return onnx::reshape(b, b.scalar(dtype, x), Shape{1}); };
  std::vector<Value> parts;
  if (p.to_begin_arr_given) parts.push_back(flat(t.input(1)));
  if (p.to_begin_scalar) parts.push_back(one(*p.to_begin_scalar));
  const Value x = flat(t.input(0));
  const Shape result{less(b.shape(x)[0], 1)};
  if (!has_no_elements(result, 0)) parts.push_back(differences(b, x, 0, 1, result));
  if (p.to_end_arr_given) parts.push_back(flat(t.input(t.num_inputs() - 1)));
  if (p.to_end_scalar) parts.push_back(one(*p.to_end_scalar));
  if (parts.empty()) return t.set_output(0, onnx::fill(b, dtype, 0, t.output_shape(0)));
  t.set_output(0, parts.size() == 1 ? b.identity(parts[0]) : b.concat(parts, 0));
}

}  // namespace

void register_np_diff(Registry& r) {
  r.add<DiffParam>({"_npi_diff"})
      .summary("The n-th differences of neighbours along an axis.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_diff)
      .translate(translate_diff)
      .check(check_diff);
  r.add<Ediff1dParam>({"_npi_ediff1d"})
      .summary("The differences of neighbours of the flattened array, between what is given.")
      .inputs_by(ediff1d_inputs)
      .infer(infer_ediff1d)
      .translate(translate_ediff1d)
      .check(check_ediff1d);
}

}  // namespace mx2onnx
