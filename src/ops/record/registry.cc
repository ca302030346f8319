#include "ops/record/registry.h"

#include <algorithm>

#include "base/error.h"
#include "onnx/schema.h"

namespace mx2onnx {

const Registry& Registry::instance() {
  static const Registry registry = [] {
    Registry result;
    register_all_families(result);
    return result;
  }();
  return registry;
}

void Registry::index(const OpDef& def) {
  for (const auto& name : def.names) {
    require(by_name_.emplace(name, &def).second,
            fmt::format("operator '{}' is registered twice", name));
  }
}

const OpDef* Registry::find(std::string_view name) const {
  const auto entry = by_name_.find(name);
  return entry == by_name_.end() ? nullptr : entry->second;
}

std::vector<AttrProblem> OpDef::problems_at(const void* params, const CheckContext& context) const {
  for (const auto& op_type : needs) {
    const int first = onnx::first_opset(op_type);
    if (context.opset >= first) continue;
    return {{"",
             fmt::format("needs ONNX's {}, which opset {} does not have", op_type, context.opset),
             fmt::format("ask for --opset {} or newer", first)}};
  }
  return check ? check(params, context) : std::vector<AttrProblem>{};
}

std::vector<std::string> Registry::all_names() const {
  std::vector<std::string> names;
  for (const auto& def : ops_) names.insert(names.end(), def.names.begin(), def.names.end());
  return names;
}

const OpDef& OpDef::of(const Origin& origin) const {
  const auto found = std::find_if(variants.begin(), variants.end(), [&](const auto& variant) {
    return variant->files.contains(origin);
  });
  return found == variants.end() ? *this : **found;
}

const OpDef* OperatorsOf::find(std::string_view name) const {
  const OpDef* def = Registry::instance().find(name);
  return def == nullptr ? nullptr : &def->of(origin_);
}

Origin origin_of(const mxnet::Symbol& symbol) { return {symbol.mxnet_version, symbol.np_shape}; }

std::vector<std::string> OperatorsOf::input_names(const std::string& op,
                                                  const mxnet::Attributes& attrs) const {
  const OpDef* def = find(op);
  if (def == nullptr || def->variadic) return {};
  std::vector<AttrProblem> problems;
  const auto params = def->attrs.parse(attrs, problems);
  std::vector<std::string> names;
  for (const auto& input : def->inputs(params.get())) names.push_back(input.name);
  return names;
}

}  // namespace mx2onnx
