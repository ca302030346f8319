// NumPy's standard deviation, variance and weighted mean over axes
// (src/operator/numpy/np_moments_op.cc). Of integers MXNet computes them in integers, and of
// float16 it rounds after every step but those of a sum.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/stepwise.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;
using reduction::count_value;
using reduction::reduce;

struct SpreadParam : NumpyReduceAxes {
  std::optional<DType> dtype;
  std::int64_t ddof = 0;

  static void declare(AttrDeclarer<SpreadParam>& d) {
    d.field("axis", &SpreadParam::axis).help("axes to reduce; None: all, (): none");
    d.dtype("dtype", &SpreadParam::dtype).help("of the result; None: the array's");
    d.field("keepdims", &SpreadParam::keepdims).help("reduced axes stay, with size 1");
    d.field("ddof", &SpreadParam::ddof).help("what the number of elements is lessened by");
  }
};

struct AverageParam : NumpyReduceAxes {
  bool returned = false;
  bool weighted = true;

  static void declare(AttrDeclarer<AverageParam>& d) {
    d.field("axis", &AverageParam::axis).help("axes to reduce; None: all, (): none");
    d.field("returned", &AverageParam::returned).help("the sum of the weights is an output");
    d.field("weighted", &AverageParam::weighted).help("False: there are no weights");
  }
};

// A sum that is rounded once. Of integers its low bits.
Value sum_of(Builder& b, Value x, const ReduceAxes& axes) {
  if (b.dtype(x) != DType::kFloat16) return reduction::sum(b, x, axes);
  return b.cast(reduce(b, "ReduceSum", b.cast(x, DType::kFloat32), axes), DType::kFloat16);
}

Value divide(Builder& b, Value x, Value by) {
  if (is_integer(b.dtype(x))) return binary::kDivide.emit(b, x, by);
  const Stepwise steps(b, b.dtype(x));
  return steps.give(steps.div(steps.take(x), steps.take(by)));
}

Value mean_of(Builder& b, Value x, const ReduceAxes& axes) {
  if (b.dtype(x) != DType::kFloat16) return reduction::mean(b, x, axes);
  return divide(b, sum_of(b, x, axes), count_value(b, axes.count(b.shape(x)), DType::kFloat16));
}

Value squared_difference(Builder& b, Value x, Value from) {
  if (is_integer(b.dtype(x))) return square(b, binary::kSubtract.emit(b, x, from));
  const Stepwise steps(b, b.dtype(x));
  const Value difference = steps.sub(steps.take(x), steps.take(from));
  return steps.give(steps.mul(difference, difference));
}

// In the type of the result, which may be another one than that of the squares.
Value sum_in(Builder& b, Value squares, const ReduceAxes& axes, DType result) {
  const DType dtype = b.dtype(squares);
  if (dtype == result) return sum_of(b, squares, axes);
  if (is_integer(dtype)) {
    return b.cast(reduction::sum(b, b.cast(squares, DType::kInt64), axes), result);
  }
  const DType computing =
      is_integer(result) || result == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  const Value sum = reduce(b, "ReduceSum", b.cast(squares, computing), axes);
  if (!is_integer(result)) return b.cast(sum, result);
  const DType wide = result == DType::kInt64 ? result : DType::kInt32;
  return b.cast(cut_to_integer(b, sum, wide), result);
}

// Of integers cut.
Value root(Builder& b, Value x) {
  const DType dtype = b.dtype(x);
  if (!is_integer(dtype)) return b.unary("Sqrt", x);
  const DType wide = dtype == DType::kInt64 ? dtype : DType::kInt32;
  return b.cast(cut_to_integer(b, b.unary("Sqrt", b.cast(x, DType::kFloat64)), wide), dtype);
}

void infer_spread(const SpreadParam& p, InferContext& c) {
  if (p.dtype) {
    c.set_output_dtype(0, *p.dtype);
  } else {
    c.unify_dtypes();
  }
  c.set_output_dtype(1, c.input(0).dtype);
  if (!c.input_shape(0).known_rank()) return;
  c.set_output_shape(0, p.result(c.input_shape(0)));
  c.set_output_shape(1, p.result(c.input_shape(0)));
}

