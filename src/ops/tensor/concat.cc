// Arrays joined along an axis: Concat, _rnn_param_concat, stack (src/operator/nn/concat.cc,
// src/operator/rnn.cc, src/operator/tensor/matrix_op-inl.h).
#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct ConcatParam {
  std::int64_t num_args = 1;
  std::optional<std::int64_t> dim = 1;
  static void declare(AttrDeclarer<ConcatParam>& d) { declare_as(d, "dim"); }
  template <typename P>
  static void declare_as(AttrDeclarer<P>& d, const char* axis) {
    d.field("num_args", &P::num_args).required().at_least(1).help("number of inputs");
    d.field(axis, &P::dim).help("the axis along which they are joined; None joins all elements");
  }
};

// Of MXNet 1.x.
struct ConcatenateParam : ConcatParam {
  ConcatenateParam() { dim = 0; }
  static void declare(AttrDeclarer<ConcatenateParam>& d) { declare_as(d, "axis"); }
};

// The rank that any of the inputs or the output has.
std::optional<std::size_t> any_rank(const InferContext& c) {
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (c.input_shape(i).known_rank()) return c.input_shape(i).rank();
  }
  if (c.output_shape(0).known_rank()) return c.output_shape(0).rank();
  return std::nullopt;
}

void infer_concat_value(InferContext& c) {
  std::vector<Dim> whole;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const auto* value = c.input_value(i);
    if (value == nullptr || c.input_shape(i).rank() != 1) return;
    whole.insert(whole.end(), value->begin(), value->end());
  }
  c.set_output_value(0, std::move(whole));
}

void infer_joined_elements(InferContext& c) {
  Dim total = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known()) return;
    total = total + c.input_shape(i).count();
  }
  c.set_output_shape(0, Shape{total});
}

void infer_concat(const ConcatParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!p.dim) return infer_joined_elements(c);
  const auto rank = any_rank(c);
  if (!rank) return;
  const std::size_t axis = checked_axis(*p.dim, *rank, "dim");
  Shape common = Shape::unknown_dims(*rank);
  // What is not along the axis is the same in all of them.
  const auto learn = [&](const Shape& shape) {
    for (std::size_t i = 0; i < std::min(shape.rank(), *rank); ++i) {
      if (i != axis && !common[i].known()) common[i] = shape[i];
    }
  };
  for (std::size_t i = 0; i < c.num_inputs(); ++i) learn(c.input_shape(i));
  learn(c.output_shape(0));
  Dim total = 0;
  std::optional<std::size_t> open;  // the one input whose size along the axis is not known
  std::size_t num_open = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_input_shape(i, common);
    const Dim& size = c.input_shape(i)[axis];
    if (size.known()) {
      total = total + size;
    } else {
      open = i;
      ++num_open;
    }
  }
  const Dim whole = c.output_shape(0).known_rank() ? c.output_shape(0)[axis] : Dim();
  if (num_open == 1 && whole.known()) {
    common[axis] = whole - total;
    c.set_input_shape(*open, common);
    num_open = 0;
    total = whole;
  }
  common[axis] = num_open == 0 ? total : Dim();
  c.set_output_shape(0, common);
  infer_concat_value(c);
}

// The parameter vector of an RNN knows its length: two parts of unknown length share what the
// others leave.
void infer_rnn_param_concat(const ConcatParam& p, InferContext& c) {
  infer_concat(p, c);
  if (!p.dim || !c.output_shape(0).known_rank()) return;
  const std::size_t axis = checked_axis(*p.dim, c.output_shape(0).rank(), "dim");
  Dim rest = c.output_shape(0)[axis];
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const Dim& size = c.input_shape(i)[axis];
    if (size.known()) {
      rest = rest - size;
    } else {
      open.push_back(i);
    }
  }
  if (open.size() != 2) return;
  Shape half = Shape::unknown_dims(c.output_shape(0).rank());
  half[axis] = floor_div(rest, 2);
  for (const std::size_t i : open) c.set_input_shape(i, half);
}

