#include "architectures/recognise.h"

#include <algorithm>
#include <filesystem>

#include "architectures/match.h"
#include "base/error.h"
#include "base/text.h"

namespace mx2onnx::architectures {
namespace {

constexpr const char* kMakeSymbol =
    "where the network is at hand: net.hybridize(), net(x), net.export('model') writes a symbol "
    "and "
    "parameters";

// The nets of GluonCV whose loader is content with files that have more.
bool ignores_more(const Architecture& net) { return net.name.find("rcnn") != std::string::npos; }

// Graphs that compute the same, whatever their nodes are called.
bool are_equal(const mxnet::Symbol& a, const mxnet::Symbol& b) {
  if (a.heads != b.heads || a.nodes.size() != b.nodes.size()) return false;
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const auto& left = a.nodes[i];
    const auto& right = b.nodes[i];
    if (left.op != right.op || left.attrs != right.attrs || left.inputs != right.inputs)
      return false;
    if (left.is_variable() && left.name != right.name) return false;
    if (!std::equal(left.subgraphs.begin(), left.subgraphs.end(), right.subgraphs.begin(),
                    right.subgraphs.end(),
                    [](const auto& one, const auto& other) { return are_equal(*one, *other); })) {
      return false;
    }
  }
  return true;
}

// How well the file's name goes with the net: 0 for the zoo's own, 1 for the net's name with
// anything behind it, 2 for any other.
int name_rank(const std::string& file, const Architecture& net) {
  const std::string name = std::filesystem::path(file).filename().string();
  if (std::find(net.files.begin(), net.files.end(), name) != net.files.end()) return 0;
  const std::string plain = net.name.substr(net.name.find('/') + 1);
  const std::string base = plain.substr(0, plain.find('|'));
  const bool is_base = name.starts_with(base) && name.size() > base.size() &&
                       (name[base.size()] == '-' || name[base.size()] == '.');
  return is_base ? 1 : 2;
}

// A part of a net that has the parameters of the whole, as a transformer's decoder: it is chosen by
// its name alone.
bool is_part_of(const Architecture& part, const Architecture& net) {
  return part.name.size() > net.name.size() && part.name.starts_with(net.name + '|');
}

struct Candidate {
  Match match;
  mxnet::Symbol symbol;
};

class Recogniser {
 public:
  Recogniser(const Catalogue& catalogue, const Shapes& arrays, std::string file)
      : catalogue_(catalogue), arrays_(arrays), file_(std::move(file)) {}

  Recognised run(const std::string& wanted) {
    const Architecture* only = wanted.empty() ? nullptr : &catalogue_.find(wanted);
    // Most files have a net's parameters, no more and no less.
    collect(only, true);
    std::vector<Candidate> fitting = exact();
    if (fitting.empty()) collect(only, false);
    if (fitting.empty()) fitting = exact();
    if (fitting.empty()) fitting = fitted(false);
    const bool is_rest_known = only != nullptr && has_sibling(*only);
    if (fitting.empty()) fitting = with_more(is_rest_known);
    if (fitting.empty() && is_rest_known) fitting = fitted(true);
    if (fitting.empty()) fail_none(only);
    drop_parts(fitting);
    return choose(std::move(fitting));
  }

 private:
  void collect(const Architecture* only, bool of_same_size) {
    const bool is_structural = std::any_of(arrays_.begin(), arrays_.end(), [](const auto& array) {
      return array.first.find('.') != std::string::npos;
    });
    for (const auto& net : catalogue_.all()) {
      if (only != nullptr && only != &net) continue;
      if ((catalogue_.layout_size(net.layout) == arrays_.size()) != of_same_size) continue;
      const auto layout = catalogue_.layout(net.layout);
      if (is_structural) {
        keep(match(net, layout, Form::kStructural, arrays_));
        continue;
      }
      if (net.has_old_form) keep(match(net, layout, Form::kOld, arrays_));
      keep(match(net, layout, Form::kFull, arrays_));
    }
  }

  void keep(Match found) {
    if (!found.arrays.empty()) matches_.push_back(std::move(found));
  }

  Shapes own_shapes(const Architecture& net) const {
    Shapes own;
    for (const auto& parameter : catalogue_.layout(net.layout))
      own[parameter.key] = parameter.shape;
    return own;
  }

  std::vector<Candidate> exact() const {
    std::vector<Candidate> result;
    for (const auto& found : matches_) {
      if (!found.is_exact()) continue;
      mxnet::Symbol symbol = catalogue_.graph(found.net->graph);
      if (!fit_to_shapes(symbol, own_shapes(*found.net), {}))
        result.push_back({found, std::move(symbol)});
    }
    return result;
  }

