// Joining arrays: Concat (src/operator/nn/concat.cc), its kin for RNN parameters, and stack
// (src/operator/tensor/matrix_op-inl.h).
#include "base/error.h"
#include "onnx/opset.h"
#include "ops/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct ConcatParam {
  std::int64_t num_args = 1;
  std::int64_t dim = 1;

  static void declare(AttrDeclarer<ConcatParam>& d) {
    d.field("num_args", &ConcatParam::num_args).required().at_least(1).help("number of inputs");
    d.field("dim", &ConcatParam::dim).help("axis along which they are joined");
  }
};

// Fills in what another shape knows; of different ranks, inference will say so elsewhere.
void learn(Shape& shape, const Shape& found) {
  if (!found.known_rank()) return;
  if (!shape.known_rank()) shape = Shape::unknown_dims(found.rank());
  for (std::size_t axis = 0; axis < shape.rank() && shape.rank() == found.rank(); ++axis) {
    if (!shape[axis].known()) shape[axis] = found[axis];
  }
}

void set_concat_value(InferContext& c) {
  std::vector<Dim> joined;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const auto* values = c.input_value(i);
    if (values == nullptr || c.input_shape(i).rank() != 1) return;
    joined.insert(joined.end(), values->begin(), values->end());
  }
  c.set_output_value(0, std::move(joined));
}

// All sizes but those along the axis are shared, in every direction. Along the axis, only the
// result is ever worked out.
void infer_concat(const ConcatParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape shared;
  learn(shared, c.output_shape(0));
  for (std::size_t i = 0; i < c.num_inputs(); ++i) learn(shared, c.input_shape(i));
  if (!shared.known_rank()) return;
  const std::size_t axis = checked_axis(p.dim, shared.rank(), "dim");
  shared[axis] = Dim();
  Dim sum = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_input_shape(i, shared);
    sum = sum + c.input_shape(i)[axis];
  }
  shared[axis] = sum;
  c.set_output_shape(0, shared);
  set_concat_value(c);
}

// The parameter vector of an RNN knows its length: one or two parts of unknown size share what the
// others leave.
void infer_rnn_param_concat(const ConcatParam& p, InferContext& c) {
  infer_concat(p, c);
  if (!c.output_shape(0).known_rank()) return;
  const std::size_t axis = checked_axis(p.dim, c.output_shape(0).rank(), "dim");
  Dim rest = c.output_shape(0)[axis];
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const Dim size = c.input_shape(i)[axis];
    if (size.known()) {
      rest = rest - size;
    } else {
      open.push_back(i);
    }
  }
  if (open.empty() || open.size() > 2 || !rest.known()) return;
  for (const std::size_t i : open) {
    Shape shape = Shape::unknown_dims(c.output_shape(0).rank());
    shape[axis] = floor_div(rest, static_cast<std::int64_t>(open.size()));
    c.set_input_shape(i, shape);
  }
}

void translate_concat(const ConcatParam& p, Translation& t) {
  const std::size_t axis = checked_axis(p.dim, t.output_shape(0).rank(), "dim");
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const Dim& size = t.input_shape(i)[axis];
    const bool is_empty = size.is_constant() && size.value() == 0;
    if (!is_empty) parts.push_back(t.input(i));
  }
  if (parts.empty()) parts.push_back(t.input(0));
  t.set_output(0, t.b.concat(parts, static_cast<std::int64_t>(axis)));
}

struct StackParam {
  std::int64_t axis = 0;
  std::int64_t num_args = 1;

  static void declare(AttrDeclarer<StackParam>& d) {
    d.field("axis", &StackParam::axis).help("new axis along which they are joined");
    d.field("num_args", &StackParam::num_args).required().at_least(1).help("number of inputs");
  }
};

void infer_stack(const StackParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape part;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) learn(part, c.input_shape(i));
  if (!part.known_rank()) return;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) c.set_input_shape(i, part);
  auto dims = part.dims();
  const std::size_t axis = checked_axis(p.axis, dims.size() + 1);
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis),
              static_cast<std::int64_t>(c.num_inputs()));
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_stack(const StackParam& p, Translation& t) {
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis, t.output_shape(0).rank()));
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    parts.push_back(onnx::unsqueeze(t.b, t.input(i), {axis}));
  }
  t.set_output(0, t.b.concat(parts, axis));
}

}  // namespace

void register_concat(Registry& r) {
  r.add<ConcatParam>({"Concat", "_sparse_concat", "concat"})
      .summary("Joins arrays along an axis.")
      .inputs({{"arg", InputRole::kData}})
      .variadic()
      .infer(infer_concat)
      .translate(translate_concat);
  r.add<ConcatParam>({"_rnn_param_concat", "_npi_rnn_param_concat"})
      .summary("Joins the weights and biases of an RNN into its parameter vector.")
      .inputs({{"arg", InputRole::kData}})
      .variadic()
      .infer(infer_rnn_param_concat)
      .translate(translate_concat);
  r.add<StackParam>({"stack"})
      .summary("Joins arrays of equal shape along a new axis.")
      .inputs({{"arg", InputRole::kData}})
      .variadic()
      .infer(infer_stack)
      .translate(translate_stack);
}

}  // namespace mx2onnx
