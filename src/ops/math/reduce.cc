// Reductions (src/operator/tensor/broadcast_reduce_*.cc, nn/moments.cc): sum, mean, product,
// extrema and norms over axes, and the positions of extrema.
//
// No axes, or an empty tuple of them, are all axes, with `exclude` too. Where every axis goes and
// keepdims is not set, the result has the shape (1,), under NumPy semantics too.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/math/exact_reduce.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

/// Which axes go, and what becomes of them.
struct Axes {
  std::optional<Tuple> axis;
  bool keepdims = false;
  bool exclude = false;

  bool all() const { return !axis || axis->empty(); }

  /// The axes to reduce, in order.
  Ints of(std::size_t rank) const {
    if (all()) return iota(rank);
    std::vector<bool> named(rank, false);
    for (const auto a : *axis) {
      const std::size_t at = checked_axis(a, rank);
      if (named[at]) fail(ErrorCode::kModel, fmt::format("axis {} is named twice", a));
      named[at] = true;
    }
    Ints axes;
    for (std::size_t i = 0; i < rank; ++i) {
      if (named[i] != exclude) axes.push_back(static_cast<std::int64_t>(i));
    }
    return axes;
  }

  Shape result(const Shape& data) const {
    const Ints axes = of(data.rank());
    std::vector<Dim> dims;
    for (std::size_t i = 0; i < data.rank(); ++i) {
      const bool gone =
          std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
      if (!gone) dims.push_back(data[i]);
      if (gone && keepdims) dims.emplace_back(1);
    }
    if (dims.empty() && !keepdims) dims.emplace_back(1);
    return Shape(std::move(dims));
  }
};

struct ReduceParam : Axes {
  static void declare(AttrDeclarer<ReduceParam>& d) {
    d.field("axis", &ReduceParam::axis).help("axes to reduce; None and () are all");
    d.field("keepdims", &ReduceParam::keepdims).help("reduced axes stay, with size 1");
    d.field("exclude", &ReduceParam::exclude).help("reduce the axes that are not in axis");
  }
};

template <typename P>
void infer_reduce(const P& p, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, p.result(c.input_shape(0)));
}

using Emit = std::function<Value(const Ints& axes, bool keepdims)>;

// Emits a reduction with MXNet's shape of the result.
Value shaped(Builder& b, const Shape& data, const Axes& axes, const Emit& emit) {
  const Ints reduced = axes.of(data.rank());
  const bool to_one = reduced.size() == data.rank() && !axes.keepdims;
  const Value result = emit(reduced, axes.keepdims || (to_one && data.rank() == 1));
  return to_one ? onnx::reshape(b, result, Shape{1}) : result;
}

// One of ONNX's reductions.
Value reduce(Builder& b, std::string_view op_type, Value x, const Axes& axes) {
  return shaped(b, b.shape(x), axes, [&](const Ints& reduced, bool keepdims) {
    return onnx::reduce(b, op_type, x, reduced, keepdims);
  });
}

// On bool, MXNet's sum is "or" and its product is "and".
Value reduce_bool(Builder& b, std::string_view op_type, Value x, const Axes& axes) {
  return b.cast(reduce(b, op_type, b.cast(x, DType::kInt32), axes), DType::kBool);
}

Value sum(Builder& b, Value x, const Axes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMax", x, axes);
  const DType dtype = b.dtype(x);
  if (!is_integer(dtype)) return reduce(b, "ReduceSum", x, axes);
  // Of narrower ones the low bits of the sum in int64 are the result. (In int32 ONNX Runtime stops
  // at the largest number.)
  if (dtype != DType::kInt64) {
    return b.cast(reduce(b, "ReduceSum", b.cast(x, DType::kInt64), axes), dtype);
  }
  return shaped(b, b.shape(x), axes, [&](const Ints& reduced, bool keepdims) {
    return exact_sum(b, x, reduced, keepdims);
  });
}

Value product(Builder& b, Value x, const Axes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMin", x, axes);
  const DType dtype = b.dtype(x);
  if (!is_integer(dtype)) return reduce(b, "ReduceProd", x, axes);
  const Value wide = b.cast(x, DType::kInt64);
  const Value result = shaped(b, b.shape(x), axes, [&](const Ints& reduced, bool keepdims) {
    return exact_product(b, wide, reduced, keepdims);
  });
  return b.cast(result, dtype);
}

