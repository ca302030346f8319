// _npi_pad: an array with a margin along every axis, in NumPy's modes
// (src/operator/numpy/np_pad_op-inl.h).
//
// A margin that repeats elements is a lookup along its axis, one axis after the other.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

enum class PadMode { kConstant, kEdge, kReflect, kSymmetric, kMaximum, kMinimum };

struct NpPadParam {
  std::string pad_width;
  PadMode mode = PadMode::kConstant;
  double constant_value = 0;
  double constant_values = 0;

  static void declare(AttrDeclarer<NpPadParam>& d) {
    d.field("pad_width", &NpPadParam::pad_width)
        .required()
        .help("((before, after), …) of each axis; ((before,), (after,)) of a vector");
    d.one_of("mode", &NpPadParam::mode,
             {"constant", "edge", "reflect", "symmetric", "maximum", "minimum"})
        .help("what is added");
    d.field("constant_value", &NpPadParam::constant_value).help("what the mode constant adds");
    d.field("constant_values", &NpPadParam::constant_values)
        .help("the name that constant_value has in files of MXNet 2");
    // MXNet looks at it nowhere.
    d.ignore({"reflect_type"});
  }
  double value() const { return constant_values != 0 ? constant_values : constant_value; }
};

// "((1, 2), (3, 4))", "[[1,2],[3,4]]"; nothing if it is no tuple of tuples.
std::optional<std::vector<Tuple>> parse_widths(std::string_view text) {
  std::string flat;
  for (const char c : text) {
    if (c != ' ') flat.push_back(c == '[' ? '(' : c == ']' ? ')' : c);
  }
  if (flat.size() < 2 || flat.front() != '(' || flat.back() != ')') return std::nullopt;
  std::vector<Tuple> widths;
  std::size_t at = 1;
  while (at + 1 < flat.size()) {
    const std::size_t end = flat.find(')', at);
    if (flat[at] != '(' || end == std::string::npos || end + 1 >= flat.size()) return std::nullopt;
    Tuple pair;
    const std::string part = flat.substr(at, end + 1 - at);
    if (part.find('(', 1) != std::string::npos || !parse_attr(part, pair)) return std::nullopt;
    for (const auto width : pair) {
      if (width < INT32_MIN || width > INT32_MAX) return std::nullopt;
    }
    widths.push_back(std::move(pair));
    at = end + 1;
    if (at + 1 < flat.size() && flat[at] != ',') return std::nullopt;
    if (flat[at] == ',') ++at;
  }
  return widths;
}

// Before and after each axis.
using Widths = std::vector<std::pair<std::int64_t, std::int64_t>>;

// MXNet takes those of a vector from two tuples of one number, and reads the first two numbers of
// the tuple of each axis else. Nothing if it reads what is not there.
std::optional<Widths> widths_of(const NpPadParam& p, std::size_t rank) {
  const auto given = parse_widths(p.pad_width);
  if (!given || given->size() < std::max<std::size_t>(rank, 2) || rank == 0) return std::nullopt;
  Widths widths;
  if (rank == 1) {
    if ((*given)[0].empty() || (*given)[1].empty()) return std::nullopt;
    widths.emplace_back((*given)[0][0], (*given)[1][0]);
    return widths;
  }
  for (std::size_t i = 0; i < rank; ++i) {
    if ((*given)[i].size() < 2) return std::nullopt;
    widths.emplace_back((*given)[i][0], (*given)[i][1]);
  }
  return widths;
}

std::vector<AttrProblem> check_np_pad(const NpPadParam& p, const CheckContext& /*context*/) {
  const auto widths = parse_widths(p.pad_width);
  if (!widths) {
    return {{"pad_width",
             fmt::format("expected a tuple of tuples of integers, got {}", p.pad_width), ""}};
  }
  for (const auto& pair : *widths) {
    const bool cuts = std::any_of(pair.begin(), pair.end(), [](auto width) { return width < 0; });
    if (cuts && p.mode != PadMode::kConstant) {
      return {{"pad_width",
               fmt::format("expected numbers of at least 0 for this mode, got {}", p.pad_width),
               ""}};
    }
  }
  return {};
}

void infer_np_pad(const NpPadParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  Shape to = c.input_shape(0);
  const auto widths = widths_of(p, to.rank());
  if (!widths) {
    c.fail_input(0, fmt::format("as many dimensions as pad_width has pairs, {}", p.pad_width));
  }
  for (std::size_t i = 0; i < to.rank(); ++i) {
    const auto [before, after] = (*widths)[i];
    if (p.mode != PadMode::kConstant && before + after > 0 && to[i] == Dim(0)) {
      c.fail_input(0, fmt::format("elements along axis {}, to repeat", i));
    }
    to[i] = to[i] + before + after;
    if (to[i].is_constant() && to[i].value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}", -(before + after), i));
    }
  }
  c.set_output_shape(0, to);
}

// What a constant becomes in the element type.
std::optional<double> stored_constant(double value, DType dtype) {
  if (dtype == DType::kBool) return value != 0 ? 1 : 0;
  if (!has_defined_value(value, dtype)) return std::nullopt;
  return is_integer(dtype) ? std::trunc(value) : value;
}

// ONNX's Pad, also of booleans, which old opsets do not take.
Value onnx_pad(Builder& b, Value x, const onnx::Ints& before, const onnx::Ints& after,
               std::string_view mode, double value = 0) {
  const DType dtype = b.dtype(x);
  const DType compute = b.takes("Pad", dtype) ? dtype : DType::kInt32;
  return b.cast(onnx::pad(b, b.cast(x, compute), before, after, mode, value), dtype);
}

