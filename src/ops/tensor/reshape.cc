// Operators that keep the elements and their order and change the shape alone, and those that give
// a shape as numbers.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/reshaping.h"

namespace mx2onnx {
namespace {

using onnx::Builder;

// The special values in the `shape` of Reshape.
constexpr std::int64_t kKeep = 0;
constexpr std::int64_t kInfer = -1;
constexpr std::int64_t kKeepRest = -2;
constexpr std::int64_t kMerge = -3;
constexpr std::int64_t kSplit = -4;
// Stands for any free size.
constexpr std::int64_t kSize = 1;

struct ReshapeParam {
  Tuple shape;
  bool reverse = false;
  std::optional<Tuple> target_shape = Tuple();
  bool keep_highest = false;

  static void declare(AttrDeclarer<ReshapeParam>& d) {
    d.field("shape", &ReshapeParam::shape)
        .at_least(kSplit)
        .help(
            "0 keeps a size, -1 is what is left, -2 keeps all the rest, -3 merges two, -4 splits "
            "one into the two that follow");
    d.field("reverse", &ReshapeParam::reverse)
        .help("match `shape` with the sizes from right to left");
    d.field("target_shape", &ReshapeParam::target_shape)
        .at_least(-1)
        .help("old spelling, without `shape`: one 0 is what is left");
    d.field("keep_highest", &ReshapeParam::keep_highest)
        .help("with `target_shape`: keep the first size");
  }
};

[[noreturn]] void fail_shape(const Tuple& shape, const Shape& from, std::string_view why,
                             const char* attribute = "shape") {
  const ErrorScope scope = ErrorScope::attribute(attribute);
  fail_reshape(attr_detail::text_of(shape), from, why);
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
    const Dim size = next_size();
    const std::int64_t left = code_at(i + 1);
    const std::int64_t right = code_at(i + 2);
    if (left < kInfer || right < kInfer || left == 0 || right == 0 || (left < 0 && right < 0)) {
      fail("-4 needs two sizes after it, at most one of them -1");
    }
    result_.push_back(left == kInfer ? floor_div(size, codes_[i + 2]) : codes_[i + 1]);
    result_.push_back(right == kInfer ? floor_div(size, codes_[i + 1]) : codes_[i + 2]);
    const Dim parts = result_[result_.size() - 2] * result_.back();
    if (parts.is_constant() && size.is_constant() && !(parts == size)) {
      fail(fmt::format("{} cannot be split so", size.value()));
    }
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

void infer_reshape(const ReshapeParam& p, InferContext& c) {
  c.unify_dtypes();
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

template <typename P>
void translate_reshape(const P& /*p*/, Translation& t) {
  to_output_shape(t);
}

// What inference knows of the shape that a model computes.
std::optional<std::vector<Dim>> known_shape(InferContext& c) {
  if (const Tensor* constant = c.input_constant(1)) {
    const auto numbers = read_doubles(*constant);
    std::vector<Dim> dims;
    for (const double number : numbers) {
      if (!(std::abs(number) < 0x1p53)) c.fail_input(1, "sizes");
      dims.emplace_back(static_cast<std::int64_t>(number));
    }
    return dims;
  }
  if (const auto* value = c.input_value(1)) return *value;
  return std::nullopt;
}

void infer_dynamic_reshape(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_shape(1, Shape::unknown_dims(1));
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (auto shape = known_shape(c)) {
    c.set_output_shape(0, Shape(ReshapeReader(std::move(*shape), false, from).result()));
    return expect_same_count(c);
  }
  const Dim& rank = c.input_shape(1)[0];
  if (!rank.is_constant()) return;
  std::vector<Dim> dims;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(rank.value(), 32); ++i) {
    dims.push_back(c.own_size(0, static_cast<std::size_t>(i)));
  }
  c.set_output_shape(0, Shape(std::move(dims)));
}

// What only the data knows is left to ONNX's Reshape, which has the same 0 and -1 and takes nothing
// else below 0.
void translate_dynamic_reshape(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Shape& to = t.output_shape(0);
  const auto is_own = [&](const Dim& dim) {
    return !dim.symbol_name().empty() && b.symbol_source(dim.symbol_name()) == nullptr;
  };
  if (std::none_of(to.dims().begin(), to.dims().end(), is_own)) return to_output_shape(t);
  const onnx::Value sizes = b.cast(t.input(1), DType::kInt64);
  const onnx::Value result = b.emit("Reshape", {t.input(0), sizes}, {}, t.output_type(0));
  for (std::size_t i = 0; i < to.rank(); ++i) {
    if (is_own(to[i])) b.define_symbol(to[i].symbol_name(), result, i);
  }
  t.set_output(0, result);
}

void infer_flatten(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  c.set_output_shape(0, Shape::unknown_dims(2));
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least one dimension");
  c.set_output_shape(0, {from[0], from.count(1, from.rank())});
  infer_from_count(c, from, c.output_shape(0).count());
}

void translate_flatten(const NoParam& /*p*/, Translation& t) {
  if (t.input_shape(0) == t.output_shape(0)) return t.set_output(0, t.input(0));
  t.set_output(0, t.b.emit("Flatten", {t.input(0)}, {{"axis", 1}}, t.output_type(0)));
}

struct ReshapeLikeParam {
  std::optional<std::int64_t> lhs_begin;
  std::optional<std::int64_t> lhs_end;
  std::optional<std::int64_t> rhs_begin;
  std::optional<std::int64_t> rhs_end;

  static void declare(AttrDeclarer<ReshapeLikeParam>& d) {
    d.field("lhs_begin", &ReshapeLikeParam::lhs_begin).help("first axis that is replaced");
    d.field("lhs_end", &ReshapeLikeParam::lhs_end).help("the axis after the last one");
    d.field("rhs_begin", &ReshapeLikeParam::rhs_begin).help("first axis that is taken");
    d.field("rhs_end", &ReshapeLikeParam::rhs_end).help("the axis after the last one");
  }
};

// [begin, end) counted from the start.
std::pair<std::size_t, std::size_t> axis_range(std::string_view side, std::size_t rank,
                                               const std::optional<std::int64_t>& begin,
                                               const std::optional<std::int64_t>& end) {
  const auto size = static_cast<std::int64_t>(rank);
  std::int64_t first = begin.value_or(0);
  std::int64_t last = end.value_or(size);
  if (first < 0) first += size;
  if (last < 0) last += size;
  if (first < 0 || first >= last || last > size) {
    fail(ErrorCode::kModel, fmt::format("{}_begin and {}_end: expected a range of axes within {}, "
                                        "found [{}, {})",
                                        side, side, size, first, last));
  }
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last)};
}

void infer_reshape_like(const ReshapeLikeParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape lhs = c.input_shape(0);
  const Shape rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  const auto [lhs_begin, lhs_end] = axis_range("lhs", lhs.rank(), p.lhs_begin, p.lhs_end);
  const auto [rhs_begin, rhs_end] = axis_range("rhs", rhs.rank(), p.rhs_begin, p.rhs_end);
  std::vector<Dim> to(lhs.dims().begin(),
                      lhs.dims().begin() + static_cast<std::ptrdiff_t>(lhs_begin));
  for (std::size_t i = rhs_begin; i < rhs_end; ++i) to.push_back(rhs[i]);
  for (std::size_t i = lhs_end; i < lhs.rank(); ++i) to.push_back(lhs[i]);
  c.set_output_shape(0, Shape(to));
  infer_from_count(c, lhs, c.output_shape(0).count());
  expect_same_count(c);
}

void infer_shape_array(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.set_output_shape(0, Shape::unknown_dims(1));
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  c.set_output_shape(0, {static_cast<std::int64_t>(from.rank())});
  if (from.known()) c.set_output_value(0, from.dims());
}

void infer_size_array(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.set_output_shape(0, {1});
  if (c.input_shape(0).known()) c.set_output_value(0, {c.input_shape(0).count()});
}

void translate_shape_array(const NoParam& /*p*/, Translation& t) {
  const auto& dims = t.input_shape(0).dims();
  t.set_output(0, dims.empty() ? t.b.ints({}) : onnx::sizes_tensor(t.b, dims));
}

void translate_size_array(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, onnx::size_tensor(t.b, t.input_shape(0).count()));
}

}  // namespace

