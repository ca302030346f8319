// What a pass looks for: an expression over operators, attributes and constants, with names for the
// parts that it needs. `op("Min", {op("Max", {any("x"), number("low")}), number("high")})` is a
// value x that is bounded from below and then from above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/graph.h"

namespace mx2onnx::passes {

/// One place of an expression. Names are literals: they outlive the pattern.
struct Pattern {
  enum class Kind : std::uint8_t {
    kAny,       ///< Any value that is there.
    kAbsent,    ///< An optional input that is not.
    kConstant,  ///< A constant.
    kNumber,    ///< A constant with one element that adds no axes to what it is combined with.
    kOp,        ///< What an operator of ONNX's own makes.
  };
  Kind kind = Kind::kAny;
  std::string_view name;  ///< Empty: no need for it. Twice: the same value.
  std::optional<double> number;
  std::vector<std::string_view> op_types;
  std::vector<Pattern> inputs;
  bool more_inputs = false;  ///< There may be inputs beyond those.
  bool shared = false;       ///< Others may use the value, too.
  std::vector<std::function<bool(const onnx::Node&)>> conditions;

  /// Names the part.
  Pattern as(std::string_view part) &&;
  /// Inputs beyond those that the expression has are none of its business.
  Pattern with_more() &&;
  /// Without this, a value within the expression has no other use: it goes when the expression
  /// does.
  Pattern with_other_uses() &&;
  Pattern where(std::function<bool(const onnx::Node&)> condition) &&;
};

Pattern any(std::string_view name = {});
Pattern absent();
Pattern constant(std::string_view name);
Pattern number(std::string_view name);
/// One number, rounded to the element type.
Pattern exactly(double value);
/// Add, Max, Min and Mul of two take their inputs in either order.
Pattern op(std::vector<std::string_view> op_types, std::vector<Pattern> inputs = {});
Pattern op(std::string_view op_type, std::vector<Pattern> inputs = {});

/// Who makes and uses each value, kept up to date while nodes change; what patterns look at.
class Surroundings {
 public:
  explicit Surroundings(onnx::Graph& graph);

  const onnx::Graph& graph() const { return graph_; }
  /// The node, of whichever body, that makes the value; null if none does.
  onnx::Node* producer(onnx::Value value) const;
  /// Inputs of nodes, of inner bodies, too, and outputs of bodies.
  std::size_t count(onnx::Value value) const { return entry(value).uses; }
  bool is_output(onnx::Value value) const { return entry(value).is_output; }

  /// Gives the node other inputs; nodes whose outputs nobody uses any more have none left, and
  /// `is_dead`.
  void set_inputs(onnx::Node& node, std::vector<onnx::Value> inputs);
  static bool is_dead(const onnx::Node& node) { return node.outputs.empty(); }

 private:
  struct Entry {
    onnx::Node* producer = nullptr;
    std::uint32_t uses = 0;
    bool is_output = false;
  };
  const Entry& entry(onnx::Value value) const;
  Entry& entry_for_change(onnx::Value value);
  void release(onnx::Value value);

  onnx::Graph& graph_;
  std::vector<Entry> entries_;  // by value id; values that came later have no entry yet
};

/// Where an expression stands in a graph.
class Match {
 public:
  explicit Match(const Surroundings& around) : around_(around) {}

  onnx::Value value(std::string_view name) const;
  /// The node that makes the part.
  const onnx::Node& node(std::string_view name) const;
  /// Of a part that is one.
  const Tensor& tensor(std::string_view name) const;
  double number(std::string_view name) const;
  const TensorType& type(std::string_view name) const;

 private:
  friend class Matcher;
  const Surroundings& around_;
  std::vector<std::pair<std::string_view, onnx::Value>> parts_;
};

/// Whether the node is where the expression ends.
std::optional<Match> find(const Pattern& pattern, const Surroundings& around,
                          const onnx::Node& node);

}  // namespace mx2onnx::passes
