#include "onnx/check.h"

#include <string_view>
#include <unordered_set>

#include "base/error.h"

namespace mx2onnx::onnx {
namespace {

class Checker {
 public:
  explicit Checker(const Graph& graph) : graph_(graph), defined_(graph.num_values(), 0) {}

  void run() {
    for (std::uint32_t id = 0; id < graph_.num_values(); ++id) {
      if (graph_.constant({id}) != nullptr) defined_[id] = 1;
    }
    check_body(graph_.main);
  }

 private:
  void define(Value value) {
    require(defined_[value.id] == 0,
            fmt::format("value '{}' is made twice", graph_.name_of(value)));
    defined_[value.id] = 1;
    require(names_.insert(graph_.name_of(value)).second,
            fmt::format("two values have the name '{}'", graph_.name_of(value)));
  }

  void use(Value value) {
    if (!value.present()) return;
    require(defined_[value.id] != 0,
            fmt::format("value '{}' is used before it is made", graph_.name_of(value)));
    if (graph_.constant(value) != nullptr && constants_.insert(value.id).second) {
      require(names_.insert(graph_.name_of(value)).second,
              fmt::format("two values have the name '{}'", graph_.name_of(value)));
    }
  }

  // Recursion is as deep as control flow is nested, which the symbol reader bounds.
  void check_body(const Body& body) {
    for (const Value input : body.inputs) define(input);
    for (const auto& node : body.nodes) {
      for (const Value input : node.inputs) use(input);
      for (const auto& attr : node.attrs) {
        if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&attr.value))
          check_body(**inner);
      }
      for (const Value output : node.outputs) {
        if (output.present()) define(output);
      }
    }
    for (const Value output : body.outputs) use(output);
  }

  const Graph& graph_;
  std::vector<char> defined_;
  std::unordered_set<std::string_view> names_;
  std::unordered_set<std::uint32_t> constants_;
};

}  // namespace

void check_graph(const Graph& graph) { Checker(graph).run(); }

}  // namespace mx2onnx::onnx