// The mean of integers is their sum, in their own dtype and so perhaps overflown, divided as in C.
Value mean(Builder& b, Value x, const Axes& axes) {
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return sum(b, x, axes);
  Dim count = 1;
  for (const auto axis : axes.of(b.shape(x).rank())) {
    count = count * b.shape(x)[static_cast<std::size_t>(axis)];
  }
  if (!is_integer(dtype)) {
    // The mean of nothing is NaN; ONNX Runtime's is 0.
    const bool empty = count.is_constant() && count.value() == 0;
    if (empty) return onnx::fill(b, dtype, std::nan(""), axes.result(b.shape(x)));
    return reduce(b, "ReduceMean", x, axes);
  }
  // There may be no elements, and then no results either, or MXNet crashes; ONNX Runtime always
  // does where it divides by 0.
  const Value divisor =
      count.is_constant()
          ? b.scalar(dtype, static_cast<double>(std::max<std::int64_t>(count.value(), 1)))
          : b.cast(b.binary("Max", onnx::size_tensor(b, count), b.int_scalar(1)), dtype);
  return binary::kDivide.emit(b, sum(b, x, axes), divisor);
}

Value without_nan(Builder& b, Value x, double replacement) {
  if (!is_floating(b.dtype(x))) return x;
  return b.where(b.unary("IsNaN", x), b.scalar(b.dtype(x), replacement), x);
}

Value nansum(Builder& b, Value x, const Axes& axes) { return sum(b, without_nan(b, x, 0), axes); }
Value nanprod(Builder& b, Value x, const Axes& axes) {
  return product(b, without_nan(b, x, 1), axes);
}

Value maximum(Builder& b, Value x, const Axes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMax", x, axes);
  return reduce(b, "ReduceMax", x, axes);
}

Value minimum(Builder& b, Value x, const Axes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMin", x, axes);
  return reduce(b, "ReduceMin", x, axes);
}

Value square_sum(Builder& b, Value x, const Axes& axes) { return sum(b, square(b, x), axes); }

struct ReduceRow {
  std::vector<std::string> names;
  std::string summary;
  Value (*emit)(Builder& b, Value x, const Axes& axes);
  std::string note = {};
  bool sums = false;
};

const char* const kNanNote =
    "Where one of the elements is NaN the result is NaN in MXNet; in ONNX Runtime that depends on "
    "its position.";
const char* const kNanPositionNote =
    "Where elements are NaN MXNet gives the position of the first NaN; ONNX Runtime does only "
    "where "
    "that is the first element.";
const char* const kInfinityNote =
    "Where one of the elements is infinite MXNet's compensated summation gives NaN, ONNX infinity.";
const char* const kProductNote =
    "Of decimals the order of the factors is another one than MXNet's, which shows where a part of "
    "the "
    "product overflows; and of float16 MXNet on a CPU multiplies in float16, here it is float32.";
const char* const kMeanNote =
    "Of no elements the mean is NaN in MXNet; where their number is free ONNX Runtime gives 0.";

std::vector<ReduceRow> reduce_rows() {
  return {
      {{"sum", "sum_axis", "_sparse_sum"}, "The sum over axes.", sum, {}, true},
      {{"mean", "_sparse_mean"}, "The mean over axes.", mean, kMeanNote, true},
      {{"prod"}, "The product over axes.", product, kProductNote},
      {{"nansum"}, "The sum over axes of what is not NaN.", nansum, kInfinityNote, true},
      {{"nanprod"}, "The product over axes of what is not NaN.", nanprod, kProductNote},
      {{"max", "max_axis"}, "The largest element over axes.", maximum, kNanNote},
      {{"min", "min_axis"}, "The smallest element over axes.", minimum, kNanNote},
      {{"_square_sum"},
       "The sum of the squares over axes.",
       square_sum,
       "MXNet has it for row-sparse arrays only; here it is computed for dense ones."},
  };
}

struct NormParam : Axes {
  std::int64_t ord = 2;
  std::optional<DType> out_dtype;

