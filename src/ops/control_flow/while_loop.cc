// _while_loop: a subgraph as long as another one says so, which becomes a Loop.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/control_flow/subgraph.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

const char* const kIterationsHelp = "most iterations, and the length of what is stacked";

struct WhileLoopParam {
  std::int64_t num_subgraphs = 2;  // that num_args counts, too
  std::int64_t num_args = 2;
  std::int64_t num_outputs = 1;
  std::int64_t num_out_data = 0;
  std::int64_t max_iterations = 1;
  Tuple cond_input_locs;
  Tuple func_input_locs;
  Tuple func_var_locs;

  static void declare(AttrDeclarer<WhileLoopParam>& d) {
    d.field("num_args", &WhileLoopParam::num_args)
        .required()
        .at_least(2)
        .at_most(kMostPorts)
        .help("number of inputs, and two for the subgraphs");
    d.field("max_iterations", &WhileLoopParam::max_iterations)
        .required()
        .at_least(1)
        .help(kIterationsHelp);
    declare_rest(d);
  }
  template <typename P>
  static void declare_rest(AttrDeclarer<P>& d) {
    d.field("num_outputs", &P::num_outputs)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of outputs of the second subgraph");
    d.field("num_out_data", &P::num_out_data)
        .required()
        .at_least(0)
        .help("how many of them are stacked; the others are the loop variables");
    d.field("cond_input_locs", &P::cond_input_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("inputs that feed the condition");
    d.field("func_input_locs", &P::func_input_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("inputs that feed the body");
    d.field("func_var_locs", &P::func_var_locs)
        .required()
        .sizes(0, kMostPorts)
        .help("variables of the body that are the loop variables");
  }

  std::int64_t num_inputs() const { return num_args - num_subgraphs; }
  std::size_t num_stacked() const { return static_cast<std::size_t>(num_out_data); }
  std::size_t num_variables() const { return func_var_locs.size(); }
  /// The input that a loop variable starts from.
  std::size_t input_of(std::size_t variable) const {
    return static_cast<std::size_t>(
        func_input_locs[static_cast<std::size_t>(func_var_locs[variable])]);
  }
};

// NumPy's counts no subgraphs, and MXNet 2.0 does not write how many iterations there are at most.
struct NpxWhileLoopParam : WhileLoopParam {
  NpxWhileLoopParam() {
    num_subgraphs = 0;
    max_iterations = 0;
  }
  static void declare(AttrDeclarer<NpxWhileLoopParam>& d) {
    d.field("num_args", &NpxWhileLoopParam::num_args)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of inputs");
    d.field("max_iterations", &NpxWhileLoopParam::max_iterations).at_least(0).help(kIterationsHelp);
    declare_rest(d);
  }
};

std::vector<AttrProblem> check_while(const WhileLoopParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  check_locations("cond_input_locs", p.cond_input_locs, p.num_inputs(), problems);
  check_locations("func_input_locs", p.func_input_locs, p.num_inputs(), problems);
  check_locations("func_var_locs", p.func_var_locs,
                  static_cast<std::int64_t>(p.func_input_locs.size()), problems);
  const std::set<std::int64_t> variables(p.func_var_locs.begin(), p.func_var_locs.end());
  check_count("func_var_locs", static_cast<std::int64_t>(variables.size()),
              p.num_outputs - p.num_out_data, problems);
  check_count("func_var_locs", static_cast<std::int64_t>(p.func_var_locs.size()),
              static_cast<std::int64_t>(variables.size()), problems);
  return problems;
}

std::vector<AttrProblem> check_npx_while(const NpxWhileLoopParam& p, const CheckContext& context) {
  auto problems = check_while(p, context);
  if (p.max_iterations > 0 || p.num_out_data == 0) return problems;
  problems.push_back({"max_iterations",
                      "MXNet 2.0 does not write it, and the stacked outputs have as many rows",
                      "write it into the symbol file, beside the node's op: "
                      "\"attrs\": {\"max_iterations\": \"N\"}"});
  return problems;
}

std::vector<std::vector<BodyInput>> while_bodies(const WhileLoopParam& p) {
  std::set<std::int64_t> changing;  // inputs
  for (std::size_t i = 0; i < p.func_var_locs.size(); ++i)
    changing.insert(static_cast<std::int64_t>(p.input_of(i)));
  std::vector<BodyInput> cond;
  for (const auto input : p.cond_input_locs)
    cond.push_back({static_cast<std::size_t>(input), !changing.contains(input)});
  std::vector<BodyInput> func;
  for (const auto input : p.func_input_locs)
    func.push_back({static_cast<std::size_t>(input), true});
  for (const auto variable : p.func_var_locs)
    func[static_cast<std::size_t>(variable)].invariant = false;
  return {cond, func};
}

// The types of the loop variables. Shapes may change from one iteration to the next: a size that
// does is known by a name only, within the loop and behind it.
class LoopVariables {
 public:
  LoopVariables(const WhileLoopParam& p, InferContext& c) : p_(p), c_(c) {
    for (std::size_t i = 0; i < p.num_variables(); ++i) types_.push_back(c.input(p.input_of(i)));
  }

  /// Infers the condition, which has one element.
  void infer_condition() const {
    std::vector<TensorType> types;
    for (const auto input : p_.cond_input_locs) {
      types.push_back(c_.input(static_cast<std::size_t>(input)));
      for (std::size_t i = 0; i < types_.size(); ++i) {
        if (p_.input_of(i) == static_cast<std::size_t>(input)) types.back() = types_[i];
      }
    }
    BodyTypes condition = c_.infer_body(0, types);
    expect_condition(condition);
    const auto output = one_element(condition);
    // Of a size that changes within the loop this says nothing before it.
    if (!output || any_changes()) return;
    types.push_back(*output);
    condition = c_.infer_body(0, std::move(types));
    for (std::size_t k = 0; k < p_.cond_input_locs.size(); ++k)
      set_input(c_, static_cast<std::size_t>(p_.cond_input_locs[k]), condition.inputs[k]);
  }

  BodyTypes infer_function() const {
    std::vector<TensorType> types;
    for (const auto input : p_.func_input_locs)
      types.push_back(c_.input(static_cast<std::size_t>(input)));
    for (std::size_t i = 0; i < types_.size(); ++i)
      types[static_cast<std::size_t>(p_.func_var_locs[i])] = types_[i];
    return c_.infer_body(1, std::move(types));
  }

  /// Takes in what one iteration makes of a variable; true if that is something new.
  bool update(std::size_t i, const TensorType& next) {
    TensorType& type = types_[i];
    if (type.dtype == DType::kUnknown) type.dtype = next.dtype;
    if (next.dtype != DType::kUnknown && next.dtype != type.dtype) {
      c_.conflict_dtypes(
          fmt::format("loop variable {}: expected {} after an iteration as before it, found {}", i,
                      dtype_name(type.dtype), dtype_name(next.dtype)));
      return false;
    }
    if (!next.shape.known_rank()) return false;
    if (!type.shape.known_rank()) {
      type.shape = next.shape;
      return true;
    }
    if (type.shape.rank() != next.shape.rank()) {
      fail(ErrorCode::kUnsupported,
           fmt::format("loop variable {}: its rank changes from {} to {} within the loop", i,
                       type.shape.rank(), next.shape.rank()));
    }
    auto dims = type.shape.dims();
    bool changed = false;
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      const Dim own = own_size(i, axis);
      if (!next.shape[axis].known() || dims[axis] == next.shape[axis] || dims[axis] == own)
        continue;
      dims[axis] = dims[axis].known() ? own : next.shape[axis];
      changed = true;
    }
    type.shape = Shape(std::move(dims));
    return changed;
  }

  /// Fails if a size of what is stacked changes in the loop: MXNet has one array for all of it.
  void expect_fixed(const Shape& stacked) const {
    for (std::size_t i = 0; i < types_.size(); ++i) {
      const Shape& shape = types_[i].shape;
      for (std::size_t axis = 0; shape.known_rank() && axis < shape.rank(); ++axis) {
        const Dim own = own_size(i, axis);
        if (shape[axis] != own) continue;
        for (const Dim& dim : stacked.dims()) {
          if (!mentions(dim, own)) continue;
          fail(ErrorCode::kUnsupported,
               fmt::format("what is stacked has the shape {}, which changes within the loop",
                           stacked.to_string()));
        }
      }
    }
  }

  /// A type from the body, for the first value of a variable: sizes that change say nothing of it.
  TensorType first(std::size_t i, TensorType type) const {
    if (!type.shape.known_rank()) return type;
    auto dims = type.shape.dims();
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      if (dims[axis] == own_size(i, axis)) dims[axis] = Dim();
    }
    type.shape = Shape(std::move(dims));
    return type;
  }

