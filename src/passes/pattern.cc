#include "passes/pattern.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace mx2onnx::passes {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

Pattern Pattern::as(std::string_view part) && {
  name = part;
  return std::move(*this);
}

Pattern Pattern::with_more() && {
  more_inputs = true;
  return std::move(*this);
}

Pattern Pattern::with_other_uses() && {
  shared = true;
  return std::move(*this);
}

Pattern Pattern::where(std::function<bool(const Node&)> condition) && {
  conditions.push_back(std::move(condition));
  return std::move(*this);
}

Pattern any(std::string_view name) {
  Pattern pattern;
  pattern.name = name;
  return pattern;
}

Pattern absent() {
  Pattern pattern;
  pattern.kind = Pattern::Kind::kAbsent;
  return pattern;
}

Pattern constant(std::string_view name) {
  Pattern pattern;
  pattern.kind = Pattern::Kind::kConstant;
  pattern.name = name;
  return pattern;
}

Pattern number(std::string_view name) {
  Pattern pattern;
  pattern.kind = Pattern::Kind::kNumber;
  pattern.name = name;
  return pattern;
}

Pattern exactly(double value) {
  Pattern pattern;
  pattern.kind = Pattern::Kind::kNumber;
  pattern.number = value;
  return pattern;
}

Pattern op(std::vector<std::string_view> op_types, std::vector<Pattern> inputs) {
  Pattern pattern;
  pattern.kind = Pattern::Kind::kOp;
  pattern.op_types = std::move(op_types);
  pattern.inputs = std::move(inputs);
  return pattern;
}

Pattern op(std::string_view op_type, std::vector<Pattern> inputs) {
  return op(std::vector{op_type}, std::move(inputs));
}

Surroundings::Surroundings(Graph& graph) : graph_(graph), entries_(graph.num_values()) {
  for_each_body(graph.main, [&](onnx::Body& body) {
    for (const Value output : body.outputs) {
      ++entries_[output.id].uses;
      entries_[output.id].is_output = true;
    }
    for (auto& node : body.nodes) {
      for (const Value input : node.inputs) {
        if (input.present()) ++entries_[input.id].uses;
      }
      for (const Value output : node.outputs) {
        if (output.present()) entries_[output.id].producer = &node;
      }
    }
  });
}

const Surroundings::Entry& Surroundings::entry(Value value) const {
  static const Entry nothing;
  return value.id < entries_.size() ? entries_[value.id] : nothing;
}

Surroundings::Entry& Surroundings::entry_for_change(Value value) {
  if (value.id >= entries_.size()) entries_.resize(graph_.num_values());
  return entries_[value.id];
}

Node* Surroundings::producer(Value value) const { return entry(value).producer; }

void Surroundings::set_inputs(Node& node, std::vector<Value> inputs) {
  for (const Value input : inputs) {
    if (input.present()) ++entry_for_change(input).uses;
  }
  std::swap(node.inputs, inputs);
  for (const Value input : inputs) release(input);
}

// One use less. Without recursion: chains are as long as the graph.
void Surroundings::release(Value value) {
  std::vector<Value> released{value};
  while (!released.empty()) {
    const Value last = released.back();
    released.pop_back();
    if (!last.present() || last.id >= entries_.size()) continue;
    auto& entry = entries_[last.id];
    if (--entry.uses > 0 || entry.producer == nullptr) continue;
    Node& node = *entry.producer;
    const bool is_used = std::any_of(node.outputs.begin(), node.outputs.end(), [&](Value output) {
      return output.present() && entries_[output.id].uses > 0;
    });
    const bool has_body = std::any_of(node.attrs.begin(), node.attrs.end(), [](const auto& attr) {
      return std::holds_alternative<std::shared_ptr<onnx::Body>>(attr.value);
    });
    if (is_used || has_body) continue;  // remove_dead_nodes knows of bodies
    for (const Value output : node.outputs) {
      if (output.present()) entries_[output.id].producer = nullptr;
    }
    released.insert(released.end(), node.inputs.begin(), node.inputs.end());
    node.inputs.clear();
    node.outputs.clear();
  }
}

Value Match::value(std::string_view name) const {
  const auto part = std::find_if(parts_.begin(), parts_.end(),
                                 [&](const auto& entry) { return entry.first == name; });
  require(part != parts_.end(), "a pass asks for a part that its pattern does not have");
  return part->second;
}