void pad_with_constant(Translation& t, const Widths& widths, double value) {
  onnx::Ints before;
  onnx::Ints after;
  std::vector<onnx::SliceRange> cuts;
  Shape cut = t.input_shape(0);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto [first, last] = widths[i];
    before.push_back(std::max<std::int64_t>(first, 0));
    after.push_back(std::max<std::int64_t>(last, 0));
    if (first >= 0 && last >= 0) continue;
    cut[i] = cut[i] + std::min<std::int64_t>(first, 0) + std::min<std::int64_t>(last, 0);
    cuts.push_back({static_cast<std::int64_t>(i), std::max<std::int64_t>(-first, 0),
                    last < 0 ? Dim(last) : Dim(onnx::kSliceEnd), 1});
  }
  const Value x = cuts.empty() ? t.input(0) : onnx::slice(t.b, t.input(0), cuts, cut);
  t.set_output(0, onnx_pad(t.b, x, before, after, "constant", value));
}

// Where the elements of an axis with its margin come from, 0 to size - 1: the places run back and
// forth, over all elements (symmetric) or over all but the ends (reflect).
Value mirrored_places(Builder& b, const Dim& size, const Dim& padded, std::int64_t before,
                      bool with_ends) {
  const Value one = b.int_scalar(1);
  const Value last = onnx::size_tensor(b, size - 1);
  const Value way = with_ends ? onnx::size_tensor(b, size)
                              : b.binary("Max", last, one);  // a single element stays where it is
  const Value period = b.mul(way, b.int_scalar(2));
  const Value place =
      b.binary("Mod", b.sub(counting(b, padded), b.int_scalar(before)), period);  // not below 0
  const Value back = b.sub(with_ends ? b.sub(period, one) : period, place);
  return b.binary("Min", b.binary("Min", place, back), last);
}

Value padded_axis(Builder& b, Value x, std::size_t axis, PadMode mode, std::int64_t before,
                  std::int64_t after) {
  const auto at = static_cast<std::int64_t>(axis);
  const Dim size = b.shape(x)[axis];
  const Dim padded = size + before + after;
  if (mode == PadMode::kMaximum || mode == PadMode::kMinimum) {
    const char* const reduction = mode == PadMode::kMaximum ? "ReduceMax" : "ReduceMin";
    const DType dtype = b.dtype(x);
    const DType compute = dtype == DType::kBool ? DType::kInt32 : dtype;
    const Value extreme = b.cast(onnx::reduce(b, reduction, b.cast(x, compute), {at}, true), dtype);
    const auto margin = [&](std::int64_t width) {
      Shape shape = b.shape(x);
      shape[axis] = width;
      return onnx::expand(b, extreme, shape);
    };
    std::vector<Value> parts;
    if (before > 0) parts.push_back(margin(before));
    parts.push_back(x);
    if (after > 0) parts.push_back(margin(after));
    return b.concat(parts, at);
  }
  const Value zero = b.int_scalar(0);
  Value places;
  if (mode == PadMode::kEdge) {
    const Value place = b.sub(counting(b, padded), b.int_scalar(before));
    places = b.binary("Min", b.binary("Max", place, zero), onnx::size_tensor(b, size - 1));
  } else {
    places = mirrored_places(b, size, padded, before, mode == PadMode::kSymmetric);
  }
  return b.gather(x, places, at);
}

// ONNX's Pad reflects less than the axis has.
bool is_onnx_mode(const NpPadParam& p, const Widths& widths, const Shape& shape) {
  if (p.mode == PadMode::kEdge) return shape.is_static() && !shape.is_empty();
  if (p.mode != PadMode::kReflect) return false;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::int64_t most = std::max(widths[i].first, widths[i].second);
    if (!shape[i].is_constant() || most >= shape[i].value()) return false;
  }
  return true;
}

void translate_np_pad(const NpPadParam& p, Translation& t) {
  Builder& b = t.b;
  const auto widths = widths_of(p, t.input_rank(0)).value();
  const DType dtype = t.input_type(0).dtype;
  if (p.mode == PadMode::kConstant) {
    const auto value = stored_constant(p.value(), dtype);
    if (!value) {
      return t.refuse(
          fmt::format("the value {} is not a number of {}", p.value(), dtype_name(dtype)));
    }
    return pad_with_constant(t, widths, *value);
  }
  if (is_onnx_mode(p, widths, t.input_shape(0))) {
    onnx::Ints before;
    onnx::Ints after;
    for (const auto& [first, last] : widths) {
      before.push_back(first);
      after.push_back(last);
    }
    const char* const mode = p.mode == PadMode::kEdge ? "edge" : "reflect";
    return t.set_output(0, onnx_pad(b, t.input(0), before, after, mode));
  }
  Value x = t.input(0);
  for (std::size_t i = widths.size(); i-- > 0;) {
    const auto [before, after] = widths[i];
    if (before + after > 0) x = padded_axis(b, x, i, p.mode, before, after);
  }
  t.set_output(0, x);
}

}  // namespace

void register_np_pad(Registry& r) {
  r.add<NpPadParam>({"_npi_pad"})
      .summary("An array with a margin along its axes.")
      .infer(infer_np_pad)
      .translate(translate_np_pad)
      .check(check_np_pad);
}

}  // namespace mx2onnx
