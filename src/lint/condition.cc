// See condition.h.
#include "lint/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace mx2onnx::lint {
namespace {

// What a subject is: texts, several of an attribute that is a list; nothing if it is not known.
using Texts = std::optional<std::vector<std::string>>;

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }
std::string number_text(double value) { return fmt::format("{}", value); }

Answer answer_of(bool value) { return value ? Answer::kYes : Answer::kNo; }

bool is_same(const std::string& text, const std::string& value) {
  if (text == value) return true;
  const auto left = parse_double(text);
  const auto right = parse_double(value);
  return left && right && *left == *right;
}

bool is_less(const std::string& text, const std::string& value) {
  const auto left = parse_double(text);
  const auto right = parse_double(value);
  return left && right && *left < *right;
}

// Of a list: `=` if one element is among the values, `!=` if one is not, `<` and `>` if one is.
Answer compare(const Term& term, const Texts& texts) {
  if (!texts) return Answer::kMaybe;
  const auto fits = [&](const std::string& text) {
    switch (term.relation) {
      case Relation::kLess:
        return is_less(text, term.values[0]);
      case Relation::kMore:
        return is_less(term.values[0], text);
      default: {
        const bool is_one = std::any_of(term.values.begin(), term.values.end(),
                                        [&](const auto& value) { return is_same(text, value); });
        return is_one == (term.relation == Relation::kIs);
      }
    }
  };
  return answer_of(std::any_of(texts->begin(), texts->end(), fits));
}

Texts attribute_texts(const Term& term, const onnx::StoredNode& node) {
  const auto* attribute = node.find(term.attribute);
  if (attribute == nullptr) {
    if (term.otherwise.empty()) return std::vector<std::string>();
    return std::vector<std::string>{term.otherwise};
  }
  std::vector<std::string> texts;
  if (attribute->integer) texts.push_back(std::to_string(*attribute->integer));
  if (attribute->number) texts.push_back(number_text(*attribute->number));
  if (attribute->text) texts.emplace_back(*attribute->text);
  for (const auto value : attribute->integers) texts.push_back(std::to_string(value));
  for (const auto value : attribute->numbers) texts.push_back(number_text(value));
  return texts;
}

std::size_t num_present(const std::vector<std::string_view>& names) {
  return static_cast<std::size_t>(
      std::count_if(names.begin(), names.end(), [](auto name) { return !name.empty(); }));
}

// True if a body of the node uses values that it does not make.
bool uses_outer_values(const onnx::StoredNode& node, const Facts& facts) {
  for (const auto& attribute : node.attributes) {
    for (const auto& graph : attribute.graphs) {
      std::unordered_set<std::string_view> made;
      for (const auto& input : graph.inputs) made.insert(input.name);
      for (const auto& weight : graph.weights) made.insert(weight.name);
      const auto is_outer = [&](std::string_view name) {
        return !name.empty() && !made.contains(name) && facts.find(name) != nullptr;
      };
      for (const auto& inner : graph.nodes) {
        if (std::any_of(inner.inputs.begin(), inner.inputs.end(), is_outer)) return true;
        made.insert(inner.outputs.begin(), inner.outputs.end());
      }
      for (const auto& output : graph.outputs) {
        if (is_outer(output.name)) return true;
      }
    }
  }
  return false;
}

Texts input_texts(const Term& term, const ValueFacts* facts) {
  const auto one = [](std::string text) { return std::vector<std::string>{std::move(text)}; };
  if (term.subject == Subject::kConst)
    return one(yes_or_no(facts != nullptr && facts->constant != nullptr));
  if (facts == nullptr) return std::nullopt;
  if (term.subject == Subject::kType) {
    if (facts->dtype == 0) return std::nullopt;
    return one(std::string(type_name(facts->dtype)));
  }
  if (term.subject == Subject::kValue) {
    if (facts->constant == nullptr) return std::vector<std::string>();
    const auto values = onnx::small_values(*facts->constant);
    if (!values) return std::nullopt;
    std::vector<std::string> texts;
    for (const double value : *values) texts.push_back(number_text(value));
    return texts;
  }
  if (!facts->shape) return std::nullopt;
  if (term.subject == Subject::kRank) return one(std::to_string(facts->shape->size()));
  bool is_unknown = false;
  for (const Size& size : *facts->shape) {
    if (size.kind == Size::Kind::kFree) return one("yes");
    is_unknown = is_unknown || size.kind == Size::Kind::kUnknown;
  }
  if (is_unknown) return std::nullopt;
  return one("no");
}

Answer input_holds(const Term& term, std::size_t index, const NodeView& view) {
  const auto& inputs = view.node.inputs;
  const bool is_given = index < inputs.size() && !inputs[index].empty();
  if (term.subject == Subject::kGiven)
    return compare(term, std::vector<std::string>{yes_or_no(is_given)});
  if (!is_given) return Answer::kNo;
  return compare(term, input_texts(term, view.facts.find(inputs[index])));
}

Answer holds(const Term& term, const NodeView& view) {
  const auto count = [&](std::size_t number) {
    return compare(term, std::vector<std::string>{std::to_string(number)});
  };
  const auto flag = [&](bool value) {
    return compare(term, std::vector<std::string>{yes_or_no(value)});
  };
  switch (term.subject) {
    case Subject::kOpset:
      return count(static_cast<std::size_t>(view.opset));
    case Subject::kInputs:
      return count(num_present(view.node.inputs));
    case Subject::kOutputs:
      return count(num_present(view.node.outputs));
    case Subject::kAttr:
      return compare(term, attribute_texts(term, view.node));
    case Subject::kInner:
      return flag(view.is_inner);
    case Subject::kOuter:
      return flag(uses_outer_values(view.node, view.facts));
    case Subject::kNamedAsInput:
      return flag(view.model_inputs.contains(view.node.name));
    default:
      break;
  }
  if (term.input != Term::kAny)
    return input_holds(term, static_cast<std::size_t>(term.input), view);
  Answer answer = Answer::kNo;
  for (std::size_t i = 0; i < view.node.inputs.size(); ++i)
    answer = std::max(answer, input_holds(term, i, view));
  return answer;
}

}  // namespace

Answer holds(const Rule& rule, const NodeView& view) {
  Answer answer = Answer::kYes;
  for (const auto& term : rule.terms) {
    answer = std::min(answer, holds(term, view));
    if (answer == Answer::kNo) break;
  }
  return answer;
}

}  // namespace mx2onnx::lint
