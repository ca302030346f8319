// NumPy's reductions over axes (src/operator/numpy/np_broadcast_reduce_op_*.cc): sum, product,
// mean, extrema, all and any, under the names of MXNet 1.x (`_np_…`) and of 2.0 (`_npi_…`).
//
// MXNet adds up integers in wider ones, float16 in float32, and gives the total the result's type
// before it divides by the number of elements.
#include <fmt/format.h>

#include <cmath>

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
using reduction::reduce;

struct ExtremeParam : NumpyReduceAxes {
  std::optional<double> initial;

  static void declare(AttrDeclarer<ExtremeParam>& d) { declare_axes(d); }

  template <typename P>
  static void declare_axes(AttrDeclarer<P>& d) {
    d.field("axis", &P::axis).help("axes to reduce; None: all, (): none");
    d.field("keepdims", &P::keepdims).help("reduced axes stay, with size 1");
    d.field("initial", &P::initial).help("None; MXNet does not compute others");
  }
};

struct TotalParam : ExtremeParam {
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<TotalParam>& d) {
    declare_axes(d);
    d.dtype("dtype", &TotalParam::dtype).help("of the result; None: see the summary");
  }
};

struct TruthParam : NumpyReduceAxes {
  static void declare(AttrDeclarer<TruthParam>& d) {
    d.field("axis", &TruthParam::axis).help("axes to reduce; None: all, (): none");
    d.field("keepdims", &TruthParam::keepdims).help("reduced axes stay, with size 1");
  }
};

template <typename P>
std::vector<AttrProblem> check_initial(const P& p, const CheckContext& /*context*/) {
  if (!p.initial) return {};
  return {{"initial", fmt::format("expected None, got {:g}", *p.initial),
           "MXNet does not compute other values, either"}};
}

void infer_shape(const ReduceAxes& axes, InferContext& c) {
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, axes.result(c.input_shape(0)));
}

// Totals.

enum class Total { kSum, kProduct, kMean };

void infer_total(Total total, const TotalParam& p, InferContext& c) {
  infer_shape(p, c);
  const DType dtype = c.input(0).dtype;
  if (p.dtype) return c.set_output_dtype(0, *p.dtype);
  const DType found = c.output(0).dtype;
  // An int64 may be of bools, and a mean's float32 of integers.
  if (dtype == DType::kUnknown && total != Total::kMean && found != DType::kInt64) {
    return c.set_input_dtype(0, found);
  }
  if (dtype == DType::kUnknown) return;
  if (total == Total::kMean) {
    return c.set_output_dtype(0, is_floating(dtype) ? dtype : DType::kFloat32);
  }
  c.set_output_dtype(0, dtype == DType::kBool ? DType::kInt64 : dtype);
}

// MXNet multiplies bytes in 32 bits.
Value in_32_bits(Builder& b, Value product, DType factors) {
  if (factors == DType::kInt8) {
    return b.cast(b.cast(product, DType::kInt32), DType::kInt64);
  }
  if (factors != DType::kUint8) return product;
  return b.binary("Mod", product, b.int_scalar(std::int64_t{1} << 32));
}

Value total_of_integers(Builder& b, Total total, Value x, const ReduceAxes& axes) {
  const Value wide = b.cast(x, DType::kInt64);
  if (total != Total::kProduct) return reduction::sum(b, wide, axes);
  return in_32_bits(b, reduction::product(b, wide, axes), b.dtype(x));
}

Value total_of_floats(Builder& b, Total total, Value x, const ReduceAxes& axes, DType result) {
  DType computing = b.dtype(x);
  if (computing == DType::kFloat16) computing = DType::kFloat32;
  if (is_integer(result) || result == DType::kFloat64) computing = DType::kFloat64;
  const std::string_view op_type = total == Total::kProduct ? "ReduceProd" : "ReduceSum";
  return reduce(b, op_type, b.cast(x, computing), axes);
}

// In the result's type.
Value total_of(Builder& b, Total total, Value x, const ReduceAxes& axes, DType result) {
  if (!is_floating(b.dtype(x))) return b.cast(total_of_integers(b, total, x, axes), result);
  const Value value = total_of_floats(b, total, x, axes, result);
  if (!is_integer(result)) return b.cast(value, result);
  const DType wide = result == DType::kInt64 ? result : DType::kInt32;
  return b.cast(cut_to_integer(b, value, wide), result);
}

Value mean_of(Builder& b, Value x, const ReduceAxes& axes, DType result) {
  const bool is_real = result == DType::kFloat32 || result == DType::kFloat64;
  if (is_real && b.dtype(x) == result) return reduce(b, "ReduceMean", x, axes);
  const Value sum = total_of(b, Total::kSum, x, axes, result);
  const Value count = reduction::count_value(b, axes.count(b.shape(x)), result);
  if (is_integer(result)) return binary::kDivide.emit(b, sum, count);
  const Stepwise steps(b, result);
  return steps.give(steps.div(steps.take(sum), steps.take(count)));
}

// What MXNet gives of no elements.
double of_nothing(Total total, bool is_legacy, DType result) {
  if (total == Total::kSum || is_legacy) return 0;
  if (total == Total::kProduct) return 1;
  return is_floating(result) ? std::nan("") : 0;
}

void translate_total(Total total, bool is_legacy, const TotalParam& p, Translation& t) {
  Builder& b = t.b;
  const DType result = t.output_type(0).dtype;
  if (result == DType::kBool) return t.refuse("MXNet does not compute this as bool");
  const Dim count = p.count(t.input_shape(0));
  if (count.is_constant() && count.value() == 0) {
    const double nothing = of_nothing(total, is_legacy, result);
    return t.set_output(0, onnx::fill(b, result, nothing, t.output_shape(0)));
  }
  t.set_output(0, total == Total::kMean ? mean_of(b, t.input(0), p, result)
                                        : total_of(b, total, t.input(0), p, result));
}

