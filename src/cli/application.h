// The whole command line as one function, which the tool and the Python package share.
#pragma once

#include <functional>
#include <string>

namespace mx2onnx::cli {

/// Checks a file that was written: its path, that of a recording of MXNet's numbers and that of the
/// symbol file, which both may be empty. Returns the exit code.
using Verifier = std::function<int(const std::string& output, const std::string& recording,
                                   const std::string& symbol)>;

/// Runs the command that `argv` says, printing to standard output and error. Returns the exit code;
/// throws nothing. `verifier` is what `convert --verify` runs; without one that option is refused.
int run_command_line(int argc, char** argv, const Verifier& verifier = {});

}  // namespace mx2onnx::cli
