// See inspect_onnx.h.
#include "convert/inspect_onnx.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/attempt.h"
#include "base/error.h"
#include "convert/onnx_work.h"
#include "convert/size_numbers.h"
#include "ir/dim_parse.h"
#include "ir/int4.h"
#include "onnx/reader.h"
#include "onnx/schema.h"

namespace mx2onnx {
namespace {

Number stored_count(const onnx::StoredWeight& weight) {
  Number product = 1;
  for (const auto size : weight.dims) {
    product = size < 0 ? std::nullopt : times(product, static_cast<std::uint64_t>(size));
  }
  return product;
}

/// A file's values by name, with their shapes, and what its nodes compute.
class OnnxInspector {
 public:
  explicit OnnxInspector(const onnx::StoredModel& model)
      : model_(model), size_(result_.counted_as_one) {}

  Inspection run() {
    result_.kind = FileKind::kOnnx;
    describe_origin();
    collect_weights();
    for (const auto& input : model_.inputs) {
      // Until IR version 3, weights were inputs too.
      if (!weights_.contains(input.name)) result_.inputs.push_back(describe_stored(input));
    }
    for (const auto& output : model_.outputs) result_.outputs.push_back(describe_stored(output));
    collect_shapes();
    count_operators();
    for (const auto& node : model_.nodes) result_.layers.push_back(layer(node));
    return std::move(result_);
  }

 private:
  void describe_origin() {
    result_.producer = std::string(model_.producer);
    if (!model_.producer_version.empty())
      result_.producer += " " + std::string(model_.producer_version);
    result_.ir_version = model_.ir_version;
    for (const auto& [domain, version] : model_.opsets) {
      result_.opsets.emplace_back(domain, version);
      if (domain.empty() || domain == "ai.onnx") result_.opset = static_cast<int>(version);
    }
    for (const auto& [key, value] : model_.metadata) result_.metadata.emplace_back(key, value);
  }

  void collect_weights() {
    for (const auto& weight : model_.weights) {
      weights_.emplace(weight.name, &weight);
      ++result_.num_parameters;
      result_.parameter_count += stored_count(weight).value_or(0);
      result_.parameter_bytes += stored_bytes(weight).value_or(0);
    }
  }

  Shape shape_of(const onnx::StoredType& type) {
    if (!type.known_rank) return {};
    std::vector<Dim> dims;
    for (const auto& text : type.dims) {
      std::optional<Dim> dim;
      // An expression may be too long, or its numbers too large.
      const auto failure = attempt([&] { dim = parse_dim(text, arena_); });
      dims.push_back(failure || !dim ? Dim() : *dim);
    }
    return Shape(std::move(dims));
  }

  void collect_shapes() {
    for (const auto* list : {&model_.inputs, &model_.outputs, &model_.values}) {
      for (const auto& value : *list) types_.emplace(value.name, &value);
    }
    for (const auto& input : model_.inputs) {
      if (weights_.contains(input.name)) continue;
      const Shape shape = shape_of(input.type);
      if (shape.rank() == 0) continue;
      const std::string name(shape[0].symbol_name());
      auto& ones = result_.counted_as_one;
      if (!name.empty() && std::find(ones.begin(), ones.end(), name) == ones.end())
        ones.push_back(name);
    }
  }

  void count_operators() {
    std::map<std::string, OperatorCount> counts;
    const auto add = [&](std::string_view op) {
      auto& entry = counts[std::string(op)];
      entry.op = op;
      entry.known = true;
      ++entry.nodes;
    };
    for_each_stored_node(model_, [&](const onnx::StoredNode& node) { add(node.op_type); });
    for (auto& [op, entry] : counts) result_.operators.push_back(std::move(entry));
  }

  Shape shape_of(std::string_view name) {
    if (const auto weight = weights_.find(name); weight != weights_.end()) {
      for (const auto size : weight->second->dims) {
        if (size < 0) return {};
      }
      return Shape::of(weight->second->dims);
    }
    const auto type = types_.find(name);
    return type == types_.end() ? Shape() : shape_of(type->second->type);
  }

  Number work_of(const onnx::StoredNode& node) {
    const auto has_graphs = [](const auto& attribute) { return !attribute.graphs.empty(); };
    if (std::any_of(node.attributes.begin(), node.attributes.end(), has_graphs))
      return std::nullopt;
    if (node.outputs.empty()) return 0;
    const auto* transposes = node.find("transA");
    OnnxWork work{node.op_type,
                  {},
                  shape_of(node.outputs[0]),
                  transposes != nullptr && transposes->integer.value_or(0) != 0};
    constexpr std::size_t kMostThatCount = 3;
    for (const auto input : node.inputs) {
      if (work.inputs.size() < kMostThatCount) work.inputs.push_back(shape_of(input));
    }
    return multiply_adds(work, size_);
  }

  LayerInfo layer(const onnx::StoredNode& node) {
    LayerInfo layer;
    layer.name = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
    layer.op = node.op_type;
    layer.dtype = "unknown";
    layer.shape = {"..."};
    if (!node.outputs.empty()) {
      const auto type = types_.find(node.outputs[0]);
      if (type != types_.end()) {
        PortReport output = describe_stored(*type->second);
        layer.dtype = std::move(output.dtype);
        layer.shape = std::move(output.shape);
      }
    }
    for (const auto input : node.inputs) {
      const auto weight = weights_.find(input);
      if (weight == weights_.end() || !counted_.insert(input).second) continue;
      layer.parameters = plus(layer.parameters, stored_count(*weight->second));
      layer.parameter_bytes = plus(layer.parameter_bytes, stored_bytes(*weight->second));
    }
    layer.multiply_adds = work_of(node);
    return layer;
  }

  const onnx::StoredModel& model_;
  Inspection result_;
  SizeEvaluator size_;
  DimArena arena_;
  std::unordered_map<std::string_view, const onnx::StoredWeight*> weights_;
  std::unordered_map<std::string_view, const onnx::StoredValue*> types_;
  std::unordered_set<std::string_view> counted_;
};

}  // namespace

DType stored_dtype(std::int64_t code) {
  for (int i = 0; i <= static_cast<int>(kInt4); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (onnx::onnx_type_code(dtype) == code) return dtype;
  }
  return DType::kUnknown;
}

PortReport describe_stored(const onnx::StoredValue& value) {
  PortReport port{std::string(value.name), std::string(dtype_name(stored_dtype(value.type.dtype))),
                  value.type.dims};
  if (!value.type.known_rank) port.shape = {"..."};
  return port;
}

// As many as the sizes say, for they may lie beside the file or be packed.
std::optional<std::uint64_t> stored_bytes(const onnx::StoredWeight& weight) {
  const std::size_t element = dtype_size(stored_dtype(weight.dtype));
  return element == 0 ? Number(weight.bytes) : times(stored_count(weight), element);
}

Inspection inspect_onnx(const std::shared_ptr<const MappedFile>& file) {
  const ErrorScope scope = ErrorScope::file(file->path());
  const onnx::StoredModel model = onnx::read_model(file->bytes());
  return OnnxInspector(model).run();
}

}  // namespace mx2onnx
