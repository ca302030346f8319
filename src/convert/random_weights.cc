#include "convert/random_weights.h"

#include <array>

#include "base/error.h"
#include "base/hash.h"
#include "base/interruption.h"
#include "convert/layers.h"
#include "ir/convert_elements.h"

namespace mx2onnx {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): number `index` of a sequence, uniform in [0, 1).
double random_number(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// A symbol may claim any size; a made-up weight has an end.
std::int64_t checked_count(std::string_view name, const TensorType& type) {
  constexpr std::int64_t kMostElements = std::int64_t{1} << 30;
  const Dim count = type.shape.count();
  if (count.value() > kMostElements) {
    fail(ErrorCode::kModel,
         fmt::format("parameter '{}' would have {} elements, more than the {} that are filled",
                     name, count.value(), kMostElements));
  }
  return count.value();
}

}  // namespace

Tensor random_weights(std::string_view name, const TensorType& type) {
  if (!type.shape.is_static()) {
    fail(ErrorCode::kModel, fmt::format("parameter '{}' has no fixed shape to fill, found {}", name,
                                        type.to_string()));
  }
  const bool positive = name.ends_with("var") || name.ends_with("gamma");
  const auto seed = content_hash(std::as_bytes(std::span(name))).second;
  Tensor tensor{type.dtype, type.shape.sizes(), nullptr};
  const auto count = static_cast<std::size_t>(checked_count(name, type));
  auto fill = [dtype = type.dtype, seed, positive](std::size_t offset, std::span<std::byte> to) {
    constexpr std::size_t kPiece = 4096;
    const std::size_t element = dtype_size(dtype);
    std::array<double, kPiece> values = {};
    for (std::size_t index = offset / element; !to.empty();) {
      interruption_point();
      const std::size_t count = std::min(kPiece, to.size() / element);
      for (std::size_t i = 0; i < count; ++i, ++index) {
        values[i] = !is_floating(dtype) ? 0
                    : positive          ? 0.5 + random_number(seed, index)
                                        : 0.2 * random_number(seed, index) - 0.1;
      }
      convert_elements(DType::kFloat64, std::as_bytes(std::span(values).first(count)), dtype,
                       to.first(count * element));
      to = to.subspan(count * element);
    }
  };
  tensor.data = std::make_shared<ComputedData>(count * dtype_size(type.dtype), std::move(fill));
  return tensor;
}

std::vector<std::string> random_names(const Model& model) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].role == VariableRole::kRandom) names.push_back(model.symbol.nodes[i].name);
  }
  return names;
}

void note_random_weights(const Model& model, Report& report) {
  const auto names = random_names(model);
  if (names.empty()) return;
  report.diagnostics.push_back(
      {"W-random-weights", names[0],
       fmt::format(
           "{} parameter{} random numbers, '{}' for instance: what the model computes means "
           "nothing",
           names.size(), names.size() == 1 ? " is" : "s are", names[0])});
}

std::uint64_t parameter_bytes(const Model& model, const InferResult& types) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto size = parameter_size(model.nodes[i], types.entries[model.first_entry[i]].type);
    total += size.bytes.value_or(0);
  }
  return total;
}

}  // namespace mx2onnx
