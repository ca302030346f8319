#include "convert/operator_table.h"

#include "base/error.h"
#include "convert/custom_domain.h"
#include "convert/custom_operator.h"

namespace mx2onnx {

std::string operator_key(const mxnet::Node& node) {
  const auto op_type = node.attrs.find("op_type");
  const bool is_custom = node.op == "Custom" || node.op == "_npi_Custom";
  if (!is_custom || op_type == node.attrs.end()) return node.op;
  return "Custom:" + op_type->second;
}

OperatorTable::OperatorTable(const ConvertOptions& options, DimArena& arena, Origin origin)
    : opset_(options.opset), library_(origin), custom_domain_(options.custom_domain) {
  if (custom_domain_ == "ai.onnx") {
    fail(ErrorCode::kUsage, "custom domain: expected another domain than ONNX's own, got ai.onnx");
  }
  for (const auto& custom : options.operators) {
    auto def = record_of(custom, options.opset, arena);
    own_[def->name()] = std::move(def);
  }
}

const OpDef* OperatorTable::find(const mxnet::Node& node, std::size_t num_outputs) {
  const auto own = own_.find(operator_key(node));
  if (own != own_.end()) return own->second.get();
  const OpDef* def = library_.find(node.op);
  if (def != nullptr || custom_domain_.empty()) return def;
  auto& made = of_domain_[{node.op, num_outputs}];
  if (made == nullptr) made = record_in_domain(node.op, custom_domain_, num_outputs);
  return made.get();
}

std::vector<std::string> OperatorTable::all_names() const {
  auto names = Registry::instance().all_names();
  for (const auto& [name, def] : own_) names.push_back(name);
  return names;
}

std::vector<std::shared_ptr<const OpDef>> OperatorTable::own_operators() const {
  std::vector<std::shared_ptr<const OpDef>> all;
  for (const auto& [name, def] : own_) all.push_back(def);
  for (const auto& [key, def] : of_domain_) all.push_back(def);
  return all;
}

}  // namespace mx2onnx
