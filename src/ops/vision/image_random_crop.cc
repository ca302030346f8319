// Parts of images at places that are drawn: _image_random_crop of MXNet 2.0
// (src/operator/image/crop-inl.h).
#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/random_draws.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct RandomCropParam {
  FloatTuple xrange{0, 1};
  FloatTuple yrange{0, 1};
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t interp = 1;

  static void declare(AttrDeclarer<RandomCropParam>& d) {
    d.field("xrange", &RandomCropParam::xrange)
        .sizes(2, 2)
        .at_least(0)
        .at_most(1)
        .help("where the left border is drawn, as a part of the places that there are");
    d.field("yrange", &RandomCropParam::yrange)
        .sizes(2, 2)
        .at_least(0)
        .at_most(1)
        .help("where the upper border is drawn");
    d.field("width", &RandomCropParam::width).required().at_least(1).help("of the part");
    d.field("height", &RandomCropParam::height).required().at_least(1).help("of the part");
    d.field("interp", &RandomCropParam::interp).help("of images that are smaller: refused");
  }
};

std::vector<AttrProblem> check_random_crop(const RandomCropParam& p, const CheckContext& /*c*/) {
  std::vector<AttrProblem> problems;
  for (const auto& [name, range] : {std::pair("xrange", p.xrange), std::pair("yrange", p.yrange)}) {
    if (range[0] > range[1]) problems.push_back({name, "expected the least number first", ""});
  }
  return problems;
}

void infer_random_crop(const RandomCropParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& image = c.input_shape(0);
  if (!image.known_rank()) return;
  const std::size_t rank = image.rank();
  if (rank != 3 && rank != 4) c.fail_input(0, "an image or a batch of images");
  Shape result = image;
  result[rank - 3] = p.height;
  result[rank - 2] = p.width;
  c.set_output_shape(0, result);
}

// `count` elements along an axis, from a place that is drawn.
Value drawn_part(Builder& b, Value x, std::size_t axis, std::int64_t count,
                 const FloatTuple& range) {
  const Dim& size = b.shape(x)[axis];
  if (size == Dim(count)) return x;
  const auto real = [&](double value) {
    return b.scalar(DType::kFloat32, static_cast<float>(value));
  };
  const Value part =
      Draws(b, Shape(std::vector<Dim>{}), DType::kFloat32).uniform(real(range[0]), real(range[1]));
  const Value places = real(static_cast<double>(size.value() - count));
  const Value start = b.cast(b.mul(part, places), DType::kInt64);
  return b.gather(x, b.add(counting(b, count), start), static_cast<std::int64_t>(axis));
}

void translate_random_crop(const RandomCropParam& p, Translation& t) {
  const std::size_t rank = t.input_rank(0);
  const std::array<Dim, 2> sizes{t.input_shape(0)[rank - 3], t.input_shape(0)[rank - 2]};
  if (!sizes[0].is_constant() || !sizes[1].is_constant()) {
    return t.refuse("the size of the images has to be known", "give the sizes of the input");
  }
  if (sizes[0].value() < p.height || sizes[1].value() < p.width) {
    return t.refuse(fmt::format("images of {}x{} are smaller than the part that is taken",
                                sizes[0].value(), sizes[1].value()));
  }
  warn_of_draws(t);
  const Value rows = drawn_part(t.b, t.input(0), rank - 3, p.height, p.yrange);
  t.set_output(0, drawn_part(t.b, rows, rank - 2, p.width, p.xrange));
}

}  // namespace

void register_image_random_crop(Registry& r) {
  r.add<RandomCropParam>({"_image_random_crop", "_npx__image_random_crop"})
      .summary("A part of an image, at a place that is drawn.")
      .infer(infer_random_crop)
      .check(check_random_crop)
      .translate(translate_random_crop)
      .note(std::string(kSeedNote))
      .note("Images that are smaller than the part, which MXNet resizes, are refused.");
}

}  // namespace mx2onnx
