#include "infer/infer.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <span>
#include <utility>

#include "base/attempt.h"
#include "base/budget.h"
#include "base/error.h"
#include "base/interruption.h"
#include "infer/body_memory.h"

namespace mx2onnx {
namespace {

class Driver {
 public:
  Driver(const Model& model, DimArena& arena, BodyMemory& memory, bool records_conflicts,
         InferOptions options = {})
      : model_(model),
        arena_(arena),
        memory_(memory),
        records_conflicts_(records_conflicts),
        options_(std::move(options)) {
    result_.entries.resize(model.num_entries);
    collect_users();
    declare_variables();
  }

  InferResult run() {
    for (std::size_t node = 0; node < model_.nodes.size(); ++node) enqueue(node);
    settle();
    while (name_input_sizes()) {
    }
    set_default_dtypes();
    name_open_sizes();
    if (!stopped() && !options_.allow_unknown) {
      check_complete(model_, result_.entries);
      for (const auto& [body, entries] : result_.bodies) check_complete(*body, entries);
    }
    return std::move(result_);
  }

  /// Of a subgraph: what its variables are is for the model around it to say, which may know of its
  /// outputs, too.
  InferResult run_body(const std::vector<TensorType>& known) {
    const auto variables = model_.variables();
    for (std::size_t i = 0; i < variables.size(); ++i) {
      result_.entries[model_.first_entry[variables[i]]].type = known[i];
    }
    const std::size_t more = known.size() - variables.size();
    for (std::size_t i = 0; i < std::min(more, model_.symbol.heads.size()); ++i) {
      add_to_head(model_.symbol.heads[i], known[variables.size() + i]);
    }
    for (std::size_t node = 0; node < model_.nodes.size(); ++node) enqueue(node);
    settle();
    return std::move(result_);
  }

 private:
  bool stopped() const { return result_.fixed || result_.conflict; }

  // What the model around knows of an output, which may be a variable as well.
  void add_to_head(const mxnet::NodeEntry& head, const TensorType& type) {
    static const std::string name = "output of the subgraph";
    InferContext context({}, {{&result_.entries[model_.entry(head)], &name, nullptr}},
                         model_.symbol.np_shape, arena_);
    if (records_conflicts_) context.record_dtype_conflicts();
    context.set_output_shape(0, type.shape);
    context.set_output_dtype(0, type.dtype);
    if (context.fixed_size() && !result_.fixed) result_.fixed = context.fixed_size();
  }

  // One size after the other, since each may determine sizes of other inputs. True if any was open.
  bool name_input_sizes() {
    bool found = false;
    for (std::size_t node = 0; node < model_.nodes.size() && options_.name_size; ++node) {
      if (model_.nodes[node].role != VariableRole::kInput || !model_.nodes[node].live) continue;
      Shape& shape = result_.entries[model_.first_entry[node]].type.shape;
      for (std::size_t axis = 0; axis < shape.rank() && !stopped(); ++axis) {
        if (shape[axis].known()) continue;
        shape[axis] = options_.name_size(node, axis, shape.rank());
        found = true;
        enqueue_users(model_.first_entry[node]);
        settle();
      }
    }
    return found && !stopped();
  }

  void set_default_dtypes() {
    // MXNet's default where nothing says otherwise.
    for (std::size_t node = 0; node < model_.nodes.size() && !stopped(); ++node) {
      if (model_.nodes[node].role == VariableRole::kNone || !model_.nodes[node].live) continue;
      auto& dtype = result_.entries[model_.first_entry[node]].type.dtype;
      if (dtype != DType::kUnknown) continue;
      dtype = DType::kFloat32;
      enqueue_users(model_.first_entry[node]);
      settle();
    }
  }

  bool is_own(const OpDef* def) const {
    const auto& own = model_.own_operators;
    return std::any_of(own.begin(), own.end(), [&](const auto& o) { return o.get() == def; });
  }

  // Sizes that nothing but an operator of the user determines get names of their own.
  void name_open_sizes() {
    for (std::size_t node = 0; node < model_.nodes.size() && !result_.fixed; ++node) {
      const ModelNode& custom = model_.nodes[node];
      if (!custom.live || !is_own(custom.def)) continue;
      for (std::size_t i = 0; i < custom.output_names.size(); ++i) {
        const std::size_t entry = model_.first_entry[node] + i;
        Shape& shape = result_.entries[entry].type.shape;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
          if (shape[axis].known()) continue;
          shape[axis] = arena_.symbol(
              fmt::format("{}.{}#{}{}", custom.output_names[i], axis, model_.key, node));
          enqueue_users(entry);
          settle();
        }
      }
    }
  }