  static void declare(AttrDeclarer<NormParam>& d) {
    d.field("ord", &NormParam::ord).at_least(1).at_most(2).help("1 or 2");
    d.field("axis", &NormParam::axis).help("axes to reduce; None and () are all");
    d.dtype("out_dtype", &NormParam::out_dtype).help("of the result; None: that of the input");
    d.field("keepdims", &NormParam::keepdims).help("reduced axes stay, with size 1");
  }
};

void infer_norm(const NormParam& p, InferContext& c) {
  if (p.out_dtype) {
    c.set_output_dtype(0, *p.out_dtype);
  } else {
    c.unify_dtypes();
  }
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, p.result(c.input_shape(0)));
}

// MXNet scales by the largest magnitude so far, and divides integers by it: of the sum of squares
// remains how often that magnitude occurs. Its root is taken in float64.
Value integer_norm(Builder& b, Value x, const NormParam& p) {
  const DType dtype = b.dtype(x);
  const Value magnitudes = b.unary("Abs", b.cast(x, DType::kInt64));
  const Ints axes = p.of(b.shape(x).rank());
  const Value largest = onnx::reduce(b, "ReduceMax", magnitudes, axes, true);
  const Value hits = b.cast(b.binary("Equal", magnitudes, largest), DType::kInt64);
  const Value count = b.cast(reduce(b, "ReduceSum", hits, p), dtype);
  const Value root = b.unary("Sqrt", b.cast(count, DType::kFloat64));
  const Value scale = b.cast(reduce(b, "ReduceMax", magnitudes, p), DType::kFloat64);
  const DType wide = dtype == DType::kInt64 ? dtype : DType::kInt32;
  return b.cast(cut_to_integer(b, b.mul(scale, root), wide), dtype);
}

void translate_norm(const NormParam& p, Translation& t) {
  Builder& b = t.b;
  const DType out = t.output_type(0).dtype;
  Value x = t.input(0);
  const bool same_dtype = out == b.dtype(x);
  if (b.dtype(x) == DType::kBool && same_dtype) {
    return t.set_output(0, reduce_bool(b, "ReduceMax", x, p));
  }
  if (is_integer(b.dtype(x)) && same_dtype && p.ord == 2) {
    return t.set_output(0, integer_norm(b, x, p));
  }
  if (!is_floating(b.dtype(x)) && (p.ord == 2 || b.dtype(x) == DType::kBool)) {
    return t.refuse(fmt::format("MXNet's norm of {} in {} has no defined result",
                                dtype_name(b.dtype(x)), dtype_name(out)));
  }
  // A result in another dtype needs MXNET_SAFE_ACCUMULATION=1, which sums in the wider of both.
  if (is_floating(out) && dtype_size(out) > dtype_size(b.dtype(x))) x = b.cast(x, out);
  if (is_integer(b.dtype(x))) {
    return t.set_output(0, b.cast(sum(b, b.unary("Abs", x), p), out));
  }
  const bool unreduced = p.of(b.shape(x).rank()).empty();
  const std::string_view op_type = p.ord == 1 ? "ReduceL1" : "ReduceL2";
  const Value magnitudes = unreduced ? b.unary("Abs", x) : x;
  t.set_output(0, b.cast(reduce(b, op_type, magnitudes, p), out));
}

struct MomentsParam : Axes {
  static void declare(AttrDeclarer<MomentsParam>& d) {
    d.field("axes", &MomentsParam::axis).required().sizes(1, 32).help("axes to reduce");
    d.field("keepdims", &MomentsParam::keepdims).help("reduced axes stay, with size 1");
  }
};

std::vector<AttrProblem> check_moments(const MomentsParam& p, const CheckContext& /*context*/) {
  if (p.axis) return {};
  return {{"axes", "expected a tuple of axes, got None", ""}};
}

void infer_moments(const MomentsParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  c.set_output_shape(0, p.result(c.input_shape(0)));
  c.set_output_shape(1, p.result(c.input_shape(0)));
}

