// The nets of GluonCV, Gluon's model zoo and GluonNLP: their graphs, with the parameters called by
// the keys of `save_parameters`, and what is known of their pretrained files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "architectures/stream.h"
#include "mx2onnx/convert.h"
#include "mxnet/symbol.h"

namespace mx2onnx::architectures {

/// A parameter in the file of a net.
struct Parameter {
  std::string key;   ///< Of `save_parameters`: "features.0.weight". A variable of the graph.
  std::string name;  ///< Its name without the net's prefix: "conv0_weight".
  std::vector<std::int64_t> shape;  ///< 0 where Gluon learns a size from the first input.
  /// The same array's first key, by its number, if this is another one. Then the graph has no
  /// variable of this key.
  std::optional<std::size_t> same_as;
};

struct Architecture {
  std::string name;     ///< "resnet50_v1"; with "mxnet/" or "nlp/" if it is not GluonCV's.
  std::string prefix;   ///< Of the parameters' full names: "resnetv10_".
  std::string task;     ///< "classification".
  std::string library;  ///< "gluoncv", "mxnet" or "gluonnlp".
  std::vector<std::string> files;  ///< Of pretrained weights: "resnet50_v1-117a384e.params".
  std::vector<InputSpec> inputs;   ///< Where anything is known of them.
  std::size_t graph = 0;
  std::size_t layout = 0;
  std::optional<std::size_t> classes;
  std::optional<Preprocessing> preparation;  ///< Of a picture of RGB bytes, rows of pixels.
  bool has_old_form = false;                 ///< Files of old MXNets lack the prefix.
  std::vector<std::string> further_keys;     ///< A file may have them for nothing.
};

class Catalogue {
 public:
  /// Nothing in a build without the data.
  static std::optional<Catalogue> load();

  const std::vector<Architecture>& all() const { return all_; }
  std::vector<Parameter> layout(std::size_t index) const;
  /// How many keys the layout has, without reading it.
  std::size_t layout_size(std::size_t index) const;
  mxnet::Symbol graph(std::size_t index) const;
  std::vector<std::string> classes(std::size_t index) const;
  /// The net of this name, if need be with "mxnet/" or "nlp/" before it. Fails with kUsage.
  const Architecture& find(const std::string& name) const;

 private:
  struct Operator {
    std::string_view name;
    std::size_t subgraphs = 0;
    mxnet::Attributes attrs;
  };
  using Part = std::span<const unsigned char>;

  explicit Catalogue(std::vector<unsigned char> bytes);

  mxnet::Symbol read_graph(Stream stream) const;

  std::vector<unsigned char> bytes_;
  Texts texts_;
  std::vector<Operator> operators_;
  std::vector<Part> graphs_;
  std::vector<Part> layouts_;
  std::vector<std::vector<std::string_view>> classes_;
  std::vector<Architecture> all_;
};

}  // namespace mx2onnx::architectures