void translate_spread(bool is_root, const SpreadParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType result = t.output_type(0).dtype;
  if (b.dtype(x) == DType::kBool || result == DType::kBool) {
    return t.refuse("MXNet does not compute this on bool");
  }
  const Dim count = p.count(b.shape(x));
  const Dim freedom = count - p.ddof;
  const bool is_bad = freedom.is_constant() &&
                      (freedom.value() < 0 || (freedom.value() == 0 && is_integer(result)));
  if (is_bad) {
    return t.refuse(fmt::format("MXNet divides by the number of elements, {}, less ddof, {}",
                                count.value(), p.ddof));
  }
  ReduceAxes kept = p;
  kept.keepdims = true;
  const Value center = mean_of(b, x, kept);
  if (t.output_used(1)) {
    t.set_output(1, p.keepdims ? center : onnx::reshape(b, center, t.output_shape(1)));
  }
  const Value squares = squared_difference(b, x, center);
  const bool is_plain = p.ddof == 0 && result == b.dtype(x) && result != DType::kFloat16;
  const Value variance =
      is_plain ? reduction::mean(b, squares, p)
               : divide(b, sum_in(b, squares, p, result), count_value(b, freedom, result));
  t.set_output(0, is_root ? root(b, variance) : variance);
}

// One weight for each position of the one axis that goes, or one for each element.
bool has_weights_of_an_axis(const AverageParam& p, const Shape& data, const Shape& weights) {
  return p.weighted && data.rank() != weights.rank();
}

void infer_average(const AverageParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  c.set_output_shape(0, p.result(data));
  const Shape scalar(std::vector<Dim>{});
  if (!p.weighted) return c.set_output_shape(1, scalar);
  const Shape& weights = c.input_shape(1);
  if (!weights.known_rank()) return;
  if (!has_weights_of_an_axis(p, data, weights)) {
    c.set_input_shape(1, data);
    c.set_input_shape(0, c.input_shape(1));
    return c.set_output_shape(1, p.result(data));
  }
  if (weights.rank() != 1 || !p.axis || p.axis->size() != 1) {
    c.fail_input(1, fmt::format("the shape {}, or a weight for each position of one axis",
                                data.to_string()));
  }
  c.set_input_shape(1, Shape{data[checked_axis(p.axis->front(), data.rank())]});
  c.set_output_shape(1, scalar);
}

void translate_average(const AverageParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  if (!p.weighted) {
    t.set_output(0, mean_of(b, x, p));
    if (t.output_used(1)) t.set_output(1, count_value(b, p.count(b.shape(x)), dtype));
    return;
  }
  Value weights = t.input(1);
  ReduceAxes of_weights = p;
  const std::size_t rank = b.shape(x).rank();
  if (has_weights_of_an_axis(p, b.shape(x), b.shape(weights))) {
    weights = along_axis(b, weights, checked_axis(p.axis->front(), rank), rank);
    of_weights.axis = std::nullopt;
  }
  const Stepwise steps(b, dtype);
  const Value products = is_integer(dtype)
                             ? binary::kMultiply.emit(b, x, weights)
                             : steps.give(steps.mul(steps.take(x), steps.take(weights)));
  const Value weight = sum_of(b, weights, of_weights);
  if (t.output_used(1)) t.set_output(1, weight);
  Value divisor = weight;
  if (is_integer(dtype)) {
    // MXNet ends of a division by 0, and so does ONNX Runtime.
    const Value is_zero = b.binary("Equal", weight, b.scalar(dtype, 0));
    divisor = b.where(is_zero, b.scalar(dtype, 1), weight);
  }
  t.set_output(0, divide(b, sum_of(b, products, p), divisor));
}

}  // namespace

void register_np_moments(Registry& r) {
  for (const bool is_root : {true, false}) {
    r.add<SpreadParam>({is_root ? "_npi_std" : "_npi_var"})
        .summary(is_root ? "The standard deviation over axes." : "The variance over axes.")
        .inputs({{"a", InputRole::kData}})
        .outputs({is_root ? "std" : "var", "mean"})
        .infer(infer_spread)
        .translate(
            [is_root](const SpreadParam& p, Translation& t) { translate_spread(is_root, p, t); })
        .note(
            "Of no more elements than ddof a model of free sizes gives another number than MXNet.")
        .note(std::string(kMeanNote));
  }
  r.add<AverageParam>({"_npi_average"})
      .summary("The mean over axes, weighted or not, and the sum of the weights.")
      .inputs_by([](const AverageParam& p) {
        std::vector<InputDef> inputs{{"a", InputRole::kData}};
        if (p.weighted) inputs.push_back({"weights", InputRole::kData});
        return inputs;
      })
      .outputs({"output0", "output1"})
      .infer(infer_average)
      .translate(translate_average)
      .note(std::string(kMeanNote));
}

}  // namespace mx2onnx
