// Element-wise functions of two arrays with broadcasting
// (src/operator/tensor/elemwise_binary_broadcast_op_*.cc). MXNet lines shapes up from the right, as
// ONNX does. What only broadcasts is in tensor/broadcast_to.cc.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

struct BroadcastRow {
  const BinaryFunction& function;
  std::vector<std::string> names;
};

std::vector<BroadcastRow> broadcast_rows() {
  using namespace binary;
  return {
      {kAdd,
       {"broadcast_add", "broadcast_plus", "_sparse_broadcast_add", "_sparse_broadcast_plus"}},
      {kSubtract,
       {"broadcast_sub", "broadcast_minus", "_sparse_broadcast_sub", "_sparse_broadcast_minus"}},
      {kMultiply, {"broadcast_mul", "_sparse_broadcast_mul"}},
      {kDivide, {"broadcast_div", "_sparse_broadcast_div"}},
      {kModulo, {"broadcast_mod"}},
      {kPower, {"broadcast_power"}},
      {kMaximum, {"broadcast_maximum", "_npi_maximum"}},
      {kMinimum, {"broadcast_minimum", "_npi_minimum"}},
      {kHypot, {"broadcast_hypot"}},
      {kEqual, {"broadcast_equal"}},
      {kNotEqual, {"broadcast_not_equal"}},
      {kGreater, {"broadcast_greater", "_npx_broadcast_greater"}},
      {kGreaterEqual, {"broadcast_greater_equal"}},
      {kLesser, {"broadcast_lesser"}},
      {kLesserEqual, {"broadcast_lesser_equal"}},
      {kLogicalAnd, {"broadcast_logical_and"}},
      {kLogicalOr, {"broadcast_logical_or"}},
      {kLogicalXor, {"broadcast_logical_xor"}},
  };
}

void infer_broadcast(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const Shape& lhs = c.input_shape(0);
  const Shape& rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  for (std::size_t i = 1; i <= std::min(lhs.rank(), rhs.rank()); ++i) {
    const Dim& l = lhs[lhs.rank() - i];
    const Dim& r = rhs[rhs.rank() - i];
    const bool fits = l == r || l == Dim(1) || r == Dim(1);
    // A free size may turn out to fit.
    if (l.is_constant() && r.is_constant() && !fits) {
      c.fail_input(1, fmt::format("a shape that broadcasts with {}", lhs.to_string()));
    }
  }
  c.set_output_shape(0, onnx::broadcast(lhs, rhs));
}

}  // namespace

void register_broadcast(Registry& r) {
  const std::vector<InputDef> two{{"lhs", InputRole::kData}, {"rhs", InputRole::kData}};
  for (auto& row : broadcast_rows()) {
    const BinaryFunction& function = row.function;
    auto declarer = r.add<NoParam>(std::move(row.names))
                        .summary(function.text("lhs", "rhs") + ", broadcast to a common shape.")
                        .inputs(two)
                        .infer(infer_broadcast)
                        .translate([&function](const NoParam&, Translation& t) {
                          translate_binary(function, t);
                        });
    if (!function.note.empty()) declarer.note(std::string(function.note));
  }
}

}  // namespace mx2onnx