  const TensorType& type(std::size_t i) const { return types_[i]; }

 private:
  bool any_changes() const {
    for (std::size_t i = 0; i < types_.size(); ++i) {
      for (std::size_t axis = 0; axis < types_[i].shape.rank(); ++axis) {
        if (types_[i].shape[axis] == own_size(i, axis)) return true;
      }
    }
    return false;
  }

  Dim own_size(std::size_t i, std::size_t axis) const {
    return c_.own_size(p_.num_stacked() + i, axis);
  }

  const WhileLoopParam& p_;
  InferContext& c_;
  std::vector<TensorType> types_;
};

void infer_while(const WhileLoopParam& p, InferContext& c) {
  LoopVariables variables(p, c);
  BodyTypes types;
  // Every round but the last makes one size more a name, or knows one type more.
  for (bool changed = true; changed;) {
    types = variables.infer_function();
    expect_outputs(types, c.num_outputs());
    changed = false;
    for (std::size_t i = 0; i < p.num_variables(); ++i)
      changed = variables.update(i, types.outputs[p.num_stacked() + i]) || changed;
  }
  variables.infer_condition();
  for (std::size_t k = 0; k < p.func_input_locs.size(); ++k) {
    const auto variable =
        std::find(p.func_var_locs.begin(), p.func_var_locs.end(), static_cast<std::int64_t>(k));
    const auto i = static_cast<std::size_t>(variable - p.func_var_locs.begin());
    set_input(c, static_cast<std::size_t>(p.func_input_locs[k]),
              i < p.num_variables() ? variables.first(i, types.inputs[k]) : types.inputs[k]);
  }
  for (std::size_t i = 0; i < p.num_variables(); ++i)
    set_output(c, p.num_stacked() + i, variables.type(i));
  for (std::size_t i = 0; i < p.num_stacked(); ++i) {
    TensorType type = types.outputs[i];
    if (type.shape.known_rank()) {
      variables.expect_fixed(type.shape);
      auto dims = type.shape.dims();
      dims.insert(dims.begin(), Dim(p.max_iterations));
      type.shape = Shape(std::move(dims));
    }
    set_output(c, i, type);
  }
}

