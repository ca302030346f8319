// See calibrated.h.
#include "ops/quantization/calibrated.h"

#include <fmt/format.h>

#include <cmath>

namespace mx2onnx {

std::vector<AttrProblem> check_range(const CalibratedParam& p) {
  std::vector<AttrProblem> problems;
  const auto check = [&](const char* name, const std::optional<double>& value) {
    if (!value || std::isfinite(static_cast<float>(*value))) return;
    problems.push_back({name, fmt::format("expected a finite float32, found {}", *value), ""});
  };
  check("min_calib_range", p.min_calib_range);
  check("max_calib_range", p.max_calib_range);
  return problems;
}

std::vector<InputDef> with_range(std::string name, std::string min, std::string max) {
  return {{std::move(name), InputRole::kData},
          {std::move(min), InputRole::kData},
          {std::move(max), InputRole::kData}};
}

std::vector<InputDef> data_inputs(const std::vector<std::string>& names) {
  std::vector<InputDef> inputs;
  for (const auto& name : names) inputs.push_back({name, InputRole::kData});
  return inputs;
}

bool is_int8_or_uint8(DType dtype) { return dtype == DType::kInt8 || dtype == DType::kUint8; }

bool expect_integers(Translation& t, std::size_t i) {
  const DType given = t.input_type(i).dtype;
  if (is_int8_or_uint8(given)) return true;
  t.refuse(fmt::format("expected int8 or uint8 data, found {}", dtype_name(given)));
  return false;
}

}  // namespace mx2onnx
