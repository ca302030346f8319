// Inference on suppositions: what the inputs of a model could be, beyond what is declared of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "convert/axis_names.h"
#include "convert/bind.h"
#include "infer/infer.h"
#include "mx2onnx/convert.h"
#include "ops/record/model.h"

namespace mx2onnx {

struct Supposition {
  /// Of inputs, by node; sizes in them may be unknown.
  std::map<std::size_t, Shape> shapes;
  /// Names for sizes that nothing determines. If it is empty, they stay unknown.
  std::function<std::string(const InputAxis& axis, std::size_t rank)> name;
  bool allow_unknown = false;
  bool pass_over_failures = false;
};

struct Trial {
  std::optional<Error> error;
  InferResult types;             ///< Of no use after an error.
  std::vector<FixedSize> fixed;  ///< Sizes that turned out not to be free, in this order.
  /// The sizes that were given names, by these.
  std::map<std::string, InputAxis> named;
};

class TrialRunner {
 public:
  /// The roles of the variables are known. The references have to outlive the runner.
  TrialRunner(Model& model, const ConvertOptions& options, DimArena& arena)
      : model_(model), options_(options), arena_(arena) {}

  /// Infers; starts again with each free size that turns out to be fixed, or free on a condition.
  Trial run(const Supposition& supposition);

  /// The names of open sizes for a trial of which nobody shall see them: all different, but with
  /// `one_batch` the first of each input.
  Supposition with_hidden_names(std::map<std::size_t, Shape> shapes, bool one_batch = false);

  /// Inputs of unknown shape, or of unknown rank alone.
  std::vector<std::size_t> open_inputs(const InferResult& types, bool rank_only) const;

  /// Whether the user gave the shape of each input.
  bool all_declared() const;

  const Model& model() const { return model_; }
  const std::string& input_name(std::size_t node) const { return model_.symbol.nodes[node].name; }

  /// What is believed of the shapes in the file.
  TrainedShapes trained = TrainedShapes::kRank;
  /// Numbers for free sizes, by name.
  std::map<std::string, std::int64_t> numbers;
  /// Of integer inputs that are converted to float32: once they are, they stay so.
  std::vector<Diagnostic> conversions;
  /// What was assumed of sizes, which holds from then on.
  std::vector<FixedSize> conditions;

 private:
  void infer(const Supposition& supposition, Trial& trial);
  void convert_inputs(const DtypeConflict& conflict);
  void suppose(const std::map<std::size_t, Shape>& shapes);
  bool inputs_have(const InferResult& types, const DimAtom& symbol) const;
  void accept(const FixedSize& fixed, Trial& trial, std::vector<SizeSolution>& solutions);

  Model& model_;
  const ConvertOptions& options_;
  DimArena& arena_;
  int hidden_ = 0;
};

}  // namespace mx2onnx
