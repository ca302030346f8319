#include "passes/rewrite.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/interruption.h"
#include "passes/graph_uses.h"

namespace mx2onnx::passes {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

Value Place::constant(Tensor tensor) { return add_constant(graph_, node_, std::move(tensor)); }

Value Place::ints(const std::vector<std::int64_t>& values) {
  return constant(make_tensor({static_cast<std::int64_t>(values.size())}, values));
}

namespace {

class Rewriter {
 public:
  Rewriter(Graph& graph, const std::vector<Rule>& rules) : graph_(graph), around_(graph) {
    for (const auto& rule : rules) {
      for (const auto op_type : rule.pattern.op_types) rules_[op_type].push_back(&rule);
    }
  }

  std::size_t run() {
    std::size_t count = 0;
    for_each_body(graph_.main, [&](onnx::Body& body) {
      for (auto& node : body.nodes) {
        interruption_point();
        if (replace(node)) ++count;
      }
    });
    if (count == 0) return 0;
    for_each_body(graph_.main,
                  [](onnx::Body& body) { std::erase_if(body.nodes, Surroundings::is_dead); });
    return count;
  }

 private:
  bool replace(Node& node) {
    const auto candidates = rules_.find(node.op_type);
    if (candidates == rules_.end()) return false;
    for (const Rule* rule : candidates->second) {
      const auto match = find(rule->pattern, around_, node);
      if (!match) continue;
      Place place(graph_, node);
      auto made = rule->replace(*match, place);
      if (!made) continue;
      node.op_type = std::move(made->op_type);
      node.attrs = std::move(made->attrs);
      around_.set_inputs(node, std::move(made->inputs));
      return true;
    }
    return false;
  }

  Graph& graph_;
  Surroundings around_;
  std::unordered_map<std::string_view, std::vector<const Rule*>> rules_;
};

}  // namespace

std::size_t rewrite(Graph& graph, const std::vector<Rule>& rules) {
  return Rewriter(graph, rules).run();
}

}  // namespace mx2onnx::passes
