// See mx2onnx/operators.h.
#include "mx2onnx/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "mx2onnx/convert.h"
#include "ops/fields.h"
#include "ops/record/registry.h"
#include "ops/record/untranslated.h"

namespace mx2onnx {

namespace {

void sort_by_name(std::vector<OperatorInfo>& operators) {
  std::sort(operators.begin(), operators.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
}

std::vector<std::string> inputs_of(const OpDef& def) {
  std::vector<AttrProblem> ignored;
  const auto params = def.attrs.parse({}, ignored);
  std::vector<std::string> inputs;
  for (const auto& input : def.inputs(params.get())) {
    inputs.push_back(def.variadic ? input.name + "…" : input.name);
  }
  return inputs;
}

std::vector<AttributeInfo> attributes_of(const OpDef& def) {
  std::vector<AttributeInfo> attributes;
  for (const auto& field : def.attrs.fields()) {
    attributes.push_back({field.name, field.ignored ? "" : field.expected(),
                          field.required ? "" : field.default_text, field.required, field.ignored,
                          field.help});
  }
  return attributes;
}

void add_operators(const Field& field, std::vector<OperatorInfo>& result) {
  Registry registry;
  register_field(field, registry);
  for (const auto& def : registry.ops()) {
    OperatorInfo info;
    info.name = def.name();
    info.field = field.name;
    info.aliases.assign(def.names.begin() + 1, def.names.end());
    info.summary = def.summary;
    info.notes = def.notes;
    info.inputs = inputs_of(def);
    info.attributes = attributes_of(def);
    for (const auto& variant : def.variants) {
      info.variants.push_back({variant->files.text(), variant->difference, inputs_of(*variant),
                               attributes_of(*variant), variant->notes});
    }
    result.push_back(std::move(info));
  }
}

}  // namespace

std::vector<OperatorInfo> operators() {
  std::vector<OperatorInfo> result;
  for (const Field& field : fields()) add_operators(field, result);
  sort_by_name(result);
  return result;
}

std::vector<OperatorInfo> untranslated_operators() {
  std::vector<OperatorInfo> result;
  for (const auto& names : mxnet_operators()) {
    OperatorInfo info;
    for (const auto name : names) {
      if (Registry::instance().find(name) != nullptr) continue;
      if (info.name.empty()) {
        info.name = name;
      } else {
        info.aliases.emplace_back(name);
      }
    }
    if (info.name.empty()) continue;
    const auto why = find_untranslated(info.name);
    info.status = why->status == UntranslatedStatus::kPlanned ? OperatorStatus::kPlanned
                                                              : OperatorStatus::kRefused;
    info.kind = why->kind;
    info.reason = fmt::format("'{}' {}", info.name, why->reason);
    result.push_back(std::move(info));
  }
  sort_by_name(result);
  return result;
}

namespace {

JsonValue json_strings(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const auto& text : texts) array.push_back({text});
  return {std::move(array)};
}

JsonValue json_attribute(const AttributeInfo& attribute) {
  return {JsonObject{{"name", {attribute.name}},
                     {"expected", {attribute.expected}},
                     {"default", {attribute.default_text}},
                     {"required", {attribute.required}},
                     {"ignored", {attribute.ignored}},
                     {"help", {attribute.help}}}};
}

JsonValue json_attributes(const std::vector<AttributeInfo>& attributes) {
  JsonArray array;
  for (const auto& attribute : attributes) array.push_back(json_attribute(attribute));
  return {std::move(array)};
}

// Characters that would end a cell or start a tag.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') result += '\\';
    result += c;
  }
  return result;
}

std::string attribute_rows(const std::vector<AttributeInfo>& attributes) {
  std::string text = "\n| attribute | value | default | |\n|---|---|---|---|\n";
  std::string ignored;
  for (const auto& attribute : attributes) {
    if (attribute.ignored) {
      ignored += fmt::format("{}`{}`", ignored.empty() ? "" : ", ", attribute.name);
      continue;
    }
    text += fmt::format("| `{}` | {} | {} | {} |\n", attribute.name, cell(attribute.expected),
                        attribute.required ? "required" : cell(attribute.default_text),
                        cell(attribute.help));
  }
  const bool has_rows =
      std::any_of(attributes.begin(), attributes.end(),
                  [](const AttributeInfo& attribute) { return !attribute.ignored; });
  if (!has_rows) text.clear();
  if (!ignored.empty()) text += fmt::format("\nWithout meaning at inference: {}.\n", ignored);
  return text;
}

}  // namespace

