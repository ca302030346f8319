// The types of a model's inputs: what the user and the files say of them, what operators and
// weights determine, and names for the sizes that stay free.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "convert/rank_search.h"
#include "convert/trial.h"
#include "infer/infer.h"
#include "mx2onnx/convert.h"

namespace mx2onnx {

class SignatureSolver {
 public:
  /// What is to be done with the types; returns what it failed with, if it did.
  using Use = std::function<std::optional<Error>(const InferResult&)>;

  /// The roles of the variables are known. The references have to outlive the solver.
  SignatureSolver(Model& model, const Source& source, const ConvertOptions& options,
                  DimArena& arena)
      : source_(source), options_(options), runner_(model, options, arena), ranks_(runner_) {}

  /// Finds the types of all entries and hands them to `use`. Where that fails, sizes which the user
  /// gave no names become numbers, as few as possible, the batch last. Fails with kModel where
  /// shapes disagree, with what `use` failed with, and where nothing says what an input is: then
  /// all such inputs are named, with what is known of them.
  const InferResult& solve(const Use& use);

  /// What is to be said of the result.
  std::vector<Diagnostic> diagnostics() const;

 private:
  using Names = std::map<InputAxis, std::string>;

  void search(const Use& use);
  bool leaves_a_choice() const;
  void prepare();
  void find_names();
  void check_batch() const;
  std::optional<Error> attempt_with(const std::map<std::string, std::int64_t>& numbers,
                                    const Use& use);
  std::optional<Error> fix(const std::set<std::string>& sizes, const Use& use);
  bool fix_few(const Error& why, const Use& use);
  std::set<std::string> own_names() const;
  std::set<std::string> free_sizes() const;
  void say_numbers(const std::set<std::string>& sizes, const std::string& why);
  void say_fixed(std::vector<Diagnostic>& said) const;

  const Source& source_;
  const ConvertOptions& options_;
  TrialRunner runner_;
  RankSearch ranks_;
  std::vector<std::size_t> open_;  // inputs whose shape nothing but trials determines
  bool ranks_known_ = true;
  std::vector<Names> candidates_;   // the better ones first
  Names names_;                     // of the last trial
  Trial trial_;                     // the last one
  bool was_used_ = false;           // the last failure was that of `use`
  std::vector<Diagnostic> chosen_;  // numbers for free sizes
};

}  // namespace mx2onnx
