// See load.h.
#include "convert/load.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

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

// The version that the user says; it holds whatever the file says.
std::optional<std::int64_t> said_mxnet_version(const ConvertOptions& options) {
  if (options.mxnet_version.empty()) return std::nullopt;
  return mxnet::parse_version(options.mxnet_version);
}

// Variables of one name are one array to MXNet, and so they are one here: the first of them.
void merge_variables(mxnet::Symbol& symbol) {
  std::map<std::string, std::uint32_t> first;
  std::vector<std::uint32_t> instead(symbol.nodes.size());
  for (std::uint32_t i = 0; i < symbol.nodes.size(); ++i) {
    auto& node = symbol.nodes[i];
    instead[i] = i;
    for (auto& input : node.inputs) input.node = instead[input.node];
    if (!node.is_variable() || node.name.empty()) continue;
    const auto [known, is_new] = first.emplace(node.name, i);
    instead[i] = known->second;
    if (!is_new) symbol.nodes[known->second].attrs.insert(node.attrs.begin(), node.attrs.end());
  }
  for (auto& head : symbol.heads) head.node = instead[head.node];
}

// A Dropout that draws at inference, and why: its mode. Subgraphs have their own.
void make_dropouts_plain(mxnet::Symbol& symbol) {
  for (auto& node : symbol.nodes) {
    const bool is_dropout = node.op == "Dropout" || node.op == "_npx_dropout";
    if (is_dropout) node.attrs.erase("mode");
    for (auto& body : node.subgraphs) {
      mxnet::Symbol changed = *body;
      make_dropouts_plain(changed);
      body = std::make_shared<const mxnet::Symbol>(std::move(changed));
    }
  }
}

// What the user says counts.
std::optional<Preprocessing> prepared(const source::FoundModel& found,
                                      const ConvertOptions& options) {
  if (!found.preparation) return options.preprocessing;
  const Preprocessing& known = *found.preparation;
  Preprocessing result = options.preprocessing.value_or(Preprocessing{});
  if (result.mean.empty()) result.mean = known.mean;
  if (result.std.empty()) result.std = known.std;
  if (result.scale.empty()) result.scale = known.scale;
  if (result.layout.empty()) result.layout = known.layout;
  if (result.dtype.empty()) result.dtype = known.dtype;
  return result;
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
    const std::uint64_t size =
        mxnet::checked_count(array.shape, [&] { return fmt::format("array '{}': ", array.name); }) *
        dtype_size(*dtype);
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
  auto symbol = found.symbol ? *found.symbol : mxnet::parse_symbol(found.symbol_text.view());
  if (const auto said_version = said_mxnet_version(options)) {
    symbol.mxnet_version = *said_version;
    symbol.says_version = true;
  }
  const OperatorsOf operators(origin_of(symbol));
  symbol = mxnet::upgrade_symbol(std::move(symbol), operators);
  merge_variables(symbol);
  if (options.no_dropout) make_dropouts_plain(symbol);
  if (!options.outputs.empty()) select_outputs(symbol, options.outputs, operators);
  return symbol;
}

UnpackLimits unpack_limits(const Source& source) { return {source.unpack_limit}; }

BudgetScope budget_for(const source::FoundModel& found, const Source& source) {
  std::uint64_t read = found.symbol_text.view().size();
  for (const auto& file : found.params) read += file.size;
  for (const auto& array : source.arrays) read += array.bytes.size();
  return {unpack_limits(source).allowed(read), read};
}

ConvertOptions with_found(const source::FoundModel& found, const mxnet::Symbol& symbol,
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
  if (options.prepare) result.preprocessing = prepared(found, options);
  return result;
}

}  // namespace mx2onnx
