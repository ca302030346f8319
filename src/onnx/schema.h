// What each version of each ONNX operator takes, from a table generated out of the onnx package's
// own schemas (tools/gen_schema.py), for opsets 12 to the newest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ir/dtype.h"

namespace mx2onnx::onnx {

constexpr int kOldestOpset = 12;
constexpr int kNewestOpset = 28;

/// TensorProto.DataType of an element type.
std::int64_t onnx_type_code(DType dtype);

/// The IR version that belongs to an opset (the one of the first ONNX release with that opset).
int ir_version(int opset);

enum class AttrType : std::uint8_t {
  kInt,
  kFloat,
  kString,
  kInts,
  kFloats,
  kStrings,
  kTensor,
  kGraph,
  kOther
};

struct AttrRow {
  std::string_view name;
  AttrType type;
  bool required;
};

/// One formal input or output.
struct FormalRow {
  std::uint32_t dtypes;  ///< Bit i: DType i is allowed. 0: not a tensor.
  std::int8_t group;  ///< Formals of one operator with the same group have the same type; -1: free.
  bool optional;
  bool variadic;

  bool allows(DType dtype) const { return (dtypes >> static_cast<unsigned>(dtype) & 1U) != 0; }
};

struct OpSchema {
  std::string_view name;
  int since_version;
  bool deprecated;
  std::span<const AttrRow> attrs;
  std::span<const FormalRow> inputs;
  std::span<const FormalRow> outputs;
};

/// The schema that holds at an opset; null if the operator does not exist there.
const OpSchema* find_schema(std::string_view op_type, int opset);

/// The first opset at which the operator exists at all; 0 if there is no such operator.
int first_opset(std::string_view op_type);

/// The first opset from `opset` on at which input `index` takes the dtype; 0 if none does.
int first_opset_for_dtype(std::string_view op_type, std::size_t index, DType dtype, int opset);

}  // namespace mx2onnx::onnx
