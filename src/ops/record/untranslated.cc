#include "ops/record/untranslated.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mx2onnx {
namespace {

constexpr std::string_view kRows[] = {
#include "ops/record/mxnet_names.inc"
};

constexpr auto kPlanned = UntranslatedStatus::kPlanned;
constexpr auto kRefused = UntranslatedStatus::kRefused;

constexpr Untranslated kGradient{
    kRefused, "gradient", "is the gradient of another operator: it has no place in inference"};
constexpr Untranslated kOptimizer{kRefused, "optimizer step",
                                  "is an optimizer step: it has no place in inference"};
constexpr Untranslated kGraphSampling{
    kRefused, "graph sampling",
    "samples or reads a graph that is a sparse matrix, which ONNX does not have"};
constexpr Untranslated kSparse{
    kRefused, "sparse storage",
    "computes on sparse storage only, which ONNX does not have: MXNet refuses dense arrays"};
constexpr Untranslated kImageFiles{
    kRefused, "image files",
    "reads or prepares images with OpenCV, outside the model: ONNX has nothing like it"};
constexpr Untranslated kArrayFunction{kRefused, "array function",
                                      "is a function on arrays that MXNet cannot run in a symbol"};
constexpr Untranslated kInternal{kRefused, "internal",
                                 "is a part of MXNet's own machinery that no symbol file has"};
constexpr Untranslated kUserCode{kRefused, "user's code",
                                 "calls code of the user's program, which the file does not have"};
constexpr Untranslated kDevice{kRefused, "device", "runs on GPUs only: MXNet has no CPU kernel"};
constexpr Untranslated kAugmentation{
    kRefused, "augmentation",
    "takes parts of drawn sizes of the images that a model is trained with: it has no place in "
    "inference"};
constexpr Untranslated kEigenvalues{
    kRefused, "eigenvalues",
    "computes eigenvalues of matrices that need not be symmetric: these may be complex numbers, "
    "their order and signs are those of LAPACK's steps, and no number of steps is enough for all"};
constexpr Untranslated kTrainingTargets{
    kRefused, "training targets",
    "makes the targets that a model is trained with: it has no place in inference"};
constexpr Untranslated kCalibration{
    kRefused, "calibration",
    "finds the ranges that a model is quantised with: it has no place in inference"};
constexpr Untranslated kQuantised{
    kPlanned, "quantised", "is an operator of quantised models: these are not translated yet"};
// Tried with several sizes: "could not create a primitive descriptor for a reorder primitive"; and
// with oneDNN held to AVX2, outputs of a deviation of 0.14 that were off by up to 0.13.
constexpr Untranslated kQuantisedRnn{
    kRefused, "quantised LSTM",
    "cannot be run by MXNet 1.9.1 on a processor with VNNI, and errs by a tenth of its range on "
    "others: quantise the model without its LSTM"};
constexpr Untranslated kNumpy{
    kPlanned, "numpy", "is an operator of MXNet's NumPy interface that is not translated yet"};
constexpr Untranslated kMemory{kRefused, "memory",
                               "asks where MXNet keeps its arrays: a model has no such places"};
constexpr Untranslated kUnwritten{
    kRefused, "unwritten",
    "leaves the rest of its result unwritten in a symbol: only MXNet's arrays can be filled so"};
constexpr Untranslated kNotYet{kPlanned, "not yet", "is not translated yet"};

struct Rule {
  std::string_view pattern;  ///< A name; "*" at one place stands for any text.
  const Untranslated& what;
};

// The first one that fits a name holds.
constexpr std::array kRules = {
    // Gradients.
    Rule{"_backward_*", kGradient},
    Rule{"_contrib_backward_*", kGradient},
    Rule{"_npi_backward_*", kGradient},
    Rule{"*_backward", kGradient},
    // Optimizers.
    Rule{"*_update", kOptimizer},
    Rule{"*_update_phase1", kOptimizer},
    Rule{"*_update_phase2", kOptimizer},
    Rule{"multi_lars", kOptimizer},
    Rule{"reset_arrays", kOptimizer},
    // Checked in MXNet 1.9.1: "Operator not implemented" for dense inputs.
    Rule{"_contrib_getnnz", kSparse},
    Rule{"_sparse_retain", kSparse},
    Rule{"_contrib_dgl_*", kGraphSampling},
    Rule{"_contrib_edge_id", kGraphSampling},
    Rule{"_contrib_MultiBoxTarget", kTrainingTargets},
    Rule{"_cv*", kImageFiles},
    Rule{"_npi_cv*", kImageFiles},
    Rule{"_imdecode", kImageFiles},
    Rule{"_image_random_resized_crop", kAugmentation},
    Rule{"_npi_eig", kEigenvalues},
    Rule{"_npi_eigvals", kEigenvalues},
    // These bring MXNet 1.9.1 down when a symbol with them is bound.
    Rule{"_set_value", kArrayFunction},
    Rule{"_onehot_encode", kArrayFunction},
    Rule{"fill_element_0index", kArrayFunction},
    Rule{"_CachedOp*", kInternal},
    Rule{"_NoGradient", kInternal},
    Rule{"Custom", kUserCode},
    Rule{"_CustomFunction", kUserCode},
    Rule{"_NDArray", kUserCode},
    Rule{"_Native", kUserCode},
    // "CountSketch is only available for GPU."
    Rule{"_contrib_count_sketch", kDevice},
    Rule{"_contrib_quantized_rnn", kQuantisedRnn},
    Rule{"_contrib_quantize*", kQuantised},
    Rule{"_contrib_quantized_*", kQuantised},
    Rule{"_contrib_dequantize", kQuantised},
    Rule{"_contrib_requantize", kQuantised},
    Rule{"_contrib_calibrate_entropy", kCalibration},
    Rule{"_npx_contrib_calibrate_entropy", kCalibration},
    Rule{"_npx_quantized_*", kQuantised},
    Rule{"_sg_mkldnn_*", kQuantised},
    Rule{"_sg_onednn_*", kQuantised},
    Rule{"_npi_share_memory", kMemory},
    Rule{"_npi_fill_diagonal", kUnwritten},
    Rule{"_np_*", kNumpy},
    Rule{"_npi_*", kNumpy},
    Rule{"_npx_*", kNumpy},
};

bool fits(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  return name.size() >= before.size() + after.size() && name.starts_with(before) &&
         name.ends_with(after);
}

// The canonical name; empty if there is no such operator.
std::string_view canonical_name(std::string_view name) {
  for (const auto row : kRows) {
    const auto names = split(row, ' ');
    if (std::find(names.begin(), names.end(), name) != names.end()) return names.front();
  }
  return {};
}

}  // namespace

std::optional<Untranslated> find_untranslated(std::string_view name) {
  const std::string_view canonical = canonical_name(name);
  if (canonical.empty()) return std::nullopt;
  const auto* rule = std::find_if(kRules.begin(), kRules.end(),
                                  [&](const Rule& r) { return fits(r.pattern, canonical); });
  return rule == kRules.end() ? kNotYet : rule->what;
}

std::vector<std::vector<std::string_view>> mxnet_operators() {
  std::vector<std::vector<std::string_view>> result;
  for (const auto row : kRows) result.push_back(split(row, ' '));
  return result;
}

}  // namespace mx2onnx
