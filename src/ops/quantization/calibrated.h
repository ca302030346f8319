// What the quantised operators share: the range that calibration found, and inputs with a range.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/expressions/quantized.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

/// The range that calibration found, if both ends are there.
struct CalibratedParam {
  std::optional<double> min_calib_range;
  std::optional<double> max_calib_range;

  template <typename P>
  static void declare_range(AttrDeclarer<P>& d) {
    d.field("min_calib_range", &P::min_calib_range).help("None: the least element, at run time");
    d.field("max_calib_range", &P::max_calib_range).help("None: the largest element, at run time");
  }
  bool calibrated() const { return min_calib_range && max_calib_range; }
  Range range(onnx::Builder& b) const {
    return {number(b, static_cast<float>(*min_calib_range)),
            number(b, static_cast<float>(*max_calib_range))};
  }
};

/// What is wrong with the range: an end that is not finite.
std::vector<AttrProblem> check_range(const CalibratedParam& p);

/// The names of integers and the ends of their range, as outputs.
inline const std::vector<std::string> kQuantizedOutputs{"output", "min_output", "max_output"};

/// Inputs without parameters.
std::vector<InputDef> data_inputs(const std::vector<std::string>& names);
/// Data and the ends of its range.
std::vector<InputDef> with_range(std::string name, std::string min, std::string max);

bool is_int8_or_uint8(DType dtype);
/// Refuses an input of another type; true if the translation can go on.
bool expect_integers(Translation& t, std::size_t i = 0);

}  // namespace mx2onnx
