// The part of the builder that computes in another element type where ONNX Runtime has no kernel
// for the one asked for.
#include <algorithm>
#include <utility>

#include "onnx/builder.h"
#include "onnx/runtime_gaps.h"

namespace mx2onnx::onnx {

// The inputs and outputs of the telling input's type change their type, the others stay.
std::vector<Value> Builder::emit_through(DType through, std::string_view op_type,
                                         std::vector<Value> inputs, Attributes attrs,
                                         std::vector<TensorType> types) {
  const OpSchema& schema = *find_schema(op_type, opset_);
  const auto formal = [](std::span<const FormalRow> rows, std::size_t i) {
    return rows[std::min(i, rows.size() - 1)];
  };
  const std::size_t telling = telling_input(op_type);
  const auto group = formal(schema.inputs, telling).group;
  const DType from = dtype(inputs[telling]);
  runtime_casts_.push_back({std::string(op_type), from, through});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // An exponent may be of another type than the base, but there is no kernel for bfloat16 either.
    const bool narrow = from == DType::kBfloat16 && inputs[i].present() &&
                        dtype(inputs[i]) == from && takes(op_type, through, i);
    const bool same =
        i == telling || narrow || (group >= 0 && formal(schema.inputs, i).group == group);
    if (same && inputs[i].present()) inputs[i] = cast(inputs[i], through);
  }
  std::vector<bool> is_cast(types.size(), false);
  for (std::size_t i = 0; i < types.size(); ++i) {
    is_cast[i] = types[i].dtype == from && group >= 0 && !schema.outputs.empty() &&
                 formal(schema.outputs, i).group == group;
    if (is_cast[i]) types[i].dtype = through;
  }
  Node node;
  node.op_type = op_type;
  auto outputs = append(std::move(node), std::move(inputs), std::move(attrs), std::move(types));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (is_cast[i] && outputs[i].present()) outputs[i] = cast(outputs[i], from);
  }
  return outputs;
}

std::vector<RuntimeCast> Builder::take_runtime_casts() {
  std::vector<RuntimeCast> found;
  for (auto& cast : std::exchange(runtime_casts_, {})) {
    const bool known = std::any_of(found.begin(), found.end(), [&](const RuntimeCast& other) {
      return other.op_type == cast.op_type && other.from == cast.from;
    });
    if (!known) found.push_back(std::move(cast));
  }
  return found;
}

}  // namespace mx2onnx::onnx
