#include "ops/vision/roi_loop.h"

#include <array>
#include <functional>
#include <limits>
#include <numbers>

#include "base/budget.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// 0, 1, … below a number that is known at run time only.
Value count_to(Builder& b, Value end) {
  return b.emit("Range", {b.int_scalar(0), end, b.int_scalar(1)}, {},
                {DType::kInt64, Shape{Dim()}});
}

// Computes with one region. Numbers are scalars; arrays of points have the axes (rows of bins, rows
// of a bin, columns of bins, columns of a bin).
class Region {
 public:
  Region(Translation& t, const RoiGrid& grid, Value region, Value pixels)
      : b_(t.b), grid_(grid), dtype_(t.input_type(0).dtype), region_(region), pixels_(pixels) {
    const Shape& data = t.input_shape(0);
    images_ = size(data[0]);
    size_ = {size(data[2]), size(data[3])};
    image_ = b_.cast(element(0), DType::kInt64);
    missing_ = b_.binary("Or", b_.binary("Less", image_, b_.int_scalar(0)),
                         b_.unary("Not", b_.binary("Less", image_, images_)));
    image_ = b_.where(missing_, b_.int_scalar(0), image_);
  }

  Value average() {
    std::array<Value, 2> places;
    std::array<Value, 2> counts;
    for (const std::size_t axis : {0U, 1U}) {
      const auto [start, length] = extent(axis);
      const Value bin = b_.div(length, number(static_cast<double>(grid_.pooled_size[axis])));
      Value points = b_.int_scalar(grid_.sample_ratio);
      if (grid_.sample_ratio <= 0) points = b_.cast(b_.unary("Ceil", bin), DType::kInt64);
      counts[axis] = b_.cast(points, dtype_);
      const Value inner = b_.add(b_.cast(count_to(b_, points), dtype_), number(0.5));
      const Value in_bin = b_.div(b_.mul(inner, bin), counts[axis]);
      const Value bins = b_.add(start, b_.mul(bin_numbers(axis, 0), bin));
      places[axis] = b_.add(bins, along(axis, in_bin));
    }
    if (grid_.rotated) places = turned(places);
    std::array<Around, 2> around = {around_of(places[0], 0), around_of(places[1], 1)};
    const Value outside = b_.binary("Or", around[0].outside, around[1].outside);
    Value sum;
    for (const std::size_t y : {0U, 1U}) {
      for (const std::size_t x : {0U, 1U}) {
        const Value weight = b_.mul(around[0].weights.at(y), around[1].weights.at(x));
        const Value part = b_.mul(onnx::unsqueeze(b_, weight, {4}),
                                  gathered(around[0].pixels.at(y), around[1].pixels.at(x)));
        sum = sum.present() ? b_.add(sum, part) : part;
      }
    }
    sum = b_.where(onnx::unsqueeze(b_, outside, {4}), number(0), sum);
    sum = onnx::reduce(b_, "ReduceSum", sum, {1, 3}, false);
    return result(b_.div(sum, b_.mul(counts[0], counts[1])));
  }

  Value maximum() {
    std::array<Value, 2> pixels;
    std::array<Value, 2> inside;
    for (const std::size_t axis : {0U, 1U}) {
      const auto first = static_cast<std::int64_t>(2 - axis);
      const Value start = round_away(b_, scaled(first));
      const Value length = b_.binary(
          "Max", b_.add(b_.sub(round_away(b_, scaled(first + 2)), start), number(1)), number(1));
      const Value bin = b_.div(length, number(static_cast<double>(grid_.pooled_size[axis])));
      const auto end = [&](std::int64_t from, std::string_view round) {
        const Value place = b_.add(b_.unary(round, b_.mul(bin_numbers(axis, from), bin)), start);
        const Value pixel = b_.cast(place, DType::kInt64);
        return b_.binary("Min", b_.binary("Max", pixel, b_.int_scalar(0)), size_.at(axis));
      };
      const Value low = end(0, "Floor");
      const Value high = end(1, "Ceil");
      const Value longest = onnx::reduce(b_, "ReduceMax", b_.sub(high, low), {0, 1, 2, 3}, false);
      const Value most = b_.binary("Max", longest, b_.int_scalar(1));
      const Value pixel = b_.add(low, along(axis, count_to(b_, most)));
      inside.at(axis) = b_.binary("Less", pixel, high);
      pixels.at(axis) = b_.binary("Min", pixel, b_.sub(size_.at(axis), b_.int_scalar(1)));
    }
    const Value values = gathered(pixels[0], pixels[1]);
    Value counts = onnx::unsqueeze(b_, b_.binary("And", inside[0], inside[1]), {4});
    const Value full = onnx::reduce(b_, "ReduceMax", b_.cast(counts, DType::kInt32), {1, 3}, false);
    // NaN is never the larger one.
    counts = b_.binary("And", counts, b_.unary("Not", b_.unary("IsNaN", values)));
    const Value lowest = number(std::numeric_limits<float>::lowest());
    const Value best =
        onnx::reduce(b_, "ReduceMax", b_.where(counts, values, lowest), {1, 3}, false);
    return result(b_.where(b_.cast(full, DType::kBool), b_.binary("Max", best, lowest), number(0)));
  }

 private:
  struct Around {
    Value outside;
    std::array<Value, 2> pixels;
    std::array<Value, 2> weights;
  };

  Value number(double value) { return b_.scalar(dtype_, value); }

  Value size(const Dim& dim) {
    if (dim.is_constant()) return b_.int_scalar(dim.value());
    return onnx::reshape(b_, onnx::size_tensor(b_, dim), Shape(std::vector<Dim>{}));
  }