// Says where the changing sizes of the variables can be read from now on.
void define_sizes(const WhileLoopParam& p, Translation& t, const std::vector<Value>& variables) {
  for (std::size_t i = 0; i < p.num_variables(); ++i) {
    const Shape& shape = t.output_shape(p.num_stacked() + i);
    const Shape& first = t.input_shape(p.input_of(i));
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] != first[axis])
        t.b.define_symbol(shape[axis].symbol_name(), variables[i], axis);
    }
  }
}

Value condition(const WhileLoopParam& p, Translation& t, const std::vector<Value>& variables) {
  std::vector<Value> inputs;
  for (const auto input : p.cond_input_locs) {
    inputs.push_back(t.input(static_cast<std::size_t>(input)));
    for (std::size_t i = 0; i < p.num_variables(); ++i) {
      if (p.input_of(i) == static_cast<std::size_t>(input)) inputs.back() = variables[i];
    }
  }
  return to_condition(t.b, t.translate_body(0, inputs)[0]);
}

void translate_while(const WhileLoopParam& p, Translation& t) {
  Builder& b = t.b;
  std::vector<Value> first;
  std::vector<TensorType> types;
  for (std::size_t i = 0; i < p.num_variables(); ++i) {
    first.push_back(t.input(p.input_of(i)));
    types.push_back(t.output_type(p.num_stacked() + i));
  }
  b.begin_scope();
  define_sizes(p, t, first);
  const Value at_first = condition(p, t, first);
  b.end_body();

  BodyScope scope(b);
  const Shape scalar(std::vector<Dim>{});
  scope.add_input("iteration", {DType::kInt64, scalar});
  scope.add_input("go_on", {DType::kBool, scalar});
  std::vector<Value> variables;
  for (std::size_t i = 0; i < p.num_variables(); ++i)
    variables.push_back(scope.add_input(fmt::format("variable{}", i), types[i]));
  define_sizes(p, t, variables);
  std::vector<Value> inputs;
  for (const auto input : p.func_input_locs)
    inputs.push_back(t.input(static_cast<std::size_t>(input)));
  for (std::size_t i = 0; i < p.num_variables(); ++i)
    inputs[static_cast<std::size_t>(p.func_var_locs[i])] = variables[i];
  const auto results = t.translate_body(1, inputs);
  const auto middle = results.begin() + p.num_out_data;
  const std::vector<Value> next(middle, results.end());
  b.begin_scope();
  define_sizes(p, t, next);
  std::vector<Value> outputs = {condition(p, t, next)};
  b.end_body();
  outputs.insert(outputs.end(), next.begin(), next.end());
  outputs.insert(outputs.end(), results.begin(), middle);
  for (std::size_t i = 0; i < p.num_stacked(); ++i) {
    auto dims = t.output_shape(i).dims();
    dims[0] = Dim();
    types.push_back({t.output_type(i).dtype, Shape(std::move(dims))});
  }
  const auto body = scope.finish(outputs);

  if (p.max_iterations == 0) {
    t.warn("W-loop-without-end",
           "MXNet 2.0 does not write max_iterations: the loop ends by its condition alone");
  }
  const std::int64_t most = p.max_iterations == 0 ? INT64_MAX : p.max_iterations;
  std::vector<Value> starts = {b.int_scalar(most), at_first};
  starts.insert(starts.end(), first.begin(), first.end());
  const auto ends = b.emit_many("Loop", std::move(starts), {{"body", body}}, types);
  define_sizes(p, t, ends);
  for (std::size_t i = 0; i < p.num_variables(); ++i) t.set_output(p.num_stacked() + i, ends[i]);
  for (std::size_t i = 0; i < p.num_stacked(); ++i) {
    if (t.output_used(i))
      t.set_output(i, padded_rows(b, ends[p.num_variables() + i], t.output_type(i)));
  }
}

template <typename P>
void add_while_loop(Registry& r, const char* name,
                    std::vector<AttrProblem> (*check)(const P&, const CheckContext&)) {
  r.add<P>({name})
      .summary("Runs a subgraph as long as another one says so, and stacks its outputs.")
      .inputs_by([](const P& p) { return numbered_inputs("data", p.num_inputs()); })
      .outputs_by([](const P& p, std::size_t) { return subgraph_outputs(p.num_outputs); })
      .check(check)
      .bodies(while_bodies)
      .infer(infer_while)
      .translate(translate_while)
      .note(
          "Rows of the stacked outputs behind the last iteration are 0; in MXNet they are what "
          "lies in its memory, and where the loop does not run "
          "at all it gives one element instead of max_iterations rows.");
}

}  // namespace

void register_while_loop(Registry& r) {
  add_while_loop<WhileLoopParam>(r, "_while_loop", check_while);
  add_while_loop<NpxWhileLoopParam>(r, "_npx_while_loop", check_npx_while);
}

}  // namespace mx2onnx
