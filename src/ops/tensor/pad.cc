// Pad: images with a margin (src/operator/pad-inl.h).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "onnx/opset.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct PadParam {
  enum class Mode { kConstant, kEdge, kReflect };
  Mode mode = Mode::kConstant;
  Tuple pad_width;
  double constant_value = 0;

  static void declare(AttrDeclarer<PadParam>& d) {
    d.one_of("mode", &PadParam::mode, {"constant", "edge", "reflect"})
        .required()
        .help("what is added");
    d.field("pad_width", &PadParam::pad_width)
        .required()
        .help("before and after each axis; nothing on the first two axes; below 0 cuts off");
    d.field("constant_value", &PadParam::constant_value).help("what the mode constant adds");
  }
  std::int64_t before(std::size_t axis) const { return pad_width[2 * axis]; }
  std::int64_t after(std::size_t axis) const { return pad_width[2 * axis + 1]; }
};

std::vector<AttrProblem> check_pad(const PadParam& p, const CheckContext& /*context*/) {
  const bool is_image = p.pad_width.size() == 8 || p.pad_width.size() == 10;
  if (is_image && std::all_of(p.pad_width.begin(), p.pad_width.begin() + 4,
                              [](auto width) { return width == 0; })) {
    return {};
  }
  return {{"pad_width",
           fmt::format("expected 8 or 10 elements, the first four 0, got {}",
                       attr_detail::text_of(p.pad_width)),
           ""}};
}

void infer_pad(const PadParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(p.pad_width.size() / 2));
  Shape to = c.input_shape(0);
  for (std::size_t i = 0; i < to.rank(); ++i) {
    const std::int64_t most = std::max(p.before(i), p.after(i));
    if (p.mode == PadParam::Mode::kReflect && most > 0 && to[i].is_constant() &&
        to[i].value() <= most) {
      c.fail_input(0, fmt::format("more than {} along axis {}, to reflect that many", most, i));
    }
    to[i] = to[i] + p.before(i) + p.after(i);
    if (to[i].is_constant() && to[i].value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}", -(p.before(i) + p.after(i)), i));
    }
  }
  c.set_output_shape(0, to);
}

void translate_pad(const PadParam& p, Translation& t) {
  constexpr std::array<std::string_view, 3> kModes = {"constant", "edge", "reflect"};
  onnx::Ints before;
  onnx::Ints after;
  std::vector<onnx::SliceRange> cuts;
  for (std::size_t i = 0; i < t.input_rank(0); ++i) {
    before.push_back(std::max<std::int64_t>(p.before(i), 0));
    after.push_back(std::max<std::int64_t>(p.after(i), 0));
    if (p.before(i) >= 0 && p.after(i) >= 0) continue;
    // Cut off after the padding, which in MXNet mirrors the whole array.
    cuts.push_back({static_cast<std::int64_t>(i), std::max<std::int64_t>(-p.before(i), 0),
                    p.after(i) < 0 ? Dim(p.after(i)) : Dim(onnx::kSliceEnd), 1});
  }
  const Value padded = onnx::pad(t.b, t.input(0), before, after,
                                 kModes[static_cast<std::size_t>(p.mode)], p.constant_value);
  t.set_output(0, cuts.empty() ? padded : onnx::slice(t.b, padded, cuts, t.output_shape(0)));
}

}  // namespace

void register_pad(Registry& r) {
  r.add<PadParam>({"Pad", "pad", "_npx_pad"})
      .summary("Images with a margin.")
      .infer(infer_pad)
      .translate(translate_pad)
      .check(check_pad);
}

}  // namespace mx2onnx
