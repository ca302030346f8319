// Single numeric operators: khatri_rao, all_finite and its like, multi_sum_sq, allclose,
// softmax_cross_entropy, fft and count_sketch (src/operator/contrib/*, loss_binary_op-inl.h).
#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// Most arrays of an operator; a bound against hostile files.
constexpr std::int64_t kMostArrays = 10000;

std::vector<InputDef> numbered_inputs(std::string_view name, std::int64_t count) {
  std::vector<InputDef> inputs;
  for (std::int64_t i = 0; i < count; ++i) {
    inputs.push_back({fmt::format("{}{}", name, i), InputRole::kData});
  }
  return inputs;
}

bool expect_floating(Translation& t) {
  if (is_floating(t.input_type(0).dtype)) return true;
  t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(t.input_type(0).dtype)));
  return false;
}

struct KhatriRaoParam {
  std::int64_t num_args = 1;

  static void declare(AttrDeclarer<KhatriRaoParam>& d) {
    d.field("num_args", &KhatriRaoParam::num_args)
        .required()
        .at_least(1)
        .at_most(kMostArrays)
        .help("number of matrices");
  }
};

void infer_khatri_rao(const KhatriRaoParam& p, InferContext& c) {
  check_num_inputs(c, "num_args", p.num_args);
  c.unify_dtypes();
  Dim rows = 1;
  Dim columns;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known_rank()) return;
    c.set_input_shape(i, Shape{Dim(), columns});
    rows = rows * c.input_shape(i)[0];
    columns = c.input_shape(i)[1];
  }
  for (std::size_t i = 0; i < c.num_inputs(); ++i) c.set_input_shape(i, Shape{Dim(), columns});
  c.set_output_shape(0, Shape{rows, columns});
}

void translate_khatri_rao(const KhatriRaoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  Value product = t.input(0);
  for (std::size_t i = 1; i < t.num_inputs(); ++i) {
    const Value pairs =
        b.mul(onnx::unsqueeze(b, product, {1}), onnx::unsqueeze(b, t.input(i), {0}));
    const Shape& shape = b.shape(pairs);
    product = onnx::reshape(b, pairs, Shape{shape[0] * shape[1], shape[2]});
  }
  t.set_output(0, product);
}

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

struct MultiSumSqParam {
  std::int64_t num_arrays = 1;

  static void declare(AttrDeclarer<MultiSumSqParam>& d) {
    d.field("num_arrays", &MultiSumSqParam::num_arrays)
        .required()
        .at_least(1)
        .at_most(kMostArrays)
        .help("number of arrays");
  }
};

void infer_multi_sum_sq(const MultiSumSqParam& p, InferContext& c) {
  check_num_inputs(c, "num_arrays", p.num_arrays);
  c.unify_dtypes(0, c.num_outputs());
  c.set_output_dtype(0, DType::kFloat32);
  c.set_output_shape(0, Shape{p.num_arrays});
}

// In float16 MXNet 1.x rounds the squares to float16, and sums in float32.
void sum_squares(Translation& t, bool rounds_squares) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (!is_floating(dtype)) {
    return t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)));
  }
  const bool widened = dtype == DType::kFloat16 && !rounds_squares;
  const Stepwise steps(b, widened ? DType::kFloat32 : dtype);
  std::vector<Value> sums;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const Value array = steps.take(t.input(i));
    const Value squares = steps.mul(array, array);
    const Value flat = onnx::reshape(b, squares, Shape{b.shape(squares).count()});
    sums.push_back(b.cast(onnx::reduce(b, "ReduceSum", flat, {0}, true), DType::kFloat32));
  }
  t.set_output(0, b.concat(sums, 0));
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
  if (!enough) {
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

void infer_softmax_cross_entropy(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(2));
  c.set_input_shape(1, Shape{c.input_shape(0)[0]});
  c.set_input_shape(0, Shape{c.input_shape(1)[0], Dim()});
  c.set_output_shape(0, Shape{1});
}

void translate_softmax_cross_entropy(const NoParam& /*p*/, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  const Value chances = onnx::softmax(b, "Softmax", t.input(0), 1);
  const Value label = onnx::unsqueeze(b, b.cast(t.input(1), DType::kInt64), {1});
  const Value chosen = b.emit("GatherElements", {chances, label}, {{"axis", 1}},
                              {dtype, Shape{t.input_shape(0)[0], 1}});
  const Value bounded = b.binary("Max", chosen, b.scalar(dtype, 1e-8F));
  const Value loss = b.unary("Neg", b.unary("Log", bounded));
  t.set_output(0, onnx::squeeze(b, onnx::reduce(b, "ReduceSum", loss, {0}, true), {1}));
}

struct FftParam {
  static void declare(AttrDeclarer<FftParam>& d) { d.ignore({"compute_size"}); }
};

void infer_fft(InferContext& c, bool inverse) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  if (shape.rank() != 2 && shape.rank() != 4) c.fail_input(0, "2 or 4 dimensions");
  Dim& last = shape[shape.rank() - 1];
  if (inverse && last.is_constant() && last.value() % 2 != 0) {
    c.fail_input(0, "a last size of pairs");
  }
  last = inverse ? floor_div(last, 2) : last * 2;
  c.set_output_shape(0, shape);
}

