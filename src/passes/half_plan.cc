#include "passes/half_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <ranges>
#include <span>

#include "onnx/schema.h"
#include "passes/graph_uses.h"
#include "passes/half_rules.h"
#include "passes/half_weights.h"
#include "passes/keep_patterns.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

constexpr std::string_view kConstants = "has a constant that float16 does not hold";
constexpr std::string_view kWide = "computes with float32 values";
constexpr std::string_view kIntegers = "is computed in integers";
constexpr std::string_view kAsked = "asked for";
constexpr std::string_view kSquares = "squares overflow";
constexpr std::string_view kForPositions = "computes positions, ids or an order";

// Of constants with as many elements each one may matter; of larger ones the few that are out of
// range are clamped.
constexpr std::int64_t kFewElements = 16;

// Beyond this, elements are not looked at before they are written.
constexpr std::int64_t kManyElements = std::int64_t{1} << 20;

// In bytes: a smaller one is not worth a Cast, and a larger one is worth one whoever takes it.
constexpr std::size_t kSmallestWeight = 1024;
constexpr std::size_t kLargeWeight = std::size_t{64} << 10;

const onnx::FormalRow* formal(std::span<const onnx::FormalRow> rows, std::size_t i) {
  return rows.empty() ? nullptr : &rows[std::min(i, rows.size() - 1)];
}

class Planner {
 public:
  Planner(const Graph& graph, const HalfOptions& options)
      : graph_(graph),
        options_(options),
        for_positions_(graph.num_values(), 0),
        is_dequantized_(graph.num_values(), 0),
        keep_(options.keep) {
    plan_.nodes.resize(graph.main.nodes.size());
    plan_.is_half.resize(graph.num_values(), 0);
    for (const Node& node : graph.main.nodes) {
      if (node.is("DequantizeLinear")) is_dequantized_[node.outputs[0].id] = 1;
    }
  }

  HalfPlan run() {
    if (options_.half == DType::kBfloat16) {
      store_weights();
    } else {
      mark_positions();
      decide();
      widen();
    }
    plan_.unmatched = keep_.unmatched();
    return std::move(plan_);
  }

