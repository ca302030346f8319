// The lists follow MXNet's AMP (python/mxnet/contrib/amp/lists/symbol_fp16.py): what is safe, what
// takes the widest of its inputs' types, and what is not safe.
#include "passes/half_rules.h"

#include <algorithm>
#include <array>

namespace mx2onnx::passes {
namespace {

constexpr std::string_view kRange = "its results overflow or vanish";
constexpr std::string_view kSums = "sums of many values";
constexpr std::string_view kNorms = "normalisation: variances overflow or vanish";
constexpr std::string_view kPositions = "positions, ids or an order";
constexpr std::string_view kSoftmax = "exponentials and their sums";
// ONNX Runtime's kernel for float16 is not fused with the convolution before it.
constexpr std::string_view kFused = "is fused in float32 alone";
// ONNX Runtime puts the parts of its definition in its place, which it does not fuse either.
constexpr std::string_view kKernel = "has no float16 kernel on CPUs";
constexpr std::string_view kBodies = "has a body";
constexpr std::string_view kMakes = "makes float32";
constexpr std::string_view kUnknown = "not known to keep its numbers";

constexpr std::uint32_t kAll = 0xffffffff;

struct Row {
  std::string_view op_type;
  OperatorPrecision precision;
};

constexpr OperatorPrecision kNarrow{HalfRule::kNarrow, 0, {}};
constexpr OperatorPrecision kFollow{HalfRule::kFollow, 0, {}};
constexpr OperatorPrecision keep(std::string_view reason, std::uint32_t positions = 0) {
  return {HalfRule::kKeep, positions, reason};
}

// In alphabetical order.
constexpr std::array kRows = {
    Row{"Abs", kFollow},
    Row{"Add", kFollow},
    Row{"ArgMax", keep(kPositions, kAll)},
    Row{"ArgMin", keep(kPositions, kAll)},
    Row{"Attention", kNarrow},
    Row{"AveragePool", kFollow},
    Row{"BatchNormalization", keep(kNorms)},
    Row{"Ceil", keep(kPositions, kAll)},
    Row{"Celu", kFollow},
    Row{"Clip", keep(kFused)},
    Row{"Compress", kFollow},
    Row{"Concat", kFollow},
    Row{"ConstantOfShape", keep(kMakes)},
    Row{"Conv", kNarrow},
    Row{"ConvTranspose", kNarrow},
    Row{"CumSum", keep(kSums)},
    Row{"DeformConv", keep(kPositions, 1U << 2)},
    Row{"DepthToSpace", kFollow},
    Row{"Div", kFollow},
    Row{"Einsum", kNarrow},
    Row{"Elu", kFollow},
    Row{"Equal", keep(kPositions)},
    Row{"Erf", keep(kRange)},
    Row{"Exp", keep(kRange)},
    Row{"Expand", kFollow},
    Row{"Flatten", kFollow},
    Row{"Floor", keep(kPositions, kAll)},
    Row{"GRU", kNarrow},
    Row{"Gather", kFollow},
    Row{"GatherElements", kFollow},
    Row{"GatherND", kFollow},
    Row{"Gelu", keep(kKernel)},
    Row{"Gemm", kNarrow},
    Row{"GlobalAveragePool", kFollow},
    Row{"GlobalMaxPool", kFollow},
    Row{"Greater", keep(kPositions)},
    Row{"GreaterOrEqual", keep(kPositions)},
    Row{"GridSample", keep(kPositions, 1U << 1)},
    Row{"GroupNormalization", keep(kNorms)},
    Row{"HardSigmoid", kFollow},
    Row{"HardSwish", keep(kKernel)},
    Row{"Identity", kFollow},
    Row{"If", keep(kBodies, kAll)},
    Row{"InstanceNormalization", keep(kNorms)},
    Row{"LRN", keep(kNorms)},
    Row{"LSTM", kNarrow},
    Row{"LayerNormalization", keep(kNorms)},
    Row{"LeakyRelu", keep(kKernel)},
    Row{"Less", keep(kPositions)},
    Row{"LessOrEqual", keep(kPositions)},
    Row{"Log", keep(kRange)},
    Row{"LogSoftmax", keep(kRange)},
    Row{"Loop", keep(kBodies, kAll)},
    Row{"LpNormalization", keep(kNorms)},
    Row{"LpPool", keep(kNorms)},
    Row{"MatMul", kNarrow},
    Row{"Max", kFollow},
    Row{"MaxPool", kFollow},
    Row{"MaxRoiPool", keep(kPositions, 1U << 1)},
    Row{"Mean", kFollow},
    Row{"MeanVarianceNormalization", keep(kNorms)},
    Row{"Min", kFollow},
    Row{"Mish", keep(kKernel)},
    Row{"Mod", keep(kPositions, kAll)},
    Row{"Mul", kFollow},
    Row{"Neg", kFollow},
    Row{"NonMaxSuppression", keep(kPositions, kAll)},
    Row{"OneHot", keep(kPositions, 1U)},
    Row{"PRelu", keep(kKernel)},
    Row{"Pad", kFollow},
    Row{"Pow", keep(kRange)},
    Row{"RMSNormalization", keep(kNorms)},
    Row{"RNN", kNarrow},
    Row{"Range", keep(kPositions, kAll)},
    Row{"Reciprocal", keep(kRange)},
    Row{"ReduceL1", keep(kSums)},
    Row{"ReduceL2", keep(kSums)},
    Row{"ReduceLogSum", keep(kSums)},
    Row{"ReduceLogSumExp", keep(kSums)},
    Row{"ReduceMax", kFollow},
    Row{"ReduceMean", keep(kSums)},
    Row{"ReduceMin", kFollow},
    Row{"ReduceProd", keep(kRange)},
    Row{"ReduceSum", keep(kSums)},
    Row{"ReduceSumSquare", keep(kSums)},
    Row{"Relu", kFollow},
    Row{"Reshape", kFollow},
    Row{"Resize", keep(kPositions)},
    Row{"ReverseSequence", kFollow},
    Row{"RoiAlign", keep(kPositions, 1U << 1)},
    Row{"Round", keep(kPositions, kAll)},
    Row{"Scan", keep(kBodies, kAll)},
    Row{"Selu", kFollow},
    Row{"Shape", kFollow},
    Row{"Sigmoid", kFollow},
    Row{"Sign", kFollow},
    Row{"Size", kFollow},
    Row{"Slice", kFollow},
    Row{"Softmax", keep(kSoftmax)},
    Row{"Softplus", keep(kRange)},
    Row{"Softsign", kFollow},
    Row{"SpaceToDepth", kFollow},
    Row{"Split", kFollow},
    Row{"Sqrt", keep(kRange)},
    Row{"Squeeze", kFollow},
    Row{"Sub", kFollow},
    Row{"Sum", kFollow},
    Row{"Swish", keep(kKernel)},
    Row{"Tanh", kFollow},
    Row{"Tile", kFollow},
    Row{"TopK", keep(kPositions, kAll)},
    Row{"Transpose", kFollow},
    Row{"Trilu", kFollow},
    Row{"Unsqueeze", kFollow},
    Row{"Where", kFollow},
};

static_assert(std::is_sorted(kRows.begin(), kRows.end(),
                             [](const Row& a, const Row& b) { return a.op_type < b.op_type; }));

OperatorPrecision of_cast(const onnx::Graph& graph, const onnx::Node& node) {
  const DType to = graph.type(node.outputs[0]).dtype;
  return is_integer(to) ? keep(kPositions, kAll) : keep(kMakes);
}

}  // namespace

OperatorPrecision precision_of(const onnx::Graph& graph, const onnx::Node& node) {
  if (!node.domain.empty()) return keep(kUnknown, kAll);
  if (node.op_type == "Cast") return of_cast(graph, node);
  const auto row = std::lower_bound(
      kRows.begin(), kRows.end(), node.op_type,
      [](const Row& entry, std::string_view name) { return entry.op_type < name; });
  if (row == kRows.end() || row->op_type != node.op_type) return keep(kUnknown);
  return row->precision;
}

}  // namespace mx2onnx::passes