namespace {

bool same_attributes(const OperatorInfo& op, const VariantInfo& variant) {
  return std::equal(op.attributes.begin(), op.attributes.end(), variant.attributes.begin(),
                    variant.attributes.end(), [](const auto& a, const auto& b) {
                      return a.name == b.name && a.expected == b.expected &&
                             a.default_text == b.default_text;
                    });
}

// What the variant has of its own.
std::string variant_text(const OperatorInfo& op, const VariantInfo& variant) {
  std::string text =
      fmt::format("\n**In files {}**: {}.\n", variant.files, cell(variant.difference));
  if (!same_attributes(op, variant)) text += attribute_rows(variant.attributes);
  for (const auto& note : variant.notes) {
    const bool is_new = std::find(op.notes.begin(), op.notes.end(), note) == op.notes.end();
    if (is_new) text += fmt::format("\n> {}\n", note);
  }
  return text;
}

std::string status_text(OperatorStatus status) {
  switch (status) {
    case OperatorStatus::kTranslated:
      return "translated";
    case OperatorStatus::kPlanned:
      return "planned";
    case OperatorStatus::kRefused:
      return "refused";
  }
  return {};
}

JsonValue json_operator(const OperatorInfo& op, std::optional<int> opset) {
  JsonObject object{{"name", {op.name}},
                    {"aliases", json_strings(op.aliases)},
                    {"status", {status_text(op.status)}}};
  if (op.status != OperatorStatus::kTranslated) {
    object.emplace_back("kind", JsonValue{op.kind});
    object.emplace_back("reason", JsonValue{op.reason});
    return {std::move(object)};
  }
  object.emplace_back("field", JsonValue{op.field});
  object.emplace_back("summary", JsonValue{op.summary});
  object.emplace_back("inputs", json_strings(op.inputs));
  object.emplace_back("attributes", json_attributes(op.attributes));
  object.emplace_back("notes", json_strings(op.notes));
  JsonArray variants;
  for (const auto& variant : op.variants) {
    variants.push_back({JsonObject{{"files", {variant.files}},
                                   {"difference", {variant.difference}},
                                   {"inputs", json_strings(variant.inputs)},
                                   {"attributes", json_attributes(variant.attributes)},
                                   {"notes", json_strings(variant.notes)}}});
  }
  object.emplace_back("variants", JsonValue{std::move(variants)});
  if (opset) {
    JsonArray limits;
    for (const auto& limit : opset_limits(op.name, *opset)) {
      limits.push_back({JsonObject{
          {"attribute", {limit.attribute}}, {"reason", {limit.reason}}, {"hint", {limit.hint}}}});
    }
    object.emplace_back("limits", JsonValue{std::move(limits)});
  }
  return {std::move(object)};
}

// The untranslated operators by reason, names in rows.
std::string untranslated_tables() {
  std::map<std::pair<OperatorStatus, std::string>, std::vector<OperatorInfo>> groups;
  for (auto& op : untranslated_operators()) groups[{op.status, op.kind}].push_back(std::move(op));
  std::string text =
      "\n# Operators that are not translated\n\nWith these, every name that MXNet 1.9.1 or "
      "2.0.0b1 registers is on this page.\n\n| status | why | operators |\n|---|---|---|\n";
  for (const auto& [key, group] : groups) {
    const std::string& reason = group.front().reason;
    std::string names;
    for (const auto& op : group) {
      names += fmt::format("{}`{}`", names.empty() ? "" : " ", op.name);
      for (const auto& alias : op.aliases) names += fmt::format(" `{}`", alias);
    }
    text += fmt::format("| {} | {} | {} |\n", status_text(key.first),
                        reason.substr(group.front().name.size() + 3), names);
  }
  return text;
}

}  // namespace

std::string operators_json(std::optional<int> opset) {
  auto all = operators();
  for (auto& op : untranslated_operators()) all.push_back(std::move(op));
  sort_by_name(all);
  JsonArray array;
  for (const auto& op : all) array.push_back(json_operator(op, opset));
  return json_text({JsonObject{{"operators", {std::move(array)}}}});
}

std::string operators_markdown() {
  const auto all = operators();
  std::size_t names = 0;
  for (const auto& op : all) names += 1 + op.aliases.size();
  std::string text = fmt::format(
      "# Operators\n\nGenerated by `mx2onnx ops --markdown`; do not edit.\n\n"
      "{} operators of MXNet under {} names are translated, for every opset from {} to {} unless a "
      "note says "
      "otherwise.\n",
      all.size(), names, kFirstOpset, kLastOpset);
  for (const auto& op : all) {
    text += fmt::format("\n## {}\n\n{}\n", cell(op.name), op.summary);
    if (!op.aliases.empty()) {
      text += "\nAlso ";
      for (std::size_t i = 0; i < op.aliases.size(); ++i) {
        text += fmt::format("{}`{}`", i > 0 ? ", " : "", op.aliases[i]);
      }
      text += ".\n";
    }
    if (!op.inputs.empty()) {
      text += "\nInputs: ";
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        text += fmt::format("{}`{}`", i > 0 ? ", " : "", op.inputs[i]);
      }
      text += ".\n";
    }
    if (!op.attributes.empty()) text += attribute_rows(op.attributes);
    for (const auto& note : op.notes) text += fmt::format("\n> {}\n", note);
    for (const auto& variant : op.variants) text += variant_text(op, variant);
  }
  text += untranslated_tables();
  return text;
}

}  // namespace mx2onnx
