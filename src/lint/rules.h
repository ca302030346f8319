// What runtimes refuse, and what they get wrong: the rows of data/runtimes.tsv, whose form
// docs/lint.md describes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx::lint {

enum class Effect : std::uint8_t {
  kRuns,    ///< Was tried, and gave the right numbers.
  kRefuse,  ///< Does not load or does not run.
  kWrong,   ///< Runs and gives other numbers.
  kRisk,    ///< Runs, and whether the numbers are right depends on them.
  kSlow,
};

/// What a term of a condition looks at.
enum class Subject : std::uint8_t {
  kOpset,
  kInputs,   ///< How many inputs are present.
  kOutputs,  ///< How many outputs are present.
  kGiven,    ///< Input i is present.
  kConst,    ///< Input i is an initializer or a Constant's value.
  kType,
  kRank,
  kFree,   ///< Input i has a size that is no number.
  kValue,  ///< The largest element of the constant that input i is.
  kAttr,   ///< Of a list, each element.
  kInner,  ///< The node is in a body of a loop or branch.
  kOuter,  ///< It has a body that uses values from outside of it.
  kNamedAsInput,
};

enum class Relation : std::uint8_t { kIs, kIsNot, kLess, kMore };

struct Term {
  static constexpr int kAny = -1;
  Subject subject = Subject::kOpset;
  int input = 0;          ///< kAny for any input.
  std::string attribute;  ///< Of kAttr.
  std::string otherwise;  ///< What a missing attribute stands for.
  Relation relation = Relation::kIs;
  std::vector<std::string> values;  ///< One of these; a single one for kLess and kMore.
};

/// All terms have to hold.
struct Rule {
  Effect effect = Effect::kRuns;
  std::vector<std::string> operators;  ///< "*" for all; "DOMAIN/OP" outside of ONNX's domain.
  std::vector<Term> terms;
  std::string condition;  ///< As the table has it.
  std::string message;
  std::string advice;
  std::string how;  ///< How it is known.

  bool is_for(std::string_view op) const;
};

struct Runtime {
  std::string name;
  std::string version;
  std::string how;
  int first_opset = 0;
  int last_opset = 0;
  int best_opset = 0;  ///< What `convert --target` writes.
  bool wants_fixed_sizes = false;
  std::vector<Rule> rules;
};

/// Reads a table. Fails with kFormat, naming the line.
std::vector<Runtime> read_rules(std::string_view text);

/// The library's own table.
const std::vector<Runtime>& runtimes();

/// Fails with kUsage if there is none of this name.
const Runtime& find_runtime(std::string_view name);

}  // namespace mx2onnx::lint
