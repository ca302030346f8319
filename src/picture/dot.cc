// A picture for Graphviz.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "mx2onnx/picture.h"
#include "mx2onnx/printable.h"

namespace mx2onnx {
namespace {

// A text within quotes. printable() leaves nothing in it that is not to be seen.
std::string dot_text(std::string_view text) {
  std::string result = "\"";
  for (const char letter : printable(text)) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + '"';
}

std::string shape_text(const PictureValue& value) {
  std::string text;
  for (const auto& size : value.shape) text += (text.empty() ? "" : "×") + size;
  return text;
}

class DotWriter {
 public:
  explicit DotWriter(const PictureGraph& graph) : graph_(graph) {}

  std::string write(const std::string& name) {
    text_ = fmt::format("digraph {} {{\n", dot_text(name));
    text_ += "  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
    text_ += "  edge [fontname=\"sans-serif\", fontsize=10];\n";
    for (const auto input : graph_.inputs) add_port("in", input);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      enter(graph_.nodes[i].block);
      add_node(i);
    }
    enter({});
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const auto output : graph_.nodes[i].outputs) {
        if (output >= 0) makers_[static_cast<std::size_t>(output)] = static_cast<std::int64_t>(i);
      }
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const auto input : graph_.nodes[i].inputs) add_edge(input, fmt::format("n{}", i));
    }
    std::vector<std::int64_t> outputs = graph_.outputs;
    std::sort(outputs.begin(), outputs.end());
    outputs.erase(std::unique(outputs.begin(), outputs.end()), outputs.end());
    for (const auto output : outputs) {
      add_port("out", output);
      add_edge(output, fmt::format("out{}", output));
    }
    return text_ + "}\n";
  }

 private:
  const PictureValue& value(std::int64_t index) const {
    return graph_.values[static_cast<std::size_t>(index)];
  }

  std::string indent() const { return std::string(2 * open_.size() + 2, ' '); }

  // Closes and opens clusters. Graphviz takes what is in one of them in several places.
  void enter(const std::vector<std::string>& block) {
    const auto [end, ignored] =
        std::mismatch(open_.begin(), open_.end(), block.begin(), block.end());
    const auto kept = static_cast<std::size_t>(end - open_.begin());
    while (open_.size() > kept) {
      open_.pop_back();
      text_ += indent() + "}\n";
    }
    while (open_.size() < block.size()) {
      std::string path;
      for (std::size_t i = 0; i <= open_.size(); ++i) path += "/" + block[i];
      text_ += fmt::format("{}subgraph {} {{\n", indent(), dot_text("cluster" + path));
      open_.push_back(block[open_.size()]);
      text_ += fmt::format("{}label={};\n", indent(), dot_text(open_.back()));
    }
  }

  void add_port(const char* kind, std::int64_t index) {
    text_ += fmt::format("  {}{} [shape=ellipse, label={}];\n", kind, index,
                         dot_text(value(index).name));
  }

  void add_node(std::size_t index) {
    const PictureNode& node = graph_.nodes[index];
    text_ += fmt::format("{}n{} [label={}, tooltip={}{}];\n", indent(), index, dot_text(node.op),
                         dot_text(node.name), node.problems.empty() ? "" : ", color=red");
  }

  void add_edge(std::int64_t index, const std::string& to) {
    if (index < 0) return;
    const PictureValue& edge = value(index);
    const std::int64_t maker = makers_[static_cast<std::size_t>(index)];
    if (maker < 0 && edge.kind != PictureValueKind::kInput) return;
    const std::string from = maker >= 0 ? fmt::format("n{}", maker) : fmt::format("in{}", index);
    text_ += fmt::format("  {} -> {} [label={}];\n", from, to, dot_text(shape_text(edge)));
  }

  const PictureGraph& graph_;
  std::string text_;
  std::vector<std::string> open_;
  std::vector<std::int64_t> makers_ = std::vector<std::int64_t>(graph_.values.size(), -1);
};

}  // namespace

std::string to_dot(const Picture& picture) {
  if (picture.graphs.empty())
    fail(ErrorCode::kUsage, "--dot: there is no graph in the file, only parameters");
  return DotWriter(picture.graphs.front()).write(picture.name);
}

}  // namespace mx2onnx