  // The producer and the live consumers of each entry have to look again when it changes.
  void collect_users() {
    const auto for_each = [&](const auto& visit) {
      for (std::size_t node = 0; node < model_.nodes.size(); ++node) {
        if (!model_.nodes[node].live || model_.nodes[node].def == nullptr) continue;
        for (const auto& input : model_.symbol.nodes[node].inputs) visit(model_.entry(input), node);
        const auto count = model_.nodes[node].output_names.size();
        for (std::size_t i = 0; i < count; ++i) visit(model_.first_entry[node] + i, node);
      }
    };
    // Counted, then put side by side.
    first_user_.resize(std::size_t{model_.num_entries} + 1, 0);
    for_each([&](std::size_t entry, std::size_t) { ++first_user_[entry + 1]; });
    std::partial_sum(first_user_.begin(), first_user_.end(), first_user_.begin());
    users_.resize(first_user_.back());
    auto next = first_user_;
    for_each([&](std::size_t entry, std::size_t node) {
      users_[next[entry]++] = static_cast<std::uint32_t>(node);
    });
    queued_.resize(model_.nodes.size(), 0);
  }

  std::span<const std::uint32_t> users_of(std::size_t entry) const {
    return std::span(users_).subspan(first_user_[entry],
                                     first_user_[entry + 1] - first_user_[entry]);
  }

  void declare_variables() {
    for (std::size_t node = 0; node < model_.nodes.size(); ++node) {
      const ModelNode& variable = model_.nodes[node];
      if (variable.def == nullptr) {
        result_.entries[model_.first_entry[node]].type = variable.declared;
      }
    }
  }

  void enqueue(std::size_t node) {
    if (!model_.nodes[node].live || model_.nodes[node].def == nullptr || queued_[node] != 0) return;
    if (!passed_over_.empty() && passed_over_[node] != 0) return;
    queued_[node] = 1;
    queue_.push_back(static_cast<std::uint32_t>(node));
  }

  void enqueue_users(std::size_t entry) {
    for (const auto user : users_of(entry)) enqueue(user);
  }

  void settle() {
    while (!queue_.empty() && !stopped()) {
      const std::uint32_t node = queue_.front();
      queue_.pop_front();
      queued_[node] = 0;
      infer_node(node);
    }
  }

  InferContext::Port port(std::uint32_t entry, const std::string& name, const Tensor* constant) {
    touched_.push_back(entry);
    return {&result_.entries[entry], &name, constant};
  }

  void infer_node(std::uint32_t index) {
    interruption_point();
    const ModelNode& node = model_.nodes[index];
    const mxnet::Node& raw = model_.symbol.nodes[index];
    const std::string name = model_.path + raw.name;  // the scope does not keep it
    const ErrorScope scope = ErrorScope::node(index, name, raw.op);
    spend(kNodeCost);
    touched_.clear();
    std::vector<InferContext::Port> inputs;
    for (std::size_t i = 0; i < raw.inputs.size(); ++i) {
      const auto& data = model_.nodes[raw.inputs[i].node].data;
      inputs.push_back(
          port(model_.entry(raw.inputs[i]), node.input_names[i], data ? &*data : nullptr));
    }
    std::vector<InferContext::Port> outputs;
    for (std::size_t i = 0; i < node.output_names.size(); ++i) {
      outputs.push_back(port(model_.first_entry[index] + static_cast<std::uint32_t>(i),
                             node.output_names[i], nullptr));
    }
    InferContext context(std::move(inputs), std::move(outputs), model_.symbol.np_shape, arena_,
                         [&](std::size_t body, const std::vector<TensorType>& known) {
                           return infer_body(*node.bodies[body], known);
                         },
                         {model_.key, index});
    if (records_conflicts_) context.record_dtype_conflicts();
    if (options_.pass_over_failures) {
      const auto error = attempt([&] { node.def->infer(node.params.get(), context); });
      if (error || context.fixed_size()) {
        passed_over_.resize(model_.nodes.size(), 0);
        passed_over_[index] = 1;
        return;
      }
    } else {
      node.def->infer(node.params.get(), context);
    }
    if (context.fixed_size()) result_.fixed = context.fixed_size();
    if (context.dtype_conflict() && !result_.conflict)
      result_.conflict = DtypeConflict{{}, index, name, raw.op, *context.dtype_conflict()};
    if (result_.conflict) trace_conflict(index);
    if (stopped()) return;
    for (const auto entry : touched_) {
      if (!result_.entries[entry].changed) continue;
      result_.entries[entry].changed = false;
      for (const auto user : users_of(entry)) {
        // A rule says all it can in one go.
        if (user != index) enqueue(user);
      }
    }
  }

  // The inputs of the model that a node has its integers from. Without any, the contradiction is
  // one of the model itself.
  void trace_conflict(std::uint32_t index) {
    if (!model_.path.empty()) return;  // the node around it is looked at next
    DtypeConflict& conflict = *result_.conflict;
    std::vector<char> reached(model_.nodes.size(), 0);
    reached[index] = 1;
    for (std::uint32_t i = index + 1; i-- > 0;) {
      if (reached[i] == 0) continue;
      if (model_.nodes[i].fed_as != DType::kUnknown && !model_.nodes[i].converted)
        conflict.inputs.push_back(i);
      for (const auto& input : model_.symbol.nodes[i].inputs) {
        if (is_integer(result_.entries[model_.entry(input)].type.dtype)) reached[input.node] = 1;
      }
    }
    if (!conflict.inputs.empty()) return;
    const ErrorScope scope = ErrorScope::node(conflict.index, conflict.node, conflict.op);
    fail(ErrorCode::kModel, conflict.message);
  }

