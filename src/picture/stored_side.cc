// See sides.h.
#include <unordered_map>

#include "base/error.h"
#include "convert/inspect_onnx.h"
#include "onnx/reader.h"
#include "onnx/stored_attribute.h"
#include "picture/blocks.h"
#include "picture/sides.h"

namespace mx2onnx::picture {
namespace {

class StoredSide {
 public:
  StoredSide(const std::shared_ptr<const MappedFile>& file, const Inspection& inspection,
             StatisticsReader& statistics)
      : file_(file),
        inspection_(inspection),
        statistics_(statistics),
        model_(onnx::read_model(file->bytes())) {}

  PictureGraph run() {
    graph_.side = "onnx";
    for (const auto& weight : model_.weights) weights_.emplace(weight.name, &weight);
    for (const auto* list : {&model_.inputs, &model_.outputs, &model_.values}) {
      for (const auto& value : *list) types_.emplace(value.name, &value);
    }
    for (const auto& input : model_.inputs) {
      if (weights_.contains(input.name)) continue;
      const auto place = value_of(input.name);
      if (place < 0) continue;
      graph_.values[static_cast<std::size_t>(place)].kind = PictureValueKind::kInput;
      graph_.inputs.push_back(place);
    }
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) add_node(i);
    for (const auto& output : model_.outputs) {
      const auto place = value_of(output.name);
      if (place >= 0) graph_.outputs.push_back(place);
    }
    auto blocks = find_blocks(hints_);
    for (std::size_t i = 0; i < blocks.size(); ++i) graph_.nodes[i].block = std::move(blocks[i]);
    return std::move(graph_);
  }

 private:
  std::int64_t value_of(std::string_view name) {
    if (name.empty()) return -1;
    const auto [entry, is_new] =
        values_.try_emplace(name, static_cast<std::int64_t>(graph_.values.size()));
    if (!is_new) return entry->second;
    PictureValue value;
    value.name = name;
    value.dtype = "unknown";
    value.shape = {"..."};
    const auto type = types_.find(name);
    if (type != types_.end()) {
      PortReport port = describe_stored(*type->second);
      value.dtype = std::move(port.dtype);
      value.shape = std::move(port.shape);
    }
    if (const auto weight = weights_.find(name); weight != weights_.end())
      describe_weight(*weight->second, value);
    graph_.values.push_back(std::move(value));
    return entry->second;
  }

  void describe_weight(const onnx::StoredWeight& weight, PictureValue& value) {
    value.kind = PictureValueKind::kParameter;
    const DType dtype = stored_dtype(weight.dtype);
    value.dtype = dtype_name(dtype);
    value.shape.clear();
    for (const auto size : weight.dims) value.shape.push_back(std::to_string(size));
    value.bytes = stored_bytes(weight);
    // Whatever the sizes say: what is there is looked at, and it is not made into an array.
    const std::size_t element = dtype_size(dtype);
    const auto raw = weight.raw();
    if (element == 0 || raw.empty() || raw.size() % element != 0) return;
    const Tensor tensor{dtype,
                        {static_cast<std::int64_t>(raw.size() / element)},
                        std::make_shared<BorrowedData>(file_, raw)};
    value.statistics = statistics_.look_at(tensor);
    value.numbers = small_numbers(tensor);
  }

  void add_node(std::size_t index) {
    const onnx::StoredNode& node = model_.nodes[index];
    const LayerInfo& layer = inspection_.layers[index];
    PictureNode result;
    BlockHints hint{node.name, node.op_type, {}, {}, {}};
    result.name = layer.name;
    result.op = node.op_type;
    result.domain = node.domain;
    result.parameters = layer.parameters;
    result.parameter_bytes = layer.parameter_bytes;
    result.multiply_adds = layer.multiply_adds;
    for (const auto& attribute : node.attributes)
      result.attributes.emplace_back(attribute.name, onnx::attribute_text(attribute));
    for (const auto input : node.inputs) {
      result.inputs.push_back(value_of(input));
      // A file may have its nodes in any order; what comes later tells nothing of blocks.
      if (const auto maker = makers_.find(input); maker != makers_.end()) {
        hint.inputs.push_back(maker->second);
      } else if (weights_.contains(input)) {
        hint.parameters.push_back(input);
      }
    }
    for (const auto output : node.outputs) {
      result.outputs.push_back(value_of(output));
      makers_.emplace(output, static_cast<std::uint32_t>(index));
    }
    hints_.push_back(std::move(hint));
    graph_.nodes.push_back(std::move(result));
  }

  std::shared_ptr<const MappedFile> file_;
  const Inspection& inspection_;
  StatisticsReader& statistics_;
  onnx::StoredModel model_;
  PictureGraph graph_;
  std::vector<BlockHints> hints_;
  std::unordered_map<std::string_view, const onnx::StoredWeight*> weights_;
  std::unordered_map<std::string_view, const onnx::StoredValue*> types_;
  std::unordered_map<std::string_view, std::int64_t> values_;
  std::unordered_map<std::string_view, std::uint32_t> makers_;
};

}  // namespace

PictureGraph stored_side(const std::shared_ptr<const MappedFile>& file,
                         const Inspection& inspection, StatisticsReader& statistics) {
  const ErrorScope scope = ErrorScope::file(file->path());
  return StoredSide(file, inspection, statistics).run();
}

}  // namespace mx2onnx::picture
