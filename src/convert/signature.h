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
  void solve(const Use& use);

  /// What is to be said of the result.
  std::vector<Diagnostic> diagnostics() const;

  /// What `use` got the last time; nothing can be asked of the solver after.
  InferResult take_types() { return std::move(trial_.types); }

 private:
  using Names = std::map<InputAxis, std::string>;
  // The sizes that can be any number of a range.
  using SizeRanges = std::map<std::pair<std::int64_t, std::int64_t>, std::set<std::string>>;

  void search(const Use& use);
  bool leaves_a_choice() const;
  bool has_farfetched_input() const;
  void share_names(const Use& use);
  void settle_broadcasts(const Use& use);
  void prepare();
  void find_names();
  void find_squares(const Trial& scan);
  void check_batch() const;
  std::optional<Error> attempt_with(const std::map<std::string, std::int64_t>& numbers,
                                    const Use& use);
  std::optional<Error> fix(const std::set<std::string>& sizes, const Use& use);
  bool fix_few(const Error& why, const Use& use);
  std::set<std::string> own_names() const;
  std::set<std::string> free_sizes() const;
  void say_numbers(const std::set<std::string>& sizes, const std::optional<Error>& why);
  std::string option_for(const std::set<std::string>& sizes) const;
  void say_ranks(std::vector<Diagnostic>& said) const;
  void say_fixed(std::vector<Diagnostic>& said) const;
  void say_squares(const SizeRanges& ranges, std::vector<Diagnostic>& said) const;
  const Shape& shape_of(std::size_t input) const {
    return trial_.types.entries[runner_.model().first_entry[input]].type.shape;
  }

  const Source& source_;
  const ConvertOptions& options_;
  TrialRunner runner_;
  RankSearch ranks_;
  std::vector<std::size_t> open_;  // inputs whose shape nothing but trials determines
  std::vector<Names> candidates_;  // the better ones first
  Names names_;                    // of the last trial
  std::vector<InputAxis>
      squares_;            // heights of images that are squares because nothing else is known
  Trial trial_;            // the last one
  bool was_used_ = false;  // the last failure was that of `use`
  std::vector<Diagnostic> chosen_;  // numbers for free sizes
};

}  // namespace mx2onnx
