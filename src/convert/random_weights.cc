#include "convert/random_weights.h"

#include <array>

#include "base/error.h"
#include "base/hash.h"
#include "base/interruption.h"
#include "convert/layers.h"

namespace mx2onnx {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014).
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  /// Uniform in [0, 1).
  double next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

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
  auto produce = [dtype = type.dtype, count, seed, positive](ByteSink& sink) {
    constexpr std::size_t kPiece = 4096;
    SplitMix random(seed);
    std::array<double, kPiece> values = {};
    for (std::size_t done = 0; done < count; done += kPiece) {
      interruption_point();
      const std::size_t piece = std::min(kPiece, count - done);
      for (std::size_t i = 0; i < piece; ++i) {
        values[i] = !is_floating(dtype) ? 0
                    : positive          ? 0.5 + random.next()
                                        : 0.2 * random.next() - 0.1;
      }
      const auto part =
          make_tensor_as(dtype, {static_cast<std::int64_t>(piece)}, std::span(values).first(piece));
      part.data->write_to(sink);
    }
  };
  tensor.data = std::make_shared<ComputedData>(count * dtype_size(type.dtype), std::move(produce));
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
