// See load.h.
#include "convert/load.h"

#include <algorithm>

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

}  // namespace

mxnet::ParameterSet load_parameters(const source::FoundModel& found, const Source& source,
                                    const ConvertOptions& options, Unpacker& unpacker) {
  const auto& rules = options.rename_params;
  check_rules(rules);
  mxnet::ParameterSet params;
  for (const auto& file : found.params) {
    params.add(mxnet::read_param_file(file, unpacker), file.name, rules);
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

mxnet::Symbol load_symbol(const source::FoundModel& found, const ConvertOptions& options) {
  auto symbol = mxnet::upgrade_symbol(
      found.symbol ? *found.symbol : mxnet::parse_symbol(found.symbol_text), Registry::instance());
  if (!options.outputs.empty()) select_outputs(symbol, options.outputs, Registry::instance());
  return symbol;
}

UnpackLimits unpack_limits(const Source& source) { return {source.unpack_limit}; }

ConvertOptions with_found_inputs(const source::FoundModel& found, const mxnet::Symbol& symbol,
                                 const ConvertOptions& options, std::vector<Diagnostic>& notes) {
  ConvertOptions result = options;
  for (const auto& spec : found.inputs) {
    const bool is_said = std::any_of(options.inputs.begin(), options.inputs.end(),
                                     [&](const InputSpec& own) { return own.name == spec.name; });
    const bool is_there = std::any_of(
        symbol.nodes.begin(), symbol.nodes.end(),
        [&](const mxnet::Node& node) { return node.is_variable() && node.name == spec.name; });
    if (!is_there) {
      notes.push_back({"W-input-ignored", spec.name,
                       fmt::format("the archive describes an input {} that the model does not have",
                                   in_quotes(spec.name))});
    } else if (!is_said) {
      result.inputs.push_back(spec);
    }
  }
  return result;
}

}  // namespace mx2onnx
