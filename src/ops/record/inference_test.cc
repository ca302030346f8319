// Shape and type rules in every direction against MXNet's, which tools/record_inference.py
// recorded: what MXNet finds of a node that is known in part, our rule finds, and never anything
// else.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "mx2onnx/error.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using Ports = std::vector<TensorType>;

struct Types {
  Ports inputs;
  Ports outputs;
};

enum class Kind { kShapes, kTypes };

// "2,?,3", "()" for a scalar, "?" for what is not known.
std::string text_of(const TensorType& type, Kind kind) {
  if (kind == Kind::kTypes) {
    return type.dtype == DType::kUnknown ? "?" : std::string(dtype_name(type.dtype));
  }
  if (!type.shape.known_rank()) return "?";
  if (type.shape.rank() == 0) return "()";
  // The record has "?" for an unknown size and for an unknown shape: a vector is "?,".
  if (type.shape.rank() == 1 && !type.shape[0].is_constant()) return "?,";
  std::string text;
  for (const Dim& dim : type.shape.dims()) {
    text += (text.empty() ? "" : ",") + (dim.is_constant() ? dim.to_string() : "?");
  }
  return text;
}

std::string text_of(const Types& types, Kind kind) {
  std::string text;
  for (const auto& type : types.inputs) text += (text.empty() ? "" : ";") + text_of(type, kind);
  text += " > ";
  for (std::size_t i = 0; i < types.outputs.size(); ++i) {
    text += (i == 0 ? "" : ";") + text_of(types.outputs[i], kind);
  }
  return std::string(trim(text));
}

TensorType parse_port(std::string_view text, Kind kind) {
  TensorType type;
  if (text == "?") return type;
  if (kind == Kind::kTypes) {
    type.dtype = *dtype_from_name(text);
    return type;
  }
  std::vector<Dim> dims;
  if (text == "?,") {
    dims.emplace_back();
  } else if (text != "()") {
    for (const auto size : split(text, ',')) {
      dims.push_back(size == "?" ? Dim() : Dim(*parse_int(size)));
    }
  }
  type.shape = Shape(std::move(dims));
  return type;
}

Types parse_types(std::string_view text, Kind kind) {
  const auto [inputs, outputs] = *split_once(text, '>');
  Types types;
  for (const auto port : split(trim(inputs), ';')) {
    if (!port.empty()) types.inputs.push_back(parse_port(port, kind));
  }
  for (const auto port : split(trim(outputs), ';')) types.outputs.push_back(parse_port(port, kind));
  return types;
}

struct Node {
  std::string title;
  const OpDef* def = nullptr;
  std::shared_ptr<const void> params;
  bool np_shape = false;
  Types truth;
  /// What MXNet makes of each trial, by Kind; the lines are those of each 'x'.
  std::string codes[2];
  std::vector<std::string> lines[2];
};

struct Recorded {
  const char* file;
  std::int64_t mxnet_version;
};
constexpr Recorded kRecords[] = {{"/data/inference-mxnet-1.9.1.txt", 10901},
                                 {"/data/inference-mxnet-2.0.0b1.txt", 20000}};

// Adds to the nodes.
void read_record(const Recorded& record, std::vector<Node>& nodes) {
  std::ifstream file(std::string(MX2ONNX_TESTS_DIR) + record.file);
  Kind kind = Kind::kShapes;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("node ")) {
      Node& node = nodes.emplace_back();
      node.title = line.substr(5);
      const auto [op, rest] = *split_once(node.title, ' ');
      node.np_shape = rest.ends_with(" np");
      mxnet::Attributes attrs;
      const std::string json(rest.substr(0, rest.size() - (node.np_shape ? 3 : 0)));
      const JsonValue object = parse_json(json);
      for (const auto& [key, value] : *object.as_object()) attrs[key] = *value.as_string();
      node.def = Registry::instance().find(op);
      if (node.def != nullptr)
        node.def = &node.def->of(Origin{record.mxnet_version, node.np_shape});
      std::vector<AttrProblem> problems;
      if (node.def != nullptr) node.params = node.def->attrs.parse(attrs, problems);
      EXPECT_TRUE(node.def != nullptr && problems.empty()) << line;
    } else if (line.starts_with("shapes ") || line.starts_with("types ")) {
      kind = line[0] == 's' ? Kind::kShapes : Kind::kTypes;
      const Types truth = parse_types(line.substr(line.find(' ')), kind);
      Types& known = nodes.back().truth;
      known.inputs.resize(truth.inputs.size());
      known.outputs.resize(truth.outputs.size());
      for (std::size_t i = 0; i < truth.inputs.size(); ++i) {
        if (kind == Kind::kShapes) known.inputs[i].shape = truth.inputs[i].shape;
        if (kind == Kind::kTypes) known.inputs[i].dtype = truth.inputs[i].dtype;
      }
      for (std::size_t i = 0; i < truth.outputs.size(); ++i) {
        if (kind == Kind::kShapes) known.outputs[i].shape = truth.outputs[i].shape;
        if (kind == Kind::kTypes) known.outputs[i].dtype = truth.outputs[i].dtype;
      }
      std::getline(file, nodes.back().codes[static_cast<int>(kind)]);
    } else {
      nodes.back().lines[static_cast<int>(kind)].push_back(line);
    }
  }
}

