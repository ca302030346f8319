// What convert and inspect have in common.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace mx2onnx::cli {

void ModelArguments::declare(CLI::App& command) {
  command
      .add_option("MODEL", symbol,
                  "the *-symbol.json; or a folder, an archive (.tar.gz, .tar, .zip,\n"
                  ".mar), or what the names of a checkpoint's files begin with")
      ->required();
  command.add_option("PARAMS", params,
                     "the parameter files of a symbol: *.params, *.npz, any number");
  command
      .add_option("--epoch", epoch,
                  "which epoch of a folder, archive or checkpoint; the newest\n"
                  "unless given")
      ->type_name("N");
  command
      .add_option("--architecture", options.architecture,
                  "for a parameter file without a symbol: the net that it is of, if\n"
                  "that could be several (mx2onnx architectures lists them)")
      ->type_name("NAME");
  command
      .add_option("--unpack-limit", unpack_limit,
                  "what compressed files may become, as 2GB; unless given, 100\n"
                  "times their size")
      ->transform(CLI::Validator(CLI::AsSizeValue(true)).description(""))
      ->type_name("SIZE");
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
