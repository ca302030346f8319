// mx2onnx verify, mx2onnx record: they run models, which takes ONNX Runtime and MXNet, so they are
// part of the Python package. The tool says so.
#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace mx2onnx::cli {
namespace {

void add_python_command(CLI::App& app, Run& run, const std::string& name,
                        const std::string& summary) {
  CLI::App& command = *app.add_subcommand(name, summary + " (in the Python package)");
  command.allow_extras();
  command.set_help_flag();
  command.callback([name, &run] {
    run = [name]() -> int {
      throw Error(ErrorCode::kUsage, {}, "mx2onnx: '" + name + "' is part of the Python package",
                  "pip install 'mx2onnx[verify]', then python -m mx2onnx " + name + " --help");
    };
  });
}

}  // namespace

void add_python_commands(CLI::App& app, Run& run) {
  add_python_command(app, run, "verify", "Compare an ONNX model's numbers with MXNet's");
  add_python_command(app, run, "record", "Record MXNet's numbers, to verify where MXNet is not");
}

}  // namespace mx2onnx::cli
