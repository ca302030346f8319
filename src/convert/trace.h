// What became of each MXNet node: kept while a graph is made, for who wants to look at it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onnx/graph.h"

namespace mx2onnx {

/// What a pass did to a node.
struct TraceEvent {
  enum class What { kChanged, kMade, kRemoved };
  std::string pass;
  What what;
  std::string node;    ///< Of the ONNX graph.
  std::uint32_t from;  ///< The MXNet node that it is of; Trace::kNobody if it is of none.
};

class Trace {
 public:
  static constexpr std::uint32_t kNobody = 0xffffffff;

  /// The translation comes to an MXNet node: values from now on are of it.
  void begin_node(std::uint32_t node, std::size_t num_values);
  /// It is through with all of them.
  void end_nodes(const onnx::Graph& graph);
  /// A pass has run.
  void after_pass(std::string_view pass, const onnx::Graph& graph);

  /// The MXNet node that a node is of, by its name.
  std::uint32_t origin(const onnx::Node& node) const;
  /// The MXNet node that a value was made for.
  std::uint32_t origin(onnx::Value value) const;
  const std::vector<TraceEvent>& events() const { return events_; }

 private:
  struct Seen {
    std::string op;
    std::vector<std::uint32_t> values;  // inputs, then outputs
    std::size_t num_attrs = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  static Seen see(const onnx::Node& node);

  std::vector<std::pair<std::size_t, std::uint32_t>> begins_;  // values before it; the node
  std::size_t num_values_ = 0;                                 // that the translation made
  std::unordered_map<std::string, std::uint32_t> origins_;     // by the ONNX node's name
  std::unordered_map<std::string, Seen> seen_;                 // nodes after the last pass
  std::vector<TraceEvent> events_;
};

}  // namespace mx2onnx
