#include "source/checkpoints.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "source/container.h"

namespace mx2onnx::source {
namespace {

constexpr std::string_view kSymbolEnd = "-symbol.json";
constexpr std::string_view kParameterEnds[] = {".params", ".npz"};

bool is_parameter_name(std::string_view name) {
  const auto plain = without_gz(name);
  return std::any_of(std::begin(kParameterEnds), std::end(kParameterEnds),
                     [&](auto end) { return plain.ends_with(end); });
}

std::string_view folder_of(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash + 1);
}

// Arguments and auxiliary states in two files, as "net-arg.params" and "net-aux.params".
bool are_halves(const std::vector<std::string>& names) {
  return names.size() == 2 && names[0].find("arg") != std::string::npos &&
         names[1].find("aux") != std::string::npos;
}

void take_epoch(Checkpoint& checkpoint, const std::vector<std::string>& names,
                std::optional<std::int64_t> wanted) {
  for (const auto& name : names) checkpoint.epochs.push_back(*parse_parameter_name(name).epoch);
  std::sort(checkpoint.epochs.begin(), checkpoint.epochs.end());
  const auto twice = std::adjacent_find(checkpoint.epochs.begin(), checkpoint.epochs.end());
  checkpoint.epoch = wanted.value_or(checkpoint.epochs.back());
  for (const auto& name : names) {
    if (parse_parameter_name(name).epoch == checkpoint.epoch) checkpoint.params.push_back(name);
  }
  if (checkpoint.params.empty()) {
    std::vector<std::string> texts;
    for (const auto epoch : checkpoint.epochs) texts.push_back(std::to_string(epoch));
    fail(ErrorCode::kUsage,
         fmt::format("there are no parameters of epoch {} for '{}'", *wanted, checkpoint.symbol),
         fmt::format("there are those of {}", join_alternatives(texts)));
  }
  if (twice != checkpoint.epochs.end() && checkpoint.params.size() > 1) {
    fail(ErrorCode::kModel,
         fmt::format("several files could be the parameters of '{}': {}", checkpoint.symbol,
                     list_names(checkpoint.params)),
         "name the symbol and the parameter file that is meant");
  }
}

// The files among which a symbol's parameters are: those of its name, else all if they are one
// model's.
std::vector<std::string> candidates(const std::vector<std::string>& names,
                                    const Checkpoint& checkpoint, bool is_only) {
  std::vector<std::string> own;
  std::vector<std::string> near;
  const auto all = parameter_names(names);
  for (const auto& name : all) {
    if (parse_parameter_name(name).prefix == checkpoint.prefix) own.push_back(name);
    if (folder_of(name) == folder_of(checkpoint.symbol)) near.push_back(name);
  }
  if (!own.empty() || !is_only) return likely_parameters(std::move(own));
  return likely_parameters(near.empty() ? all : near);
}

}  // namespace

std::vector<std::string> likely_parameters(std::vector<std::string> names) {
  const std::set<std::string, std::less<>> all(names.begin(), names.end());
  const bool has_params = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return without_gz(name).ends_with(".params");
  });
  std::erase_if(names, [&](const std::string& name) {
    const auto plain = without_gz(name);
    return (has_params && plain.ends_with(".npz")) || (plain != name && all.contains(plain));
  });
  return names;
}

std::vector<std::string> find_symbols(const std::vector<std::string>& names,
                                      const std::function<bool(const std::string&)>& is_symbol) {
  std::vector<std::string> symbols;
  for (const auto& name : names) {
    if (without_gz(name).ends_with(kSymbolEnd)) symbols.push_back(name);
  }
  if (!symbols.empty()) return symbols;
  for (const auto& name : names) {
    if (without_gz(name).ends_with(".json") && is_symbol(name)) symbols.push_back(name);
  }
  return symbols;
}

Checkpoint find_parameters(const std::vector<std::string>& names, const std::string& symbol,
                           std::optional<std::int64_t> epoch, bool is_only) {
  Checkpoint checkpoint{symbol, prefix_of(symbol), {}, std::nullopt, {}};
  std::vector<std::string> numbered;
  std::vector<std::string> plain;
  std::set<std::string> prefixes;
  for (const auto& name : candidates(names, checkpoint, is_only)) {
    const auto parsed = parse_parameter_name(name);
    prefixes.insert(parsed.prefix);
    (parsed.epoch ? numbered : plain).push_back(name);
  }
  const bool is_one = prefixes.size() == 1 && (plain.size() <= 1 || !numbered.empty());
  if (!numbered.empty() && prefixes.size() == 1) {
    take_epoch(checkpoint, numbered, epoch);
  } else if (epoch && !prefixes.empty()) {
    fail(ErrorCode::kUsage,
         fmt::format("there are no parameters of epoch {} for '{}'", *epoch, symbol),
         fmt::format("the files have no epochs in their names: {}", list_names(plain)));
  } else if (is_one || are_halves(plain)) {
    checkpoint.params = plain;
  } else if (!prefixes.empty()) {
    plain.insert(plain.end(), numbered.begin(), numbered.end());
    fail(
        ErrorCode::kModel,
        fmt::format("several files could be the parameters of '{}': {}", symbol, list_names(plain)),
        "name the symbol and the parameter file that is meant");
  }
  return checkpoint;
}

std::optional<Diagnostic> epoch_note(const Checkpoint& checkpoint,
                                     std::optional<std::int64_t> wanted) {
  constexpr std::size_t kMostListed = 6;
  const auto& all = checkpoint.epochs;
  if (wanted || all.size() < 2) return std::nullopt;
  std::string others;
  for (std::size_t i = 0; i + 1 < all.size() && i < kMostListed; ++i)
    others += (i > 0 ? ", " : "") + std::to_string(all[i]);
  if (all.size() - 1 > kMostListed)
    others += fmt::format(" and {} more", all.size() - 1 - kMostListed);
  return Diagnostic{"W-epoch-chosen", "",
                    fmt::format("epoch {} is taken, the newest; there are also {} (another with "
                                "--epoch)",
                                *checkpoint.epoch, others)};
}

std::vector<std::string> parameter_names(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const auto& name : names) {
    if (is_parameter_name(name)) result.push_back(name);
  }
  return result;
}

std::string prefix_of(std::string_view symbol) {
  auto plain = without_gz(symbol);
  for (const auto end : {kSymbolEnd, std::string_view(".json")}) {
    if (plain.ends_with(end)) return std::string(plain.substr(0, plain.size() - end.size()));
  }
  return std::string(plain);
}

ParameterName parse_parameter_name(std::string_view name) {
  auto plain = without_gz(name);
  plain = plain.substr(0, plain.rfind('.'));
  const auto dash = plain.rfind('-');
  if (dash != std::string_view::npos && dash + 1 < plain.size()) {
    const auto digits = plain.substr(dash + 1);
    const bool are_digits =
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    // The hash that pretrained files end in could be made of digits alone; MXNet writes four.
    const auto epoch = are_digits && digits.size() <= 7 ? parse_int(digits) : std::nullopt;
    if (epoch) return {std::string(plain.substr(0, dash)), epoch};
  }
  return {std::string(plain), std::nullopt};
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kMostListed = 6;
  std::string text;
  const std::size_t shown = names.size() > kMostListed + 1 ? kMostListed : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == names.size();
    text += (i == 0 ? "'" : is_last ? " and '" : ", '") + names[i] + "'";
  }
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace mx2onnx::source
