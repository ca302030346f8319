// See node_shapes.h.
#include "lint/node_shapes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "onnx/schema.h"

namespace mx2onnx::lint {
namespace {

// Sorted, for the binary search.
constexpr std::array<std::string_view, 51> kSameShape = {"Abs",
                                                         "Acos",
                                                         "Acosh",
                                                         "Asin",
                                                         "Asinh",
                                                         "Atan",
                                                         "Atanh",
                                                         "BatchNormalization",
                                                         "Cast",
                                                         "CastLike",
                                                         "Ceil",
                                                         "Celu",
                                                         "Clip",
                                                         "Cos",
                                                         "Cosh",
                                                         "CumSum",
                                                         "DequantizeLinear",
                                                         "Dropout",
                                                         "Elu",
                                                         "Erf",
                                                         "Exp",
                                                         "Floor",
                                                         "Gelu",
                                                         "GroupNormalization",
                                                         "HardSigmoid",
                                                         "HardSwish",
                                                         "Hardmax",
                                                         "Identity",
                                                         "InstanceNormalization",
                                                         "IsInf",
                                                         "IsNaN",
                                                         "LRN",
                                                         "LayerNormalization",
                                                         "LeakyRelu",
                                                         "Log",
                                                         "LogSoftmax",
                                                         "Mish",
                                                         "Neg",
                                                         "Not",
                                                         "PRelu",
                                                         "QuantizeLinear",
                                                         "Reciprocal",
                                                         "Relu",
                                                         "Round",
                                                         "Selu",
                                                         "Sigmoid",
                                                         "Sign",
                                                         "Sin",
                                                         "Softmax",
                                                         "Softplus",
                                                         "Sqrt"};
constexpr std::array<std::string_view, 24> kBroadcasting = {
    "Add",       "And",         "BitShift", "Div",  "Equal", "Greater", "GreaterOrEqual",
    "Less",      "LessOrEqual", "Max",      "Mean", "Min",   "Mod",     "Mul",
    "Or",        "Pow",         "Sub",      "Sum",  "Where", "Xor",     "BitwiseAnd",
    "BitwiseOr", "BitwiseXor",  "PRelu"};
constexpr std::array<std::string_view, 19> kSameRank = {
    "AveragePool",   "Concat", "Conv",    "ConvTranspose", "DepthToSpace", "GlobalAveragePool",
    "GlobalMaxPool", "LpPool", "MaxPool", "Pad",           "Resize",       "Slice",
    "SpaceToDepth",  "Split",  "Tile",    "TopK",          "Transpose",    "Upsample",
    "DeformConv"};

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& names, std::string_view op) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

using Shape = std::optional<std::vector<Size>>;

Shape of_rank(std::size_t rank) { return std::vector<Size>(rank); }

Shape broadcast(const std::vector<const ValueFacts*>& inputs) {
  std::vector<Size> result;
  for (const auto* input : inputs) {
    if (input == nullptr || !input->shape) return std::nullopt;
    const auto& shape = *input->shape;
    if (shape.size() > result.size())
      result.insert(result.begin(), shape.size() - result.size(), {Size::Kind::kNumber, 1});
    for (std::size_t i = 0; i < shape.size(); ++i) {
      Size& size = result[result.size() - shape.size() + i];
      if (size.kind == Size::Kind::kNumber && size.number == 1) size = shape[i];
    }
  }
  return result;
}

std::int64_t integer(const onnx::StoredNode& node, std::string_view name, std::int64_t otherwise) {
  const auto* attribute = node.find(name);
  return attribute == nullptr ? otherwise : attribute->integer.value_or(otherwise);
}

std::optional<std::vector<double>> constant(const std::vector<const ValueFacts*>& inputs,
                                            std::size_t index) {
  if (index >= inputs.size() || inputs[index] == nullptr || inputs[index]->constant == nullptr)
    return std::nullopt;
  return onnx::small_values(*inputs[index]->constant);
}

// How many axes a node names, in the attribute or, later, in an input.
std::optional<std::size_t> num_axes(const onnx::StoredNode& node,
                                    const std::vector<const ValueFacts*>& inputs) {
  if (const auto* axes = node.find("axes")) return axes->integers.size();
  if (inputs.size() < 2 || inputs[1] == nullptr || !inputs[1]->shape) return std::nullopt;
  const auto& shape = *inputs[1]->shape;
  if (shape.size() != 1 || shape[0].kind != Size::Kind::kNumber || shape[0].number < 0 ||
      shape[0].number > 64)
    return std::nullopt;
  return static_cast<std::size_t>(shape[0].number);
}

// The sizes that a constant says; a rank alone where only that is known.
Shape sizes_of(const std::vector<const ValueFacts*>& inputs, std::size_t index) {
  if (const auto values = constant(inputs, index)) {
    std::vector<Size> sizes;
    for (const double value : *values) {
      sizes.push_back(value > 0 ? Size{Size::Kind::kNumber, static_cast<std::int64_t>(value)}
                                : Size{});
    }
    return sizes;
  }
  if (index >= inputs.size() || inputs[index] == nullptr || !inputs[index]->shape)
    return std::nullopt;
  const auto& shape = *inputs[index]->shape;
  if (shape.size() != 1 || shape[0].kind != Size::Kind::kNumber || shape[0].number < 0 ||
      shape[0].number > 64)
    return std::nullopt;
  return of_rank(static_cast<std::size_t>(shape[0].number));
}

Shape shape_of(const onnx::StoredNode& node, const std::vector<const ValueFacts*>& inputs) {
  const std::string_view op = node.op_type;
  Shape first = inputs.empty() || inputs[0] == nullptr ? std::nullopt : inputs[0]->shape;
  if (op == "Shape" || op == "Range" || op == "NonMaxSuppression")
    return of_rank(op == "NonMaxSuppression" ? 2 : 1);
  if (op == "Reshape" || op == "Expand") {
    Shape sizes = sizes_of(inputs, 1);
    // An Expand may have a larger rank than its shape says.
    if (op == "Expand" && sizes && first && first->size() > sizes->size())
      return of_rank(first->size());
    return sizes;
  }
  if (op == "ConstantOfShape") return sizes_of(inputs, 0);
  if (is_one_of(kBroadcasting, op)) return broadcast(inputs);
  if (!first) return std::nullopt;
  const std::size_t rank = first->size();
  if (is_one_of(kSameShape, op)) return first;
  if (is_one_of(kSameRank, op)) return of_rank(rank);
  if (op == "Flatten" || op == "Gemm") return of_rank(2);
  if (op == "MatMul") {
    if (inputs.size() < 2 || inputs[1] == nullptr || !inputs[1]->shape) return std::nullopt;
    const std::size_t other = inputs[1]->shape->size();
    return rank < 2 || other < 2 ? Shape() : of_rank(std::max(rank, other));
  }
  if (op == "Gather" && inputs.size() > 1 && inputs[1] != nullptr && inputs[1]->shape && rank > 0)
    return of_rank(rank - 1 + inputs[1]->shape->size());
  const auto axes = num_axes(node, inputs);
  if (op == "Unsqueeze" && axes) return of_rank(rank + *axes);
  if (op == "Squeeze" && axes && *axes <= rank) return of_rank(rank - *axes);
  if (op.starts_with("Reduce")) {
    if (integer(node, "keepdims", 1) != 0) return of_rank(rank);
    if (axes && *axes > 0 && *axes <= rank) return of_rank(rank - *axes);
    return std::nullopt;
  }
  if (op == "ArgMax" || op == "ArgMin")
    return integer(node, "keepdims", 1) != 0 || rank == 0 ? of_rank(rank) : of_rank(rank - 1);
  return std::nullopt;
}

}  // namespace

ValueFacts facts_of_output(const onnx::StoredNode& node,
                           const std::vector<const ValueFacts*>& inputs, std::size_t output) {
  ValueFacts facts;
  const std::string_view op = node.op_type;
  if (op == "Constant") {
    const auto* value = node.find("value");
    if (value != nullptr && value->tensor) {
      facts.constant = &*value->tensor;
      facts.dtype = value->tensor->dtype;
      facts.shape.emplace();
      for (const auto size : value->tensor->dims)
        facts.shape->push_back({Size::Kind::kNumber, size});
    }
    return facts;
  }
  if (op == "Identity" && !inputs.empty() && inputs[0] != nullptr) return *inputs[0];
  if (op == "Cast") facts.dtype = integer(node, "to", 0);
  if (op == "ConstantOfShape") {
    const auto* value = node.find("value");
    const bool has_type = value != nullptr && value->tensor;
    facts.dtype = has_type ? value->tensor->dtype : onnx::onnx_type_code(DType::kFloat32);
  }
  const bool is_same_for_all = output == 0 || op == "Split" || op == "TopK";
  if (is_same_for_all) facts.shape = shape_of(node, inputs);
  return facts;
}

}  // namespace mx2onnx::lint
