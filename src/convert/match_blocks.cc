// See match_blocks.h.
//
// What is known of the shapes of the symbol's parameters grows: each block that is bound tells
// inference more of its neighbours. This ends when all are bound, or no block is any more.
#include "convert/match_blocks.h"

#include <algorithm>
#include <map>

#include "base/attempt.h"
#include "base/text.h"
#include "convert/bind.h"
#include "convert/match_names.h"
#include "infer/infer.h"

namespace mx2onnx {
namespace {

// Inference runs once a round, and nets that people write need a handful.
constexpr std::size_t kMostRounds = 64;
constexpr std::size_t kMostBlocks = 1024;

// The parameters of one block, by what each is in it: "weight", "running_mean".
struct StoredBlock {
  std::vector<std::string> path;  ///< "features", "0".
  std::map<std::string, std::string> names;
  bool is_bound = false;
};

struct SymbolBlock {
  std::map<std::string, std::vector<std::size_t>> nodes;  ///< Variables of one name are one.
  bool is_bound = false;
};

std::vector<std::string> split_path(const std::string& name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::vector<StoredBlock> stored_blocks(const std::vector<std::string>& names) {
  std::map<std::vector<std::string>, StoredBlock> blocks;
  for (const auto& name : names) {
    auto path = split_path(name);
    const std::string role = std::move(path.back());
    path.pop_back();
    StoredBlock& block = blocks[path];
    block.path = path;
    block.names[role] = name;
  }
  std::vector<StoredBlock> result;
  for (auto& [path, block] : blocks) result.push_back(std::move(block));
  return result;
}

// In the symbol's order. Empty if a variable is called as none of the stored parameters are.
std::vector<SymbolBlock> symbol_blocks(const Model& model, const std::vector<std::size_t>& missing,
                                       const std::vector<StoredBlock>& stored) {
  std::set<std::string> roles;
  for (const auto& block : stored) {
    for (const auto& [role, name] : block.names) roles.insert(role);
  }
  std::vector<SymbolBlock> blocks;
  std::map<std::string, std::size_t> by_prefix;
  for (const auto index : missing) {
    const std::string& name = model.symbol.nodes[index].name;
    // "i2h_weight" goes before "weight".
    std::string found;
    for (const auto& role : roles) {
      if (name.ends_with("_" + role) && role.size() > found.size()) found = role;
    }
    if (found.empty()) return {};
    const std::string prefix = name.substr(0, name.size() - found.size());
    const auto [at, is_new] = by_prefix.emplace(prefix, blocks.size());
    if (is_new) blocks.emplace_back();
    blocks[at->second].nodes[found].push_back(index);
  }
  return blocks;
}

// Nothing, unless both are numbered in the container in which they part.
std::optional<bool> runs_before(const StoredBlock& a, const StoredBlock& b) {
  const auto [in_a, in_b] =
      std::mismatch(a.path.begin(), a.path.end(), b.path.begin(), b.path.end());
  if (in_a == a.path.end() || in_b == b.path.end()) return std::nullopt;
  const auto first = parse_int(*in_a);
  const auto second = parse_int(*in_b);
  if (!first || !second) return std::nullopt;
  return *first < *second;
}

class BlockMatcher {
 public:
  BlockMatcher(Model& model, const mxnet::ParameterSet& params, const ConvertOptions& options,
               std::vector<StoredBlock> stored, std::vector<SymbolBlock> wanted)
      : model_(model),
        params_(params),
        options_(options),
        stored_(std::move(stored)),
        wanted_(std::move(wanted)) {}

  /// Whether every block found its parameters, and inference agrees with all of them.
  bool match() {
    if (!infer()) return false;
    for (std::size_t round = 0; round < kMostRounds; ++round) {
      find_candidates();
      if (candidates_.empty()) return true;
      if (!bind_single() && !bind_in_order()) return false;
      if (!infer()) return false;
    }
    return false;
  }

 private:
  bool infer() {
    const auto error = attempt([&] {
      DimArena arena;
      declare_types(model_, options_, TrainedShapes::kAllButBatch, {}, arena);
      InferResult result = infer_types(model_, arena, {.allow_unknown = true});
      shapes_.assign(model_.nodes.size(), Shape());
      for (const auto& block : wanted_) {
        for (const auto& [role, nodes] : block.nodes) {
          for (const auto index : nodes) {
            const auto entry = model_.entry({static_cast<std::uint32_t>(index), 0});
            shapes_[index] = numbers_of(result.entries[entry].type.shape);
          }
        }
      }
    });
    if (error && error->code() != ErrorCode::kModel) fail_again(*error);
    return !error;
  }

  // Sizes with names live as long as their arena, and say nothing here.
  static Shape numbers_of(const Shape& shape) {
    if (!shape.known_rank()) return {};
    std::vector<Dim> dims;
    for (const auto& dim : shape.dims()) dims.push_back(dim.is_constant() ? dim : Dim());
    return Shape(std::move(dims));
  }

  bool fits(const SymbolBlock& wanted, const StoredBlock& stored) const {
    if (wanted.nodes.size() != stored.names.size()) return false;
    return std::equal(wanted.nodes.begin(), wanted.nodes.end(), stored.names.begin(),
                      [&](const auto& variables, const auto& parameter) {
                        if (variables.first != parameter.first) return false;
                        const auto& sizes = params_.find(parameter.second)->dims;
                        return std::all_of(
                            variables.second.begin(), variables.second.end(),
                            [&](std::size_t index) { return may_be(shapes_[index], sizes); });
                      });
  }

  static bool may_be(const Shape& shape, const std::vector<std::int64_t>& sizes) {
    if (!shape.known_rank()) return true;
    return std::equal(
        shape.dims().begin(), shape.dims().end(), sizes.begin(), sizes.end(),
        [](const Dim& dim, std::int64_t size) { return !dim.known() || dim == size; });
  }

  // Of each block that has no parameters yet, the stored ones that it could have.
  void find_candidates() {
    candidates_.clear();
    for (std::size_t block = 0; block < wanted_.size(); ++block) {
      if (wanted_[block].is_bound) continue;
      auto& found = candidates_[block];
      for (std::size_t other = 0; other < stored_.size(); ++other) {
        if (!stored_[other].is_bound && fits(wanted_[block], stored_[other]))
          found.push_back(other);
      }
    }
  }

  bool bind_single() {
    bool any = false;
    for (const auto& [block, found] : candidates_) {
      if (found.size() == 1 && !stored_[found[0]].is_bound) {
        bind(block, found[0]);
        any = true;
      }
    }
    return any;
  }

  // Blocks that share their candidates, as many as these are, in the order of the container.
  bool bind_in_order() {
    std::map<std::vector<std::size_t>, std::vector<std::size_t>> sharing;
    for (const auto& [block, found] : candidates_) sharing[found].push_back(block);
    bool any = false;
    for (const auto& [found, blocks] : sharing) {
      if (found.size() != blocks.size()) continue;
      std::vector<std::size_t> ordered = found;
      bool has_order = true;
      for (std::size_t i = 0; i < found.size(); ++i) {
        for (std::size_t k = i + 1; k < found.size(); ++k)
          has_order = has_order && runs_before(stored_[found[i]], stored_[found[k]]).has_value();
      }
      if (!has_order) continue;
      std::sort(ordered.begin(), ordered.end(), [&](std::size_t a, std::size_t b) {
        return a != b && *runs_before(stored_[a], stored_[b]);
      });
      for (std::size_t i = 0; i < blocks.size(); ++i) bind(blocks[i], ordered[i]);
      any = true;
    }
    return any;
  }

  void bind(std::size_t block, std::size_t stored) {
    wanted_[block].is_bound = true;
    stored_[stored].is_bound = true;
    for (const auto& [role, nodes] : wanted_[block].nodes) {
      for (const auto index : nodes) {
        model_.nodes[index].role = VariableRole::kParameter;
        model_.nodes[index].data = *params_.find(stored_[stored].names.at(role));
      }
    }
  }

  Model& model_;
  const mxnet::ParameterSet& params_;
  const ConvertOptions& options_;
  std::vector<StoredBlock> stored_;
  std::vector<SymbolBlock> wanted_;
  std::vector<Shape> shapes_;  // By node.
  std::map<std::size_t, std::vector<std::size_t>> candidates_;
};

}  // namespace

bool has_block_names(const std::vector<std::string>& names) {
  return !names.empty() && std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return name.find('.') != std::string::npos;
  });
}

std::set<std::string> bind_by_blocks(Model& model, const mxnet::ParameterSet& params,
                                     const ConvertOptions& options,
                                     const std::vector<std::size_t>& missing, Report& report) {
  const auto names = surplus_names(model, params);
  if (!kCanAttempt || names.size() != params.size() || !has_block_names(names)) return {};
  auto stored = stored_blocks(names);
  auto wanted = symbol_blocks(model, missing, stored);
  if (wanted.size() != stored.size() || wanted.size() > kMostBlocks) return {};

  const auto before = model.nodes;
  for (const auto index : missing) model.nodes[index].role = VariableRole::kRandom;
  if (!BlockMatcher(model, params, options, std::move(stored), std::move(wanted)).match()) {
    model.nodes = before;
    return {};
  }
  report.diagnostics.push_back(
      {"W-parameters-renamed", model.symbol.nodes[missing[0]].name,
       fmt::format("{} parameters have the names of save_parameters ('{}'): they are taken for the "
                   "symbol's by their shapes and the order of the blocks",
                   names.size(), names[0])});
  return {names.begin(), names.end()};
}

}  // namespace mx2onnx
