#include "onnx/schema.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace mx2onnx::onnx {
namespace {

struct OpRow {
  std::string_view name;
  int since_version;
  bool deprecated;
  std::size_t first_attr, num_attrs;
  std::size_t first_input, num_inputs;
  std::size_t first_output, num_outputs;
};

#include "onnx/schema_table.inc"

OpSchema schema_of(const OpRow& row) {
  return {row.name,
          row.since_version,
          row.deprecated,
          std::span(kAttrRows).subspan(row.first_attr, row.num_attrs),
          std::span(kFormalRows).subspan(row.first_input, row.num_inputs),
          std::span(kFormalRows).subspan(row.first_output, row.num_outputs)};
}

// The rows as schemas, sorted by name and version as they are in the table.
const std::array<OpSchema, std::size(kOpRows)>& all_schemas() {
  static const auto schemas = [] {
    std::array<OpSchema, std::size(kOpRows)> result;
    std::transform(std::begin(kOpRows), std::end(kOpRows), result.begin(), schema_of);
    return result;
  }();
  return schemas;
}

std::span<const OpSchema> versions_of(std::string_view op_type) {
  const auto& schemas = all_schemas();
  const auto range = std::equal_range(schemas.begin(), schemas.end(), OpSchema{.name = op_type},
                                      [](const auto& a, const auto& b) { return a.name < b.name; });
  return {range.first, range.second};
}

}  // namespace

std::int64_t onnx_type_code(DType dtype) {
  // TensorProto.DataType, in the order of DType.
  constexpr std::array<std::int64_t, 15> kCodes = {1, 11, 10, 2,  6,  3, 7, 9,
                                                   5, 4,  12, 13, 16, 0, 22};
  return kCodes[static_cast<std::size_t>(dtype)];
}

int ir_version(int opset) {
  struct Row {
    int opset;
    int ir;
  };
  // VersionTable of onnx/helper.py.
  constexpr Row kRows[] = {{28, 14}, {25, 13}, {24, 12}, {23, 11},
                           {21, 10}, {19, 9},  {15, 8},  {12, 7}};
  for (const auto& row : kRows) {
    if (opset >= row.opset) return row.ir;
  }
  return 7;
}

const OpSchema* find_schema(std::string_view op_type, int opset) {
  const OpSchema* found = nullptr;
  for (const auto& schema : versions_of(op_type)) {
    if (schema.since_version <= opset) found = &schema;
  }
  return found == nullptr || found->deprecated ? nullptr : found;
}

int first_opset(std::string_view op_type) {
  const auto versions = versions_of(op_type);
  return versions.empty() ? 0 : versions.front().since_version;
}

int first_opset_for_dtype(std::string_view op_type, std::size_t index, DType dtype, int opset) {
  for (const auto& schema : versions_of(op_type)) {
    if (schema.inputs.empty() || schema.deprecated) continue;
    const auto& formal = schema.inputs[std::min(index, schema.inputs.size() - 1)];
    if (formal.allows(dtype) && schema.since_version > opset) {
      return schema.since_version;
    }
  }
  return 0;
}

}  // namespace mx2onnx::onnx
