// Reshapes of NumPy's interface (src/operator/numpy/np_matrix_op.cc): _np_reshape, which has -1
// alone, and _npx_reshape with codes of its own.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "ops/expressions/common.h"
#include "ops/tensor/reshaping.h"

namespace mx2onnx {
namespace {

constexpr std::int64_t kInfer = -1;

struct NpReshapeParam {
  Tuple newshape;

  static void declare(AttrDeclarer<NpReshapeParam>& d) {
    d.field("newshape", &NpReshapeParam::newshape)
        .required()
        .at_least(kInfer)
        .help("-1 is what is left; 0 is a size");
    // MXNet looks at rows first whatever it says.
    d.ignore({"order"});
  }
};

[[noreturn]] void fail_newshape(const Tuple& shape, const Shape& from, std::string_view why) {
  const ErrorScope scope = ErrorScope::attribute("newshape");
  fail_reshape(attr_detail::text_of(shape), from, why);
}

// What -1 stands for beside the other sizes of `to`, where it is 1.
Dim what_is_left(const Tuple& shape, const Shape& from, const std::vector<Dim>& to) {
  const Dim others = Shape(to).count();
  if (others == Dim(0)) fail_newshape(shape, from, "-1 is not defined beside a size of 0");
  const Dim whole = from.count();
  if (whole.is_constant() && others.is_constant() && whole.value() % others.value() != 0) {
    fail_newshape(shape, from, fmt::format("{} elements", whole.value()));
  }
  return floor_div(whole, others);
}

void infer_np_reshape(const NpReshapeParam& p, InferContext& c) {
  c.unify_dtypes();
  std::vector<Dim> to(p.newshape.begin(), p.newshape.end());
  const auto inferred = std::find(p.newshape.begin(), p.newshape.end(), kInfer);
  const auto at = static_cast<std::size_t>(inferred - p.newshape.begin());
  const Shape from = c.input_shape(0);
  if (inferred != p.newshape.end()) {
    if (std::count(p.newshape.begin(), p.newshape.end(), kInfer) > 1) {
      fail_newshape(p.newshape, from, "only one -1 is allowed");
    }
    to[at] = 1;
    to[at] = from.known_rank() ? what_is_left(p.newshape, from, to) : Dim();
  }
  c.set_output_shape(0, Shape(std::move(to)));
  if (!from.known_rank()) return;
  infer_from_count(c, from, c.output_shape(0).count());
  expect_same_count(c);
  keep_value(c);
}

template <typename P>
void translate_reshape(const P& /*p*/, Translation& t) {
  to_output_shape(t);
}

struct NpxReshapeParam {
  Tuple newshape;
  bool reverse = false;

  static void declare(AttrDeclarer<NpxReshapeParam>& d) {
    d.field("newshape", &NpxReshapeParam::newshape)
        .required()
        .at_least(-6)
        .help(
            "-1 is what is left, -2 keeps a size, -3 drops a size of 1, -4 keeps all the rest, -5 "
            "merges two, -6 splits one into the two that follow; 0 is a size");
    d.field("reverse", &NpxReshapeParam::reverse)
        .help("match `newshape` with the sizes from right to left");
    d.ignore({"order"});
  }
};

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
    const Dim size = next_size();
    const std::int64_t left = codes_[i + 1];
    const std::int64_t right = codes_[i + 2];
    const bool is_pair = left >= kInfer && right >= kInfer && (left > 0 || right > 0);
    if (!is_pair || left == 0 || right == 0) {
      fail("-6 needs two sizes after it, at most one of them -1");
    }
    result_.push_back(left == kInfer ? floor_div(size, right) : Dim(left));
    result_.push_back(right == kInfer ? floor_div(size, left) : Dim(right));
    const Dim parts = result_[result_.size() - 2] * result_.back();
    if (parts.is_constant() && size.is_constant() && !(parts == size)) {
      fail(fmt::format("{} cannot be split so", size.value()));
    }
  }

  const Tuple& whole_;
  const Shape& from_;
  Tuple codes_;
  std::vector<Dim> sizes_;
  std::size_t next_ = 0;
  std::vector<Dim> result_;
  std::vector<std::size_t> ones_;
};

void infer_npx_reshape(const NpxReshapeParam& p, InferContext& c) {
  c.unify_dtypes();
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

}  // namespace

void register_np_reshape(Registry& r) {
  r.add<NpReshapeParam>({"_np_reshape"})
      .summary("The same elements in another shape.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_np_reshape)
      .translate(translate_reshape<NpReshapeParam>);
  r.add<NpxReshapeParam>({"_npx_reshape", "_npi_reshape"})
      .summary("The same elements in another shape, with codes for sizes that are kept or merged.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_npx_reshape)
      .translate(translate_reshape<NpxReshapeParam>);
}

}  // namespace mx2onnx