  BodyTypes infer_body(const Model& body, const std::vector<TensorType>& known) {
    const InferResult* known_result = memory_.find(body, known);
    const InferResult& found =
        known_result != nullptr
            ? *known_result
            : memory_.add(body, known,
                          Driver(body, arena_, memory_, records_conflicts_).run_body(known));
    if (found.fixed && !result_.fixed) result_.fixed = found.fixed;
    if (found.conflict && !result_.conflict) result_.conflict = found.conflict;
    BodyTypes types;
    for (const auto variable : body.variables()) {
      types.inputs.push_back(found.entries[body.first_entry[variable]].type);
    }
    for (const auto& head : body.symbol.heads) {
      types.outputs.push_back(found.entries[body.entry(head)].type);
    }
    for (const auto& [inner, entries] : found.bodies) result_.bodies[inner] = entries;
    result_.bodies[&body] = found.entries;
    return types;
  }

  void check_complete(const Model& model, const std::vector<EntryInfo>& entries) {
    for (std::size_t node = 0; node < model.nodes.size(); ++node) {
      if (!model.nodes[node].live) continue;
      const auto count = std::max<std::size_t>(1, model.nodes[node].output_names.size());
      const OpDef* def = model.nodes[node].def;
      const bool any_shape = def != nullptr && def->any_shape;
      for (std::size_t i = 0; i < count; ++i) {
        const TensorType& type = entries[model.first_entry[node] + i].type;
        const bool open = any_shape && type.dtype != DType::kUnknown && !type.shape.known_rank();
        if (!type.known() && !open) {
          check_inputs(model, entries, node);
          fail_incomplete(model, node, type);
        }
      }
      if (def != nullptr && !any_shape) check_inputs(model, entries, node);
    }
  }

  // Only nodes of a custom domain leave a shape open, and few operators can do without.
  static void check_inputs(const Model& model, const std::vector<EntryInfo>& entries,
                           std::size_t node) {
    const auto& raw = model.symbol.nodes[node];
    for (std::size_t i = 0; i < raw.inputs.size(); ++i) {
      const auto& producer = model.nodes[raw.inputs[i].node];
      const TensorType& type = entries[model.entry(raw.inputs[i])].type;
      const bool is_open = producer.live && producer.def != nullptr && producer.def->any_shape;
      if (!is_open || type.known()) continue;
      const std::string name = model.path + raw.name;
      const ErrorScope scope = ErrorScope::node(static_cast<std::int64_t>(node), name, raw.op);
      fail(
          ErrorCode::kUnsupported,
          fmt::format("needs the shape of its input '{}', which '{}' ({}) leaves open",
                      model.nodes[node].input_names[i], model.symbol.nodes[raw.inputs[i].node].name,
                      model.symbol.nodes[raw.inputs[i].node].op),
          "give the node of the custom domain the attribute __shape__, or register a translation "
          "with a shape rule");
    }
  }

  [[noreturn]] void fail_incomplete(const Model& model, std::size_t node, const TensorType& type) {
    const auto& raw = model.symbol.nodes[node];
    std::string hint;
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      const bool is_open_input = model_.nodes[i].live &&
                                 model_.nodes[i].role == VariableRole::kInput &&
                                 !result_.entries[model_.first_entry[i]].type.known();
      if (is_open_input) {
        hint = fmt::format("give the shape of the input, for instance --input {}:1,3,224,224",
                           model_.symbol.nodes[i].name);
        break;
      }
    }
    if (model.path.empty() && model.nodes[node].role == VariableRole::kInput) {
      fail(ErrorCode::kModel,
           fmt::format("the shape of input '{}' is not known{}", raw.name,
                       type.shape.known_rank() ? ", found " + type.shape.to_string() : ""),
           hint);
    }
    const std::string name = model.path + raw.name;
    const ErrorScope scope = ErrorScope::node(static_cast<std::int64_t>(node), name, raw.op);
    fail(ErrorCode::kModel, fmt::format("the shape cannot be inferred, found {}", type.to_string()),
         hint);
  }

  const Model& model_;
  DimArena& arena_;
  BodyMemory& memory_;
  bool records_conflicts_;
  InferOptions options_;
  InferResult result_;
  // Those of an entry lie side by side, from first_user_[entry] on.
  std::vector<std::uint32_t> users_;
  std::vector<std::uint32_t> first_user_;
  std::deque<std::uint32_t> queue_;
  std::vector<char> queued_;
  std::vector<char> passed_over_;  // empty until there is one
  std::vector<std::uint32_t> touched_;
};

}  // namespace

InferResult infer_types(const Model& model, DimArena& arena, const InferOptions& options) {
  const bool has_integers = std::any_of(
      model.nodes.begin(), model.nodes.end(),
      [](const ModelNode& node) { return node.fed_as != DType::kUnknown && !node.converted; });
  // A run that starts again throws away what this one found.
  const BudgetScope budget;
  BodyMemory memory;
  return Driver(model, arena, memory, has_integers && !options.allow_unknown, options).run();
}

}  // namespace mx2onnx
