// Arrays joined along an axis: Concat, _rnn_param_concat, stack, and NumPy's stacks
// (src/operator/nn/concat.cc, src/operator/rnn.cc, src/operator/tensor/matrix_op-inl.h).
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/reshaping.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct CountParam {
  std::int64_t num_args = 1;
  static void declare(AttrDeclarer<CountParam>& d) { declare_count(d); }
  template <typename P>
  static void declare_count(AttrDeclarer<P>& d) {
    d.field("num_args", &P::num_args).required().at_least(1).help("number of inputs");
  }
};

struct ConcatParam : CountParam {
  std::optional<std::int64_t> dim = 1;
  static void declare(AttrDeclarer<ConcatParam>& d) {
    declare_count(d);
    d.field("dim", &ConcatParam::dim)
        .help("the axis along which they are joined; None, of MXNet 2: the flattened arrays");
  }
  const std::optional<std::int64_t>& axis() const { return dim; }
};

// MXNet 1.9.1's own operator of NumPy's interface.
struct NpConcatenateParam : CountParam {
  std::optional<std::int64_t> along = 0;
  static void declare(AttrDeclarer<NpConcatenateParam>& d) {
    declare_count(d);
    d.field("axis", &NpConcatenateParam::along)
        .help("the axis along which they are joined; None: the flattened arrays");
  }
  const std::optional<std::int64_t>& axis() const { return along; }
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

void infer_joined(std::int64_t along, InferContext& c) {
  c.unify_dtypes();
  const auto rank = any_rank(c);
  if (!rank) return;
  const std::size_t axis = checked_axis(along, *rank, "dim");
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

// How an array is looked at before it is joined.
using View = Shape (*)(const Shape& shape);

Shape as_vector(const Shape& shape) { return Shape{shape.count()}; }
template <std::size_t kRank>
Shape at_least(const Shape& shape) {
  return with_rank(shape, kRank);
}
Shape as_columns(const Shape& shape) { return shape.rank() < 2 ? Shape{shape.count(), 1} : shape; }

// The shapes of views are known where those of the arrays are.
void infer_joined_views(std::int64_t along, View view, InferContext& c) {
  c.unify_dtypes();
  std::vector<Shape> views;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known_rank()) return;
    views.push_back(view(c.input_shape(i)));
  }
  const auto same = [&](std::size_t i) { return views[i].rank() == c.input_shape(i).rank(); };
  bool all_same = true;
  for (std::size_t i = 0; i < views.size(); ++i) all_same = all_same && same(i);
  if (all_same) return infer_joined(along, c);
  Shape whole = views[0];
  const std::size_t axis = checked_axis(along, whole.rank());
  whole[axis] = Dim(0);
  for (const Shape& part : views) {
    if (part.rank() != whole.rank()) {
      c.fail_input(0, fmt::format("as many dimensions as the others, {}", part.rank()));
    }
    whole[axis] = whole[axis] + part[axis];
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    for (std::size_t k = 0; k < whole.rank(); ++k) {
      if (k == axis || !views[i][k].known()) continue;
      if (!whole[k].known()) whole[k] = views[i][k];
      const bool differ = whole[k].is_constant() && views[i][k].is_constant();
      if (differ && !(whole[k] == views[i][k])) {
        c.fail_input(i, fmt::format("{} along axis {} of {}", whole[k].to_string(), k,
                                    views[i].to_string()));
      }
    }
  }
  c.set_output_shape(0, whole);
}

void translate_joined_views(std::int64_t along, View view, Translation& t) {
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    parts.push_back(onnx::reshape(t.b, t.input(i), view(t.input_shape(i))));
  }
  if (parts.size() == 1) return t.set_output(0, parts[0]);
  const std::size_t axis = checked_axis(along, t.output_shape(0).rank());
  t.set_output(
      0, t.b.emit("Concat", parts, {{"axis", static_cast<std::int64_t>(axis)}}, t.output_type(0)));
}

template <typename P>
void infer_concat(const P& p, InferContext& c) {
  if (p.axis()) return infer_joined(*p.axis(), c);
  infer_joined_views(0, as_vector, c);
}

