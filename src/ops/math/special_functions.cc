// gamma, gammaln, digamma and erfinv as operators.
#include "ops/expressions/special_functions.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct SpecialRow {
  std::vector<std::string> names;
  std::string summary;
  Value (*emit)(Builder& b, Value x, bool to_last_digit);
};

std::vector<SpecialRow> special_rows() {
  return {
      {{"gamma", "_sparse_gamma", "_npx_gamma"},
       "The gamma function.",
       [](Builder& b, Value x, bool) { return gamma(b, x); }},
      {{"gammaln", "_sparse_gammaln", "_npx_gammaln"},
       "The logarithm of the gamma function's magnitude.",
       [](Builder& b, Value x, bool) { return log_gamma(b, x); }},
      {{"digamma", "_sparse_digamma", "_npx_digamma"},
       "The derivative of gammaln.",
       [](Builder& b, Value x, bool) { return digamma(b, x); }},
      {{"erfinv", "_npx_erfinv"}, "The inverse of the error function.", inverse_erf},
  };
}

void translate_special(const SpecialRow& row, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (is_integer(dtype) && has_integer_function(row.names.front())) {
    return t.set_output(0, integer_function(b, row.names.front(), t.input(0)));
  }
  if (!expect_floating(t)) return;
  const Value x = b.cast(t.input(0), DType::kFloat64);
  t.set_output(0, b.cast(row.emit(b, x, dtype == DType::kFloat64), dtype));
}

}  // namespace

void register_special_functions(Registry& r) {
  for (const auto& row : special_rows()) {
    auto declarer =
        r.add<NoParam>(row.names)
            .summary(row.summary)
            .infer(infer_same<NoParam>)
            .translate([row](const NoParam&, Translation& t) { translate_special(row, t); })
            .note("Computed in float64, which needs a runtime that has it.");
    if (row.names.front() == "erfinv") declarer.note(std::string(kZeroSignNote));
    if (row.names.front() == "digamma") {
      declarer.note("Of float64 beyond 3.4e38 MXNet's result is infinite.");
    }
    if (row.names.front() == "gammaln") {
      declarer.note("Of int64 above 2^45 the last digits of a float64 may differ from MXNet's.");
    }
  }
}

}  // namespace mx2onnx
