#include "support/error_text.h"

#include "mx2onnx/error.h"

namespace mx2onnx {

std::string error_text(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace mx2onnx
