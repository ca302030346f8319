// NumPy's bincount: how often whole numbers occur (src/operator/numpy/np_bincount_op.cc).
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct BincountParam {
  std::int64_t minlength = 0;
  bool has_weights = false;

  static void declare(AttrDeclarer<BincountParam>& d) {
    d.field("minlength", &BincountParam::minlength)
        .at_least(0)
        .help("fewest elements of the result");
    d.field("has_weights", &BincountParam::has_weights).help("an input has weights to add up");
  }
};

std::vector<InputDef> bincount_inputs(const BincountParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}};
  if (p.has_weights) inputs.push_back({"weights", InputRole::kData});
  return inputs;
}

// The length depends on the largest number.
void infer_bincount(const BincountParam& p, InferContext& c) {
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const Shape& shape = c.input_shape(i);
    if (shape.known_rank() && shape.rank() > 1) c.fail_input(i, "1 dimension");
  }
  if (p.has_weights) {
    c.set_input_shape(1, c.input_shape(0));
    c.set_input_shape(0, c.input_shape(1));
    c.set_output_dtype(0, c.input(1).dtype);
    c.set_input_dtype(1, c.output(0).dtype);
  } else {
    c.unify_dtypes();
  }
  c.set_output_shape(0, Shape{c.own_size(0, 0)});
}

void translate_bincount(const BincountParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (!is_integer(t.input_type(0).dtype) || dtype == DType::kBool) {
    return t.refuse(
        fmt::format("MXNet does not compute this on {}", dtype_name(t.input_type(0).dtype)));
  }
  // A single number is an array of one.
  const auto row = [&](std::size_t i) {
    return t.input_rank(i) == 0 ? onnx::unsqueeze(b, t.input(i), {0}) : t.input(i);
  };
  // The largest number, or what minlength asks for, which there is of no numbers, too.
  const Value numbers = b.cast(row(0), DType::kInt64);
  const Value last = b.ints({p.minlength - 1});
  const Value largest = onnx::reduce(b, "ReduceMax", b.concat({numbers, last}, 0), {0}, false);
  const Value length = b.add(largest, b.int_scalar(1));
  const Dim size = t.output_shape(0)[0];
  const Value bins =
      b.emit("Range", {b.int_scalar(0), length, b.int_scalar(1)}, {}, {DType::kInt64, Shape{size}});
  const Value is_in = b.binary("Equal", onnx::unsqueeze(b, bins, {1}), numbers);
  const DType computing = is_integer(dtype)          ? DType::kInt64
                          : dtype == DType::kFloat16 ? DType::kFloat32
                                                     : dtype;
  const Value weights = p.has_weights ? b.cast(row(1), computing) : b.scalar(computing, 1);
  const Value counted = b.where(is_in, weights, b.scalar(computing, 0));
  NumpyReduceAxes axes;
  axes.axis = Tuple{1};
  const Value counts = b.cast(reduction::sum(b, counted, axes), dtype);
  if (!size.symbol_name().empty()) b.define_symbol(size.symbol_name(), counts, 0);
  t.set_output(0, counts);
}

}  // namespace

void register_np_bincount(Registry& r) {
  r.add<BincountParam>({"_npi_bincount"})
      .summary("How often each whole number from 0 on occurs, or the sum of its weights.")
      .inputs_by(bincount_inputs)
      .infer(infer_bincount)
      .translate(translate_bincount)
      .note("Numbers below 0 are an error of MXNet; here they are not counted.")
      .note(
          "Of weights of float16 MXNet rounds after each of them; here their sum is rounded once.");
}

}  // namespace mx2onnx
