// The whole command line as one function, which the tool and the Python package share.
#pragma once

namespace mx2onnx::cli {

/// Runs the command that `argv` says, printing to standard output and error. Returns the exit code;
/// throws nothing.
int run_command_line(int argc, char** argv);

}  // namespace mx2onnx::cli
