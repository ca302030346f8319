// See rules.h.
#include "lint/rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "lint/data.h"

namespace mx2onnx::lint {
namespace {

constexpr std::array<std::pair<std::string_view, Subject>, 13> kSubjects = {{
    {"opset", Subject::kOpset},
    {"inputs", Subject::kInputs},
    {"outputs", Subject::kOutputs},
    {"given", Subject::kGiven},
    {"const", Subject::kConst},
    {"type", Subject::kType},
    {"rank", Subject::kRank},
    {"free", Subject::kFree},
    {"value", Subject::kValue},
    {"attr", Subject::kAttr},
    {"inner", Subject::kInner},
    {"outer", Subject::kOuter},
    {"named-as-input", Subject::kNamedAsInput},
}};

std::vector<std::string> words_of(std::string_view text, char separator) {
  std::vector<std::string> words;
  for (const auto part : split(text, separator)) {
    if (!trim(part).empty()) words.emplace_back(trim(part));
  }
  return words;
}

class TableReader {
 public:
  std::vector<Runtime> read(std::string_view text) {
    for (auto line : split(text, '\n')) {
      ++line_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty() || line.starts_with('#')) continue;
      add_row(split(line, '\t'));
    }
    return std::move(runtimes_);
  }

 private:
  [[noreturn]] void expected(std::string_view what, std::string_view found) const {
    fail(ErrorCode::kFormat,
         fmt::format("line {}: expected {}, found {}", line_, what, in_quotes(found)));
  }

  int number(std::string_view text) const {
    const auto value = parse_int(text);
    if (!value || *value < 0 || *value > 1000) expected("a small number", text);
    return static_cast<int>(*value);
  }

  void add_row(const std::vector<std::string_view>& cells) {
    constexpr std::size_t kColumns = 7;
    if (cells.size() != kColumns) {
      fail(ErrorCode::kFormat,
           fmt::format("line {}: expected {} columns, found {}", line_, kColumns, cells.size()));
    }
    if (cells[1] == "runtime") {
      add_runtime(cells);
      return;
    }
    const auto place = std::find_if(runtimes_.begin(), runtimes_.end(),
                                    [&](const Runtime& entry) { return entry.name == cells[0]; });
    if (place == runtimes_.end()) expected("a runtime that a line before declares", cells[0]);
    Rule rule;
    rule.effect = effect(cells[1]);
    rule.operators = words_of(cells[2], ',');
    if (rule.operators.empty()) expected("operators", cells[2]);
    std::sort(rule.operators.begin(), rule.operators.end());
    rule.condition = cells[3];
    for (const auto& word : words_of(cells[3], ' ')) rule.terms.push_back(term(word));
    rule.message = cells[4];
    rule.advice = cells[5];
    rule.how = cells[6];
    if (rule.how.empty()) expected("how it is known", rule.how);
    if (rule.effect != Effect::kRuns && rule.message.empty()) expected("a message", rule.message);
    place->rules.push_back(std::move(rule));
  }

  // "7-17:13" and "fixed".
  void add_runtime(const std::vector<std::string_view>& cells) {
    Runtime runtime;
    runtime.name = cells[0];
    const auto opsets = split_once(cells[2], ':');
    const auto range = opsets ? split_once(opsets->first, '-') : std::nullopt;
    if (!range) expected("FIRST-LAST:BEST, opsets", cells[2]);
    runtime.first_opset = number(range->first);
    runtime.last_opset = number(range->second);
    runtime.best_opset = number(opsets->second);
    if (!cells[3].empty() && cells[3] != "fixed") expected("'fixed' or nothing", cells[3]);
    runtime.wants_fixed_sizes = cells[3] == "fixed";
    runtime.version = cells[4];
    runtime.how = cells[6];
    runtimes_.push_back(std::move(runtime));
  }

  Effect effect(std::string_view text) const {
    if (text == "runs") return Effect::kRuns;
    if (text == "refuse") return Effect::kRefuse;
    if (text == "wrong") return Effect::kWrong;
    if (text == "risk") return Effect::kRisk;
    if (text == "slow") return Effect::kSlow;
    expected("runs, refuse, wrong, risk or slow", text);
  }

  // type(0)=int64|int32, attr(mode:nearest)!=nearest, named-as-input.
  Term term(std::string_view word) const {
    Term term;
    const std::size_t operation = word.find_first_of("=!<>", word.find(')') + 1);
    std::string_view subject = word.substr(0, operation);
    if (operation == std::string_view::npos) {
      term.values = {"yes"};
    } else {
      std::string_view rest = word.substr(operation);
      term.relation = rest[0] == '='   ? Relation::kIs
                      : rest[0] == '!' ? Relation::kIsNot
                      : rest[0] == '<' ? Relation::kLess
                                       : Relation::kMore;
      if (term.relation == Relation::kIsNot && !rest.starts_with("!=")) expected("!=", rest);
      rest.remove_prefix(term.relation == Relation::kIsNot ? 2 : 1);
      term.values = words_of(rest, '|');
      if (term.values.empty()) expected("a value", word);
    }
    if (const auto parts = split_once(subject, '(')) {
      if (!parts->second.ends_with(')')) expected("')'", word);
      std::string_view inside = parts->second;
      inside.remove_suffix(1);
      subject = parts->first;
      if (subject == "attr") {
        const auto with_default = split_once(inside, ':');
        term.attribute = with_default ? with_default->first : inside;
        if (with_default) term.otherwise = with_default->second;
      } else {
        term.input = inside == "*" ? Term::kAny : number(inside);
      }
    }
    for (const auto& [name, value] : kSubjects) {
      if (name == subject) {
        term.subject = value;
        return term;
      }
    }
    expected("a subject of conditions", word);
  }

  std::vector<Runtime> runtimes_;
  std::size_t line_ = 0;
};

}  // namespace

bool Rule::is_for(std::string_view op) const {
  if (operators.front() == "*") return true;
  return std::binary_search(operators.begin(), operators.end(), op);
}

std::vector<Runtime> read_rules(std::string_view text) { return TableReader().read(text); }

const std::vector<Runtime>& runtimes() {
  static const std::vector<Runtime> table = [] {
    const auto bytes = runtime_rules();
    const ErrorScope scope = ErrorScope::file("data/runtimes.tsv");
    return read_rules({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }();
  return table;
}

const Runtime& find_runtime(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& runtime : runtimes()) {
    if (runtime.name == name) return runtime;
    names.push_back(runtime.name);
  }
  fail(ErrorCode::kUsage,
       fmt::format("target: expected {}, got {}", join_alternatives(names), in_quotes(name)));
}

}  // namespace mx2onnx::lint
