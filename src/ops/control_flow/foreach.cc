// _foreach: a subgraph over the steps of its data, which becomes a Scan.
#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/control_flow/subgraph.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct ForeachParam {
  std::int64_t num_subgraphs = 1;  // that num_args counts, too
  std::int64_t num_args = 1;
  std::int64_t num_outputs = 0;
  std::int64_t num_out_data = 0;
  Tuple in_state_locs;
  Tuple in_data_locs;
  Tuple remain_locs;

  static void declare(AttrDeclarer<ForeachParam>& d) {
    d.field("num_args", &ForeachParam::num_args)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of inputs, and one for the subgraph");
    declare_rest(d);
  }
  template <typename P>
  static void declare_rest(AttrDeclarer<P>& d) {
    d.field("num_outputs", &P::num_outputs)
        .required()
        .at_least(0)
        .at_most(kMostPorts)
        .help("number of outputs of the subgraph");
    d.field("num_out_data", &P::num_out_data)
        .required()
        .at_least(0)
        .help("how many of them are stacked; the others are the states");
    d.field("in_state_locs", &P::in_state_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("variables of the subgraph that are the states");
    d.field("in_data_locs", &P::in_data_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("variables of the subgraph that are one step of the data");
    d.field("remain_locs", &P::remain_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("variables of the subgraph that stay the same");
  }

  std::size_t num_inputs() const { return static_cast<std::size_t>(num_args - num_subgraphs); }
  std::size_t num_data() const { return in_data_locs.size(); }
  std::size_t num_states() const { return in_state_locs.size(); }
  std::size_t num_stacked() const { return static_cast<std::size_t>(num_out_data); }
};

// NumPy's counts no subgraph, and says which output of the subgraph each state takes.
struct NpxForeachParam : ForeachParam {
  NpxForeachParam() { num_subgraphs = 0; }
  Tuple in_state_index;

  static void declare(AttrDeclarer<NpxForeachParam>& d) {
    d.field("num_args", &NpxForeachParam::num_args)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of inputs");
    declare_rest(d);
    d.field("in_state_index", &NpxForeachParam::in_state_index)
        .required()
        .sizes(0, kMostPorts)
        .help("the state, counted among the outputs, that each of in_state_locs is; in order");
  }
};

std::vector<AttrProblem> check_foreach(const ForeachParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  std::set<std::int64_t> all;
  for (const auto& [name, locations] :
       {std::pair("in_data_locs", &p.in_data_locs), std::pair("in_state_locs", &p.in_state_locs),
        std::pair("remain_locs", &p.remain_locs)}) {
    check_locations(name, *locations, p.num_args - p.num_subgraphs, problems);
    all.insert(locations->begin(), locations->end());
  }
  const auto found = p.num_data() + p.num_states() + p.remain_locs.size();
  check_count("num_args", p.num_args, static_cast<std::int64_t>(found) + p.num_subgraphs, problems);
  check_count("in_data_locs, in_state_locs, remain_locs", static_cast<std::int64_t>(all.size()),
              p.num_args - p.num_subgraphs, problems);
  check_count("num_outputs", p.num_outputs,
              p.num_out_data + static_cast<std::int64_t>(p.num_states()), problems);
  if (p.in_data_locs.empty()) problems.push_back({"in_data_locs", "expected one at least", ""});
  return problems;
}

// Inputs are the data, the states and the rest, in this order.
std::vector<std::vector<BodyInput>> foreach_bodies(const ForeachParam& p) {
  std::vector<BodyInput> feeds(p.num_inputs());
  std::size_t input = 0;
  const auto take = [&](const Tuple& locations, bool invariant) {
    for (const auto location : locations) {
      feeds[static_cast<std::size_t>(location)] = {input++, invariant};
    }
  };
  take(p.in_data_locs, false);
  take(p.in_state_locs, false);
  take(p.remain_locs, true);
  return {feeds};
}

// One step of 1-D data has the shape (1,), not () (SliceFirstDim of control_flow.cc).
Shape step_shape(const Shape& shape) {
  if (!shape.known_rank() || shape.rank() == 0) return {};
  auto dims = shape.dims();
  if (dims.size() == 1) return Shape({Dim(1)});
  dims.erase(dims.begin());
  return Shape(std::move(dims));
}

Shape stacked_shape(const Dim& length, const Shape& step) {
  if (!step.known_rank()) return {};
  auto dims = step.dims();
  dims.insert(dims.begin(), length);
  return Shape(std::move(dims));
}

void infer_foreach(const ForeachParam& p, InferContext& c) {
  const auto feeds = foreach_bodies(p)[0];
  Dim length;
  for (std::size_t i = 0; i < p.num_data(); ++i) {
    const Shape& shape = c.input_shape(i);
    if (!shape.known_rank()) continue;
    if (shape.rank() == 0) c.fail_input(i, "an array of one dimension at least");
    if (!length.known()) length = shape[0];
  }
  for (std::size_t i = 0; i < p.num_data(); ++i) {
    if (!c.input_shape(i).known_rank()) continue;
    std::vector<Dim> dims(c.input_shape(i).rank());
    dims[0] = length;
    c.set_input_shape(i, Shape(std::move(dims)));
  }
  // The states of the first step and of the others are one type: what the subgraph says of its
  // outputs is known of its variables the next time.
  for (int round = 0; round < 2; ++round) {
    std::vector<TensorType> known;
    for (const auto& feed : feeds) {
      TensorType type = c.input(feed.input);
      if (feed.input < p.num_data()) type.shape = step_shape(type.shape);
      known.push_back(std::move(type));
    }
    for (std::size_t i = 0; i < c.num_outputs(); ++i) {
      TensorType type = c.output(i);
      const bool is_matrix = type.shape.rank() > 1;
      if (i < p.num_stacked()) type.shape = is_matrix ? step_shape(type.shape) : Shape();
      known.push_back(std::move(type));
    }
    const BodyTypes types = c.infer_body(0, std::move(known));
    expect_outputs(types, c.num_outputs());
    for (std::size_t k = 0; k < feeds.size(); ++k) {
      TensorType type = types.inputs[k];
      const std::size_t i = feeds[k].input;
      if (i < p.num_data()) {
        const Shape& whole = c.input_shape(i);
        const bool is_row = whole.known_rank() && whole.rank() == 1;
        type.shape = is_row ? Shape() : stacked_shape(length, type.shape);
      }
      set_input(c, i, type);
    }
    for (std::size_t i = 0; i < types.outputs.size(); ++i) {
      TensorType type = types.outputs[i];
      if (i < p.num_stacked()) {
        type.shape = stacked_shape(length, type.shape);
        set_output(c, i, type);
      } else {
        const std::size_t state = p.num_data() + i - p.num_stacked();
        set_input(c, state, type);
        set_output(c, i, c.input(state));
        set_input(c, state, c.output(i));
      }
    }
  }
}

void translate_foreach(const ForeachParam& p, Translation& t) {
  Builder& b = t.b;
  const auto feeds = foreach_bodies(p)[0];
  BodyScope scope(b);
  std::vector<Value> values(t.num_inputs());
  for (std::size_t i = 0; i < p.num_states(); ++i) {
    const std::size_t input = p.num_data() + i;
    values[input] = scope.add_input(fmt::format("state{}", i), t.input_type(input));
  }
  for (std::size_t i = 0; i < p.num_data(); ++i) {
    TensorType type = t.input_type(i);
    const bool is_row = type.shape.rank() == 1;
    auto dims = type.shape.dims();
    dims.erase(dims.begin());
    type.shape = Shape(std::move(dims));
    values[i] = scope.add_input(fmt::format("data{}", i), std::move(type));
    if (is_row) values[i] = onnx::unsqueeze(b, values[i], {0});
  }
  for (std::size_t i = p.num_data() + p.num_states(); i < t.num_inputs(); ++i)
    values[i] = t.input(i);
  std::vector<Value> variables;
  for (const auto& feed : feeds) variables.push_back(values[feed.input]);
  const auto results = t.translate_body(0, variables);

  // MXNet has the states last, ONNX first.
  std::vector<std::size_t> order;
  for (std::size_t i = p.num_stacked(); i < results.size(); ++i) order.push_back(i);
  for (std::size_t i = 0; i < p.num_stacked(); ++i) order.push_back(i);
  std::vector<Value> outputs;
  std::vector<TensorType> types;
  for (const auto i : order) {
    outputs.push_back(results[i]);
    types.push_back(t.output_type(i));
  }
  const auto body = scope.finish(outputs);
  std::vector<Value> inputs;
  for (std::size_t i = 0; i < p.num_states(); ++i) inputs.push_back(t.input(p.num_data() + i));
  for (std::size_t i = 0; i < p.num_data(); ++i) inputs.push_back(t.input(i));
  const auto found = b.emit_many(
      "Scan", std::move(inputs),
      {{"body", body}, {"num_scan_inputs", static_cast<std::int64_t>(p.num_data())}}, types);
  for (std::size_t k = 0; k < order.size(); ++k) t.set_output(order[k], found[k]);
}

std::vector<AttrProblem> check_npx_foreach(const NpxForeachParam& p, const CheckContext& context) {
  auto problems = check_foreach(p, context);
  for (std::size_t i = 0; i < p.in_state_index.size(); ++i) {
    if (p.in_state_index[i] == static_cast<std::int64_t>(i)) continue;
    problems.push_back({"in_state_index",
                        fmt::format("expected 0, 1, … for the states, got {}",
                                    attr_detail::text_of(p.in_state_index)),
                        ""});
    break;
  }
  return problems;
}

template <typename P>
void add_foreach(Registry& r, const char* name,
                 std::vector<AttrProblem> (*check)(const P&, const CheckContext&)) {
  r.add<P>({name})
      .summary("Runs a subgraph over the steps of its data, with states from step to step.")
      .inputs_by([](const P& p) {
        return numbered_inputs("data", static_cast<std::int64_t>(p.num_inputs()));
      })
      .outputs_by([](const P& p, std::size_t) { return subgraph_outputs(p.num_outputs); })
      .check(check)
      .bodies(foreach_bodies)
      .infer(infer_foreach)
      .translate(translate_foreach);
}

}  // namespace

void register_foreach(Registry& r) {
  add_foreach<ForeachParam>(r, "_foreach", check_foreach);
  add_foreach<NpxForeachParam>(r, "_npx_foreach", check_npx_foreach);
}

}  // namespace mx2onnx
