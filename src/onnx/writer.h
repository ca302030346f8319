// Writes a graph as an ONNX file: own encoding of the protobuf message on protozero's primitives.
// Sizes are computed first, then everything is appended in order, and weights go straight from
// where they lie to where they belong.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_sink.h"
#include "onnx/graph.h"

namespace mx2onnx::onnx {

struct ModelInfo {
  int opset = 0;
  std::string producer_version;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Bytes written and bytes in all.
using WriteProgress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Protobuf's limit for one message.
constexpr std::uint64_t kMostMessageBytes = (std::uint64_t{1} << 31) - 1;

class ModelWriter {
 public:
  /// Encodes everything but the weights. Graph and info must outlive the writer.
  ModelWriter(const Graph& graph, const ModelInfo& info);

  /// Bytes that the model takes as one message, weights included.
  std::uint64_t message_size() const;

  /// Writes the model as one message. Fails with kUnsupported if that passes protobuf's limit.
  void write(ByteSink& sink, const WriteProgress& progress = {}) const;

  /// From here on, the model refers to its weights of 1 KiB and more in the files where they lie,
  /// by the names that these have, relative to the model; comes before `use_data_file`. Gives the
  /// bytes of the weights of this size that lie in none of them.
  std::uint64_t use_weights_in_place(const std::map<const MappedFile*, std::string>& names);
  /// The weights of 1 KiB and more.
  std::vector<const Tensor*> large_weights() const;

  /// From here on, weights of 1 KiB and more lie in a file of their own, to which the model refers
  /// by its name, relative to the model. May be called again with another name. Fails with
  /// kUnsupported if what is left passes protobuf's limit.
  void use_data_file(const std::string& name);
  /// What that file holds.
  void write_data(ByteSink& data, const WriteProgress& progress = {}) const;

 private:
  struct Initializer {
    const Tensor* tensor;
    std::string header;          // all of the TensorProto but its bytes
    std::size_t own_header = 0;  // how much of that says nothing of another file
    bool is_external = false;
    bool is_in_place = false;  // in a file that is there already
    std::uint64_t external_offset = 0;

    std::uint64_t message_size() const;
    void refer_to(const std::string& file, std::uint64_t offset);
  };

  void collect_initializers();
  void describe_values();
  std::string node_message(const Node& node) const;
  std::string attr_message(const Attribute& attr) const;
  std::string body_message(const Body& body, const std::string& name) const;
  std::uint64_t graph_size() const;
  std::string prologue() const;
  std::string epilogue() const;
  void write_message(ByteSink& sink, const std::function<void(std::uint64_t)>& wrote) const;

  const Graph& graph_;
  const ModelInfo& info_;
  std::vector<Initializer> initializers_;
  std::string nodes_;   // node and name fields of the GraphProto
  std::string values_;  // input, output and value_info fields
  std::uint64_t data_size_ = 0;
};

}  // namespace mx2onnx::onnx
