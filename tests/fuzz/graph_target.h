// What the structure-aware fuzzer does with a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace mx2onnx::fuzz {

/// How a model is converted: drawn from its bytes, and put into words for the command line.
struct HowToConvert {
  int opset;
  bool optimize;
  bool fixed_sizes;

  static HowToConvert of(const std::uint8_t* data, std::size_t size);
  std::string arguments() const;
};

/// Converts the model as the command line does: an Error that is not ours, or bytes that read_model
/// reads back; these go to `check`.
void graph(const std::uint8_t* data, std::size_t size,
           const std::function<void(const std::string& onnx, const HowToConvert& how)>& check);

}  // namespace mx2onnx::fuzz
