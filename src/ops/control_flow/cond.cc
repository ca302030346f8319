// _cond: one of two subgraphs, which becomes an If.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/builder.h"
#include "ops/control_flow/subgraph.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct CondParam {
  std::int64_t num_subgraphs = 3;  // that num_args counts, too
  std::int64_t num_args = 3;
  std::int64_t num_outputs = 1;
  Tuple cond_input_locs;
  Tuple then_input_locs;
  Tuple else_input_locs;

  static void declare(AttrDeclarer<CondParam>& d) {
    d.field("num_args", &CondParam::num_args)
        .required()
        .at_least(3)
        .at_most(kMostPorts)
        .help("number of inputs, and three for the subgraphs");
    declare_rest(d);
  }
  template <typename P>
  static void declare_rest(AttrDeclarer<P>& d) {
    d.field("num_outputs", &P::num_outputs)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of outputs of the branches");
    d.field("cond_input_locs", &P::cond_input_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("inputs that feed the condition");
    d.field("then_input_locs", &P::then_input_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("inputs that feed the first branch");
    d.field("else_input_locs", &P::else_input_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("inputs that feed the second branch");
  }

  std::int64_t num_inputs() const { return num_args - num_subgraphs; }
  /// Of the condition, the first and the second branch.
  std::array<const Tuple*, 3> locations() const {
    return {&cond_input_locs, &then_input_locs, &else_input_locs};
  }
};

// NumPy's counts no subgraphs.
struct NpxCondParam : CondParam {
  NpxCondParam() { num_subgraphs = 0; }
  static void declare(AttrDeclarer<NpxCondParam>& d) {
    d.field("num_args", &NpxCondParam::num_args)
        .required()
        .at_least(0)
        .at_most(kMostPorts)
        .help("number of inputs");
    declare_rest(d);
  }
};

std::vector<AttrProblem> check_cond(const CondParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  check_locations("cond_input_locs", p.cond_input_locs, p.num_inputs(), problems);
  check_locations("then_input_locs", p.then_input_locs, p.num_inputs(), problems);
  check_locations("else_input_locs", p.else_input_locs, p.num_inputs(), problems);
  return problems;
}

std::vector<std::vector<BodyInput>> cond_bodies(const CondParam& p) {
  std::vector<std::vector<BodyInput>> bodies;
  for (const Tuple* locations : p.locations()) {
    bodies.emplace_back();
    for (const auto input : *locations)
      bodies.back().push_back({static_cast<std::size_t>(input), true});
  }
  return bodies;
}

// `output` is what is known of the first output.
BodyTypes infer_branch(const CondParam& p, std::size_t body, InferContext& c,
                       const std::optional<TensorType>& output = std::nullopt) {
  const Tuple& locations = *p.locations()[body];
  std::vector<TensorType> inputs;
  for (const auto input : locations) inputs.push_back(c.input(static_cast<std::size_t>(input)));
  if (output) inputs.push_back(*output);
  BodyTypes types = c.infer_body(body, std::move(inputs));
  for (std::size_t k = 0; k < locations.size(); ++k)
    set_input(c, static_cast<std::size_t>(locations[k]), types.inputs[k]);
  return types;
}

// MXNet finds the shapes when it runs: a size that is not the same in both branches is one that
// only the data knows.
void infer_cond(const CondParam& p, InferContext& c) {
  const BodyTypes condition = infer_branch(p, 0, c);
  expect_condition(condition);
  if (const auto output = one_element(condition)) infer_branch(p, 0, c, output);
  const BodyTypes yes = infer_branch(p, 1, c);
  const BodyTypes no = infer_branch(p, 2, c);
  expect_outputs(yes, c.num_outputs());
  expect_outputs(no, c.num_outputs());
  for (std::size_t i = 0; i < c.num_outputs(); ++i) {
    c.set_output_dtype(i, yes.outputs[i].dtype);
    c.set_output_dtype(i, no.outputs[i].dtype);
    const Shape& a = yes.outputs[i].shape;
    const Shape& b = no.outputs[i].shape;
    if (!a.known_rank() || !b.known_rank()) continue;
    if (a.rank() != b.rank()) {
      fail(ErrorCode::kUnsupported,
           fmt::format("output {} has the shape {} in one branch and {} in the other", i,
                       a.to_string(), b.to_string()));
    }
    std::vector<Dim> dims;
    for (std::size_t axis = 0; axis < a.rank(); ++axis) {
      if (!a[axis].known() || !b[axis].known())
        dims.emplace_back();
      else
        dims.push_back(a[axis] == b[axis] ? a[axis] : c.own_size(i, axis));
    }
    c.set_output_shape(i, Shape(std::move(dims)));
  }
}

std::vector<Value> inputs_of(const Tuple& locations, const Translation& t) {
  std::vector<Value> inputs;
  for (const auto input : locations) inputs.push_back(t.input(static_cast<std::size_t>(input)));
  return inputs;
}

void translate_cond(const CondParam& p, Translation& t) {
  Builder& b = t.b;
  const Value condition = to_condition(b, t.translate_body(0, inputs_of(p.cond_input_locs, t))[0]);
  const auto branch = [&](std::size_t body) {
    BodyScope scope(b);
    return scope.finish(t.translate_body(body, inputs_of(*p.locations()[body], t)));
  };
  const auto yes = branch(1);
  const auto no = branch(2);
  std::vector<TensorType> types;
  for (std::size_t i = 0; i < t.num_outputs(); ++i) types.push_back(t.output_type(i));
  const auto outputs =
      b.emit_many("If", {condition}, {{"then_branch", yes}, {"else_branch", no}}, types);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    t.set_output(i, outputs[i]);
    for (std::size_t axis = 0; axis < types[i].shape.rank(); ++axis) {
      const auto symbol = types[i].shape[axis].symbol_name();
      if (!symbol.empty() && b.symbol_source(symbol) == nullptr)
        b.define_symbol(symbol, outputs[i], axis);
    }
  }
}

template <typename P>
void add_cond(Registry& r, const char* name) {
  r.add<P>({name})
      .summary("Runs one of two subgraphs.")
      .inputs_by([](const P& p) { return numbered_inputs("data", p.num_inputs()); })
      .outputs_by([](const P& p, std::size_t) { return subgraph_outputs(p.num_outputs); })
      .check(check_cond)
      .bodies(cond_bodies)
      .infer(infer_cond)
      .translate(translate_cond);
}

}  // namespace

void register_cond(Registry& r) {
  add_cond<CondParam>(r, "_cond");
  add_cond<NpxCondParam>(r, "_npx_cond");
}

}  // namespace mx2onnx
