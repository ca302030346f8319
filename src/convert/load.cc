// See load.h.
#include "convert/load.h"

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "convert/ports.h"
#include "mxnet/json_upgrade.h"
#include "mxnet/symbol_json.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

void check_rules(const std::vector<RenameRule>& rules) {
  for (const auto& rule : rules) {
    if (!rule.from.empty() && !rule.to.empty()) continue;
    fail(ErrorCode::kUsage,
         fmt::format("rename_params: a name is empty in {}", in_quotes(rule.from + "=" + rule.to)));
  }
}

// Of MXNet's functions many take the common part of a model's files for its name.
void check_not_prefix(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::string symbol = path.native() + "-symbol.json";
  if (std::filesystem::exists(path, ignored) || !std::filesystem::exists(symbol, ignored)) return;
  fail_at({.file = path.native()}, ErrorCode::kIo, "cannot be read: No such file or directory",
          fmt::format("did you mean '{}'? The parameter files are named after it", symbol));
}

}  // namespace

mxnet::ParameterSet load_parameters(const Source& source, const ConvertOptions& options) {
  const auto& rules = options.rename_params;
  check_rules(rules);
  mxnet::ParameterSet params;
  for (const auto& path : source.param_paths) {
    params.add(mxnet::read_param_file(MappedFile::open(path.native())), path.native(), rules);
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
  if (source.symbol_json.empty()) check_not_prefix(source.symbol_path);
  const auto text =
      source.symbol_json.empty() ? read_text_file(source.symbol_path.native()) : source.symbol_json;
  auto symbol = mxnet::upgrade_symbol(mxnet::parse_symbol(text), Registry::instance());
  if (!options.outputs.empty()) select_outputs(symbol, options.outputs, Registry::instance());
  return symbol;
}

}  // namespace mx2onnx
