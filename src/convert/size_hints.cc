// See size_hints.h.
#include "convert/size_hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/attempt.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

using Dims = std::vector<std::string>;

std::string spec_text(const InputSpec& spec, const Dims& dims) {
  std::string text = spec.name + ":";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i > 0 ? "," : "") + dims[i];
  return text + (spec.dtype.empty() ? "" : ":" + spec.dtype);
}

/// Another reading of the sizes of an input.
struct Reading {
  Dims dims;
  const char* what;
};

// Operators whose axes have a meaning.
bool has_order(std::string_view op) {
  constexpr std::array<std::string_view, 8> kOps = {
      "Convolution", "Deconvolution",  "Pooling",    "FullyConnected",
      "BatchNorm",   "Convolution_v1", "Pooling_v1", "RNN"};
  return std::find(kOps.begin(), kOps.end(), op) != kOps.end();
}

// Sizes are read otherwise only where the other order is the usual one elsewhere.
std::vector<Reading> other_readings(const Dims& dims) {
  constexpr std::int64_t kMostChannels = 4;
  std::vector<Reading> readings;
  const auto channels = dims.empty() ? std::nullopt : parse_int(dims.back());
  const bool may_be_last = channels && *channels >= 1 && *channels <= kMostChannels;
  const std::size_t rank = dims.size();
  Dims batched = {"batch"};
  batched.insert(batched.end(), dims.begin(), dims.end());
  if (rank >= 3 && may_be_last) {
    Dims turned = dims;
    std::rotate(turned.begin() + 1, turned.end() - 1, turned.end());
    readings.push_back({turned, "MXNet's order is batch, channels, height, width"});
  }
  readings.push_back({batched, "the first size is the batch"});
  if (rank >= 2 && may_be_last) {
    Dims turned = batched;
    std::rotate(turned.begin() + 1, turned.end() - 1, turned.end());
    readings.push_back({turned, "MXNet's order is batch, channels, height, width"});
  }
  return readings;
}

}  // namespace

std::string hint_for_sizes(const Error& error, const Model& model, const ConvertOptions& options,
                           const std::function<bool(const ConvertOptions&)>& converts) {
  constexpr std::size_t kMostInputs = 4;
  if (!kCanAttempt || options.inputs.size() > kMostInputs) return {};
  // Only weights are evidence: a graph of anything converts with many sizes.
  const bool has_weights =
      std::any_of(model.nodes.begin(), model.nodes.end(),
                  [](const ModelNode& node) { return node.role == VariableRole::kParameter; });
  if (!has_weights || !has_order(error.place().op)) return {};
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    const InputSpec& spec = options.inputs[i];
    // Parameters that the user describes have no batch.
    const bool is_input =
        std::any_of(model.nodes.begin(), model.nodes.end(), [&](const ModelNode& node) {
          const auto index = static_cast<std::size_t>(&node - model.nodes.data());
          return node.role == VariableRole::kInput && model.symbol.nodes[index].name == spec.name;
        });
    if (!is_input || !spec.dims) continue;
    for (const auto& reading : other_readings(*spec.dims)) {
      ConvertOptions other = options;
      other.inputs[i].dims = reading.dims;
      if (!converts(other)) continue;
      return fmt::format("{}: --input {}", reading.what, spec_text(spec, reading.dims));
    }
  }
  return {};
}

}  // namespace mx2onnx