// Complex numbers are two elements, the real part and the imaginary one.
void translate_fft(Translation& t, bool inverse) {
  Builder& b = t.b;
  if (t.input_type(0).dtype != DType::kFloat32) {
    return t.refuse("MXNet computes this on float32 only");
  }
  const Shape& from = t.input_shape(0);
  const std::size_t rank = from.rank();
  const Dim& length = (inverse ? t.output_shape(0) : from)[rank - 1];
  const Dim rows = from.count(0, rank - 1);
  const Value x = onnx::reshape(b, t.input(0), Shape{rows, length, inverse ? 2 : 1});
  Value y = onnx::dft(b, x, inverse);
  if (inverse) {
    // MXNet keeps the real part, and does not divide by the length as ONNX does.
    y = onnx::slice(b, y, {{2, 0, 1}}, Shape{rows, length, 1});
    y = b.mul(y, b.cast(onnx::size_tensor(b, length), DType::kFloat32));
  }
  t.set_output(0, onnx::reshape(b, y, t.output_shape(0)));
}

std::vector<AttrProblem> check_fft(const FftParam& /*p*/, const CheckContext& c) {
  if (onnx::has_dft(c.opset)) return {};
  return {{"compute_size", "needs ONNX's DFT", "ask for --opset 17 or newer"}};
}

struct CountSketchParam {
  std::int64_t out_dim = 1;

  static void declare(AttrDeclarer<CountSketchParam>& d) {
    d.field("out_dim", &CountSketchParam::out_dim)
        .required()
        .at_least(1)
        .at_most(1 << 30)
        .help("size of the sketch");
    d.ignore({"processing_batch_size"});
  }
};

void infer_count_sketch(const CountSketchParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  if (shape.rank() != 2 && shape.rank() != 4) c.fail_input(0, "2 or 4 dimensions");
  for (std::size_t i = 1; i <= 2; ++i) c.set_input_shape(i, Shape{1, shape[shape.rank() - 1]});
  shape[shape.rank() - 1] = p.out_dim;
  c.set_output_shape(0, shape);
}

// Element i is added, with the sign s[i], to element h[i].
void translate_count_sketch(const CountSketchParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Dim& size = t.input_shape(0).dims().back();
  const Value h = onnx::reshape(b, b.cast(t.input(1), DType::kInt64), Shape{size, 1});
  const Value is_target = b.binary("Equal", h, counting(b, p.out_dim));
  const Value signs = onnx::reshape(b, t.input(2), Shape{size, 1});
  const Value matrix = b.where(is_target, signs, b.scalar(b.dtype(signs), 0));
  t.set_output(0, b.emit("MatMul", {t.input(0), matrix}, {}, t.output_type(0)));
}

}  // namespace

void register_numeric(Registry& r) {
  r.add<KhatriRaoParam>({"khatri_rao"})
      .summary("Kronecker's product of each column of matrices.")
      .inputs_by([](const KhatriRaoParam& p) { return numbered_inputs("arg", p.num_args); })
      .infer(infer_khatri_rao)
      .translate(translate_khatri_rao);
  r.add<AllFiniteParam>({"all_finite"})
      .summary("1 if no element is infinite or NaN, else 0.")
      .infer(infer_all_finite)
      .translate(translate_all_finite)
      .check(check_all_finite);
  r.add<AllFiniteParam>({"multi_all_finite"})
      .summary("1 if no element of any array is infinite or NaN, else 0.")
      .inputs_by([](const AllFiniteParam& p) { return numbered_inputs("array_", p.num_arrays); })
      .infer(infer_all_finite)
      .translate(translate_all_finite)
      .check(check_all_finite);
  r.add<MultiSumSqParam>({"multi_sum_sq"})
      .summary("The sum of the squares of each of the arrays.")
      .inputs_by([](const MultiSumSqParam& p) { return numbered_inputs("array_", p.num_arrays); })
      .infer(infer_multi_sum_sq)
      .translate([](const MultiSumSqParam&, Translation& t) { sum_squares(t, true); })
      .variant(OriginRange::since(2, 0), "squares of float16 are float32, not rounded",
               [](OpDeclarer<MultiSumSqParam>& variant) {
                 variant.translate(
                     [](const MultiSumSqParam&, Translation& t) { sum_squares(t, false); });
               });
  r.add<AllCloseParam>({"_contrib_allclose"})
      .summary("1 if |a - b| <= atol + rtol |b| for all elements, else 0.")
      .inputs({{"a", InputRole::kData}, {"b", InputRole::kData}})
      .infer(infer_allclose)
      .translate(translate_allclose);
  r.add<NoParam>({"softmax_cross_entropy"})
      .summary("The sum of -log of the softmax at the labels.")
      .inputs({{"data", InputRole::kData}, {"label", InputRole::kData}})
      .infer(infer_softmax_cross_entropy)
      .translate(translate_softmax_cross_entropy)
      .note("A label that is not a column reads other memory in MXNet, and is an error in ONNX.");
  const std::string gpu_only =
      "MXNet has it for GPUs only: this follows its source, and is tested against NumPy.";
  for (const bool inverse : {false, true}) {
    r.add<FftParam>({inverse ? "_contrib_ifft" : "_contrib_fft"})
        .summary(inverse ? "The real part of the inverse Fourier transform, not divided by n."
                         : "The Fourier transform of real rows, parts interleaved.")
        .infer([inverse](const FftParam&, InferContext& c) { infer_fft(c, inverse); })
        .translate([inverse](const FftParam&, Translation& t) { translate_fft(t, inverse); })
        .check(check_fft)
        .note("From opset 17 on.")
        .note(gpu_only);
  }
  r.add<CountSketchParam>({"_contrib_count_sketch"})
      .summary("Sums of the elements that h sends to one place, with signs s.")
      .inputs({{"data", InputRole::kData}, {"h", InputRole::kData}, {"s", InputRole::kData}})
      .infer(infer_count_sketch)
      .translate(translate_count_sketch)
      .note(gpu_only);
}

}  // namespace mx2onnx
