#include "convert/unknown_inputs.h"

#include <algorithm>

#include "base/shell_word.h"
#include "convert/example_inputs.h"

namespace mx2onnx {
namespace {

class Known {
 public:
  Known(const TrialRunner& runner, const Trial& scan, bool is_only)
      : runner_(runner), scan_(scan), is_only_(is_only) {}

  /// "(batch, ?, 12 to 17)"
  std::string text(std::size_t input) const {
    const Shape& shape = shape_of(input);
    if (!shape.known_rank()) return "not even the number of dimensions";
    std::string text = "(";
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      text += (axis > 0 ? ", " : "") + dim_text(shape, axis);
    }
    return text + (shape.rank() == 1 ? ",)" : ")");
  }

  /// The sizes that could be given, numbers where there has to be one.
  std::string example(std::size_t input) const {
    const Shape& shape = shape_of(input);
    if (!shape.known_rank()) return is_only_ ? "1,3,224,224" : "batch,1";
    std::string text;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      const auto meaning = usual_meaning(shape.rank(), axis);
      const Dim& dim = shape[axis];
      if (axis > 0) text += ",";
      text += dim.is_constant() ? dim.to_string()
              : axis == 0       ? std::string(meaning)
                                : std::to_string(usual_size(meaning, 0));
    }
    return text;
  }

 private:
  const Shape& shape_of(std::size_t input) const {
    return scan_.types.entries[runner_.model().first_entry[input]].type.shape;
  }

  std::string dim_text(const Shape& shape, std::size_t axis) const {
    const Dim& dim = shape[axis];
    if (dim.is_constant()) {
      for (const auto& fixed : scan_.fixed) {
        const SizeSolution& found = fixed.solution;
        if (found.lowest != found.highest && found.size == dim)
          return fmt::format("{} to {}", found.lowest, found.highest);
      }
      return dim.to_string();
    }
    return axis == 0 ? std::string(usual_meaning(shape.rank(), axis)) : "?";
  }

  const TrialRunner& runner_;
  const Trial& scan_;
  bool is_only_;  // of the model's inputs
};

// The sizes of an input of a trial that found all.
std::string sizes_in(const TrialRunner& runner, const Trial& example, std::size_t input) {
  const Shape& shape = example.types.entries[runner.model().first_entry[input]].type.shape;
  std::string text;
  for (const Dim& dim : shape.dims()) text += (text.empty() ? "" : ",") + dim.to_string();
  return text;
}

std::string command(const Known& known, const TrialRunner& runner,
                    const std::optional<Trial>& example, const Source& source,
                    const std::vector<std::size_t>& open) {
  std::string text = "mx2onnx convert " + shell_word(source.symbol_path.native());
  for (const auto& path : source.param_paths) text += " " + shell_word(path.native());
  text += " -o OUT.onnx";
  for (const auto input : open) {
    const auto sizes = example ? sizes_in(runner, *example, input) : known.example(input);
    text += " --input " + shell_word(runner.input_name(input) + ":" + sizes);
  }
  return text;
}

}  // namespace

void fail_unknown_inputs(TrialRunner& runner, const Source& source,
                         const std::map<std::size_t, Shape>& shapes,
                         const std::vector<std::size_t>& open, const Trial& scan,
                         const std::optional<Error>& why) {
  const auto& nodes = runner.model().nodes;
  const auto inputs = std::count_if(nodes.begin(), nodes.end(), [](const ModelNode& node) {
    return node.role == VariableRole::kInput && node.live;
  });
  const Known known(runner, scan, inputs == 1);
  const auto found = [&](std::size_t input) {
    const bool has_rank =
        scan.types.entries[runner.model().first_entry[input]].type.shape.known_rank();
    return known.text(input) + (has_rank ? " is all that is found" : " is found");
  };
  const std::string reason =
      why ? fmt::format("'{}' ({}): {}", why->place().node, why->place().op, why->message()) : "";
  const auto example = find_example(runner, shapes, open);
  const std::string hint =
      fmt::format("describe them, for instance: {}", command(known, runner, example, source, open));
  if (open.size() == 1) {
    fail(ErrorCode::kModel,
         fmt::format("the shape of input '{}' is not known: {}{}{}", runner.input_name(open[0]),
                     found(open[0]), why ? "; " : "", reason),
         hint);
  }
  std::vector<std::string> lines;
  for (const auto input : open) {
    lines.push_back(fmt::format("'{}': {}", runner.input_name(input), found(input)));
  }
  if (why) lines.push_back(reason);
  fail_with_list(ErrorCode::kModel,
                 fmt::format("the shapes of {} inputs are not known:", open.size()), lines, hint);
}

}  // namespace mx2onnx
