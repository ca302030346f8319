// _contrib_boolean_mask (src/operator/contrib/boolean_mask.cc): the rows whose element of a mask is
// not 0. How many there are is known when the model runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct BooleanMaskParam {
  std::int64_t axis = 0;

  static void declare(AttrDeclarer<BooleanMaskParam>& d) {
    d.field("axis", &BooleanMaskParam::axis).help("of the rows; MXNet has 0 only");
  }
};

void infer_boolean_mask(const BooleanMaskParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_shape(1, Shape::unknown_dims(1));
  Shape data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() == 0) c.fail_input(0, "at least 1 dimension");
  c.set_input_shape(1, Shape{data[0]});
  data[0] = c.input_shape(1)[0];
  c.set_input_shape(0, data);
  data[0] = c.own_size(0, 0);
  if (const Tensor* mask = c.input_constant(1)) {
    const auto flags = read_doubles(*mask);
    data[0] = std::count_if(flags.begin(), flags.end(), [](double flag) { return flag != 0; });
  }
  c.set_output_shape(0, data);
}

void translate_boolean_mask(const BooleanMaskParam& /*p*/, Translation& t) {
  const Value mask = t.b.cast(t.input(1), DType::kBool);
  const Value rows = t.b.emit("Compress", {t.input(0), mask}, {{"axis", 0}}, t.output_type(0));
  const auto symbol = t.output_shape(0)[0].symbol_name();
  if (!symbol.empty()) t.b.define_symbol(symbol, rows, 0);
  t.set_output(0, rows);
}

}  // namespace

void register_boolean_mask(Registry& r) {
  r.add<BooleanMaskParam>({"_contrib_boolean_mask", "_npi_boolean_mask"})
      .summary("The rows whose element of a mask is not 0.")
      .inputs({{"data", InputRole::kData}, {"index", InputRole::kData}})
      .infer(infer_boolean_mask)
      .translate(translate_boolean_mask)
      .check([](const BooleanMaskParam& p, const CheckContext&) -> std::vector<AttrProblem> {
        if (p.axis == 0) return {};
        return {
            {"axis", fmt::format("expected 0, which is all that MXNet has, got {}", p.axis), ""}};
      });
}

}  // namespace mx2onnx
