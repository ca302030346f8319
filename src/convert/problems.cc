#include "convert/problems.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "mx2onnx/printable.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostNames = 3;
constexpr std::size_t kMostLines = 50;

std::string describe(const NodeProblem& problem) {
  const std::string prefix =
      problem.attribute.empty() ? "" : fmt::format("attribute '{}': ", problem.attribute);
  return prefix + problem.message;
}

std::string node_list(const std::vector<const NodeProblem*>& group) {
  std::string text = fmt::format("{} node{}: ", group.size(), group.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(group.size(), kMostNames); ++i) {
    text += fmt::format("{}'{}'", i > 0 ? ", " : "", group[i]->node);
  }
  return text + (group.size() > kMostNames ? ", …" : "");
}

}  // namespace

std::vector<std::string> problem_lines(const std::vector<NodeProblem>& problems) {
  // Groups in the order in which they first occur.
  std::vector<std::vector<const NodeProblem*>> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> group_of;
  for (const auto& problem : problems) {
    const auto [entry, is_new] =
        group_of.try_emplace({problem.op, describe(problem)}, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(&problem);
  }
  std::vector<std::string> lines;
  for (const auto& group : groups) {
    if (lines.size() == kMostLines) {
      lines.push_back(fmt::format("and {} more", groups.size() - kMostLines));
      break;
    }
    const NodeProblem& first = *group.front();
    std::string line = fmt::format("{} ({}): {}", first.op, node_list(group), describe(first));
    if (!first.hint.empty()) line += fmt::format(" ({})", first.hint);
    lines.push_back(printable(line));
  }
  return lines;
}

void fail_if_any(const std::vector<NodeProblem>& problems, int opset, const std::string& outputs) {
  if (problems.empty()) return;
  const std::string rest = outputs.empty() ? "" : "what converts: " + outputs;
  if (problems.size() == 1) {
    const NodeProblem& only = problems[0];
    const ErrorScope node = ErrorScope::node(only.node_index, only.node, only.op);
    ErrorPlace place = current_place();
    place.attribute = only.attribute;
    const std::string between = only.hint.empty() || rest.empty() ? "" : "; ";
    fail_at(std::move(place), only.code, only.message, only.hint + between + rest);
  }
  const auto is_model_error = [](const NodeProblem& p) { return p.code == ErrorCode::kModel; };
  const bool all_model = std::all_of(problems.begin(), problems.end(), is_model_error);
  fail_with_list(all_model ? ErrorCode::kModel : ErrorCode::kUnsupported,
                 fmt::format("the model cannot be converted to opset {}:", opset),
                 problem_lines(problems), rest);
}

}  // namespace mx2onnx
