#include "picture/statistics.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/interruption.h"
#include "ir/convert_elements.h"

namespace mx2onnx::picture {
namespace {

// Of one array; a larger one is read in so many parts from all over it.
constexpr std::uint64_t kMostOfOne = 1 << 20;
constexpr std::uint64_t kParts = 64;
constexpr std::size_t kSteps = 40;
constexpr std::int64_t kSmall = 16;

void read_part(const Tensor& tensor, std::uint64_t first, std::span<double> to) {
  const std::size_t element = dtype_size(tensor.dtype);
  std::vector<std::byte> bytes(to.size() * element);
  tensor.data->read(static_cast<std::size_t>(first) * element, bytes);
  convert_elements(tensor.dtype, bytes, DType::kFloat64, std::as_writable_bytes(to));
}

std::vector<double> read_sample(const Tensor& tensor, std::uint64_t count, std::uint64_t most) {
  std::vector<double> numbers(std::min(count, most));
  if (count <= most) {
    read_part(tensor, 0, numbers);
    return numbers;
  }
  const std::uint64_t parts = std::min(kParts, most);
  const std::uint64_t size = most / parts;
  numbers.resize(parts * size);
  for (std::uint64_t i = 0; i < parts; ++i) {
    const std::uint64_t first = parts == 1 ? 0 : (count - size) / (parts - 1) * i;
    read_part(tensor, first, std::span(numbers).subspan(i * size, size));
  }
  return numbers;
}

ArrayStatistics describe(const std::vector<double>& numbers) {
  ArrayStatistics result;
  result.looked_at = numbers.size();
  double sum = 0;
  std::uint64_t finite = 0;
  for (const double number : numbers) {
    if (!std::isfinite(number)) {
      ++result.not_finite;
      continue;
    }
    if (number == 0) ++result.zeros;
    result.minimum = finite == 0 ? number : std::min(result.minimum, number);
    result.maximum = finite == 0 ? number : std::max(result.maximum, number);
    sum += number;
    ++finite;
  }
  if (finite == 0) return result;
  result.mean = sum / static_cast<double>(finite);
  // Half of the range, as the whole of it may be more than a number can be.
  const double half_range = result.maximum / 2 - result.minimum / 2;
  double squares = 0;
  if (half_range > 0) result.histogram.assign(kSteps, 0);
  for (const double number : numbers) {
    if (!std::isfinite(number)) continue;
    squares += (number - result.mean) * (number - result.mean);
    if (half_range <= 0) continue;
    const double place = (number / 2 - result.minimum / 2) / half_range;
    const auto step = static_cast<std::size_t>(place * static_cast<double>(kSteps));
    ++result.histogram[std::min(step, kSteps - 1)];
  }
  result.deviation = std::sqrt(squares / static_cast<double>(finite));
  return result;
}

}  // namespace

std::optional<ArrayStatistics> StatisticsReader::look_at(const Tensor& tensor) {
  const std::size_t element = dtype_size(tensor.dtype);
  if (tensor.data == nullptr || element == 0 || tensor.size_bytes() < element) return std::nullopt;
  if (const auto known = known_.find(tensor.data); known != known_.end()) return known->second;
  const std::uint64_t count = tensor.size_bytes() / element;
  const std::uint64_t most = std::min(left_, kMostOfOne);
  if (most == 0) return std::nullopt;
  interruption_point();
  const std::vector<double> numbers = read_sample(tensor, count, most);
  left_ -= numbers.size();
  return known_.emplace(tensor.data, describe(numbers)).first->second;
}

std::vector<double> small_numbers(const Tensor& tensor) {
  const std::size_t element = dtype_size(tensor.dtype);
  if (tensor.data == nullptr || element == 0) return {};
  const std::size_t count = tensor.size_bytes() / element;
  if (count == 0 || count > kSmall) return {};
  std::vector<double> numbers(count);
  read_part(tensor, 0, numbers);
  return numbers;
}

}  // namespace mx2onnx::picture