 private:
  bool is_float(Value value) const {
    return value.present() && graph_.type(value).dtype == DType::kFloat32;
  }
  // What can change its type with the node's; nothing if the node cannot change it.
  std::optional<ChangingPorts> changing(const Node& node) const {
    const auto* schema = onnx::find_schema(node.op_type, options_.opset);
    if (schema == nullptr) return std::nullopt;
    ChangingPorts result;
    std::vector<std::int8_t> groups;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto* row = formal(schema->inputs, i);
      if (!is_float(node.inputs[i]) || row == nullptr) continue;
      if (!row->allows(options_.half)) {
        if (row->group >= 0) return std::nullopt;
        continue;
      }
      result.inputs.push_back(i);
      groups.push_back(row->group);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const auto* row = formal(schema->outputs, i);
      if (!is_float(node.outputs[i]) || row == nullptr) continue;
      if (!row->allows(options_.half) ||
          std::find(groups.begin(), groups.end(), row->group) == groups.end())
        return std::nullopt;
      result.outputs.push_back(i);
    }
    if (result.inputs.empty()) return std::nullopt;
    return result;
  }

  bool touches_floats(const Node& node) const {
    const auto is = [&](Value value) { return is_float(value); };
    return std::any_of(node.inputs.begin(), node.inputs.end(), is) ||
           std::any_of(node.outputs.begin(), node.outputs.end(), is);
  }

  // Backwards from whatever takes positions, through what follows its inputs.
  void mark_positions() {
    for (const Node& node : std::views::reverse(graph_.main.nodes)) {
      const auto precision = precision_of(graph_, node);
      const bool leads_on =
          precision.rule == HalfRule::kFollow &&
          std::any_of(node.outputs.begin(), node.outputs.end(), [&](Value output) {
            return output.present() && for_positions_[output.id] != 0;
          });
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const bool marks = leads_on || (i < 32 && (precision.positions >> i & 1U) != 0);
        if (marks && is_float(node.inputs[i])) for_positions_[node.inputs[i].id] = 1;
      }
      // A body sees the values around it.
      for_each_use_within(node, [&](Value value) {
        if (is_float(value)) for_positions_[value.id] = 1;
      });
    }
  }

  // A product between DequantizeLinear and QuantizeLinear is one of integers to who runs it.
  bool takes_integers(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](Value input) {
      return input.present() && is_dequantized_[input.id] != 0;
    });
  }

  bool is_asked_to_stay(const Node& node) { return keep_.match(graph_, node); }

  // No element would become infinite and, where there are few, none would lose its digits.
  bool holds(const Tensor& tensor) const {
    if (tensor.count() > kManyElements) return true;
    const double smallest =
        tensor.count() > kFewElements ? 0 : double{smallest_normal_of(options_.half)};
    const double largest = largest_of(options_.half);
    const auto values = read_doubles(tensor);
    return std::all_of(values.begin(), values.end(), [&](double value) {
      const double magnitude = std::abs(value);
      return magnitude == 0 || !std::isfinite(value) ||
             (magnitude <= largest && magnitude >= smallest);
    });
  }

  /// Why the node stays float32; empty if it does not.
  std::string_view reason_to_stay(const Node& node, const ChangingPorts& values) {
    const auto precision = precision_of(graph_, node);
    if (is_asked_to_stay(node)) return kAsked;
    if (precision.rule == HalfRule::kKeep) return precision.reason;
    if (precision.rule == HalfRule::kNarrow) return takes_integers(node) ? kIntegers : "";
    for (const std::size_t i : values.outputs) {
      if (for_positions_[node.outputs[i].id] != 0) return kForPositions;
    }
    const bool is_square = node.is("Mul") && node.inputs[0] == node.inputs[1];
    if (is_square) return kSquares;
    for (const std::size_t i : values.inputs) {
      const Value input = node.inputs[i];
      const Tensor* constant = graph_.constant(input);
      if (constant != nullptr && !holds(*constant)) return kConstants;
      if (constant == nullptr && plan_.is_half[input.id] == 0) return kWide;
    }
    return {};
  }

  void keep(const Node& node, std::string_view reason) {
    if (node.is("Shape") || node.is("Size")) return;
    const auto known =
        std::find_if(plan_.kept.begin(), plan_.kept.end(), [&](const KeptNodes& entry) {
          return entry.op_type == node.op_type && entry.reason == reason;
        });
    if (known != plan_.kept.end()) {
      ++known->count;
    } else {
      plan_.kept.push_back({node.op_type, reason, 1});
    }
  }

  // In which precision each value is made.
  void decide() {
    if (options_.ports) {
      for (const Value input : graph_.main.inputs)
        plan_.is_half[input.id] =
            static_cast<char>(is_float(input) && for_positions_[input.id] == 0);
    }
    for (std::size_t at = 0; at < plan_.nodes.size(); ++at) {
      const Node& node = graph_.main.nodes[at];
      if (!touches_floats(node)) continue;
      if (is_mask(node)) {
        plan_.nodes[at].outputs = {0};
        plan_.is_half[node.outputs[0].id] = 1;
        continue;
      }
      const auto values = changing(node);
      const std::string_view reason =
          values ? reason_to_stay(node, *values)
                 : (is_asked_to_stay(node) ? kAsked : precision_of(graph_, node).reason);
      if (!values || !reason.empty()) {
        if (!reason.empty()) keep(node, reason);
        continue;
      }
      ++plan_.num_half;
      plan_.nodes[at] = *values;
      for (const std::size_t i : values->outputs) plan_.is_half[node.outputs[i].id] = 1;
    }
  }

  // What only float32 nodes use is not worth rounding before them.
  void widen() {
    std::vector<char> is_used(graph_.num_values(), 0);  // in half precision, or by a port of that
    for (const Value output : graph_.main.outputs) {
      if (options_.ports) is_used[output.id] = 1;
    }
    for (std::size_t at = plan_.nodes.size(); at-- > 0;) {
      const Node& node = graph_.main.nodes[at];
      ChangingPorts& values = plan_.nodes[at];
      const bool is_wanted =
          std::any_of(values.outputs.begin(), values.outputs.end(),
                      [&](std::size_t i) { return is_used[node.outputs[i].id] != 0; });
      const bool has_weight =
          std::any_of(values.inputs.begin(), values.inputs.end(), [&](std::size_t i) {
            const Tensor* weight = graph_.constant(node.inputs[i]);
            return weight != nullptr && weight->size_bytes() >= kLargeWeight;
          });
      if (!is_wanted && !has_weight && precision_of(graph_, node).rule != HalfRule::kNarrow) {
        if (!values.inputs.empty()) --plan_.num_half;
        for (const std::size_t i : values.outputs) plan_.is_half[node.outputs[i].id] = 0;
        values = {};
      }
      for (const std::size_t i : values.inputs) is_used[node.inputs[i].id] = 1;
    }
  }

  // 0 and 1 are exact in any type.
  bool is_mask(const Node& node) const {
    return node.is("Cast") && graph_.type(node.inputs[0]).dtype == DType::kBool &&
           is_float(node.outputs[0]) && for_positions_[node.outputs[0].id] == 0;
  }

  // What products are made of, stored in half precision and cast to float32 where it is used.
  void store_weights() {
    for (const Node& node : graph_.main.nodes) {
      const bool takes_weights =
          precision_of(graph_, node).rule == HalfRule::kNarrow || node.is("Gather");
      if (!touches_floats(node) || is_asked_to_stay(node) || !takes_weights) continue;
      for (const Value input : node.inputs) {
        const Tensor* weight = graph_.constant(input);
        if (weight == nullptr || !is_float(input) || plan_.is_half[input.id] != 0) continue;
        if (weight->size_bytes() < kSmallestWeight) continue;
        ++plan_.num_half;
        plan_.is_half[input.id] = 1;
      }
    }
  }

  const Graph& graph_;
  const HalfOptions& options_;
  std::vector<char> for_positions_;  // what becomes positions
  std::vector<char> is_dequantized_;
  KeepPatterns keep_;
  HalfPlan plan_;
};

}  // namespace

HalfPlan plan_half_precision(const Graph& graph, const HalfOptions& options) {
  return Planner(graph, options).run();
}

}  // namespace mx2onnx::passes
