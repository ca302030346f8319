#include "convert/onnx_work.h"

namespace mx2onnx {

Number multiply_adds(const OnnxWork& node, const SizeEvaluator& size) {
  const bool is_conv = node.op == "Conv" || node.op == "ConvInteger";
  const bool is_transposed = node.op == "ConvTranspose";
  const bool is_product = node.op == "MatMul" || node.op == "Gemm";
  const bool is_recurrent = node.op == "LSTM" || node.op == "GRU" || node.op == "RNN";
  if (!is_conv && !is_transposed && !is_product && !is_recurrent) return 0;
  if (node.inputs.size() < (is_recurrent ? 3 : 2)) return std::nullopt;
  const Shape& data = node.inputs[0];
  const Shape& weight = node.inputs[1];
  if (is_recurrent) {
    if (data.rank() < 2) return std::nullopt;
    const Number weights = plus(size.count(weight), size.count(node.inputs[2]));
    return times(times(size(data[0]), size(data[1])), weights);
  }
  if (is_product) {
    if (data.rank() == 0 || (node.transposes_first && data.rank() != 2)) return std::nullopt;
    return times(size.count(node.output), size(data[node.transposes_first ? 0 : data.rank() - 1]));
  }
  const Number filters = weight.rank() == 0 ? std::nullopt : size(weight[0]);
  const Number elements = size.count(weight);
  if (!filters || *filters == 0 || !elements) return std::nullopt;
  return times(size.count(is_transposed ? data : node.output), *elements / *filters);
}

}  // namespace mx2onnx
