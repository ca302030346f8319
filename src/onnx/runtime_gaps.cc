#include "onnx/runtime_gaps.h"

#include <algorithm>
#include <array>

namespace mx2onnx::onnx {
namespace {

struct Gap {
  std::string_view op_type;
  DType from;
  DType through;
};

// Measured with ONNX Runtime 1.32 at opsets 12 to 28 by making a session of each operator and type
// (the same at all of them). Integers and booleans go through a type that holds all their values,
// but for int64 above 2^53. Sums and what only moves elements are right modulo the type's size.
// The wide unsigned types and int16 are in parameters of MXNet 2 alone.
constexpr std::array kGaps = {
    Gap{"ArgMax", DType::kInt16, DType::kInt32},
    Gap{"ArgMax", DType::kUint16, DType::kInt32},
    Gap{"ArgMax", DType::kUint32, DType::kFloat64},
    Gap{"ArgMax", DType::kUint64, DType::kFloat64},
    Gap{"ArgMin", DType::kInt16, DType::kInt32},
    Gap{"ArgMin", DType::kUint16, DType::kInt32},
    Gap{"ArgMin", DType::kUint32, DType::kFloat64},
    Gap{"ArgMin", DType::kUint64, DType::kFloat64},
    Gap{"AveragePool", DType::kFloat64, DType::kFloat32},
    Gap{"Clip", DType::kInt16, DType::kInt32},
    Gap{"Clip", DType::kUint16, DType::kInt32},
    Gap{"Conv", DType::kFloat64, DType::kFloat32},
    Gap{"ConvTranspose", DType::kFloat64, DType::kFloat32},
    Gap{"CumSum", DType::kUint32, DType::kInt64},
    Gap{"CumSum", DType::kUint64, DType::kInt64},
    Gap{"DepthToSpace", DType::kInt32, DType::kFloat64},
    Gap{"DepthToSpace", DType::kInt64, DType::kFloat64},
    Gap{"DepthToSpace", DType::kBool, DType::kUint8},
    Gap{"DepthToSpace", DType::kInt16, DType::kFloat64},
    Gap{"DepthToSpace", DType::kUint16, DType::kFloat64},
    Gap{"DepthToSpace", DType::kUint32, DType::kFloat64},
    Gap{"DepthToSpace", DType::kUint64, DType::kFloat64},
    Gap{"Einsum", DType::kInt8, DType::kInt32},
    Gap{"Einsum", DType::kUint8, DType::kInt32},
    Gap{"Elu", DType::kFloat64, DType::kFloat32},
    Gap{"Erf", DType::kFloat64, DType::kFloat32},
    Gap{"Gelu", DType::kFloat64, DType::kFloat32},
    Gap{"Gemm", DType::kInt32, DType::kFloat64},
    Gap{"Gemm", DType::kInt64, DType::kFloat64},
    Gap{"Gemm", DType::kUint32, DType::kFloat64},
    Gap{"Gemm", DType::kUint64, DType::kFloat64},
    Gap{"GlobalAveragePool", DType::kFloat64, DType::kFloat32},
    Gap{"GlobalMaxPool", DType::kFloat64, DType::kFloat32},
    Gap{"HardSigmoid", DType::kFloat64, DType::kFloat32},
    Gap{"HardSwish", DType::kFloat64, DType::kFloat32},
    Gap{"Hardmax", DType::kFloat64, DType::kFloat32},
    Gap{"InstanceNormalization", DType::kFloat64, DType::kFloat32},
    Gap{"LRN", DType::kFloat64, DType::kFloat32},
    Gap{"LeakyRelu", DType::kFloat64, DType::kFloat32},
    Gap{"LpPool", DType::kFloat64, DType::kFloat32},
    Gap{"Max", DType::kInt16, DType::kInt32},
    Gap{"Max", DType::kUint16, DType::kInt32},
    Gap{"MeanVarianceNormalization", DType::kFloat64, DType::kFloat32},
    Gap{"Min", DType::kInt16, DType::kInt32},
    Gap{"Min", DType::kUint16, DType::kInt32},
    Gap{"Mish", DType::kFloat64, DType::kFloat32},
    Gap{"NonZero", DType::kFloat64, DType::kFloat32},
    Gap{"NonZero", DType::kInt8, DType::kInt32},
    Gap{"PRelu", DType::kFloat64, DType::kFloat32},
    Gap{"PRelu", DType::kInt32, DType::kFloat32},
    Gap{"Pad", DType::kInt16, DType::kInt32},
    Gap{"Pad", DType::kUint16, DType::kInt32},
    Gap{"ReduceMax", DType::kUint32, DType::kInt64},
    Gap{"ReduceMax", DType::kUint64, DType::kFloat64},
    Gap{"ReduceMean", DType::kUint32, DType::kFloat64},
    Gap{"ReduceMean", DType::kUint64, DType::kFloat64},
    Gap{"ReduceMin", DType::kUint32, DType::kInt64},
    Gap{"ReduceMin", DType::kUint64, DType::kFloat64},
    Gap{"ReduceProd", DType::kUint32, DType::kInt64},
    Gap{"ReduceProd", DType::kUint64, DType::kInt64},
    Gap{"ReduceSum", DType::kUint32, DType::kInt64},
    Gap{"ReduceSum", DType::kUint64, DType::kInt64},
    Gap{"Relu", DType::kInt16, DType::kInt32},
    Gap{"Resize", DType::kFloat64, DType::kFloat32},
    Gap{"Resize", DType::kBool, DType::kUint8},
    Gap{"Selu", DType::kFloat64, DType::kFloat32},
    Gap{"Softplus", DType::kFloat64, DType::kFloat32},
    Gap{"Softsign", DType::kFloat64, DType::kFloat32},
    Gap{"SpaceToDepth", DType::kInt32, DType::kFloat64},
    Gap{"SpaceToDepth", DType::kInt64, DType::kFloat64},
    Gap{"SpaceToDepth", DType::kBool, DType::kUint8},
    Gap{"SpaceToDepth", DType::kInt16, DType::kFloat64},
    Gap{"SpaceToDepth", DType::kUint16, DType::kFloat64},
    Gap{"SpaceToDepth", DType::kUint32, DType::kFloat64},
    Gap{"SpaceToDepth", DType::kUint64, DType::kFloat64},
    Gap{"ThresholdedRelu", DType::kFloat64, DType::kFloat32},
    Gap{"TopK", DType::kUint16, DType::kInt32},
    Gap{"TopK", DType::kUint32, DType::kInt64},
    Gap{"TopK", DType::kUint64, DType::kFloat64},
    Gap{"Trilu", DType::kInt8, DType::kInt32},
    Gap{"Trilu", DType::kUint8, DType::kInt32},
    Gap{"Where", DType::kBool, DType::kUint8},
    Gap{"Where", DType::kInt16, DType::kInt32},
    Gap{"Where", DType::kUint16, DType::kInt32},
    Gap{"Where", DType::kUint64, DType::kInt64},
};

// What has a kernel for bfloat16; everything else goes through float32.
constexpr std::array<std::string_view, 14> kTakesBfloat16 = {
    "Cast",    "Concat", "Flatten", "Gather",  "GatherElements",  "GatherND",  "Identity",
    "Reshape", "Shape",  "Slice",   "Squeeze", "ScatterElements", "Transpose", "Unsqueeze"};

}  // namespace

std::size_t telling_input(std::string_view op_type) { return op_type == "Where" ? 1 : 0; }

DType runtime_dtype(std::string_view op_type, DType dtype) {
  if (dtype == DType::kBfloat16) {
    const bool taken =
        std::find(kTakesBfloat16.begin(), kTakesBfloat16.end(), op_type) != kTakesBfloat16.end();
    return taken ? dtype : DType::kFloat32;
  }
  for (const auto& gap : kGaps) {
    if (gap.op_type == op_type && gap.from == dtype) return gap.through;
  }
  return dtype;
}

}  // namespace mx2onnx::onnx
