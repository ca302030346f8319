// What convert and inspect have in common.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/shell_word.h"
#include "cli/command.h"
#include "cli/output.h"

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
                  "what small files may become, as 2GB: packed and sparse ones, and\n"
                  "the model that is made; unless given, 100 times their size")
      ->transform(CLI::Validator(CLI::AsSizeValue(true)).description(""))
      ->type_name("SIZE");
  command
      .add_option("--input", inputs,
                  "shape and element type of an input, instead of what is found in the "
                  "model. DIMS are numbers, names for sizes that stay free, or ? for what "
                  "the model determines: data:batch,3,224,224 or data:1,3,?,?:float16")
      ->type_name("NAME:DIMS[:DTYPE]")
      ->allow_extra_args(false);
  command
      .add_option("--batch", options.batch, "a number for the size 'batch', which else stays free")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command.add_flag("--fixed", options.fixed_sizes,
                   "numbers for all sizes that would stay free: 1 for the batch, 224 for "
                   "the sides of an image, and so on");
  command
      .add_option("--outputs", options.outputs,
                  "other outputs than the file's: outputs of inner nodes "
                  "(relu1_output), or nodes for their first output")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--opset", opset,
                  fmt::format("ONNX opset to write, {} to {}; if it is not given, {}, or a "
                              "higher one where the model needs it",
                              kFirstOpset, kLastOpset, kDefaultOpset))
      ->type_name("N");
  command
      .add_option("--allow-custom-domain", options.custom_domain,
                  fmt::format("emit operators that are not translated as nodes of this domain "
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
                  "use the stored parameter OLD as NEW; a * in OLD matches any text and "
                  "stands for it in NEW: '*_running_mean=*_moving_mean'")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
}

void ModelArguments::finish() {
  for (const auto& text : inputs) options.inputs.push_back(parse_input(text));
  for (const auto& text : rename_params)
    options.rename_params.push_back(parse_rename("rename-param", text));
  options.opset = opset.value_or(kDefaultOpset);
  options.raise_opset = !opset;
}

std::string ModelArguments::convert_command() const {
  std::string text = "mx2onnx convert " + shell_word(symbol);
  const auto add = [&](const std::string& option, const std::string& value) {
    text += " " + option + shell_word(value);
  };
  for (const auto& path : params) add("", path);
  add("-o ", model_name(symbol) + ".onnx");
  if (epoch) add("--epoch ", std::to_string(*epoch));
  if (unpack_limit) add("--unpack-limit ", std::to_string(*unpack_limit));
  if (!options.architecture.empty()) add("--architecture ", options.architecture);
  for (const auto& input : inputs) add("--input ", input);
  for (const auto& output : options.outputs) add("--outputs ", output);
  if (opset) add("--opset ", std::to_string(*opset));
  if (options.batch) add("--batch ", std::to_string(*options.batch));
  if (options.fixed_sizes) text += " --fixed";
  if (!options.custom_domain.empty()) add("--allow-custom-domain=", options.custom_domain);
  if (!options.mxnet_version.empty()) add("--mxnet-version ", options.mxnet_version);
  for (const auto& rule : rename_params) add("--rename-param ", rule);
  return text;
}

std::string type_text(const PortReport& port) {
  const std::string dtype = port.dtype == "unknown" ? "?" : port.dtype;
  // Not even the number of dimensions is known.
  if (port.shape.size() == 1 && port.shape[0] == "...") return dtype == "?" ? "?" : dtype + " ?";
  std::string text = dtype + " (";
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
