// A model as a list of layers, with what each of them holds and computes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infer/infer.h"
#include "mx2onnx/inspect.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// The type as a report has it: "..." for an unknown number of dimensions.
PortReport describe_port(std::string name, const TensorType& type);

/// The number of elements and bytes that a parameter has, or would have if it were not missing;
/// nothing if that is not known.
struct ParameterSize {
  std::optional<std::uint64_t> count = 0;
  std::optional<std::uint64_t> bytes = 0;
};
ParameterSize parameter_size(const ModelNode& node, const TensorType& type);

/// Free sizes that are the first of an input: what a batch is called.
std::vector<std::string> first_sizes(const Model& model, const std::vector<EntryInfo>& types);

/// A layer for each live operator, in order.
std::vector<LayerInfo> list_layers(const Model& model, const std::vector<EntryInfo>& types,
                                   const std::vector<std::string>& ones);

}  // namespace mx2onnx