const Node& Match::node(std::string_view name) const {
  const Node* producer = around_.producer(value(name));
  require(producer != nullptr, "a pass asks for the node of a part that no node makes");
  return *producer;
}

const Tensor& Match::tensor(std::string_view name) const {
  const Tensor* tensor = around_.graph().constant(value(name));
  require(tensor != nullptr, "a pass asks for the tensor of a part that is no constant");
  return *tensor;
}

double Match::number(std::string_view name) const { return read_doubles(tensor(name))[0]; }

const TensorType& Match::type(std::string_view name) const {
  return around_.graph().type(value(name));
}

class Matcher {
 public:
  explicit Matcher(const Surroundings& around) : around_(around), match_(around) {}

  bool fits_node(const Pattern& pattern, const Node& node) {
    if (pattern.kind != Pattern::Kind::kOp || !node.domain.empty() || node.outputs.empty())
      return false;
    const auto& types = pattern.op_types;
    if (std::find(types.begin(), types.end(), node.op_type) == types.end()) return false;
    for (const auto& condition : pattern.conditions) {
      if (!condition(node)) return false;
    }
    const std::size_t before = match_.parts_.size();
    if (fits_inputs(pattern, node, false)) return true;
    match_.parts_.resize(before);
    return is_commutative(node) && fits_inputs(pattern, node, true);
  }

  Match take() && { return std::move(match_); }

 private:
  static bool is_commutative(const Node& node) {
    return node.inputs.size() == 2 && (node.op_type == "Add" || node.op_type == "Mul" ||
                                       node.op_type == "Max" || node.op_type == "Min");
  }

  bool fits_inputs(const Pattern& pattern, const Node& node, bool swapped) {
    const std::size_t wanted = pattern.inputs.size();
    if (node.inputs.size() < wanted) return false;
    // Absent ones at the end may be left out.
    for (std::size_t i = wanted; i < node.inputs.size() && !pattern.more_inputs; ++i) {
      if (node.inputs[i].present()) return false;
    }
    for (std::size_t i = 0; i < wanted; ++i) {
      if (!fits(pattern.inputs[i], node, node.inputs[swapped ? wanted - 1 - i : i])) return false;
    }
    return true;
  }

  // `user` is the node whose input the value is.
  bool fits(const Pattern& pattern, const Node& user, Value value) {
    if (!value.present()) return pattern.kind == Pattern::Kind::kAbsent;
    const Tensor* tensor = around_.graph().constant(value);
    switch (pattern.kind) {
      case Pattern::Kind::kAny:
        break;
      case Pattern::Kind::kAbsent:
        return false;
      case Pattern::Kind::kConstant:
        if (tensor == nullptr) return false;
        break;
      case Pattern::Kind::kNumber:
        if (tensor == nullptr || !is_number(pattern, user, *tensor)) return false;
        break;
      case Pattern::Kind::kOp: {
        const Node* producer = around_.producer(value);
        if (producer == nullptr || producer->outputs[0] != value) return false;
        if (!pattern.shared && (around_.count(value) != 1 || around_.is_output(value)))
          return false;
        if (!fits_node(pattern, *producer)) return false;
      }
    }
    return bind(pattern.name, value);
  }

  bool is_number(const Pattern& pattern, const Node& user, const Tensor& tensor) const {
    if (tensor.count() != 1) return false;
    // Where it had more axes than what it is combined with, the result would have them.
    const bool adds_no_axes = std::any_of(user.inputs.begin(), user.inputs.end(), [&](Value other) {
      return other.present() && around_.graph().constant(other) == nullptr &&
             around_.graph().type(other).shape.rank() >= tensor.dims.size();
    });
    if (!adds_no_axes) return false;
    if (!pattern.number) return true;
    const double value = read_doubles(tensor)[0];
    const double rounded = read_doubles(make_scalar(tensor.dtype, *pattern.number))[0];
    return value == rounded;
  }

  bool bind(std::string_view name, Value value) {
    if (name.empty()) return true;
    for (const auto& [known, bound] : match_.parts_) {
      if (known == name) return bound == value;
    }
    match_.parts_.emplace_back(name, value);
    return true;
  }

  const Surroundings& around_;
  Match match_;
};

std::optional<Match> find(const Pattern& pattern, const Surroundings& around, const Node& node) {
  Matcher matcher(around);
  if (!matcher.fits_node(pattern, node)) return std::nullopt;
  return std::move(matcher).take();
}

}  // namespace mx2onnx::passes
