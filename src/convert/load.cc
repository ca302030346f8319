// See load.h.
#include "convert/load.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "convert/ports.h"
#include "mxnet/json_upgrade.h"
#include "mxnet/symbol_json.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

std::vector<mxnet::RenameRule> parse_rename_rules(const std::vector<std::string>& texts) {
  std::vector<mxnet::RenameRule> rules;
  for (auto& [from, to] : parse_renames("rename-param", texts)) rules.push_back({from, to});
  return rules;
}

// Of MXNet's functions many take the common part of a model's files for its name.
void check_not_prefix(const std::string& path) {
  std::error_code ignored;
  const std::string symbol = path + "-symbol.json";
  if (std::filesystem::exists(path, ignored) || !std::filesystem::exists(symbol, ignored)) return;
  fail_at({.file = path}, ErrorCode::kIo, "cannot be read: No such file or directory",
          fmt::format("did you mean '{}'? The parameter files are named after it", symbol));
}

// The version that the user says; it holds whatever the file says.
std::optional<std::int64_t> said_mxnet_version(const ConvertOptions& options) {
  if (options.mxnet_version.empty()) return std::nullopt;
  return mxnet::parse_version(options.mxnet_version);
}

}  // namespace

mxnet::ParameterSet load_parameters(const Source& source, const ConvertOptions& options) {
  const auto rules = parse_rename_rules(options.rename_params);
  mxnet::ParameterSet params;
  for (const auto& path : source.param_paths) {
    params.add(mxnet::read_param_file(MappedFile::open(path)), path, rules);
  }
  std::vector<mxnet::StoredArray> arrays;
  for (const auto& array : source.arrays) {
    const auto dtype = dtype_from_name(array.dtype);
    if (!dtype) {
      fail(ErrorCode::kUsage, fmt::format("array '{}': element type {} is not supported",
                                          array.name, in_quotes(array.dtype)));
    }
    const std::uint64_t size = mxnet::checked_count(array.shape) * dtype_size(*dtype);
    if (size != array.bytes.size()) {
      fail(ErrorCode::kUsage, fmt::format("array '{}': expected {} bytes, got {}", array.name, size,
                                          array.bytes.size()));
    }
    arrays.push_back(
        {array.name,
         {*dtype, array.shape, std::make_shared<BorrowedData>(array.owner, array.bytes)}});
  }
  params.add(std::move(arrays), "the given arrays", rules);
  return params;
}

mxnet::Symbol load_symbol(const Source& source, const ConvertOptions& options) {
  const auto said_version = said_mxnet_version(options);
  if (source.symbol_json.empty()) check_not_prefix(source.symbol_name);
  const auto text =
      source.symbol_json.empty() ? read_text_file(source.symbol_name) : source.symbol_json;
  auto symbol = mxnet::parse_symbol(text);
  if (said_version) {
    symbol.mxnet_version = *said_version;
    symbol.says_version = true;
  }
  const OperatorsOf operators(origin_of(symbol));
  symbol = mxnet::upgrade_symbol(std::move(symbol), operators);
  if (!options.outputs.empty()) select_outputs(symbol, options.outputs, operators);
  return symbol;
}

}  // namespace mx2onnx