template <typename P>
void translate_concat(const P& p, Translation& t) {
  const View whole = [](const Shape& shape) { return shape; };
  translate_joined_views(p.axis().value_or(0), p.axis() ? whole : as_vector, t);
}

// The axis of hstack depends on the first array.
std::int64_t columns_axis(const Shape& first) { return first.rank() > 1 ? 1 : 0; }

// The operators that join along an axis of their own.
struct StackFamily {
  const char* name;
  const char* summary;
  const char* input;
  const char* output;
  View view;
  std::int64_t (*axis)(const Shape& first);
};

template <typename P>
void add_stack(Registry& r, const StackFamily& family) {
  r.add<P>({family.name})
      .summary(family.summary)
      .inputs({{family.input, InputRole::kData}})
      .variadic()
      .outputs({family.output})
      .infer([family](const P& p, InferContext& c) {
        check_num_inputs(c, "num_args", p.num_args);
        if (!c.input_shape(0).known_rank()) return c.unify_dtypes();
        infer_joined_views(family.axis(c.input_shape(0)), family.view, c);
      })
      .translate([family](const P&, Translation& t) {
        translate_joined_views(family.axis(t.input_shape(0)), family.view, t);
      });
}

// Its `dim` is not looked at.
struct UnusedDimParam : CountParam {
  static void declare(AttrDeclarer<UnusedDimParam>& d) {
    declare_count(d);
    d.ignore({"dim"});
  }
};

// Without `dim` MXNet joins these along the first axis; Concat flattens then.
ConcatParam along_an_axis(const ConcatParam& p) {
  ConcatParam result = p;
  result.dim = p.dim.value_or(0);
  return result;
}

// The parameter vector of an RNN knows its length: two parts of unknown length share what the
// others leave.
void infer_rnn_param_concat(const ConcatParam& p, InferContext& c) {
  infer_concat(along_an_axis(p), c);
  if (!c.output_shape(0).known_rank()) return;
  const std::size_t axis = checked_axis(p.dim.value_or(0), c.output_shape(0).rank(), "dim");
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
      .infer(infer_concat<ConcatParam>)
      .translate(translate_concat<ConcatParam>);
  r.add<ConcatParam>({"_rnn_param_concat", "_npi_rnn_param_concat"})
      .summary("The weights and biases of an RNN joined to its parameter vector.")
      .variadic()
      .infer(infer_rnn_param_concat)
      .translate([](const ConcatParam& p, Translation& t) {
        translate_concat<ConcatParam>(along_an_axis(p), t);
      });
  r.add<NpConcatenateParam>({"_npi_concatenate"})
      .summary("Arrays joined along an axis.")
      .variadic()
      .outputs({"out"})
      .infer(infer_concat<NpConcatenateParam>)
      .translate(translate_concat<NpConcatenateParam>)
      .variant<ConcatParam>(OriginRange::since(2, 0), "another name of Concat, which has `dim`",
                            [](OpDeclarer<ConcatParam>& variant) {
                              variant.variadic()
                                  .infer(infer_concat<ConcatParam>)
                                  .translate(translate_concat<ConcatParam>);
                            });
  for (const char* name : {"stack", "_npi_stack"}) {
    r.add<StackParam>({name})
        .summary("Arrays joined along a new axis.")
        .variadic()
        .infer(infer_stack)
        .translate(translate_stack);
  }
  const auto first_axis = [](const Shape&) { return std::int64_t{0}; };
  const auto second_axis = [](const Shape&) { return std::int64_t{1}; };
  const auto third_axis = [](const Shape&) { return std::int64_t{2}; };
  add_stack<CountParam>(
      r, {"_npi_vstack", "Arrays one below the other.", "arg", "output", at_least<2>, first_axis});
  add_stack<CountParam>(r, {"_npi_column_stack", "Vectors and matrices side by side.", "arg",
                            "output", as_columns, second_axis});
  add_stack<UnusedDimParam>(
      r, {"_npi_hstack", "Arrays side by side.", "data", "out", at_least<1>, columns_axis});
  add_stack<UnusedDimParam>(
      r, {"_npi_dstack", "Arrays one behind the other.", "data", "out", at_least<3>, third_axis});
}

}  // namespace mx2onnx
