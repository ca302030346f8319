#include "passes/block_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ir/computed.h"
#include "ir/int4.h"

namespace mx2onnx::passes {
namespace {

float finite_magnitude(float value) {
  const float magnitude = std::abs(value);
  return magnitude <= std::numeric_limits<float>::max() ? magnitude : 0;
}

/// Rounds a matrix. The elements of one block of all columns lie side by side: `block` rows of
/// `inner` columns of a matrix that is read by rows, or one row of `block` elements. Such a group
/// is made at a time.
class Rounding {
 public:
  Rounding(const Tensor& matrix, std::size_t axis, int bits, std::int64_t block)
      : data_(matrix.data),
        size_(static_cast<std::size_t>(matrix.count())),
        inner_(axis == 0 ? static_cast<std::size_t>(matrix.dims[1]) : 1),
        length_(static_cast<std::size_t>(matrix.dims[axis]) * inner_),
        group_(static_cast<std::size_t>(block) * inner_),
        largest_(bits == 8 ? 127 : 7),
        smallest_(bits == 8 ? -127 : -8) {}

  std::size_t size() const { return size_; }
  std::size_t num_scales() const { return size_ / length_ * groups_of_line() * inner_; }
  /// Elements that are best read at a time: whole groups.
  std::size_t at_once() const {
    constexpr std::size_t kElements = 1 << 16;
    return group_ * std::max<std::size_t>(1, kElements / group_);
  }

  void read_scales(std::size_t first, std::span<float> to) const {
    const std::size_t begin = first / inner_;
    const std::size_t end = (first + to.size() - 1) / inner_ + 1;
    const std::size_t first_element = element_of(begin);
    const std::vector<float> elements = read(first_element, element_of(end));
    std::vector<float> scales(inner_);
    for (std::size_t group = begin; group < end; ++group) {
      find_scales(std::span(elements).subspan(element_of(group) - first_element,
                                              element_of(group + 1) - element_of(group)),
                  scales);
      for (std::size_t column = 0; column < inner_; ++column) {
        const std::size_t at = group * inner_ + column;
        if (at >= first && at < first + to.size()) to[at - first] = scales[column];
      }
    }
  }

  void read_codes(std::size_t first, std::span<std::int8_t> to, BlockLosses& losses) const {
    const std::size_t begin = group_of(first);
    const std::size_t end = group_of(first + to.size() - 1) + 1;
    const std::size_t first_element = element_of(begin);
    const std::vector<float> elements = read(first_element, element_of(end));
    std::vector<float> scales(inner_);
    if (first == 0) losses.squares = losses.squared_errors = 0;
    if (first == 0) losses.not_finite = 0;
    for (std::size_t group = begin; group < end; ++group) {
      const std::size_t from = element_of(group);
      const std::size_t until = element_of(group + 1);
      const auto values = std::span(elements).subspan(from - first_element, until - from);
      find_scales(values, scales);
      const std::size_t row_length = inner_ == 1 ? until - from : inner_;
      for (std::size_t row = from; row < until; row += row_length) {
        // The part of this row that is asked for.
        const std::size_t left = std::max(row, first);
        const std::size_t right = std::min(row + row_length, first + to.size());
        if (left >= right) continue;
        round(values.subspan(left - from, right - left),
              std::span(scales).subspan(inner_ == 1 ? 0 : left - row),
              to.subspan(left - first, right - left), losses);
      }
    }
  }

 private:
  // A line is what blocks cut: a row, or all of the matrix if they cut columns.
  std::size_t groups_of_line() const { return (length_ + group_ - 1) / group_; }
  std::size_t group_of(std::size_t element) const {
    return element / length_ * groups_of_line() + element % length_ / group_;
  }
  std::size_t element_of(std::size_t group) const {
    const std::size_t line = group / groups_of_line();
    return line * length_ + group % groups_of_line() * group_;
  }

  std::vector<float> read(std::size_t begin, std::size_t end) const {
    std::vector<float> elements(end - begin);
    data_->read(begin * sizeof(float), std::as_writable_bytes(std::span(elements)));
    return elements;
  }

  float scale_of(float largest, float steps) const {
    if (largest == 0) return 1;
    const float scale = largest / steps;
    if (scale == 0) return 1;
    // The largest number by 127, and rounded up, is beyond the largest number again.
    return std::isfinite(scale * steps) ? scale : std::nextafter(scale, 0.0F);
  }

  std::int8_t code_of(float value, float scale) const {
    // What is added leaves no place for digits behind the point, so that the sum is rounded there.
    constexpr float kRounds = 0x1.8p23F;
    const float steps = std::isnan(value) ? 0 : value / scale;
    const float bounded =
        std::clamp(steps, static_cast<float>(smallest_), static_cast<float>(largest_));
    return static_cast<std::int8_t>(bounded + kRounds - kRounds);
  }

  void find_scales(std::span<const float> values, std::span<float> scales) const {
    std::vector<float> largest(inner_, 0);
    for (std::size_t row = 0; row < values.size(); row += inner_) {
      for (std::size_t column = 0; column < inner_; ++column)
        largest[column] = std::max(largest[column], finite_magnitude(values[row + column]));
    }
    const auto steps = static_cast<float>(largest_);
    for (std::size_t column = 0; column < inner_; ++column)
      scales[column] = scale_of(largest[column], steps);
    if (largest_ != 7) return;
    std::vector<double> gains(inner_, 0);
    for (std::size_t row = 0; row < values.size(); row += inner_) {
      for (std::size_t column = 0; column < inner_; ++column) {
        const float value = values[row + column];
        if (!std::isfinite(value)) continue;
        const float finer = scale_of(largest[column], steps + 1);
        const double error = value - static_cast<double>(code_of(value, scales[column])) *
                                         static_cast<double>(scales[column]);
        const double other =
            value - static_cast<double>(code_of(value, finer)) * static_cast<double>(finer);
        gains[column] += error * error - other * other;
      }
    }
    for (std::size_t column = 0; column < inner_; ++column) {
      if (gains[column] > 0) scales[column] = scale_of(largest[column], steps + 1);
    }
  }

