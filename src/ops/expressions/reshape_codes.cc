#include "ops/expressions/reshape_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "ops/expressions/common.h"
#include "ops/expressions/reshaping.h"

namespace mx2onnx {
namespace {

// The special values in the `shape` of Reshape.
constexpr std::int64_t kKeep = 0;
constexpr std::int64_t kInfer = -1;
constexpr std::int64_t kKeepRest = -2;
constexpr std::int64_t kMerge = -3;
constexpr std::int64_t kSplit = -4;
// Stands for any free size.
constexpr std::int64_t kSize = 1;

[[noreturn]] void fail_shape(const Tuple& shape, const Shape& from, std::string_view why,
                             const char* attribute = "shape") {
  const ErrorScope scope = ErrorScope::attribute(attribute);
  fail_reshape(attr_detail::text_of(shape), from, why);
}

// The two sizes that a size is split into, of which the codes may leave one to be computed. `fail`
// is called with what is wrong with them; `code` is the one that asks for it.
template <typename Fail>
std::array<Dim, 2> split_size(const Dim& size, const Dim& left, const Dim& right,
                              std::string_view code, const Fail& fail) {
  const auto is = [](const Dim& dim, std::int64_t number) { return dim == Dim(number); };
  const auto is_wrong = [&](const Dim& dim) {
    return dim.is_constant() && (dim.value() < kInfer || dim.value() == 0);
  };
  if (is_wrong(left) || is_wrong(right) || (is(left, kInfer) && is(right, kInfer)))
    fail(fmt::format("{} needs two sizes after it, at most one of them -1", code));
  const std::array<Dim, 2> parts = {is(left, kInfer) ? floor_div(size, right) : left,
                                    is(right, kInfer) ? floor_div(size, left) : right};
  const Dim whole = parts[0] * parts[1];
  if (whole.is_constant() && size.is_constant() && !(whole == size))
    fail(fmt::format("{} cannot be split so", size.value()));
  return parts;
}

// MXNet's InferReshapeShape (tensor/matrix_op-inl.h), word for word over Dims, with its quirks: a
// -1 or a number passes over one size of the input, too; and with `reverse` the codes themselves
// are read from the right, so that the operands of -4 stand before it. A code that is not a number
// is a free size.
class ReshapeReader {
 public:
  ReshapeReader(std::vector<Dim> shape, bool reverse, const Shape& from)
      : whole_(Shape(shape).to_string()),
        from_(from),
        codes_(std::move(shape)),
        sizes_(from.dims()) {
    if (reverse) {
      std::reverse(codes_.begin(), codes_.end());
      std::reverse(sizes_.begin(), sizes_.end());
    }
    run();
    if (reverse) std::reverse(result_.begin(), result_.end());
  }
  const std::vector<Dim>& result() const { return result_; }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    const ErrorScope scope = ErrorScope::attribute("shape");
    fail_reshape(whole_, from_, why);
  }

  std::int64_t code_at(std::size_t i) const {
    return codes_[i].is_constant() ? codes_[i].value() : kSize;
  }

  Dim next_size() {
    if (next_ >= sizes_.size()) fail("it takes more sizes than there are");
    return sizes_[next_++];
  }

  // Sizes are multiplied only where they are known; unknown ones are so in the result.
  void run() {
    std::optional<std::size_t> inferred;
    for (std::size_t i = 0; i < codes_.size(); ++i) {
      switch (code_at(i)) {
        case kKeep:
          result_.push_back(next_size());
          break;
        case kInfer:
          if (inferred) fail("only one -1 is allowed");
          inferred = result_.size();
          result_.emplace_back(1);
          ++next_;
          break;
        case kKeepRest:
          while (next_ < sizes_.size()) result_.push_back(sizes_[next_++]);
          break;
        case kMerge: {
          const Dim first = next_size();
          result_.push_back(first * next_size());
          break;
        }
        case kSplit:
          split(i);
          i += 2;
          break;
        default:
          result_.push_back(codes_[i]);
          ++next_;
      }
    }
    if (inferred) result_[*inferred] = what_is_left();
  }

  void split(std::size_t i) {
    if (i + 2 >= codes_.size()) fail("-4 needs two sizes after it");
    const auto parts = split_size(next_size(), codes_[i + 1], codes_[i + 2], "-4",
                                  [this](std::string_view why) { fail(why); });
    result_.insert(result_.end(), parts.begin(), parts.end());
  }

  Dim what_is_left() const {
    const Dim others = Shape(result_).count();
    if (others.is_constant() && others.value() == 0) {
      fail("-1 is not defined beside a size of 0");
    }
    return floor_div(from_.count(), others);
  }

  std::string whole_;
  const Shape& from_;
  std::vector<Dim> codes_;
  std::vector<Dim> sizes_;
  std::size_t next_ = 0;
  std::vector<Dim> result_;
};

// The old spelling.
Shape target_shape(const ReshapeParam& p, const Shape& from) {
  const Tuple asked = p.target_shape.value_or(Tuple());
  const auto fail_here = [&](std::string_view why) {
    fail_shape(asked, from, why, "target_shape");
  };
  std::vector<Dim> result(asked.begin(), asked.end());
  const std::size_t first = p.keep_highest ? 1 : 0;
  if (p.keep_highest) {
    if (from.rank() == 0) fail_here("keep_highest needs a first size");
    result[0] = from[0];
  }
  std::vector<std::size_t> open;
  for (std::size_t i = first; i < result.size(); ++i) {
    if (asked[i] < 0) fail_here("a size is negative");
    if (asked[i] == 0) open.push_back(i);
  }
  // More than one stay what they are.
  if (open.size() != 1) return Shape(result);
  result[open[0]] = 1;
  const Dim others = Shape(result).count();
  if (others == Dim(0)) fail_here("0 is not defined beside a size of 0");
  result[open[0]] = floor_div(from.count(), others);
  return Shape(result);
}

}  // namespace

