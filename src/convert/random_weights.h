// Parameters made up from their names, for looking at a graph without its weights.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "infer/infer.h"
#include "ir/tensor.h"
#include "mx2onnx/report.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Small random numbers, always the same for the same name and type: uniform in [-0.1, 0.1), and
/// [0.5, 1.5) for names that end in `var` or `gamma`, which divide or scale; 0 for integers. Made
/// while they are written; the type must be static.
Tensor random_weights(std::string_view name, const TensorType& type);

/// The names of the parameters that are filled so.
std::vector<std::string> random_names(const Model& model);

/// Says that there are such parameters, if there are.
void note_random_weights(const Model& model, Report& report);

/// Bytes of all parameters.
std::uint64_t parameter_bytes(const Model& model, const InferResult& types);

}  // namespace mx2onnx