// Extrema.

void infer_extreme(const ExtremeParam& p, InferContext& c) {
  c.unify_dtypes();
  infer_shape(p, c);
}

void translate_extreme(std::string_view op_type, const ExtremeParam& p, Translation& t) {
  const bool is_bool = t.input_type(0).dtype == DType::kBool;
  t.set_output(0, is_bool ? reduction::reduce_bool(t.b, op_type, t.input(0), p)
                          : reduce(t.b, op_type, t.input(0), p));
}

// Truth.

void infer_truth(const TruthParam& p, InferContext& c) {
  c.set_output_dtype(0, DType::kBool);
  infer_shape(p, c);
}

// Sums, because ONNX Runtime has no largest element of none.
Value any_of(Builder& b, Value x, const ReduceAxes& axes) {
  const Value count = reduce(b, "ReduceSum", b.cast(x, DType::kInt32), axes);
  return b.binary("Greater", count, b.scalar(DType::kInt32, 0));
}

void translate_truth(bool of_all, const TruthParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = b.cast(t.input(0), DType::kBool);
  t.set_output(0, of_all ? b.unary("Not", any_of(b, b.unary("Not", x), p)) : any_of(b, x, p));
}

struct TotalRow {
  Total total;
  std::vector<std::string> names;
  std::string summary;
  std::string note;
};

const char* const kOwnTypes = " in the array's type, int64 for bool.";
const char* const kOrderNote =
    "Of decimals the order of the factors is another one than MXNet's, which shows where a part of "
    "the product overflows.";

std::vector<TotalRow> total_rows() {
  return {
      {Total::kSum, {"_np_sum"}, "The sum over axes,", std::string(kInfinityNote)},
      {Total::kSum, {"_npi_sum"}, "The sum over axes,", {}},
      {Total::kProduct, {"_np_prod", "_np_product"}, "The product over axes,", kOrderNote},
      {Total::kProduct, {"_npi_prod"}, "The product over axes,", kOrderNote},
      {Total::kMean, {"_npi_mean"}, "The mean over axes,", std::string(kMeanNote)},
  };
}

struct ExtremeRow {
  std::string_view op_type;
  std::vector<std::string> names;
  std::string summary;
};

std::vector<ExtremeRow> extreme_rows() {
  const std::string largest = "The largest element over axes.";
  const std::string smallest = "The smallest element over axes.";
  return {
      {"ReduceMax", {"_np_max", "_np_amax"}, largest},
      {"ReduceMax", {"_npi_max", "_npi_amax"}, largest},
      {"ReduceMin", {"_np_min", "_np_amin"}, smallest},
      {"ReduceMin", {"_npi_min", "_npi_amin"}, smallest},
  };
}

struct TruthRow {
  bool of_all;
  std::vector<std::string> names;
};

std::vector<TruthRow> truth_rows() {
  return {{true, {"_np_all"}},
          {true, {"_npi_all"}},
          {false, {"_np_any", "_np_sometrue"}},
          {false, {"_npi_any"}}};
}

void add_totals(Registry& r) {
  for (const auto& row : total_rows()) {
    const Total total = row.total;
    const bool is_mean = total == Total::kMean;
    const bool is_legacy = row.names.front().starts_with("_np_");
    auto declarer =
        r.add<TotalParam>(row.names)
            .summary(row.summary + (is_mean ? " in float32 for integers and bool." : kOwnTypes))
            .inputs({{"a", InputRole::kData}})
            .infer([total](const TotalParam& p, InferContext& c) { infer_total(total, p, c); })
            .translate([total, is_legacy](const TotalParam& p, Translation& t) {
              translate_total(total, is_legacy, p, t);
            })
            .check(check_initial<TotalParam>);
    if (!row.note.empty()) declarer.note(row.note);
    if (total == Total::kProduct && is_legacy) {
      declarer.note("Of no elements it is 0, but 1 in a model of free sizes.")
          .variant(OriginRange::since(2, 0), "of no elements it is 1", [](auto& variant) {
            variant.translate([](const TotalParam& p, Translation& t) {
              translate_total(Total::kProduct, false, p, t);
            });
          });
    }
    if (is_mean) {
      declarer.variant(OriginRange::until(1, 9), "of no elements it is 0", [](auto& variant) {
        variant.translate(
            [](const TotalParam& p, Translation& t) { translate_total(Total::kMean, true, p, t); });
      });
    }
  }
}

}  // namespace

void register_np_reduce(Registry& r) {
  add_totals(r);
  for (const auto& row : extreme_rows()) {
    r.add<ExtremeParam>(row.names)
        .summary(row.summary)
        .inputs({{"a", InputRole::kData}})
        .infer(infer_extreme)
        .translate([op_type = row.op_type](const ExtremeParam& p, Translation& t) {
          translate_extreme(op_type, p, t);
        })
        .check(check_initial<ExtremeParam>)
        .note(std::string(kNanExtremeNote));
  }
  for (const auto& row : truth_rows()) {
    r.add<TruthParam>(row.names)
        .summary(row.of_all ? "Whether no element over axes is 0."
                            : "Whether an element over axes is not 0.")
        .infer(infer_truth)
        .translate([of_all = row.of_all](const TruthParam& p, Translation& t) {
          translate_truth(of_all, p, t);
        });
  }
}

}  // namespace mx2onnx