// What our rule makes of it, called once; "!" and why where it refuses.
std::string infer(const Node& node, const Types& given, Kind kind) {
  const auto inputs = node.def->inputs(node.params.get());
  auto output_names = node.def->outputs(node.params.get(), given.inputs.size());
  std::vector<EntryInfo> entries(given.inputs.size() + output_names.size());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < given.inputs.size(); ++i) {
    entries[i].type = given.inputs[i];
    names.push_back(node.def->variadic ? inputs[0].name : inputs.at(i).name);
  }
  std::vector<InferContext::Port> ports[2];
  for (std::size_t i = 0; i < given.inputs.size(); ++i)
    ports[0].push_back({&entries[i], &names[i]});
  for (std::size_t i = 0; i < output_names.size(); ++i) {
    EntryInfo& entry = entries[given.inputs.size() + i];
    if (i < given.outputs.size()) entry.type = given.outputs[i];
    ports[1].push_back({&entry, &output_names[i]});
  }
  DimArena arena;
  InferContext context(ports[0], ports[1], node.np_shape, arena);
  try {
    node.def->infer(node.params.get(), context);
  } catch (const Error& error) {
    return std::string("! ") + error.what();
  }
  Types found = given;
  for (std::size_t i = 0; i < given.inputs.size(); ++i) found.inputs[i] = entries[i].type;
  for (std::size_t i = 0; i < given.outputs.size(); ++i) {
    found.outputs[i] = entries[given.inputs.size() + i].type;
  }
  return text_of(found, kind);
}

// Which inputs are hidden together: all combinations of few; none, one, two or all of many.
std::vector<std::vector<bool>> subsets(std::size_t count) {
  std::vector<std::vector<bool>> result;
  for (std::size_t bits = 0; count <= 4 && bits < (std::size_t{1} << count); ++bits) {
    auto& chosen = result.emplace_back(count);
    for (std::size_t i = 0; i < count; ++i) chosen[i] = ((bits >> i) & 1) != 0;
  }
  if (count <= 4) return result;
  result.emplace_back(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = i; k < count; ++k) {
      auto& chosen = result.emplace_back(count);
      chosen[i] = chosen[k] = true;
    }
  }
  result.emplace_back(count, true);
  return result;
}

void hide(TensorType& type, Kind kind) {
  if (kind == Kind::kShapes) type.shape = Shape();
  if (kind == Kind::kTypes) type.dtype = DType::kUnknown;
}

// Everything hidden that the record tool hides, in turn.
std::vector<Types> trials(const Types& truth, Kind kind) {
  const auto chosen_inputs = subsets(truth.inputs.size());
  std::vector<Types> result;
  const auto hide_inputs = [&](const Types& known, const std::vector<bool>& chosen) {
    Types& given = result.emplace_back(known);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i]) hide(given.inputs[i], kind);
    }
  };
  Types unpinned = truth;
  for (auto& type : unpinned.outputs) hide(type, kind);
  for (const Types& pins : {truth, unpinned}) {
    for (const auto& chosen : chosen_inputs) {
      hide_inputs(pins, chosen);
      if (kind == Kind::kTypes) continue;
      if (std::count(chosen.begin(), chosen.end(), true) < 2) continue;
      Types& given = result.emplace_back(pins);
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (chosen[i] && given.inputs[i].shape.rank() > 0) given.inputs[i].shape[0] = Dim();
      }
    }
    for (std::size_t i = 0; i < truth.inputs.size() && kind == Kind::kShapes; ++i) {
      for (std::size_t axis = 0; axis < truth.inputs[i].shape.rank(); ++axis) {
        result.emplace_back(pins).inputs[i].shape[axis] = Dim();
      }
    }
  }
  for (std::size_t i = 0; i < truth.outputs.size() && kind == Kind::kShapes; ++i) {
    for (std::size_t axis = 0; axis < truth.outputs[i].shape.rank(); ++axis) {
      Types holed = truth;
      holed.outputs[i].shape[axis] = Dim();
      for (const auto& chosen : chosen_inputs) hide_inputs(holed, chosen);
    }
  }
  return result;
}

