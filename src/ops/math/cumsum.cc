// cumsum and NumPy's: running sums (src/operator/numpy/np_cumsum-inl.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct CumsumParam {
  std::optional<std::int64_t> axis;
  std::optional<DType> dtype;
  static void declare(AttrDeclarer<CumsumParam>& d) {
    // MXNet fails on negative axes.
    d.field("axis", &CumsumParam::axis).at_least(0).help("None: of the flattened array");
    d.dtype("dtype", &CumsumParam::dtype).help("of the result and its sums; None: the input's");
  }
};

void infer_cumsum(const CumsumParam& p, InferContext& c) {
  if (p.dtype) {
    c.set_output_dtype(0, *p.dtype);
  } else if (c.input(0).dtype == DType::kBool) {
    c.set_output_dtype(0, DType::kInt64);
  } else {
    c.unify_dtypes();
  }
  if (p.axis) {
    // MXNet looks at the axis only where there are elements.
    const Shape& data = c.input_shape(0);
    if (data.known_rank() && !data.is_empty()) checked_axis(*p.axis, data.rank());
    c.unify_shapes();
  } else if (c.input_shape(0).known_rank()) {
    c.set_output_shape(0, Shape{c.input_shape(0).count()});
  }
}

// In float16 MXNet rounds after each element.
Value rounded_sums(const CumsumParam& p, Translation& t) {
  Builder& b = t.b;
  const Stepwise steps(b, DType::kFloat16);
  const Shape& shape = t.output_shape(0);
  const Value terms = onnx::reshape(b, b.cast(t.input(0), DType::kFloat16), shape);
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis.value_or(0), shape.rank()));
  std::vector<Dim> dims = shape.dims();
  dims.erase(dims.begin() + axis);
  const TensorType lane{DType::kFloat32, Shape(std::move(dims))};
  // The first sum is the first element, if that is -0, too.
  const Value start = onnx::fill(b, DType::kFloat32, -0.0, lane.shape);
  BodyScope scope(b);
  const Value sum = scope.add_input("sum", lane);
  const Value next = steps.add(sum, scope.add_input("term", lane));
  const auto body = scope.finish({next, b.identity(next)});
  const auto outputs = b.emit_many("Scan", {start, steps.take(terms)},
                                   {{"body", body},
                                    {"num_scan_inputs", 1},
                                    {"scan_input_axes", onnx::Ints{axis}},
                                    {"scan_output_axes", onnx::Ints{axis}}},
                                   {lane, {DType::kFloat32, shape}});
  return steps.give(outputs[1]);
}

void translate_cumsum(const CumsumParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (dtype == DType::kFloat16) return t.set_output(0, rounded_sums(p, t));
  // Of narrow integers, the low bits of wider ones are the sum.
  const DType summing = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value terms = b.cast(b.cast(t.input(0), dtype), summing);
  const Value x = p.axis ? terms : onnx::reshape(b, terms, t.output_shape(0));
  const Value sums = b.emit("CumSum", {x, b.int_scalar(p.axis.value_or(0))}, {}, b.type(x));
  t.set_output(0, b.cast(sums, dtype));
}

}  // namespace

void register_cumsum(Registry& r) {
  const std::vector<std::vector<std::string>> names = {{"_np_cumsum", "cumsum"}, {"_npi_cumsum"}};
  for (const auto& group : names) {
    r.add<CumsumParam>(group)
        .summary("Running sums along an axis.")
        .inputs({{"a", InputRole::kData}})
        .infer(infer_cumsum)
        .translate(translate_cumsum);
  }
}

}  // namespace mx2onnx