void register_reshape(Registry& r) {
  r.add<ReshapeParam>({"Reshape", "reshape"})
      .summary("The same elements in another shape.")
      .infer(infer_reshape)
      .translate(translate_reshape<ReshapeParam>);
  r.add<NoParam>({"_contrib_dynamic_reshape"})
      .summary("The same elements in a shape that the model computes.")
      .inputs({{"data", InputRole::kData}, {"shape", InputRole::kData}})
      .infer(infer_dynamic_reshape)
      .translate(translate_dynamic_reshape)
      .note(
          "Of a shape that is known at run time only, the codes -2, -3 and -4 are an error of the "
          "runtime.");
  r.add<NoParam>({"Flatten", "flatten", "_npx_batch_flatten"})
      .summary("All axes but the first in one.")
      .infer(infer_flatten)
      .translate(translate_flatten);
  r.add<ReshapeLikeParam>({"reshape_like", "_npx_reshape_like"})
      .summary("The elements of `lhs`, with axes of `rhs` in place of some of its own.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_reshape_like)
      .translate(translate_reshape<ReshapeLikeParam>);
  r.add<NoParam>({"shape_array", "_npx_shape_array"})
      .summary("The shape, as int64.")
      .infer(infer_shape_array)
      .translate(translate_shape_array);
  r.add<NoParam>({"size_array"})
      .summary("The number of elements, as int64 of shape (1,).")
      .infer(infer_size_array)
      .translate(translate_size_array);
}

}  // namespace mx2onnx
