// NumPy's where: _npi_where and its forms with numbers (src/operator/numpy/np_where_op-inl.h).
#include <fmt/format.h>

#include "ops/expressions/broadcasting.h"
#include "ops/expressions/common.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct NumberParam {
  double scalar = 0;
  static void declare(AttrDeclarer<NumberParam>& d) {
    d.field("scalar", &NumberParam::scalar).help("the number that is chosen");
  }
};

struct NumbersParam {
  double x = 0;
  double y = 0;
  static void declare(AttrDeclarer<NumbersParam>& d) {
    d.field("x", &NumbersParam::x).help("where the condition is not 0");
    d.field("y", &NumbersParam::y).help("where it is 0");
  }
};

// ONNX Runtime has no kernel for choosing between these.
Value choose(Builder& b, Value condition, Value x, Value y) {
  const DType dtype = b.dtype(x);
  const bool is_rare = dtype == DType::kBool || dtype == DType::kInt8 || dtype == DType::kInt16;
  const DType computing = is_rare ? DType::kInt32 : dtype;
  const Value chosen =
      b.where(b.cast(condition, DType::kBool), b.cast(x, computing), b.cast(y, computing));
  return b.cast(chosen, dtype);
}

void infer_where(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes(1);
  infer_broadcast_shapes(c);
}

// MXNet 2.0's oneDNN kernel multiplies by a mask of the condition's shape or the array's, whichever
// is larger, and is wrong where the mask needs the sizes of both. MXNet's own kernel is followed.
void warn_of_masks(Translation& t) {
  const auto is_onednn = [](DType dtype) {
    return dtype == DType::kFloat32 || dtype == DType::kInt8 || dtype == DType::kUint8;
  };
  if (!is_onednn(t.input_type(0).dtype) || !is_onednn(t.input_type(1).dtype)) return;
  const Shape& condition = t.input_shape(0);
  for (const std::size_t side : {1, 2}) {
    const Shape mask = onnx::broadcast(condition, t.input_shape(side));
    if (mask.count() == condition.count() || mask.count() == t.input_shape(side).count()) continue;
    t.warn("W-backends-differ",
           "MXNet 2.0 with oneDNN chooses wrongly where the condition and an array are broadcast "
           "against each other; the model chooses as MXNet does without it");
    return;
  }
}

void translate_where(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, choose(t.b, t.input(0), t.input(1), t.input(2)));
}

void infer_with_number(const NumberParam& /*p*/, InferContext& c) {
  c.unify_dtypes(1);
  infer_broadcast_shapes(c);
}

void translate_with_number(bool is_left, const NumberParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(1).dtype;
  if (!has_defined_value(p.scalar, dtype)) {
    return t.refuse(fmt::format("the number {:g} does not fit {}", p.scalar, dtype_name(dtype)));
  }
  const bool is_bool = dtype == DType::kBool;
  const Value number = b.scalar(dtype, is_bool ? static_cast<double>(p.scalar != 0) : p.scalar);
  const Value array = t.input(1);
  t.set_output(
      0, is_left ? choose(b, t.input(0), number, array) : choose(b, t.input(0), array, number));
}

void infer_numbers(const NumbersParam& /*p*/, InferContext& c) {
  c.unify_shapes();
  c.set_output_dtype(0, DType::kFloat32);
}

void translate_numbers(const NumbersParam& p, Translation& t) {
  Builder& b = t.b;
  t.set_output(
      0, choose(b, t.input(0), b.scalar(DType::kFloat32, p.x), b.scalar(DType::kFloat32, p.y)));
}

}  // namespace

void register_np_where(Registry& r) {
  r.add<NoParam>({"_npi_where"})
      .summary("x where the condition is not 0, else y, broadcast to a common shape.")
      .inputs({{"condition", InputRole::kData}, {"x", InputRole::kData}, {"y", InputRole::kData}})
      .infer(infer_where)
      .translate(translate_where)
      .note(std::string(kZeroSignNote))
      .variant(OriginRange::since(2, 0), "oneDNN has a kernel for it", [](auto& variant) {
        variant
            .note(
                "With oneDNN, MXNet 2.0 gives NaN where the element that is not chosen is NaN or "
                "infinite.")
            .translate([](const NoParam& p, Translation& t) {
              warn_of_masks(t);
              translate_where(p, t);
            });
      });
  for (const bool is_left : {true, false}) {
    r.add<NumberParam>({is_left ? "_npi_where_lscalar" : "_npi_where_rscalar"})
        .summary(is_left ? "A number where the condition is not 0, else the array's element."
                         : "The array's element where the condition is not 0, else a number.")
        .inputs({{"condition", InputRole::kData}, {is_left ? "x" : "y", InputRole::kData}})
        .infer(infer_with_number)
        .translate([is_left](const NumberParam& p, Translation& t) {
          translate_with_number(is_left, p, t);
        })
        .note(std::string(kZeroSignNote));
  }
  r.add<NumbersParam>({"_npi_where_scalar2"})
      .summary("One number where the condition is not 0, else another one, as float32.")
      .inputs({{"condition", InputRole::kData}})
      .infer(infer_numbers)
      .translate(translate_numbers);
}

}  // namespace mx2onnx