// Where our rules part from MXNet's.
struct Departure {
  std::string_view node;  // how its line in the record begins
  Kind kind;
  std::string_view what;  // "missing", "wrong" or "refused"
  std::string_view why;
};
constexpr std::string_view kOfNothing = "arrays without elements may have other than 4 dimensions";
constexpr std::string_view kOneOperand =
    "MXNet takes an operand of unknown type to be of the other's or the result's: it may be an "
    "integer beside decimals";
constexpr std::string_view kFloat64 =
    "MXNet computes in float64 what it does not know to be float32 alone";
constexpr std::string_view kUnknownIsOne = "MXNet takes a size that it does not know to be 1";
constexpr std::string_view kOneValue = "MXNet takes values that it does not know to be one";
constexpr std::string_view kMinusOne =
    "MXNet computes with a size that it does not know as with -1";
constexpr Departure kDepartures[] = {
    {"LeakyReLU {\"act_type\": \"prelu\"}", Kind::kShapes, "wrong",
     "a slope of unknown shape has one element a channel; MXNet says so only where it knows the "
     "data from above"},
    {"stack ", Kind::kShapes, "wrong",
     "inputs of unlike shapes are allowed, but an unknown one is taken to be like the others"},
    {"_contrib_allclose ", Kind::kShapes, "wrong",
     "inputs of unlike shapes are allowed, but an unknown one is taken to be like the other"},
    {"_contrib_AdaptiveAvgPooling2D {} np", Kind::kShapes, "wrong", kOfNothing},
    {"_contrib_AdaptiveAvgPooling2D {} np", Kind::kShapes, "refused", kOfNothing},
    {"_contrib_BilinearResize2D {\"scale_height\": \"1e-3\", \"scale_width\": \"0\"} np",
     Kind::kShapes, "wrong", kOfNothing},
    {"_contrib_BilinearResize2D {\"scale_height\": \"1e-3\", \"scale_width\": \"0\"} np",
     Kind::kShapes, "refused", kOfNothing},
    {"Concat {\"dim\": \"1\", \"num_args\": \"2\"} np", Kind::kShapes, "missing",
     "MXNet adds 0 for a size that it does not know, which is right where that turns out to be 0"},
    {"amp_multicast {", Kind::kTypes, "missing",
     "MXNet gives outputs a type before it knows the widest or the narrowest input"},
    {"_npi_amp_multicast {", Kind::kTypes, "missing",
     "MXNet gives outputs a type before it knows the widest or the narrowest input"},
    {"_npi_add ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_subtract ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_multiply ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_mod ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_power ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_floor_divide ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_bitwise_and ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_bitwise_or ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_bitwise_xor ", Kind::kTypes, "missing", kOneOperand},
    {"_npi_solve ", Kind::kTypes, "missing", kFloat64},
    {"_npi_tensorsolve ", Kind::kTypes, "missing", kFloat64},
    {"_npi_percentile ", Kind::kTypes, "missing", "MXNet takes the type of q for the data's"},
    {"_npi_where ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_npi_atleast_1d ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_npi_atleast_2d ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_npi_atleast_3d ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_np_atleast_1d ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_np_atleast_2d ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_np_atleast_3d ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_npi_vstack ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_npi_column_stack ", Kind::kShapes, "missing", kUnknownIsOne},
    {"_npi_insert_scalar ", Kind::kShapes, "missing", kOneValue},
    {"_npi_insert_slice ", Kind::kShapes, "missing", kOneValue},
    {"_npi_insert_tensor ", Kind::kShapes, "missing", kOneValue},
    {"_npi_diag ", Kind::kShapes, "missing", kMinusOne},
    {"_np_diag ", Kind::kShapes, "missing", kMinusOne},
    {"_npi_diagflat ", Kind::kShapes, "missing", kMinusOne},
    {"_np_diagflat ", Kind::kShapes, "missing", kMinusOne},
    {"_npi_diagonal ", Kind::kShapes, "missing", kMinusOne},
    {"_np_diagonal ", Kind::kShapes, "missing", kMinusOne},
    {"_npi_concatenate ", Kind::kShapes, "missing", kMinusOne},
    {"_npi_repeats ", Kind::kShapes, "missing", "of 0 repetitions MXNet needs no size"},
};