  Value element(std::int64_t i) { return b_.gather(region_, b_.int_scalar(i), 0); }
  Value scaled(std::int64_t i) {
    return b_.mul(element(i), number(static_cast<float>(grid_.spatial_scale)));
  }

  // Where the region starts along an axis, and its length. A rotated one starts half its length
  // before its center.
  std::pair<Value, Value> extent(std::size_t axis) {
    const auto first = static_cast<std::int64_t>(2 - axis);
    if (grid_.rotated) {
      const Value length = b_.binary("Max", scaled(first + 2), number(1));
      return {b_.mul(length, number(-0.5)), length};
    }
    Value start = scaled(first);
    Value end = scaled(first + 2);
    if (grid_.aligned) {
      start = b_.sub(start, number(0.5));
      end = b_.sub(end, number(0.5));
      return {start, b_.sub(end, start)};
    }
    return {start, b_.binary("Max", b_.sub(end, start), number(1))};
  }

  // The numbers of the bins along an axis, from `from` on.
  Value bin_numbers(std::size_t axis, std::int64_t from) {
    spend_elements(grid_.pooled_size[axis]);
    std::vector<double> numbers;
    for (std::int64_t i = 0; i < grid_.pooled_size[axis]; ++i)
      numbers.push_back(static_cast<double>(from + i));
    const auto count = grid_.pooled_size[axis];
    return b_.constant(make_tensor_as(dtype_,
                                      axis == 0 ? std::vector<std::int64_t>{count, 1, 1, 1}
                                                : std::vector<std::int64_t>{1, 1, count, 1},
                                      numbers));
  }

  // A vector along the axis of a bin's rows or columns.
  Value along(std::size_t axis, Value vector) {
    return axis == 0 ? onnx::unsqueeze(b_, vector, {0, 2, 3})
                     : onnx::unsqueeze(b_, vector, {0, 1, 2});
  }

  std::array<Value, 2> turned(const std::array<Value, 2>& places) {
    // MXNet turns degrees to radians in double.
    const Value degrees = b_.cast(element(5), DType::kFloat64);
    const Value pi = b_.scalar(DType::kFloat64, std::numbers::pi);
    const Value angle =
        b_.cast(b_.div(b_.mul(degrees, pi), b_.scalar(DType::kFloat64, 180)), dtype_);
    const Value cosine = b_.unary("Cos", angle);
    const Value sine = b_.unary("Sin", angle);
    const Value x = b_.add(b_.mul(places[1], cosine), b_.mul(places[0], sine));
    const Value y = b_.sub(b_.mul(places[0], cosine), b_.mul(places[1], sine));
    return {b_.add(y, scaled(2)), b_.add(x, scaled(1))};
  }

  Around around_of(Value place, std::size_t axis) {
    const Value size = b_.cast(size_.at(axis), dtype_);
    const Value outside =
        b_.binary("Or", b_.binary("Less", place, number(-1)), b_.binary("Greater", place, size));
    const Value last = b_.sub(size, number(1));
    const Value held = b_.binary("Min", b_.binary("Max", place, number(0)), last);
    const Value low = b_.unary("Floor", held);
    const Value rest = b_.sub(held, low);
    const Value high = b_.binary("Min", b_.add(low, number(1)), last);
    return {outside,
            {b_.cast(low, DType::kInt64), b_.cast(high, DType::kInt64)},
            {b_.sub(number(1), rest), rest}};
  }

  // The pixels' channels, along one axis more.
  Value gathered(Value row, Value column) {
    const Value first_row = b_.mul(image_, size_[0]);
    return b_.gather(pixels_, b_.add(b_.mul(b_.add(row, first_row), size_[1]), column), 0);
  }

  // Channels first; 0 for a region without an image.
  Value result(Value bins) { return b_.transpose(b_.where(missing_, number(0), bins), {2, 0, 1}); }

  Builder& b_;
  const RoiGrid& grid_;
  DType dtype_;
  Value region_;
  Value pixels_;
  Value images_;
  std::array<Value, 2> size_;
  Value image_;
  Value missing_;
};

Value each_region(Translation& t, const RoiGrid& grid,
                  const std::function<Value(Region&)>& pooled) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const Value pixels = onnx::reshape(b, b.transpose(t.input(0), {0, 2, 3, 1}),
                                     Shape{data[0] * data[2] * data[3], data[1]});
  const Shape scalar(std::vector<Dim>{});
  const Dim& count = t.input_shape(1)[0];
  const Value turns = onnx::reshape(b, onnx::size_tensor(b, count), scalar);
  BodyScope scope(b);
  const Value turn = scope.add_input("region", {DType::kInt64, scalar});
  const Value go_on = scope.add_input("go_on", {DType::kBool, scalar});
  Region region(t, grid, b.gather(t.input(1), turn, 0), pixels);
  const auto body = scope.finish({go_on, pooled(region)});
  return b.emit(
      "Loop", {turns, b.scalar(DType::kBool, 1)}, {{"body", body}},
      {t.input_type(0).dtype, Shape{count, data[1], grid.pooled_size[0], grid.pooled_size[1]}});
}

}  // namespace

Value round_away(Builder& b, Value x) {
  const Value length = b.unary("Abs", x);
  const Value whole = b.unary("Floor", length);
  const Value half = b.scalar(b.dtype(x), 0.5);
  const Value up = b.cast(b.binary("GreaterOrEqual", b.sub(length, whole), half), b.dtype(x));
  return b.mul(b.unary("Sign", x), b.add(whole, up));
}

Value average_points(Translation& t, const RoiGrid& grid) {
  return each_region(t, grid, [](Region& region) { return region.average(); });
}

Value maximum_pixels(Translation& t, const RoiGrid& grid) {
  return each_region(t, grid, [](Region& region) { return region.maximum(); });
}

}  // namespace mx2onnx