void translate_concat(const ConcatParam& p, Translation& t) {
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const Value part = t.input(i);
    parts.push_back(p.dim ? part : onnx::reshape(t.b, part, Shape{t.input_shape(i).count()}));
  }
  if (parts.size() == 1) return t.set_output(0, parts[0]);
  const std::size_t axis = p.dim ? checked_axis(*p.dim, t.input_rank(0), "dim") : 0;
  t.set_output(
      0, t.b.emit("Concat", parts, {{"axis", static_cast<std::int64_t>(axis)}}, t.output_type(0)));
}

struct StackParam {
  std::int64_t axis = 0;
  std::int64_t num_args = 1;
  static void declare(AttrDeclarer<StackParam>& d) {
    d.field("axis", &StackParam::axis).help("of the result");
    d.field("num_args", &StackParam::num_args).required().at_least(1).help("number of inputs");
  }
};

// MXNet compares numbers of elements alone, and not even these where there are none to copy.
bool is_other_view(const Shape& shape, const Shape& expected) {
  // What is not known yet may still become another view.
  if (!shape.known() || !expected.known()) {
    bool may_be_same = shape.rank() == expected.rank();
    for (std::size_t axis = 0; may_be_same && axis < shape.rank(); ++axis) {
      const bool both = shape[axis].is_constant() && expected[axis].is_constant();
      may_be_same = !both || shape[axis] == expected[axis];
    }
    return !may_be_same;
  }
  if (!shape.is_static() || !expected.is_static() || shape == expected) return false;
  return expected.is_empty() || shape.count() == expected.count();
}

void infer_stack(const StackParam& p, InferContext& c) {
  c.unify_dtypes();
  const auto count = static_cast<std::int64_t>(c.num_inputs());
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const Shape part = c.input_shape(i);
    if (!part.known_rank()) continue;
    if (c.input_shape(0).known_rank() && is_other_view(part, c.input_shape(0))) continue;
    for (std::size_t k = 0; k < c.num_inputs(); ++k) {
      const Shape& other = c.input_shape(k);
      if (!other.known_rank() || !is_other_view(other, part)) c.set_input_shape(k, part);
    }
  }
  // The first one's shape is that of all.
  const Shape& part = c.input_shape(0);
  if (!part.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, part.rank() + 1);
  std::vector<Dim> dims = part.dims();
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), Dim(count));
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_stack(const StackParam& p, Translation& t) {
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis, t.output_shape(0).rank()));
  std::vector<Value> parts;
  Shape shape = t.output_shape(0);
  shape[static_cast<std::size_t>(axis)] = 1;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const bool same = t.input_shape(i) == t.input_shape(0);
    parts.push_back(same ? onnx::unsqueeze(t.b, t.input(i), {axis})
                         : onnx::reshape(t.b, t.input(i), shape));
  }
  t.set_output(0, parts.size() == 1 ? parts[0] : t.b.concat(parts, axis));
}

}  // namespace

void register_concat(Registry& r) {
  r.add<ConcatParam>({"Concat", "concat", "_sparse_concat"})
      .summary("Arrays joined along an axis.")
      .variadic()
      .infer(infer_concat)
      .translate(translate_concat);
  r.add<ConcatenateParam>({"_npi_concatenate"})
      .summary("Arrays joined along an axis.")
      .variadic()
      .infer(infer_concat)
      .translate(translate_concat)
      .variant<ConcatParam>(OriginRange::since(2, 0), "the axis is called dim", [](auto& variant) {
        variant.variadic().infer(infer_concat).translate(translate_concat);
      });
  r.add<ConcatParam>({"_rnn_param_concat", "_npi_rnn_param_concat"})
      .summary("The weights and biases of an RNN joined to its parameter vector.")
      .variadic()
      .infer(infer_rnn_param_concat)
      .translate(translate_concat);
  r.add<StackParam>({"stack", "_npi_stack"})
      .summary("Arrays joined along a new axis.")
      .variadic()
      .infer(infer_stack)
      .translate(translate_stack);
}

}  // namespace mx2onnx
