#include "ir/computed.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "ir/convert_elements.h"
#include "ir/half_conversion.h"

namespace mx2onnx {
namespace {

using Dims = std::vector<std::int64_t>;

Tensor counting(Dims dims) {
  Tensor shape{DType::kInt32, dims, nullptr};
  std::vector<std::int32_t> values(static_cast<std::size_t>(shape.count()));
  std::iota(values.begin(), values.end(), 0);
  return make_tensor(std::move(dims), values);
}

// The same elements, as something that has no view.
Tensor hidden(const Tensor& tensor) {
  return elementwise(tensor.dtype, tensor.dims, {tensor},
                     [](std::size_t, const auto& from, auto to) {
                       std::copy(from[0].begin(), from[0].end(), to.begin());
                     });
}

// What `strided` promises, element by element.
std::vector<std::int64_t> picked(const Tensor& from, const Dims& dims, std::int64_t offset,
                                 const Dims& strides) {
  const auto values = read_ints(from);
  std::vector<std::int64_t> result;
  Dims index(dims.size(), 0);
  for (std::int64_t left = Tensor{DType::kInt32, dims, nullptr}.count(); left > 0; --left) {
    std::int64_t at = offset;
    for (std::size_t i = 0; i < dims.size(); ++i) at += index[i] * strides[i];
    result.push_back(values[static_cast<std::size_t>(at)]);
    for (std::size_t i = dims.size(); i-- > 0;) {
      if (++index[i] < dims[i]) break;
      index[i] = 0;
    }
  }
  return result;
}

// Whether all ranges of a tensor are those of the whole.
void expect_same_in_ranges(const Tensor& tensor) {
  const TensorBytes whole(tensor);
  const std::size_t element = dtype_size(tensor.dtype);
  const std::size_t count = whole.bytes().size() / element;
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    if (count > 1000 && step == 1) continue;
    for (std::size_t first = 0; first < count; first += step) {
      std::vector<std::byte> part(std::min(step, count - first) * element);
      tensor.data->read(first * element, part);
      const auto expected = whole.bytes().subspan(first * element, part.size());
      ASSERT_TRUE(std::equal(part.begin(), part.end(), expected.begin())) << first;
    }
  }
  MemorySink sink;
  tensor.data->write_to(sink);
  const std::string written = sink.take();
  const auto bytes = std::as_bytes(std::span(written));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), whole.bytes().begin(), whole.bytes().end()));
}

struct Case {
  Dims from, dims;
  std::int64_t offset;
  Dims strides;
};

TEST(ComputedTest, StridedIsWhatItSays) {
  const std::vector<Case> cases = {
      {{6}, {6}, 0, {1}},
      {{40, 50}, {50, 40}, 0, {1, 50}},                     // a matrix turned round
      {{3, 40, 50}, {3, 50, 40}, 0, {2000, 1, 50}},         // matrices turned round
      {{4, 3, 3, 20}, {4, 20, 3, 3}, 0, {180, 1, 60, 20}},  // OHWI to OIHW
      {{20, 10, 3, 3}, {3, 3, 10, 20}, 0, {3, 1, 9, 90}},   // OIHW to HWIO
      {{30, 20}, {10, 7}, 45, {20, 2}},                     // a slice with steps
      {{30}, {4, 30, 5}, 0, {0, 1, 0}},                     // broadcast
      {{1}, {3, 4}, 0, {0, 0}},                             // filled
      {{5, 300}, {300, 5}, 0, {1, 300}},                    // long and thin
      {{2, 3}, {0, 3}, 0, {3, 1}},                          // empty
      {{6}, {}, 4, {}},                                     // a scalar
      {{3, 70000}, {70000, 3}, 0, {1, 70000}},              // longer than a piece
      {{70000, 2}, {2, 70000}, 0, {1, 2}},
  };
  for (const Case& c : cases) {
    const Tensor from = counting(c.from);
    const auto expected = picked(from, c.dims, c.offset, c.strides);
    for (const Tensor& source : {from, hidden(from)}) {
      const Tensor result = strided(source, c.dims, c.offset, c.strides);
      EXPECT_EQ(result.dims, c.dims);
      EXPECT_EQ(read_ints(result), expected) << Shape::of(c.from).to_string();
      expect_same_in_ranges(result);
    }
  }
}

TEST(ComputedTest, StridedMovesElementsOfEverySize) {
  for (const DType dtype : {DType::kUint8, DType::kInt16, DType::kInt32, DType::kInt64}) {
    const Tensor from = kept_if_small(cast(counting({9, 13}), dtype));
    EXPECT_EQ(read_ints(strided(from, {13, 9}, 0, {1, 13})), picked(from, {13, 9}, 0, {1, 13}));
    // Whole lines of a cache and what is left of them; of a source that is computed, too.
    const Tensor wide = kept_if_small(cast(counting({137, 90}), dtype));
    const auto expected = picked(wide, {90, 137}, 0, {1, 90});
    for (const Tensor& source : {wide, hidden(wide)}) {
      const Tensor turned = strided(source, {90, 137}, 0, {1, 90});
      EXPECT_EQ(read_ints(turned), expected);
      expect_same_in_ranges(turned);
    }
  }
}

