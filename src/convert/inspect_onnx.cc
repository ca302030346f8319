// See inspect_onnx.h.
#include "convert/inspect_onnx.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/attempt.h"
#include "base/error.h"
#include "convert/size_numbers.h"
#include "ir/dim_parse.h"
#include "ir/int4.h"
#include "onnx/reader.h"
#include "onnx/schema.h"

namespace mx2onnx {
namespace {

std::string dtype_text(std::int64_t code) {
  for (int i = 0; i <= static_cast<int>(kInt4); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (onnx::onnx_type_code(dtype) == code) return std::string(dtype_name(dtype));
  }
  return "unknown";
}

std::size_t element_size(std::int64_t code) {
  for (int i = 0; i < static_cast<int>(DType::kUnknown); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (onnx::onnx_type_code(dtype) == code) return dtype_size(dtype);
  }
  return 0;
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
      if (!weights_.contains(input.name)) result_.inputs.push_back(port(input));
    }
    for (const auto& output : model_.outputs) result_.outputs.push_back(port(output));
    collect_shapes();
    count_operators();
    for (const auto& node : model_.nodes) result_.layers.push_back(layer(node));
    return std::move(result_);
  }

 private:
  static PortReport port(const onnx::StoredValue& value) {
    PortReport port{std::string(value.name), dtype_text(value.type.dtype), value.type.dims};
    if (!value.type.known_rank) port.shape = {"..."};
    return port;
  }

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

  static Number count(const onnx::StoredWeight& weight) {
    Number product = 1;
    for (const auto size : weight.dims) {
      product = size < 0 ? std::nullopt : times(product, static_cast<std::uint64_t>(size));
    }
    return product;
  }

  // As many as the sizes say, for they may lie beside the file or be packed.
  static Number bytes(const onnx::StoredWeight& weight) {
    const std::size_t element = element_size(weight.dtype);
    return element == 0 ? Number(weight.bytes) : times(count(weight), element);
  }

  void collect_weights() {
    for (const auto& weight : model_.weights) {
      weights_.emplace(weight.name, &weight);
      ++result_.num_parameters;
      result_.parameter_count += count(weight).value_or(0);
      result_.parameter_bytes += bytes(weight).value_or(0);
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
    for (const auto& node : model_.nodes) {
      add(node.op_type);
      for (const auto op : node.ops) add(op);
    }
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

  Number multiply_adds(const onnx::StoredNode& node) {
    if (!node.ops.empty()) return std::nullopt;
    const bool is_conv = node.op_type == "Conv" || node.op_type == "ConvInteger";
    const bool is_transposed = node.op_type == "ConvTranspose";
    const bool is_product = node.op_type == "MatMul" || node.op_type == "Gemm";
    const bool is_recurrent =
        node.op_type == "LSTM" || node.op_type == "GRU" || node.op_type == "RNN";
    if (!is_conv && !is_transposed && !is_product && !is_recurrent) return 0;
    if (node.inputs.size() < (is_recurrent ? 3 : 2) || node.outputs.empty()) return std::nullopt;
    const Shape data = shape_of(node.inputs[0]);
    const Shape weight = shape_of(node.inputs[1]);
    const Shape output = shape_of(node.outputs[0]);
    if (is_recurrent) {
      if (data.rank() < 2) return std::nullopt;
      const Number weights = plus(size_.count(weight), size_.count(shape_of(node.inputs[2])));
      return times(times(size_(data[0]), size_(data[1])), weights);
    }
    if (is_product) {
      if (data.rank() == 0 || (node.transposes_first && data.rank() != 2)) return std::nullopt;
      return times(size_.count(output), size_(data[node.transposes_first ? 0 : data.rank() - 1]));
    }
    const Number filters = weight.rank() == 0 ? std::nullopt : size_(weight[0]);
    const Number elements = size_.count(weight);
    if (!filters || *filters == 0 || !elements) return std::nullopt;
    return times(size_.count(is_transposed ? data : output), *elements / *filters);
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
        PortReport output = port(*type->second);
        layer.dtype = std::move(output.dtype);
        layer.shape = std::move(output.shape);
      }
    }
    for (const auto input : node.inputs) {
      const auto weight = weights_.find(input);
      if (weight == weights_.end() || !counted_.insert(input).second) continue;
      layer.parameters = plus(layer.parameters, count(*weight->second));
      layer.parameter_bytes = plus(layer.parameter_bytes, bytes(*weight->second));
    }
    layer.multiply_adds = multiply_adds(node);
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

Inspection inspect_onnx(const std::shared_ptr<const MappedFile>& file) {
  const ErrorScope scope = ErrorScope::file(file->path());
  const onnx::StoredModel model = onnx::read_model(file->bytes());
  return OnnxInspector(model).run();
}

}  // namespace mx2onnx
