// Element-wise functions of arrays of equal shape (src/operator/tensor/elemwise_binary_op_*.cc and
// elemwise_sum.cc), under their new and old names. Shapes are learnt in every direction: an unknown
// size of one array is that of the other, which RNN begin states made by `_zeros` depend on.
#include <fmt/format.h>

#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct ElemwiseRow {
  const BinaryFunction& function;
  std::vector<std::string> names;
};

std::vector<ElemwiseRow> elemwise_rows() {
  using namespace binary;
  return {
      {kAdd, {"elemwise_add", "_add", "_plus", "_Plus", "_sparse_elemwise_add"}},
      {kAdd, {"_grad_add"}},
      {kSubtract, {"elemwise_sub", "_sub", "_minus", "_Minus", "_sparse_elemwise_sub"}},
      {kMultiply, {"elemwise_mul", "_mul", "_Mul", "_sparse_elemwise_mul"}},
      {kDivide, {"elemwise_div", "_div", "_Div", "_sparse_elemwise_div"}},
      {kDivide, {"_scatter_elemwise_div"}},
      {kModulo, {"_mod", "_Mod"}},
      {kPower, {"_power", "_Power"}},
      {kMaximum, {"_maximum", "_Maximum"}},
      {kMinimum, {"_minimum", "_Minimum"}},
      {kHypot, {"_hypot", "_Hypot"}},
      {kEqual, {"_equal", "_Equal"}},
      {kNotEqual, {"_not_equal", "_Not_Equal"}},
      {kGreater, {"_greater", "_Greater"}},
      {kGreaterEqual, {"_greater_equal", "_Greater_Equal"}},
      {kLesser, {"_lesser", "_Lesser"}},
      {kLesserEqual, {"_lesser_equal", "_Lesser_Equal"}},
      {kLogicalAnd, {"_logical_and", "_Logical_And"}},
      {kLogicalOr, {"_logical_or", "_Logical_Or"}},
      {kLogicalXor, {"_logical_xor", "_Logical_Xor"}},
  };
}

struct SumParam {
  std::int64_t num_args = 0;

  static void declare(AttrDeclarer<SumParam>& d) {
    d.field("num_args", &SumParam::num_args).required().at_least(1).help("number of inputs");
  }
};

void infer_sum(const SumParam& p, InferContext& c) {
  check_num_inputs(c, "num_args", p.num_args);
  infer_same(p, c);
}

void translate_sum(const SumParam& /*p*/, Translation& t) {
  std::vector<Value> inputs;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) inputs.push_back(t.input(i));
  if (inputs.size() > 2 && t.b.takes("Sum", t.input_type(0).dtype)) {
    return t.set_output(0, t.b.emit("Sum", inputs, {}, t.output_type(0)));
  }
  Value sum = inputs[0];
  for (std::size_t i = 1; i < inputs.size(); ++i) sum = binary::kAdd.emit(t.b, sum, inputs[i]);
  t.set_output(0, sum);
}

}  // namespace

void register_elemwise(Registry& r) {
  for (auto& row : elemwise_rows()) {
    const BinaryFunction& function = row.function;
    auto declarer = r.add<NoParam>(std::move(row.names))
                        .summary(function.text("lhs", "rhs") + ", of two arrays of equal shape.")
                        .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
                        .infer(infer_same<NoParam>)
                        .any_shape()
                        .translate([&function](const NoParam&, Translation& t) {
                          translate_binary(function, t);
                        });
    if (!function.note.empty()) declarer.note(std::string(function.note));
  }
  r.add<SumParam>(
       {"add_n", "ElementWiseSum", "_sparse_add_n", "_sparse_ElementWiseSum", "_npx_add_n"})
      .summary("The sum of any number of arrays of equal shape.")
      .inputs({{"args", InputRole::kData}})
      .variadic()
      .infer(infer_sum)
      .any_shape()
      .translate(translate_sum);
}

}  // namespace mx2onnx