  // Elements of one row, each with the scale of its column or, of a row that is a block, the one.
  void round(std::span<const float> values, std::span<const float> scales,
             std::span<std::int8_t> to, BlockLosses& losses) const {
    const std::size_t step = inner_ == 1 ? 0 : 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float scale = scales[i * step];
      to[i] = code_of(values[i], scale);
      if (!std::isfinite(values[i])) {
        ++losses.not_finite;
        continue;
      }
      const double value = values[i];
      const double error = value - to[i] * static_cast<double>(scale);
      losses.squares += value * value;
      losses.squared_errors += error * error;
    }
  }

  std::shared_ptr<const TensorData> data_;
  std::size_t size_;
  std::size_t inner_;
  std::size_t length_;  // of a line
  std::size_t group_;   // elements of a whole group
  int largest_;
  int smallest_;
};

std::span<float> floats(std::span<std::byte> bytes) {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}
std::span<std::int8_t> integers(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::int8_t*>(bytes.data()), bytes.size()};
}

// The lower halves of codes, two to a byte.
void pack(std::span<const std::byte> codes, std::byte offset, std::span<std::byte> to) {
  const auto half = [&](std::size_t i) {
    return i < codes.size() ? ((codes[i] ^ offset) & std::byte{0x0f}) : std::byte{0};
  };
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = half(2 * i) | (half(2 * i + 1) << 4);
}

}  // namespace

BlockWeight in_blocks(const Tensor& matrix, std::size_t axis, int bits, std::int64_t block,
                      std::shared_ptr<BlockLosses> losses) {
  require(matrix.dtype == DType::kFloat32 && matrix.dims.size() == 2 && matrix.count() > 0,
          "blocks of a float32 matrix");
  const auto rounding = std::make_shared<const Rounding>(matrix, axis, bits, block);
  BlockWeight result;
  result.codes = {
      DType::kInt8, matrix.dims,
      std::make_shared<ComputedData>(
          rounding->size(),
          [rounding, losses = std::move(losses)](std::size_t offset, std::span<std::byte> to) {
            rounding->read_codes(offset, integers(to), *losses);
          },
          rounding->at_once())};
  result.scales = {DType::kFloat32, matrix.dims, nullptr};
  auto& blocks = result.scales.dims[axis];
  blocks = (blocks + block - 1) / block;
  const std::size_t scales_at_once =
      std::max<std::size_t>(1, rounding->at_once() / static_cast<std::size_t>(block));
  result.scales.data = std::make_shared<ComputedData>(
      rounding->num_scales() * sizeof(float),
      [rounding](std::size_t offset, std::span<std::byte> to) {
        rounding->read_scales(offset / sizeof(float), floats(to));
      },
      scales_at_once * sizeof(float));
  return result;
}

Tensor as_int4(const Tensor& codes) {
  const std::size_t size = codes.size_bytes();
  return {kInt4, codes.dims,
          std::make_shared<ComputedData>(
              (size + 1) / 2,
              [data = codes.data, size](std::size_t offset, std::span<std::byte> to) {
                std::vector<std::byte> here(std::min(2 * to.size(), size - 2 * offset));
                data->read(2 * offset, here);
                pack(here, std::byte{0}, to);
              },
              std::max<std::size_t>(1, codes.data->piece_size() / 2))};
}

Tensor as_nbits(const Tensor& codes, int bits, std::int64_t block) {
  const auto rows = codes.dims[0];
  const auto length = static_cast<std::size_t>(codes.dims[1]);
  const std::int64_t blocks = (codes.dims[1] + block - 1) / block;
  const auto whole = static_cast<std::size_t>(blocks * block);
  const std::byte offset{static_cast<unsigned char>(bits == 8 ? 0x80 : 0x08)};
  const std::size_t to_a_byte = bits == 8 ? 1 : 2;
  Tensor result{DType::kUint8, {rows, blocks, block / static_cast<std::int64_t>(to_a_byte)}, {}};
  const std::size_t lines = std::max<std::size_t>(1, codes.data->piece_size() / whole);
  result.data = std::make_shared<ComputedData>(
      static_cast<std::size_t>(result.count()),
      [data = codes.data, length, whole, offset, to_a_byte](std::size_t at,
                                                            std::span<std::byte> to) {
        // Of rows of whole blocks, in which what no row has is 0.
        const std::size_t first = at * to_a_byte;
        std::vector<std::byte> here(to.size() * to_a_byte);
        if (length == whole) data->read(first, here);
        for (std::size_t done = 0; length < whole && done < here.size();) {
          const std::size_t row = (first + done) / whole;
          const std::size_t column = (first + done) % whole;
          const std::size_t step = std::min(whole - column, here.size() - done);
          const std::size_t there = column < length ? std::min(length - column, step) : 0;
          if (there > 0) data->read(row * length + column, std::span(here).subspan(done, there));
          done += step;
        }
        if (to_a_byte == 2) return pack(here, offset, to);
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = here[i] ^ offset;
      },
      std::max<std::size_t>(1, lines * whole / to_a_byte));
  return result;
}

}  // namespace mx2onnx::passes
