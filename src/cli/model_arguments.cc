// What convert and inspect have in common.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace mx2onnx::cli {

void ModelArguments::declare(CLI::App& command) {
  command.add_option("SYMBOL", symbol, "the *-symbol.json")->required();
  command.add_option("PARAMS", params, "the parameter files: *.params, *.npz, any number of them");
  command
      .add_option("--input", inputs,
                  "shape and element type of an input, where the model does not say\n"
                  "them. DIMS are numbers, or names for sizes that stay free, between\n"
                  "commas: data:batch,3,224,224 or data:1,3,224,224:float16")
      ->type_name("NAME:DIMS[:DTYPE]")
      ->allow_extra_args(false);
  command
      .add_option("--outputs", options.outputs,
                  "other outputs than the file's: outputs of inner nodes\n"
                  "(relu1_output), or nodes for their first output")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--opset", options.opset,
                  fmt::format("ONNX opset to write, {} to {}", kFirstOpset, kLastOpset))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--allow-custom-domain", options.custom_domain,
                  fmt::format("emit operators that are not translated as nodes of this domain\n"
                              "({} unless given), for a runtime that has kernels for them",
                              kDefaultCustomDomain))
      ->type_name("[DOMAIN]")
      ->expected(0, 1)
      ->default_str(kDefaultCustomDomain);
  command
      .add_option("--mxnet-version", options.mxnet_version,
                  "the MXNet that wrote SYMBOL, where the file does not say it or is\n"
                  "wrong: some operators changed between versions (mx2onnx ops)")
      ->type_name("VERSION");
  command
      .add_option("--rename-param", rename_params,
                  "use the stored parameter OLD as NEW; a * in OLD matches any text and\n"
                  "stands for it in NEW: '*_running_mean=*_moving_mean'")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
}

void ModelArguments::finish() {
  for (const auto& text : inputs) options.inputs.push_back(parse_input(text));
  for (const auto& text : rename_params)
    options.rename_params.push_back(parse_rename("rename-param", text));
}

std::string type_text(const PortReport& port) {
  std::string text = port.dtype + " (";
  for (std::size_t i = 0; i < port.shape.size(); ++i) text += (i > 0 ? ", " : "") + port.shape[i];
  return text + (port.shape.size() == 1 ? ",)" : ")");
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMega = 1'000'000;
  if (bytes >= 10 * kMega) return fmt::format("{} MB", bytes / kMega);
  if (bytes >= 10000) return fmt::format("{} kB", bytes / 1000);
  return fmt::format("{} bytes", bytes);
}

}  // namespace mx2onnx::cli
