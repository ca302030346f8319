// Reductions (src/operator/tensor/broadcast_reduce_*.cc): sum, mean, product and extrema over axes.
// The norm is in norm.cc, mean and variance in moments.cc, positions of extrema in argmax.cc.
#include "onnx/opset.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;
using reduction::mean;
using reduction::product;
using reduction::reduce;
using reduction::reduce_bool;
using reduction::sum;

struct ReduceParam : ReduceAxes {
  static void declare(AttrDeclarer<ReduceParam>& d) {
    d.field("axis", &ReduceParam::axis).help("axes to reduce; None and () are all");
    d.field("keepdims", &ReduceParam::keepdims).help("reduced axes stay, with size 1");
    d.field("exclude", &ReduceParam::exclude).help("reduce the axes that are not in axis");
  }
};

void infer_reduce(const ReduceParam& p, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, p.result(c.input_shape(0)));
}

Value without_nan(Builder& b, Value x, double replacement) {
  if (!is_floating(b.dtype(x))) return x;
  return b.where(b.unary("IsNaN", x), b.scalar(b.dtype(x), replacement), x);
}

Value nansum(Builder& b, Value x, const ReduceAxes& axes) {
  return sum(b, without_nan(b, x, 0), axes);
}
Value nanprod(Builder& b, Value x, const ReduceAxes& axes) {
  return product(b, without_nan(b, x, 1), axes);
}

Value maximum(Builder& b, Value x, const ReduceAxes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMax", x, axes);
  return reduce(b, "ReduceMax", x, axes);
}

Value minimum(Builder& b, Value x, const ReduceAxes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMin", x, axes);
  return reduce(b, "ReduceMin", x, axes);
}

Value square_sum(Builder& b, Value x, const ReduceAxes& axes) { return sum(b, square(b, x), axes); }

struct ReduceRow {
  std::vector<std::string> names;
  std::string summary;
  Value (*emit)(Builder& b, Value x, const ReduceAxes& axes);
  std::string note;
  bool sums = false;
};

const char* const kProductNote =
    "Of decimals the order of the factors is another one than MXNet's, which shows where a part of "
    "the "
    "product overflows; and of float16 MXNet on a CPU multiplies in float16, here it is float32.";
std::vector<ReduceRow> reduce_rows() {
  return {
      {{"sum", "sum_axis", "_sparse_sum"}, "The sum over axes.", sum, {}, true},
      {{"mean", "_sparse_mean"}, "The mean over axes.", mean, std::string(kMeanNote), true},
      {{"prod"}, "The product over axes.", product, kProductNote},
      {{"nansum"},
       "The sum over axes of what is not NaN.",
       nansum,
       std::string(kInfinityNote),
       true},
      {{"nanprod"}, "The product over axes of what is not NaN.", nanprod, kProductNote},
      {{"max", "max_axis"},
       "The largest element over axes.",
       maximum,
       std::string(kNanExtremeNote)},
      {{"min", "min_axis"},
       "The smallest element over axes.",
       minimum,
       std::string(kNanExtremeNote)},
      {{"_square_sum"},
       "The sum of the squares over axes.",
       square_sum,
       "MXNet has it for row-sparse arrays only; here it is computed for dense ones."},
  };
}

}  // namespace

void register_reduce(Registry& r) {
  for (const auto& row : reduce_rows()) {
    auto declarer = r.add<ReduceParam>(row.names)
                        .summary(row.summary)
                        .infer(infer_reduce)
                        .translate([emit = row.emit](const ReduceParam& p, Translation& t) {
                          t.set_output(0, emit(t.b, t.input(0), p));
                        });
    if (!row.note.empty()) declarer.note(row.note);
    if (row.sums) declarer.note(std::string(kHalfSumNote));
  }
}

}  // namespace mx2onnx
