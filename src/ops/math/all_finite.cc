// Whether all elements are what they should be: all_finite, multi_all_finite and allclose
// (src/operator/contrib/all_finite-inl.h, allclose_op-inl.h).
#include <limits>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/numbered.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct AllFiniteParam {
  std::int64_t num_arrays = 1;
  bool init_output = true;

  static void declare(AttrDeclarer<AllFiniteParam>& d) {
    d.field("num_arrays", &AllFiniteParam::num_arrays)
        .at_least(1)
        .at_most(200)  // N of MultiAllFiniteKernelParam
        .help("number of arrays, of multi_all_finite");
    d.field("init_output", &AllFiniteParam::init_output)
        .help("False would join the result with what the output's memory holds");
  }
};

std::vector<AttrProblem> check_all_finite(const AllFiniteParam& p, const CheckContext& /*c*/) {
  if (p.init_output) return {};
  return {{"init_output", "joins the result with what lies in memory, which is not defined", ""}};
}

void infer_all_finite(const AllFiniteParam& p, InferContext& c) {
  check_num_inputs(c, "num_arrays", p.num_arrays);
  c.unify_dtypes(0, c.num_outputs());
  c.set_output_dtype(0, DType::kFloat32);
  c.set_output_shape(0, Shape{1});
}

// 1 where all elements are true, of any number of them.
Value all(Builder& b, Value flags) {
  const Value flat = onnx::reshape(b, b.cast(flags, DType::kInt32), Shape{b.shape(flags).count()});
  const Value least =
      onnx::reduce(b, "ReduceMin",
                   b.concat({flat, b.constant(make_tensor<std::int32_t>({1}, {1}))}, 0), {0}, true);
  return least;
}

// Looks at float64 as float32, where 1e300 is infinite.
void translate_all_finite(const AllFiniteParam& /*p*/, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  Value result;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const Value magnitude = b.unary("Abs", b.cast(t.input(i), DType::kFloat32));
    const Value infinity = b.scalar(DType::kFloat32, std::numeric_limits<double>::infinity());
    const Value finite = all(b, b.binary("Less", magnitude, infinity));
    result = result.present() ? b.mul(result, finite) : finite;
  }
  t.set_output(0, b.cast(result, DType::kFloat32));
}

struct AllCloseParam {
  double rtol = 1e-5;
  double atol = 1e-8;
  bool equal_nan = true;

  static void declare(AttrDeclarer<AllCloseParam>& d) {
    d.field("rtol", &AllCloseParam::rtol).help("relative tolerance");
    d.field("atol", &AllCloseParam::atol).help("absolute tolerance");
    d.field("equal_nan", &AllCloseParam::equal_nan).help("NaN is equal to NaN");
  }
};

void infer_allclose(const AllCloseParam& /*p*/, InferContext& c) {
  c.unify_dtypes(0, c.num_outputs());
  const Shape& a = c.input_shape(0);
  const Shape& b = c.input_shape(1);
  // MXNet compares as many elements as the first array has, whatever shapes they have.
  const bool enough = a.is_static() && b.is_static() && b.count().value() >= a.count().value();
  // What is not known yet may still become another shape of as many.
  const bool open = a.known_rank() && b.known_rank() && !(a.known() && b.known());
  if (!enough && !open) {
    c.set_input_shape(0, c.input_shape(1));
    c.set_input_shape(1, c.input_shape(0));
  }
  c.set_output_shape(0, Shape(std::vector<Dim>{}));
  c.set_output_dtype(0, DType::kUint8);
}

void translate_allclose(const AllCloseParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  // The tolerance is a number of float32, or of float64 where the arrays are; the difference is one
  // of theirs.
  const DType tolerance_in = dtype == DType::kFloat64 ? dtype : DType::kFloat32;
  const DType difference_in = is_integer(dtype) ? DType::kFloat64 : dtype;
  const Value left = t.input(0);
  Value right = t.input(1);
  if (t.input_shape(0).is_static() && !(t.input_shape(0) == t.input_shape(1))) {
    const Dim count = t.input_shape(0).count();
    right = onnx::reshape(b, right, Shape{t.input_shape(1).count()});
    if (!(count == b.shape(right)[0])) right = onnx::slice(b, right, {{0, 0, count}}, Shape{count});
    right = onnx::reshape(b, right, t.input_shape(0));
  }
  const Value difference =
      b.unary("Abs", b.sub(b.cast(left, difference_in), b.cast(right, difference_in)));
  const Value magnitude = b.unary("Abs", b.cast(right, tolerance_in));
  const auto number = [&](double value) {
    return b.scalar(tolerance_in, static_cast<float>(value));
  };
  const Value tolerance = b.add(number(p.atol), b.mul(number(p.rtol), magnitude));
  const Value is_far =
      b.binary("Less", b.cast(tolerance, DType::kFloat64), b.cast(difference, DType::kFloat64));
  // Equal elements are close whatever the tolerance is; differences of infinities are NaN.
  const Value is_equal = is_integer(dtype)
                             ? b.binary("Equal", difference, b.scalar(difference_in, 0))
                             : b.binary("Equal", left, right);
  Value close = b.binary("Or", is_equal, b.unary("Not", is_far));
  if (is_floating(dtype)) {
    const Value left_nan = b.unary("IsNaN", left);
    const Value right_nan = b.unary("IsNaN", right);
    const Value any_nan = b.binary("Or", left_nan, right_nan);
    const Value no_nan = b.unary("Not", any_nan);
    close = b.binary("And", close, no_nan);
    if (p.equal_nan) close = b.binary("Or", close, b.binary("And", left_nan, right_nan));
  }
  const Value result = b.cast(all(b, close), DType::kUint8);
  t.set_output(0, onnx::reshape(b, result, t.output_shape(0)));
}

}  // namespace

void register_all_finite(Registry& r) {
  r.add<AllFiniteParam>({"all_finite", "_npi_all_finite"})
      .summary("1 if no element is infinite or NaN, else 0.")
      .infer(infer_all_finite)
      .translate(translate_all_finite)
      .check(check_all_finite);
  r.add<AllFiniteParam>({"multi_all_finite", "_npi_multi_all_finite"})
      .summary("1 if no element of any array is infinite or NaN, else 0.")
      .inputs_by([](const AllFiniteParam& p) { return numbered_inputs("array_", p.num_arrays); })
      .infer(infer_all_finite)
      .translate(translate_all_finite)
      .check(check_all_finite);
  r.add<AllCloseParam>({"_contrib_allclose"})
      .summary("1 if |a - b| <= atol + rtol |b| for all elements, else 0.")
      .inputs({{"a", InputRole::kData}, {"b", InputRole::kData}})
      .infer(infer_allclose)
      .translate(translate_allclose);
}

}  // namespace mx2onnx
