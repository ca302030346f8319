// The second process of the structure-aware fuzzer: tests/fuzz/load_models.py, which stays alive
// and loads each model that it is handed into ONNX Runtime.
#pragma once

#include <optional>
#include <string>

namespace mx2onnx::fuzz {

class Loader {
 public:
  /// Starts what the environment variable MX2ONNX_FUZZ_LOADER says, by the shell. Without it no
  /// model is loaded, and that is said once.
  Loader();

  /// What is wrong with a model: "" if it loads, or if there is no second process.
  std::string fault_of(const std::string& model);

 private:
  int to_ = -1;
  int from_ = -1;
};

}  // namespace mx2onnx::fuzz