// What of a port MXNet knows and we do not, or we say that is neither MXNet's nor the truth. MXNet
// now and then takes an unknown size for 0 and computes with it: that is not asked for.
std::string compare(const TensorType& ours, const TensorType& mxnet, const TensorType& truth,
                    Kind kind) {
  if (kind == Kind::kTypes) {
    if (ours.dtype == mxnet.dtype || ours.dtype == truth.dtype) return "";
    if (ours.dtype != DType::kUnknown) return "wrong";
    return mxnet.dtype == truth.dtype ? "missing" : "";
  }
  if (!ours.shape.known_rank()) return mxnet.shape.known_rank() ? "missing" : "";
  const auto fits = [&](const Shape& right) {
    bool result = right.rank() == ours.shape.rank();
    for (std::size_t axis = 0; result && axis < right.rank(); ++axis) {
      const Dim& dim = ours.shape[axis];
      const bool is_true = axis < truth.shape.rank() && dim == truth.shape[axis];
      result = !dim.is_constant() || dim == right[axis] || is_true;
    }
    return result;
  };
  if (!fits(truth.shape) && !fits(mxnet.shape)) return "wrong";
  for (std::size_t axis = 0; axis < mxnet.shape.rank(); ++axis) {
    const bool is_true =
        mxnet.shape.rank() == truth.shape.rank() && mxnet.shape[axis] == truth.shape[axis];
    if (is_true && !ours.shape[axis].is_constant()) return "missing";
  }
  return "";
}

class Judge {
 public:
  Judge(const Node& node, Kind kind, std::set<const Departure*>& taken)
      : node_(node), kind_(kind), taken_(taken) {}

  std::string fault(const Types& given, const std::string& found) {
    const std::string got = infer(node_, given, kind_);
    const std::string what = verdict(given, found, got);
    if (what.empty()) return "";
    for (const Departure& departure : kDepartures) {
      const bool is_of = node_.title.starts_with(departure.node);
      if (is_of && departure.kind == kind_ && departure.what == what) {
        taken_.insert(&departure);
        return "";
      }
    }
    return fmt::format("{}: {}: {}: MXNet {}, ours {}\n", what, node_.title, text_of(given, kind_),
                       found, got);
  }

 private:
  std::string verdict(const Types& given, const std::string& found, const std::string& got) const {
    if (found == "!") return "";  // such a model does not exist
    if (got.starts_with("!")) return "refused";
    const Types ours = parse_types(got, kind_);
    const Types mxnet = parse_types(found, kind_);
    const auto is_unknown = [](const TensorType& type) { return type.dtype == DType::kUnknown; };
    // MXNet's float32 where nothing is known: it is for the driver to say so, in the end.
    const bool is_default = kind_ == Kind::kTypes &&
                            std::all_of(given.inputs.begin(), given.inputs.end(), is_unknown) &&
                            std::all_of(given.outputs.begin(), given.outputs.end(), is_unknown);
    const auto roles = node_.def->inputs(node_.params.get());
    const auto& truth = node_.truth;
    for (std::size_t i = 0; i < ours.inputs.size(); ++i) {
      // A label is not an input of the converted model.
      if (roles[node_.def->variadic ? 0 : i].role == InputRole::kLabel) continue;
      const std::string what = compare(ours.inputs[i], mxnet.inputs[i], truth.inputs[i], kind_);
      if (!what.empty() && !(is_default && what == "missing")) return what;
    }
    for (std::size_t i = 0; i < ours.outputs.size(); ++i) {
      const std::string what = compare(ours.outputs[i], mxnet.outputs[i], truth.outputs[i], kind_);
      if (!what.empty() && !(is_default && what == "missing")) return what;
    }
    return "";
  }

  const Node& node_;
  Kind kind_;
  std::set<const Departure*>& taken_;
};

TEST(InferenceTest, FindsWhatMxnetFindsAndNothingElse) {
  std::vector<Node> nodes;
  for (const Recorded& record : kRecords) read_record(record, nodes);
  ASSERT_GT(nodes.size(), 500u);
  std::size_t count = 0;
  std::set<const Departure*> taken;
  for (const Node& node : nodes) {
    if (node.def == nullptr) continue;
    for (const Kind kind : {Kind::kShapes, Kind::kTypes}) {
      const std::string& codes = node.codes[static_cast<int>(kind)];
      if (codes.empty()) continue;
      const auto given = trials(node.truth, kind);
      ASSERT_EQ(given.size(), codes.size()) << node.title;
      auto line = node.lines[static_cast<int>(kind)].begin();
      for (std::size_t i = 0; i < codes.size(); ++i) {
        std::string found = codes[i] == '=' ? text_of(given[i], kind) : "!";
        if (codes[i] == '*') found = text_of(node.truth, kind);
        if (codes[i] == 'x') found = *line++;
        EXPECT_EQ(Judge(node, kind, taken).fault(given[i], found), "");
        ++count;
      }
    }
  }
  EXPECT_GT(count, 10000u);
  EXPECT_EQ(taken.size(), std::size(kDepartures)) << "a departure does not exist any more";
}

}  // namespace
}  // namespace mx2onnx
