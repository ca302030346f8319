#include "convert/axis_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"

namespace mx2onnx {
namespace {

constexpr std::string_view kChannels = "channels";
constexpr std::string_view kLength = "length";

using Meanings = std::vector<std::string_view>;

Meanings spatial_meanings(std::size_t count) {
  static const Meanings all = {"depth", "height", "width"};
  if (count == 1) return {kLength};
  if (count > all.size()) return {};
  return {all.end() - static_cast<std::ptrdiff_t>(count), all.end()};
}

// "NHWC" as what its letters stand for.
Meanings layout_meanings(std::string_view layout) {
  Meanings meanings;
  for (const char letter : layout) {
    switch (letter) {
      case 'N':
        meanings.push_back(kBatch);
        break;
      case 'C':
        meanings.push_back(kChannels);
        break;
      case 'D':
        meanings.emplace_back("depth");
        break;
      case 'H':
        meanings.emplace_back("height");
        break;
      case 'W':
        meanings.push_back(layout.size() == 3 ? kLength : "width");
        break;
      case 'T':
        meanings.push_back(kLength);
        break;
      default:
        return {};
    }
  }
  return meanings;
}

Meanings channels_first(std::size_t rank) {
  Meanings meanings = {kBatch, kChannels};
  if (rank < 3) return {};
  const Meanings spatial = spatial_meanings(rank - 2);
  meanings.insert(meanings.end(), spatial.begin(), spatial.end());
  return meanings;
}

std::string_view attribute(const mxnet::Node& node, const char* name) {
  const auto found = node.attrs.find(name);
  return found == node.attrs.end() ? std::string_view() : std::string_view(found->second);
}

// What the axes of an operator's first input are; nothing if the operator does not tell them apart.
Meanings input_meanings(const mxnet::Node& node, std::size_t rank) {
  static const std::set<std::string_view> spatial = {"Convolution",
                                                     "Convolution_v1",
                                                     "Deconvolution",
                                                     "Pooling",
                                                     "Pooling_v1",
                                                     "UpSampling",
                                                     "_npx_convolution",
                                                     "_npx_pooling",
                                                     "ROIPooling",
                                                     "LRN",
                                                     "SoftmaxActivation",
                                                     "_npx_deconvolution",
                                                     "_contrib_DeformableConvolution"};
  static const std::set<std::string_view> sequence = {"SequenceMask",
                                                      "SequenceLast",
                                                      "SequenceReverse",
                                                      "_npx_sequence_mask",
                                                      "_npx_sequence_last",
                                                      "_npx_rnn",
                                                      "RNN",
                                                      "_npx_sequence_reverse"};
  if (spatial.contains(node.op)) {
    const auto layout = layout_meanings(attribute(node, "layout"));
    return layout.size() == rank ? layout : channels_first(rank);
  }
  if (sequence.contains(node.op) && rank >= 2) {
    const bool batch_first = attribute(node, "axis") == "1";
    Meanings meanings = batch_first ? Meanings{kBatch, kLength} : Meanings{kLength, kBatch};
    if (rank == 3) meanings.push_back(kChannels);
    return meanings;
  }
  return {};
}

// The only symbol in an expression, if it has no other.
class Symbols {
 public:
  explicit Symbols(const Dim& dim) { collect(dim); }
  const DimAtom* only() const { return found_.size() == 1 ? *found_.begin() : nullptr; }

 private:
  void collect(const Dim& dim) {
    if (!dim.is_symbolic() || found_.size() > 1) return;
    for (const auto& term : dim.expr()->terms) {
      for (const DimAtom* atom : term.atoms) {
        if (atom->kind == DimAtom::Kind::kSymbol) {
          found_.insert(atom);
        } else {
          collect(atom->a);
          collect(atom->b);
        }
      }
    }
  }
  std::set<const DimAtom*> found_;
};

class Namer {
 public:
  Namer(const Model& model, const InferResult& types,
        const std::map<std::string, InputAxis>& symbols)
      : model_(model), types_(types), symbols_(symbols) {}

  std::map<InputAxis, std::string> run(SameName same) {
    for (const auto& [name, axis] : symbols_) same_[name] = name;
    for (const auto& [name, axis] : symbols_) join_solved(name, axis);
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) look_at(i);
    for (const auto& entry : types_.entries) {
      for (const auto& dim : entry.type.shape.dims()) join_broadcast(dim);
    }
    // In the order of the inputs and axes, but first those that operators say something of.
    std::map<InputAxis, std::string> ordered;
    for (const auto& [name, axis] : symbols_) ordered[axis] = name;
    std::map<InputAxis, std::string> names;
    for (const int rank : {0, 1, 2}) {
      for (const auto& [axis, symbol] : ordered) {
        if (naming_rank(symbol) == rank) names[axis] = name_of(axis, symbol, same);
      }
    }
    return names;
  }

 private:
  void look_at(std::size_t index) {
    const auto& raw = model_.symbol.nodes[index];
    if (!model_.nodes[index].live || raw.is_variable() || raw.inputs.empty()) return;
    const Shape& shape = types_.entries[model_.entry(raw.inputs[0])].type.shape;
    const Meanings meanings = input_meanings(raw, shape.rank());
    for (std::size_t axis = 0; axis < std::min(shape.rank(), meanings.size()); ++axis) {
      const DimAtom* symbol = Symbols(shape[axis]).only();
      if (symbol != nullptr && symbols_.contains(symbol->name))
        meanings_.emplace(symbol->name, meanings[axis]);
    }
  }