TEST(ComputedTest, MadeOfWhatIsMade) {
  const Tensor weight = cast(counting({40, 50}), DType::kFloat32);
  const Tensor turned = strided(cast(weight, DType::kFloat16), {50, 40}, 0, {1, 50});
  auto halve = [](std::size_t first, const auto& from, auto to) {
    convert_elements(DType::kFloat16, from[0], DType::kFloat32, to);
    auto* const values = reinterpret_cast<float*>(to.data());
    for (std::size_t i = 0; i < to.size() / sizeof(float); ++i)
      values[i] = values[i] / 2 + static_cast<float>(first + i);
  };
  const Tensor result = elementwise(DType::kFloat32, turned.dims, {turned}, halve);
  const auto numbers = read_doubles(result);
  for (std::size_t row = 0; row < 50; ++row) {
    for (std::size_t column = 0; column < 40; ++column) {
      const std::size_t at = row * 40 + column;
      EXPECT_EQ(numbers[at], static_cast<double>(column * 50 + row) / 2 + static_cast<double>(at));
    }
  }
  expect_same_in_ranges(result);
}

TEST(ComputedTest, JoinedTakesPartsInTurn) {
  const Tensor a = counting({3, 2});
  const Tensor b = hidden(counting({3, 4}));
  const Tensor result{DType::kInt32, {3, 6}, joined({{a.data, 0, 8}, {b.data, 0, 16}}, 3)};
  EXPECT_EQ(read_ints(result),
            (std::vector<std::int64_t>{0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 4, 5, 8, 9, 10, 11}));
  expect_same_in_ranges(result);
  const Tensor parts{DType::kInt32, {3}, joined({{b.data, 40, 8}, {a.data, 0, 0}, {a.data, 4, 4}})};
  EXPECT_EQ(read_ints(parts), (std::vector<std::int64_t>{10, 11, 1}));
  EXPECT_EQ(joined({}, 3)->size(), 0U);
}

TEST(ComputedTest, OnlySmallOnesAreKept) {
  const Tensor small = counting({10, 10});
  EXPECT_TRUE(kept_if_small(hidden(small)).data->view());
  const Tensor large = hidden(counting({600, 600}));
  EXPECT_EQ(kept_if_small(large).data, large.data);
}

// All there are, and of what is rounded the neighbours and the ties.
TEST(ConvertElementsTest, HalvesOfManyAreHalvesOfEach) {
  std::vector<std::uint16_t> halves(0x10000);
  std::iota(halves.begin(), halves.end(), 0);
  std::vector<float> floats(halves.size());
  halves_to_floats(std::as_bytes(std::span(halves)).data(),
                   std::as_writable_bytes(std::span(floats)).data(), halves.size());
  std::vector<float> inputs = {65519.99F, 65520.0F, 1e30F, 0x1p-25F, 0x1.8p-24F, 0x1p-149F};
  for (std::size_t i = 0; i < floats.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(floats[i]);
    EXPECT_EQ(bits, std::bit_cast<std::uint32_t>(half_to_float(halves[i])));
    // Half way to the next, a bit less, a bit more, and some bits that are cut of a NaN.
    for (const std::uint32_t below : {0U, 0xfffU, 0x1000U, 0x1001U, 0x1fffU})
      inputs.push_back(std::bit_cast<float>(bits | below));
  }
  for (std::uint32_t i = 0; i < 0x10000; ++i)
    inputs.push_back(std::bit_cast<float>(i * 0x9e3779b1U));
  inputs.push_back(-0.0F);  // and so the last ones fill no register
  std::vector<std::uint16_t> rounded(inputs.size());
  floats_to_halves(std::as_bytes(std::span(inputs)).data(),
                   std::as_writable_bytes(std::span(rounded)).data(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ASSERT_EQ(rounded[i], float_to_half(inputs[i])) << std::bit_cast<std::uint32_t>(inputs[i]);
}

TEST(ConvertElementsTest, RoundsOnce) {
  // Rounded to double first, it would be half way between two floats and go to the even one.
  const std::int64_t number = (std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1;
  const Tensor tensor = cast(make_tensor<std::int64_t>({1}, {number}), DType::kFloat32);
  EXPECT_EQ(read_doubles(tensor)[0], 0x1p60 + 0x1p37);
}

TEST(ConvertElementsTest, EveryPairOfTypes) {
  for (std::int8_t i = 0; i < static_cast<std::int8_t>(DType::kUnknown); ++i) {
    for (std::int8_t k = 0; k < static_cast<std::int8_t>(DType::kUnknown); ++k) {
      std::vector<double> values(1001);
      for (std::size_t at = 0; at < values.size(); ++at) values[at] = at % 2 == 0 ? 1 : 0;
      const auto from = make_tensor_as(static_cast<DType>(i), {1001}, values);
      EXPECT_EQ(read_doubles(cast(from, static_cast<DType>(k))), values) << int{i} << int{k};
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto odd = make_tensor<float>({4}, {nan, 300.7F, -1.9F, 1e30F});
  EXPECT_EQ(read_ints(cast(odd, DType::kUint8)), (std::vector<std::int64_t>{0, 44, 255, 255}));
  EXPECT_EQ(read_ints(cast(odd, DType::kBool)), (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_TRUE(std::isnan(read_doubles(cast(odd, DType::kBfloat16))[0]));
}

}  // namespace
}  // namespace mx2onnx
