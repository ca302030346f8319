// See image_taps.h.
#include "ops/vision/image_taps.h"
#include "base/budget.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <numbers>

namespace mx2onnx {
namespace {

double scale_of(std::int64_t from, std::int64_t to) {
  return 1 / (static_cast<double>(to) / static_cast<double>(from));
}

// The last pixel before a place of the image, and how far behind it the place is.
struct Place {
  std::int64_t first = 0;
  float distance = 0;
};

// OpenCV computes the place in double and keeps it in float.
Place place_of(std::int64_t i, double scale) {
  const auto place = static_cast<float>((static_cast<double>(i) + 0.5) * scale - 0.5);
  const auto first = static_cast<std::int64_t>(std::floor(place));
  return {first, place - static_cast<float>(first)};
}

Taps empty_taps(std::size_t count, std::int64_t size) {
  spend_elements(static_cast<std::int64_t>(count), size);
  const auto length = static_cast<std::size_t>(size);
  return {std::vector(count, std::vector<std::int64_t>(length)),
          std::vector(count, std::vector<double>(length))};
}

// `weights_of` gives the weights of the pixels around the place, half of them before it.
template <std::size_t kCount>
Taps taps_around(std::int64_t from, std::int64_t to, const auto& place_at, const auto& weights_of) {
  Taps taps = empty_taps(kCount, to);
  for (std::int64_t i = 0; i < to; ++i) {
    const Place place = place_at(i);
    const std::array<float, kCount> weights = weights_of(place.distance);
    for (std::size_t k = 0; k < kCount; ++k) {
      const auto at =
          place.first - static_cast<std::int64_t>(kCount) / 2 + 1 + static_cast<std::int64_t>(k);
      taps.at[k][static_cast<std::size_t>(i)] = std::clamp<std::int64_t>(at, 0, from - 1);
      taps.weights[k][static_cast<std::size_t>(i)] = weights[k];
    }
  }
  return taps;
}

std::array<float, 2> linear_weights(float x) { return {1 - x, x}; }

std::array<float, 4> cubic_weights(float x) {
  constexpr float kA = -0.75F;
  std::array<float, 4> w{};
  w[0] = ((kA * (x + 1) - 5 * kA) * (x + 1) + 8 * kA) * (x + 1) - 4 * kA;
  w[1] = ((kA + 2) * x - (kA + 3)) * x * x + 1;
  w[2] = ((kA + 2) * (1 - x) - (kA + 3)) * (1 - x) * (1 - x) + 1;
  w[3] = 1.F - w[0] - w[1] - w[2];
  return w;
}

std::array<float, 8> lanczos_weights(float x) {
  std::array<float, 8> w{};
  if (x < FLT_EPSILON) {
    w[3] = 1;
    return w;
  }
  constexpr double kRoot = std::numbers::sqrt2 / 2;
  constexpr double kTurns[8][2] = {{1, 0},  {-kRoot, -kRoot}, {0, 1},  {kRoot, -kRoot},
                                   {-1, 0}, {kRoot, kRoot},   {0, -1}, {-kRoot, kRoot}};
  const double start = -(x + 3) * std::numbers::pi * 0.25;
  float sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double y = -(x + 3 - static_cast<float>(i)) * std::numbers::pi * 0.25;
    w[i] = static_cast<float>((kTurns[i][0] * std::sin(start) + kTurns[i][1] * std::cos(start)) /
                              (y * y));
    sum += w[i];
  }
  for (float& weight : w) weight *= 1.F / sum;
  return w;
}

// Columns beyond the edge are moved onto it.
Place onto_edge(Place place, std::int64_t from, bool is_columns) {
  if (is_columns && (place.first < 0 || place.first >= from - 1)) place.distance = 0;
  return place;
}

}  // namespace

Taps linear_taps(std::int64_t from, std::int64_t to, bool is_columns) {
  const double scale = scale_of(from, to);
  const auto place_at = [=](std::int64_t i) {
    return onto_edge(place_of(i, scale), from, is_columns);
  };
  return taps_around<2>(from, to, place_at, linear_weights);
}

Taps cubic_taps(std::int64_t from, std::int64_t to) {
  const double scale = scale_of(from, to);
  const auto place_at = [=](std::int64_t i) { return place_of(i, scale); };
  return taps_around<4>(from, to, place_at, cubic_weights);
}

Taps lanczos_taps(std::int64_t from, std::int64_t to) {
  const double scale = scale_of(from, to);
  const auto place_at = [=](std::int64_t i) { return place_of(i, scale); };
  return taps_around<8>(from, to, place_at, lanczos_weights);
}

Taps larger_area_taps(std::int64_t from, std::int64_t to, bool is_columns) {
  const double inverse = static_cast<double>(to) / static_cast<double>(from);
  const auto place_at = [=](std::int64_t i) {
    const auto first = static_cast<std::int64_t>(std::floor(static_cast<double>(i) / inverse));
    const auto place =
        static_cast<float>(static_cast<double>(i + 1) - static_cast<double>(first + 1) * inverse);
    return onto_edge({first, place <= 0 ? 0 : place - std::floor(place)}, from, is_columns);
  };
  return taps_around<2>(from, to, place_at, linear_weights);
}

Taps area_taps(std::int64_t from, std::int64_t to) {
  // What a pixel covers of one is left out where it is less than this.
  constexpr double kLeast = 1e-3;
  const double scale = scale_of(from, to);
  const auto most = static_cast<std::size_t>(std::ceil(scale)) + 2;
  Taps taps = empty_taps(most, to);
  std::size_t used = 1;
  for (std::int64_t i = 0; i < to; ++i) {
    const double begin = static_cast<double>(i) * scale;
    const double end = begin + scale;
    const double width = std::min(scale, static_cast<double>(from) - begin);
    const auto last = std::min(static_cast<std::int64_t>(std::floor(end)), from - 1);
    const auto first = std::min(static_cast<std::int64_t>(std::ceil(begin)), last);
    std::size_t k = 0;
    const auto add = [&](std::int64_t at, double weight) {
      taps.at[k][static_cast<std::size_t>(i)] = at;
      taps.weights[k][static_cast<std::size_t>(i)] = static_cast<float>(weight);
      ++k;
    };
    if (static_cast<double>(first) - begin > kLeast) {
      add(first - 1, (static_cast<double>(first) - begin) / width);
    }
    for (std::int64_t at = first; at < last; ++at) add(at, 1 / width);
    if (end - static_cast<double>(last) > kLeast) {
      add(last, std::min({end - static_cast<double>(last), 1.0, width}) / width);
    }
    used = std::max(used, k);
  }
  taps.at.resize(used);
  taps.weights.resize(used);
  return taps;
}

}  // namespace mx2onnx