  // Of nets that could be given the file's shapes those that least has to be changed for.
  std::vector<Candidate> fitted(bool may_have_more) {
    std::vector<Candidate> result;
    std::size_t fewest = arrays_.size();
    for (const auto& found : matches_) {
      if (!found.missing.empty() || found.reshaped.size() > fewest) continue;
      if (!found.surplus.empty() && !may_have_more) continue;
      const Shapes own = own_shapes(*found.net);
      Shapes changed;
      for (const auto& key : found.reshaped)
        changed[key] = arrays_.find(found.arrays.at(key))->second;
      mxnet::Symbol symbol = catalogue_.graph(found.net->graph);
      if (const auto obstacle = fit_to_shapes(symbol, own, changed)) {
        obstacles_.emplace_back(&found, *obstacle);
        continue;
      }
      if (found.reshaped.size() < fewest) result.clear();
      fewest = found.reshaped.size();
      result.push_back({found, std::move(symbol)});
    }
    return result;
  }

  // Whether the file is of another net of the same name before the bar, with other heads: then what
  // it has beyond the net that the user names is not by mistake. GluonNLP calls that ignore_extra.
  bool has_sibling(const Architecture& net) const {
    const std::string base = net.name.substr(0, net.name.find('|')) + '|';
    const auto& all = catalogue_.all();
    return std::any_of(all.begin(), all.end(), [&](const Architecture& other) {
      return (other.name + '|').starts_with(base) &&
             match(other, catalogue_.layout(other.layout), Form::kStructural, arrays_).has_all();
    });
  }

  std::vector<Candidate> with_more(bool is_rest_known) const {
    std::vector<Candidate> result;
    for (const auto& found : matches_) {
      if (found.missing.empty() && found.reshaped.empty() &&
          (is_rest_known || ignores_more(*found.net)))
        result.push_back({found, catalogue_.graph(found.net->graph)});
    }
    return result;
  }

  static void drop_parts(std::vector<Candidate>& fitting) {
    std::vector<const Architecture*> nets;
    for (const auto& one : fitting) nets.push_back(one.match.net);
    std::erase_if(fitting, [&](const Candidate& one) {
      return std::any_of(nets.begin(), nets.end(),
                         [&](const Architecture* net) { return is_part_of(*one.match.net, *net); });
    });
  }

  Recognised choose(std::vector<Candidate> fitting) const {
    const auto rank = [&](const Candidate& one) { return name_rank(file_, *one.match.net); };
    const auto chosen =
        std::min_element(fitting.begin(), fitting.end(),
                         [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
    Recognised result;
    for (const auto& other : fitting) {
      if (rank(other) > rank(*chosen) || other.match.net == chosen->match.net) continue;
      if (!are_equal(other.symbol, chosen->symbol)) fail_several(fitting);
      if (other.match.net->classes != chosen->match.net->classes ||
          other.match.net->task != chosen->match.net->task) {
        result.alike.push_back(other.match.net->name);
      }
    }
    result.net = chosen->match.net;
    result.is_own = chosen->match.reshaped.empty();
    result.arrays = std::move(chosen->match.arrays);
    result.symbol = std::move(chosen->symbol);
    return result;
  }

  [[noreturn]] void fail_several(const std::vector<Candidate>& fitting) const {
    std::vector<std::string> names;
    for (const auto& one : fitting) names.push_back(one.match.net->name);
    fail(ErrorCode::kUsage,
         fmt::format("the parameters fit several nets: {}", join_alternatives(names)),
         fmt::format("--architecture {} chooses one", names[0]));
  }

  // How far a net is from the file.
  static std::size_t distance(const Match& found) {
    return found.missing.size() + found.surplus.size() + found.reshaped.size();
  }

  [[noreturn]] void fail_none(const Architecture* only) const {
    const auto nearest =
        std::min_element(matches_.begin(), matches_.end(),
                         [](const Match& a, const Match& b) { return distance(a) < distance(b); });
    const std::string what = only != nullptr
                                 ? fmt::format("these are not the parameters of '{}'", only->name)
                                 : std::string(
                                       "these are parameters without a symbol, and of no net that "
                                       "is known");
    std::string text = what;
    if (nearest != matches_.end() && (only != nullptr || nearest->equal * 2 > arrays_.size())) {
      if (only == nullptr) text += fmt::format("; nearest is '{}'", nearest->net->name);
      text += difference(*nearest);
    }
    fail(ErrorCode::kModel, text, kMakeSymbol);
  }

  std::string difference(const Match& found) const {
    std::string text;
    const auto add = [&](const std::vector<std::string>& keys, std::string_view what) {
      if (keys.empty()) return;
      text += fmt::format("{} {} {}, such as {}", text.empty() ? ":" : ",", keys.size(), what,
                          in_quotes(keys[0]));
    };
    add(found.missing, "missing");
    add(found.surplus, "too many");
    add(found.reshaped, "of another shape");
    for (const auto& [other, node] : obstacles_) {
      if (other->net == found.net)
        text += fmt::format("; '{}' does not tell how it would follow from that", node);
    }
    return text;
  }

  const Catalogue& catalogue_;
  const Shapes& arrays_;
  std::string file_;
  std::vector<Match> matches_;
  std::vector<std::pair<const Match*, std::string>> obstacles_;
};

}  // namespace

Recognised recognise(const Catalogue& catalogue, const Shapes& arrays, const std::string& file,
                     const std::string& wanted) {
  return Recogniser(catalogue, arrays, file).run(wanted);
}

}  // namespace mx2onnx::architectures
