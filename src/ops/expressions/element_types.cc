#include "ops/expressions/element_types.h"

#include <fmt/format.h>

namespace mx2onnx {

bool expect_real(Translation& t) {
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kFloat32 || dtype == DType::kFloat64) return true;
  t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)),
           "cast to float32 in the model");
  return false;
}

bool expect_floating(Translation& t) {
  const DType dtype = t.input_type(0).dtype;
  if (is_floating(dtype)) return true;
  t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)));
  return false;
}

}  // namespace mx2onnx
