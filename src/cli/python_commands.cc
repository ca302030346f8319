// mx2onnx verify, mx2onnx record: they run models, which takes ONNX Runtime and MXNet, so they are
// part of the Python package. The tool says so. Their options are here for completion and the
// manual's page; a test holds them against Python's.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"

namespace mx2onnx::cli {
namespace {

struct PythonOption {
  const char* names;
  const char* value;  ///< Null for one that takes none.
  const char* help;
};

const std::vector<PythonOption>& verify_options() {
  static const std::vector<PythonOption> options = {
      {"--expect", "FILE.npz", "MXNet's numbers, from 'mx2onnx record'"},
      {"--mxnet-python", "PATH", "a Python that has MXNet, if this one has not"},
      {"--inputs", "FILE.npz", "values of the file's inputs instead of random ones"},
      {"--size", "NAME=N,...", "values of a free size; each is a case"},
      {"--rename", "OLD=NEW", "as in the conversion, for a file that does not say so itself"},
      {"--rtol", "RTOL", "largest difference, of MXNet's value (1e-3; float16 1e-2)"},
      {"--atol", "ATOL", "and beside that (1e-5 of the output's largest value; float16 1e-3)"},
      {"--seed", "SEED", "of the random inputs"},
      {"--json", nullptr, "print JSON"}};
  return options;
}

const std::vector<PythonOption>& record_options() {
  static const std::vector<PythonOption> options = {
      {"-o,--output", "FILE.npz", "the .npz to write"},
      {"--input", "NAME:DIMS[:DTYPE]",
       "random values of this shape; an input that comes again begins the next case"},
      {"--inputs", "FILE.npz", "values instead: NAME, or N/in/NAME for several cases"},
      {"--outputs", "NAME,...",
       "record these inner values as the outputs (as in the conversion: relu1_output)"},
      {"--internals", nullptr, "record every node's outputs too"},
      {"--seed", "SEED", "of the random inputs"},
      {"--mxnet-python", "PATH", "a Python that has MXNet, if this one has not"},
      {"--script", nullptr, "print the recorder, to be copied to where MXNet is"}};
  return options;
}

void add_python_command(CLI::App& app, Run& run, const std::string& name,
                        const std::string& summary, const std::vector<PythonOption>& options) {
  CLI::App& command = *app.add_subcommand(name, summary + " (in the Python package)");
  command.allow_extras();
  command.set_help_flag();
  struct Unused {
    bool flag = false;
    std::vector<std::string> values;
  };
  const auto unused = std::make_shared<Unused>();
  command.add_flag("-h,--help", unused->flag, "print the help message and exit");
  for (const auto& option : options) {
    if (option.value == nullptr) {
      command.add_flag(option.names, unused->flag, option.help);
    } else {
      command.add_option(option.names, unused->values, option.help)
          ->type_name(option.value)
          ->allow_extra_args(false);
    }
  }
  command.callback([name, unused, &run] {
    run = [name]() -> int {
      throw Error(ErrorCode::kUsage, {}, "mx2onnx: '" + name + "' is part of the Python package",
                  "pip install 'mx2onnx[verify]', then python -m mx2onnx " + name + " --help");
    };
  });
}

}  // namespace

void add_python_commands(CLI::App& app, Run& run) {
  add_python_command(app, run, "verify", "Compare an ONNX model's numbers with MXNet's",
                     verify_options());
  add_python_command(app, run, "record", "Record MXNet's numbers, to verify where MXNet is not",
                     record_options());
}

}  // namespace mx2onnx::cli
