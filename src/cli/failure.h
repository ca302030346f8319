// How the command line says that it failed.
#pragma once

#include <string>
#include <vector>

#include "mx2onnx/error.h"

namespace mx2onnx::cli {

/// Prints an error for a person on standard error and, where the words of the command line ask for
/// JSON, as JSON on standard output. Returns the exit code.
int report_failure(const Error& error, const std::vector<std::string>& words);

}  // namespace mx2onnx::cli