Shape reshaped(std::vector<Dim> codes, const Shape& from) {
  return Shape(ReshapeReader(std::move(codes), false, from).result());
}

void infer_reshaped(const ReshapeParam& p, InferContext& c) {
  const Shape from = c.input_shape(0);
  if (!from.known_rank()) return;
  Shape to;
  if (!p.shape.empty()) {
    to = Shape(ReshapeReader({p.shape.begin(), p.shape.end()}, p.reverse, from).result());
  } else if (p.target_shape && !p.target_shape->empty()) {
    to = target_shape(p, from);
  } else if (c.np_shape() ||
             (from.is_static() && from.count() == Dim(1) && !c.output_shape(0).known_rank())) {
    // MXNet's result has no dimensions.
    to = Shape(std::vector<Dim>{});
  } else {
    // Without either the result is what its users make of it.
    to = c.output_shape(0);
    if (!to.known_rank()) return;
  }
  c.set_output_shape(0, to);
  infer_from_count(c, from, c.output_shape(0).count());
  expect_same_count(c);
  keep_value(c);
}

void fail_newshape(const Tuple& shape, const Shape& from, std::string_view why) {
  const ErrorScope scope = ErrorScope::attribute("newshape");
  fail_reshape(attr_detail::text_of(shape), from, why);
}

Dim what_is_left(const Tuple& shape, const Shape& from, const std::vector<Dim>& to) {
  const Dim others = Shape(to).count();
  if (others == Dim(0)) fail_newshape(shape, from, "-1 is not defined beside a size of 0");
  const Dim whole = from.count();
  if (whole.is_constant() && others.is_constant() && whole.value() % others.value() != 0) {
    fail_newshape(shape, from, fmt::format("{} elements", whole.value()));
  }
  return floor_div(whole, others);
}

namespace {

// MXNet's NumpyXReshapeInferShape over Dims: a -1 or a size passes over one size of the input, too,
// and with `reverse` the codes are read from the right, so that the operands of -6 stand before it.
class NpxReshapeReader {
 public:
  NpxReshapeReader(const NpxReshapeParam& p, const Shape& from)
      : whole_(p.newshape), from_(from), codes_(p.newshape), sizes_(from.dims()) {
    if (p.reverse) {
      std::reverse(codes_.begin(), codes_.end());
      std::reverse(sizes_.begin(), sizes_.end());
    }
    run();
    if (p.reverse) {
      std::reverse(result_.begin(), result_.end());
      for (auto& axis : ones_) axis = sizes_.size() - 1 - axis;
    }
  }
  const std::vector<Dim>& result() const { return result_; }
  /// Axes of the input that have to be 1.
  const std::vector<std::size_t>& ones() const { return ones_; }

 private:
  [[noreturn]] void fail(std::string_view why) const { fail_newshape(whole_, from_, why); }

  Dim next_size() {
    if (next_ >= sizes_.size()) fail("it takes more sizes than there are");
    return sizes_[next_++];
  }

  void run() {
    std::optional<std::size_t> inferred;
    for (std::size_t i = 0; i < codes_.size(); ++i) {
      switch (codes_[i]) {
        case kInfer:
          if (inferred) fail("only one -1 is allowed");
          inferred = result_.size();
          result_.emplace_back(1);
          ++next_;
          break;
        case -2:
          result_.push_back(next_size());
          break;
        case -3: {
          const Dim size = next_size();
          if (size.is_constant() && size.value() != 1) fail("-3 drops sizes of 1 only");
          ones_.push_back(next_ - 1);
          break;
        }
        case -4:
          while (next_ < sizes_.size()) result_.push_back(sizes_[next_++]);
          break;
        case -5: {
          const Dim first = next_size();
          result_.push_back(first * next_size());
          break;
        }
        case -6:
          split(i);
          i += 2;
          break;
        default:
          result_.emplace_back(codes_[i]);
          ++next_;
      }
    }
    if (inferred) result_[*inferred] = what_is_left(whole_, from_, result_);
  }

  void split(std::size_t i) {
    if (i + 2 >= codes_.size()) fail("-6 needs two sizes after it");
    const auto parts = split_size(next_size(), codes_[i + 1], codes_[i + 2], "-6",
                                  [this](std::string_view why) { fail(why); });
    result_.insert(result_.end(), parts.begin(), parts.end());
  }

  const Tuple& whole_;
  const Shape& from_;
  Tuple codes_;
  std::vector<Dim> sizes_;
  std::size_t next_ = 0;
  std::vector<Dim> result_;
  std::vector<std::size_t> ones_;
};

}  // namespace

void infer_reshaped(const NpxReshapeParam& p, InferContext& c) {
  const Shape from = c.input_shape(0);
  if (!from.known_rank()) return;
  const NpxReshapeReader reader(p, from);
  Shape ones = Shape::unknown_dims(from.rank());
  for (const std::size_t axis : reader.ones()) ones[axis] = 1;
  c.set_input_shape(0, ones);
  c.set_output_shape(0, Shape(reader.result()));
  infer_from_count(c, from, c.output_shape(0).count());
  expect_same_count(c);
  keep_value(c);
}

}  // namespace mx2onnx
