// The fields of operators, as the folders of src/ops are called, with their families.
#pragma once

#include <span>
#include <string_view>

#include "ops/record/registry.h"

namespace mx2onnx {

struct Field {
  std::string_view name;   ///< The folder: "nn".
  std::string_view title;  ///< For a reader: "Layers".
  std::span<void (*const)(Registry&)> families;
};

std::span<const Field> fields();

void register_field(const Field& field, Registry& registry);

}  // namespace mx2onnx