  const std::string& root(const std::string& name) const {
    const std::string* at = &name;
    while (same_.at(*at) != *at) at = &same_.at(*at);
    return *at;
  }

  // Two sizes of which the larger one is taken are equal, or one of them is 1.
  void join_broadcast(const Dim& dim) {
    if (!dim.is_symbolic() || !seen_.insert(dim.expr()).second) return;
    for (const auto& term : dim.expr()->terms) {
      for (const DimAtom* atom : term.atoms) {
        if (atom->kind == DimAtom::Kind::kSymbol) continue;
        const std::string a(atom->a.symbol_name());
        const std::string b(atom->b.symbol_name());
        if (atom->kind == DimAtom::Kind::kMax && symbols_.contains(a) && symbols_.contains(b)) {
          const std::string from = root(b);
          same_[from] = root(a);
        }
        join_broadcast(atom->a);
        join_broadcast(atom->b);
      }
    }
  }

  std::optional<std::string_view> certain_meaning(const std::string& symbol) const {
    for (const auto& [name, meaning] : meanings_) {
      if (root(name) == root(symbol)) return meaning;
    }
    return std::nullopt;
  }
  // Sizes that turned out to be numbers or computed from others come last.
  int naming_rank(const std::string& symbol) const {
    if (solved_.contains(symbol)) return 2;
    return certain_meaning(symbol) ? 0 : 1;
  }

  void join_solved(const std::string& name, const InputAxis& axis) {
    const Shape& shape = types_.entries[model_.first_entry[axis.first]].type.shape;
    const Dim& dim = shape[axis.second];
    const std::string found(dim.symbol_name());
    if (!found.empty() && found != name && symbols_.contains(found) && root(name) != root(found)) {
      const std::string from = root(name);
      same_[from] = root(found);
    } else if (dim.known() && found.empty()) {
      solved_.insert(name);
    }
  }

  std::string name_of(const InputAxis& axis, const std::string& symbol, SameName same) {
    const std::string& stands_for = root(symbol);
    if (const auto found = names_.find(stands_for); found != names_.end()) return found->second;
    const auto rank = types_.entries[model_.first_entry[axis.first]].type.shape.rank();
    const auto certain = certain_meaning(symbol);
    const std::string meaning(certain.value_or(usual_meaning(rank, axis.second)));
    const bool is_one_of_batches =
        certain || same == SameName::kAllBatches || (same == SameName::kBatches && rank > 1);
    const bool is_shared = same == SameName::kAll || (meaning == kBatch && is_one_of_batches);
    std::string name = meaning;
    if (!is_shared && taken_.contains(name)) {
      const std::string input = size_name(model_.symbol.nodes[axis.first].name);
      name = input + "_" + (meaning == kBatch ? "size" : meaning);
      const std::string stem = name;
      for (int i = 2; taken_.contains(name); ++i) name = fmt::format("{}_{}", stem, i);
    }
    taken_.insert(name);
    names_[stands_for] = name;
    return name;
  }

  // A name of an input as the beginning of one of a size.
  static std::string size_name(const std::string& input) {
    std::string name;
    for (const char c : input) {
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool fits = is_letter || c == '_' || (c >= '0' && c <= '9' && !name.empty());
      name += fits ? c : '_';
    }
    return name;
  }

  const Model& model_;
  const InferResult& types_;
  const std::map<std::string, InputAxis>& symbols_;
  std::map<std::string, std::string_view> meanings_;  // of symbols
  std::map<std::string, std::string> same_;           // symbols that share a name
  std::set<std::string> solved_;
  std::map<std::string, std::string> names_;  // of those that stand for all of these
  std::set<std::string> taken_;
  std::set<const DimExpr*> seen_;
};

}  // namespace

std::string_view usual_meaning(std::size_t rank, std::size_t axis) {
  if (axis == 0) return kBatch;
  if (rank == 2 || (rank == 3 && axis == 1)) return kLength;
  if (rank == 3 || (axis == 1 && rank <= 5)) return kChannels;
  const Meanings spatial = spatial_meanings(rank - 2);
  return axis < rank && axis >= 2 && axis - 2 < spatial.size() ? spatial[axis - 2] : "size";
}

std::int64_t usual_size(std::string_view name, std::size_t choice) {
  struct Row {
    std::string_view ending;
    std::array<std::int64_t, 4> sizes;
  };
  static constexpr std::array<Row, 6> kRows = {{{"batch", {1}},
                                                {"channels", {3, 1}},
                                                {"depth", {16, 32}},
                                                {"height", {224, 256, 512, 32}},
                                                {"width", {224, 256, 512, 32}},
                                                {"length", {128, 64, 32, 16}}}};
  for (const auto& row : kRows) {
    if (!name.ends_with(row.ending)) continue;
    return choice < row.sizes.size() ? row.sizes[choice] : 0;
  }
  return choice == 0 ? 1 : 0;
}

std::map<InputAxis, std::string> name_axes(const Model& model, const InferResult& types,
                                           const std::map<std::string, InputAxis>& symbols,
                                           SameName same) {
  return Namer(model, types, symbols).run(same);
}

}  // namespace mx2onnx
