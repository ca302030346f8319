// What an opset cannot express: found by asking the operators' own rules, as a conversion does.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "mx2onnx/convert.h"
#include "mx2onnx/operators.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

// Some value of an attribute, for those that have to be given.
std::string sample(const AttrField& field) {
  if (!field.names.empty()) return field.names.front();
  if (field.kind == "element type") return "float32";
  if (field.kind.starts_with("tuple")) {
    std::string text = "(";
    for (std::size_t i = 0; i < std::max<std::size_t>(1, field.tuple_sizes.first); ++i) {
      text += "1, ";
    }
    return text + ")";
  }
  return "1";
}

// The values of an attribute that are worth asking about one by one.
std::vector<std::string> values_of(const AttrField& field) {
  if (!field.names.empty()) return field.names;
  if (field.kind == "boolean") return {"True", "False"};
  if (field.kind == "element type") {
    return {"float16", "float32", "float64", "bfloat16", "int8", "uint8", "int32", "int64", "bool"};
  }
  return {};
}

class Prober {
 public:
  explicit Prober(const OpDef& def) : def_(def) {
    for (const auto& field : def.attrs.fields()) {
      if (field.required) base_[field.name] = sample(field);
    }
  }

  std::vector<OpsetLimit> limits(int opset) const {
    std::vector<OpsetLimit> found;
    const auto base = changing_problems(base_, opset);
    for (const auto& problem : base) found.push_back({"", problem.message, problem.hint});
    for (const auto& field : def_.attrs.fields()) {
      for (const auto& value : values_of(field)) {
        auto attrs = base_;
        attrs[field.name] = value;
        for (const auto& problem : changing_problems(attrs, opset)) {
          if (contains(base, problem)) continue;
          found.push_back({fmt::format("{}={}", field.name, value), problem.message, problem.hint});
        }
      }
    }
    return found;
  }

 private:
  static bool contains(const std::vector<AttrProblem>& problems, const AttrProblem& wanted) {
    return std::any_of(problems.begin(), problems.end(), [&](const AttrProblem& problem) {
      return problem.attribute == wanted.attribute && problem.message == wanted.message;
    });
  }

  // The problems at an opset that are none at another one.
  std::vector<AttrProblem> changing_problems(const mxnet::Attributes& attrs, int opset) const {
    std::vector<AttrProblem> found;
    const auto params = def_.attrs.parse(attrs, found);
    if (!found.empty()) return {};
    found = def_.problems_at(params.get(), {opset, false});
    for (int other = kFirstOpset; other <= kLastOpset && !found.empty(); ++other) {
      if (def_.problems_at(params.get(), {other, false}).empty()) return found;
    }
    return {};
  }

  const OpDef& def_;
  mxnet::Attributes base_;
};

}  // namespace

std::vector<OpsetLimit> opset_limits(const std::string& name, int opset) {
  const OpDef* def = Registry::instance().find(name);
  if (def == nullptr) {
    fail(ErrorCode::kUsage, fmt::format("'{}' is not an operator that is translated", name));
  }
  if (opset < kFirstOpset || opset > kLastOpset) {
    fail(ErrorCode::kUsage, fmt::format("opset: expected a number from {} to {}, got {}",
                                        kFirstOpset, kLastOpset, opset));
  }
  return Prober(*def).limits(opset);
}

}  // namespace mx2onnx
