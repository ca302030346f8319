#include "passes/half_precision.h"

#include <algorithm>
#include <array>
#include <utility>

#include "onnx/schema.h"
#include "passes/graph_uses.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

class Converter {
 public:
  Converter(Graph& graph, const HalfOptions& options)
      : graph_(graph),
        options_(options),
        plan_(plan_half_precision(graph, options)),
        num_values_(graph.num_values()),
        is_input_(num_values_, 0),
        is_output_(num_values_, 0),
        wanted_({std::vector<char>(num_values_, 0), std::vector<char>(num_values_, 0)}),
        twins_(num_values_) {
    for (const Value input : graph.main.inputs) is_input_[input.id] = 1;
    for (const Value output : graph.main.outputs) is_output_[output.id] = 1;
  }

  HalfResult run() {
    collect_wanted();
    rewrite();
    result_.num_half = plan_.num_half;
    result_.kept = std::move(plan_.kept);
    result_.unmatched = std::move(plan_.unmatched);
    return std::move(result_);
  }

 private:
  bool is_float(Value value) const {
    return value.present() && graph_.type(value).dtype == DType::kFloat32;
  }
  enum : std::size_t { kFloat = 0, kHalf = 1 };
  void want(Value value, std::size_t as) { wanted_[as][value.id] = 1; }

  void collect_wanted() {
    for (std::size_t at = 0; at < plan_.nodes.size(); ++at) {
      const Node& node = graph_.main.nodes[at];
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (is_float(node.inputs[i])) want(node.inputs[i], takes_half(at, i) ? kHalf : kFloat);
      }
      for_each_use_within(node, [&](Value value) {
        if (is_float(value)) want(value, kFloat);
      });
    }
    // Constants that are stored so whoever uses them.
    for (std::uint32_t id = 0; id < num_values_; ++id) {
      if (plan_.is_half[id] != 0 && graph_.constant({id}) != nullptr) want({id}, kHalf);
    }
    for (const Value output : graph_.main.outputs) {
      if (is_float(output) && is_input_[output.id] == 0)
        want(output, options_.ports ? kHalf : kFloat);
    }
  }
  bool takes_half(std::size_t at, std::size_t i) const {
    const auto& inputs = plan_.nodes[at].inputs;
    return std::find(inputs.begin(), inputs.end(), i) != inputs.end();
  }

  // A value keeps its name in one precision, its home, and has a twin in the other one where that
  // is wanted. Ports keep their names whatever makes them.
  std::size_t home(Value value) const {
    const bool is_constant = graph_.constant(value) != nullptr;
    if (is_output_[value.id] != 0 && is_input_[value.id] == 0)
      return options_.ports ? kHalf : kFloat;
    if (is_constant && wanted_[kFloat][value.id] == 0 && wanted_[kHalf][value.id] != 0)
      return kHalf;
    return plan_.is_half[value.id] != 0 ? kHalf : kFloat;
  }

  DType dtype_of(std::size_t as) const { return as == kHalf ? options_.half : DType::kFloat32; }

  Value twin(Value value) {
    if (!twins_[value.id].present()) {
      const std::size_t other = 1 - homes_[value.id];
      const std::string suffix =
          other == kHalf ? std::string(dtype_name(options_.half)) : "float32";
      twins_[value.id] =
          graph_.add_value({graph_.names.unique(graph_.name_of(value) + "_" + suffix),
                            {dtype_of(other), graph_.type(value).shape},
                            std::nullopt});
    }
    return twins_[value.id];
  }
  Value as(Value value, std::size_t precision) {
    return homes_[value.id] == precision ? value : twin(value);
  }

  void cast(Value from, Value to) {
    Node node;
    node.op_type = "Cast";
    node.name = graph_.names.unique(graph_.name_of(to) + "/Cast");
    node.inputs = {from};
    node.outputs = {to};
    node.attrs.emplace_back("to", onnx::onnx_type_code(graph_.type(to).dtype));
    new_nodes_.push_back(std::move(node));
  }

  void round_constants() {
    for (std::uint32_t id = 0; id < num_values_; ++id) {
      const Value value{id};
      const Tensor* tensor = graph_.constant(value);
      if (tensor == nullptr || wanted_[kHalf][id] == 0) continue;
      auto losses = std::make_shared<RoundingLosses>();
      losses->name = graph_.name_of(value);
      result_.losses.push_back(losses);
      Tensor half = rounded_to(options_.half, *tensor, std::move(losses));
      const Value target = homes_[id] == kHalf ? value : twin(value);
      graph_.info(target).type.dtype = options_.half;
      graph_.info(target).constant = std::move(half);
    }
  }

  void rewrite() {
    homes_.resize(num_values_, kFloat);
    std::vector<char> was_float(num_values_, 0);
    for (std::uint32_t id = 0; id < num_values_; ++id) {
      was_float[id] = static_cast<char>(is_float({id}));
      if (was_float[id] != 0) homes_[id] = home({id});
    }
    // From here on types are those of the result.
    round_constants();
    for (std::uint32_t id = 0; id < num_values_; ++id) {
      if (was_float[id] != 0 && homes_[id] == kHalf) graph_.info({id}).type.dtype = options_.half;
    }
    const auto has_twin = [&](Value value) { return wanted_[1 - homes_[value.id]][value.id] != 0; };
    for (std::uint32_t id = 0; id < num_values_; ++id) {
      const Value value{id};
      const bool is_stored_half = graph_.constant(value) != nullptr && homes_[id] == kHalf;
      if (was_float[id] != 0 && (is_input_[id] != 0 || is_stored_half) && has_twin(value))
        cast(value, twin(value));
    }
    for (std::size_t at = 0; at < plan_.nodes.size(); ++at) {
      Node node = std::move(graph_.main.nodes[at]);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Value input = node.inputs[i];
        if (input.present() && was_float[input.id] != 0)
          node.inputs[i] = as(input, takes_half(at, i) ? kHalf : kFloat);
      }
      const std::vector<Value> made = node.outputs;
      for (Value& output : node.outputs) {
        if (output.present() && was_float[output.id] != 0)
          output = as(output, plan_.is_half[output.id] != 0 ? kHalf : kFloat);
      }
      const std::vector<Value> outputs = node.outputs;
      if (!plan_.nodes[at].outputs.empty() && node.is("Cast"))
        node.attrs = {{"to", onnx::onnx_type_code(options_.half)}};
      new_nodes_.push_back(std::move(node));
      for (std::size_t i = 0; i < made.size(); ++i) {
        if (!made[i].present() || was_float[made[i].id] == 0) continue;
        if (outputs[i] != made[i]) {
          cast(outputs[i], made[i]);
        } else if (has_twin(made[i])) {
          cast(made[i], twin(made[i]));
        }
      }
    }
    graph_.main.nodes = std::move(new_nodes_);
  }

  Graph& graph_;
  const HalfOptions& options_;
  HalfPlan plan_;
  std::size_t num_values_;
  std::vector<char> is_input_;  // of the main body, and below
  std::vector<char> is_output_;
  std::array<std::vector<char>, 2> wanted_;
  std::vector<std::size_t> homes_;
  std::vector<Value> twins_;
  std::vector<Node> new_nodes_;
  HalfResult result_;
};

}  // namespace

HalfResult to_half_precision(Graph& graph, const HalfOptions& options) {
  return Converter(graph, options).run();
}

}  // namespace mx2onnx::passes