void translate_moments(const MomentsParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  if (b.dtype(x) == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  Axes kept = p;
  kept.keepdims = true;
  const Value center = mean(b, x, kept);
  const Ints reduced = p.of(t.input_rank(0));
  const bool to_one = reduced.size() == t.input_rank(0);
  if (p.keepdims) {
    t.set_output(0, center);
  } else {
    t.set_output(0,
                 to_one ? onnx::reshape(b, center, Shape{1}) : onnx::squeeze(b, center, reduced));
  }
  if (!t.output_used(1)) return;
  const Value deviation = binary::kSubtract.emit(b, x, center);
  t.set_output(1, mean(b, square(b, deviation), p));
}

struct ArgParam {
  std::optional<std::int64_t> axis;
  bool keepdims = false;

  static void declare(AttrDeclarer<ArgParam>& d) {
    d.field("axis", &ArgParam::axis).help("None: over all elements, in row-major order");
    d.field("keepdims", &ArgParam::keepdims).help("the axis stays, with size 1");
  }
};

Axes axes_of(const ArgParam& p) {
  Axes axes{.keepdims = p.keepdims};
  if (p.axis) axes.axis = Tuple{*p.axis};
  return axes;
}

void infer_arg(const ArgParam& p, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, axes_of(p).result(c.input_shape(0)));
}

// MXNet gives positions in the dtype of the input.
void translate_arg(std::string_view op_type, const ArgParam& p, Translation& t) {
  Builder& b = t.b;
  Value x = t.input(0);
  if (b.dtype(x) == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const std::size_t rank = b.shape(x).rank();
  Value position;
  if (p.axis && rank > 1) {
    position = onnx::arg_reduce(b, op_type, x, *p.axis, p.keepdims);
  } else {
    const Value flat = onnx::reshape(b, x, Shape{b.shape(x).count()});
    position = onnx::reshape(b, onnx::arg_reduce(b, op_type, flat, 0, true), t.output_shape(0));
  }
  t.set_output(0, b.cast(position, t.output_type(0).dtype));
}

void infer_argmax_channel(const NoParam& /*p*/, InferContext& c) { infer_arg({.axis = 1}, c); }

}  // namespace

void register_reduce(Registry& r) {
  for (const auto& row : reduce_rows()) {
    auto declarer = r.add<ReduceParam>(row.names)
                        .summary(row.summary)
                        .infer(infer_reduce<ReduceParam>)
                        .translate([emit = row.emit](const ReduceParam& p, Translation& t) {
                          t.set_output(0, emit(t.b, t.input(0), p));
                        });
    if (!row.note.empty()) declarer.note(row.note);
    if (row.sums) declarer.note(std::string(kHalfSumNote));
  }
  r.add<NormParam>({"norm", "_sparse_norm"})
      .summary("The sum of magnitudes, or the root of the sum of squares, over axes.")
      .infer(infer_norm)
      .translate(translate_norm)
      .note(std::string(kHalfSumNote))
      .note(
          "On integers MXNet's norm of order 2 is the largest magnitude times the root of how "
          "often it occurs; where that is the magnitude of the least int8, int32 or int64 it is "
          "undefined.")
      .note(
          "Where one of the elements is infinite MXNet gives NaN at times, ONNX infinity; and of "
          "order 2 of float32 beyond 1e19, or of float64 beyond 1e154, ONNX's result is infinite, "
          "MXNet's is not.");
  r.add<MomentsParam>({"moments"})
      .summary("Mean and variance over axes.")
      .outputs({"output0", "output1"})
      .infer(infer_moments)
      .translate(translate_moments)
      .check(check_moments)
      .note(kMeanNote)
      .note(std::string(kHalfSumNote));
  for (const std::string op_type : {"ArgMax", "ArgMin"}) {
    const bool is_max = op_type == "ArgMax";
    r.add<ArgParam>({is_max ? "argmax" : "argmin"})
        .summary(fmt::format("The position of the {} element along an axis, the first of equals.",
                             is_max ? "largest" : "smallest"))
        .infer(infer_arg)
        .translate([op_type](const ArgParam& p, Translation& t) { translate_arg(op_type, p, t); })
        .note(kNanPositionNote);
  }
  r.add<NoParam>({"argmax_channel"})
      .summary("The position of the largest element along axis 1.")
      .infer(infer_argmax_channel)
      .translate([](const NoParam&, Translation& t) { translate_arg("ArgMax", {.axis = 1}, t); })
      .note(kNanPositionNote);
}

}  // namespace mx2onnx
