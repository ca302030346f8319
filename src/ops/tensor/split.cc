// Operators that cut an array into parts along one axis.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/numbered.h"

namespace mx2onnx {
namespace {

// The most outputs of one node; more are taken to be a damaged file.
constexpr std::int64_t kMostOutputs = 1 << 16;

std::vector<std::string> numbered_outputs(std::size_t count) {
  return numbered("output", static_cast<std::int64_t>(count));
}

Shape without_axis(const Shape& shape, std::size_t axis) {
  std::vector<Dim> dims = shape.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  return Shape(dims);
}

// Cuts the input into the sizes along the axis.
void translate_parts(Translation& t, std::size_t axis, const std::vector<Dim>& sizes,
                     bool squeeze_axis) {
  const auto at = static_cast<std::int64_t>(axis);
  const auto parts =
      sizes.size() == 1 ? std::vector{t.input(0)} : onnx::split(t.b, t.input(0), at, sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    t.set_output(i, squeeze_axis ? onnx::squeeze(t.b, parts[i], {at}) : parts[i]);
  }
}

struct SliceChannelParam {
  std::int64_t num_outputs = 1;
  std::int64_t axis = 1;
  bool squeeze_axis = false;

  static void declare(AttrDeclarer<SliceChannelParam>& d) {
    d.field("num_outputs", &SliceChannelParam::num_outputs)
        .required()
        .at_least(1)
        .at_most(kMostOutputs)
        .help("number of parts, of one size each");
    d.field("axis", &SliceChannelParam::axis).help("the axis that is cut");
    d.field("squeeze_axis", &SliceChannelParam::squeeze_axis)
        .help("drop the axis; its size must be the number of parts");
  }
  std::size_t count() const { return static_cast<std::size_t>(num_outputs); }
};

// From an output back to the input.
void infer_whole(const SliceChannelParam& p, InferContext& c, std::size_t axis) {
  for (std::size_t i = 0; i < p.count(); ++i) {
    const Shape part = c.output_shape(i);
    if (!part.known_rank()) continue;
    std::vector<Dim> whole = part.dims();
    if (p.squeeze_axis) {
      whole.insert(whole.begin() + static_cast<std::ptrdiff_t>(axis), Dim(p.num_outputs));
    } else {
      // A size that is known need not be shown to be a multiple.
      const bool is_known = c.input_shape(0)[axis].known();
      whole[axis] = is_known ? Dim() : whole[axis] * p.num_outputs;
    }
    c.set_input_shape(0, Shape(whole));
  }
}

void infer_slice_channel(const SliceChannelParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape from = c.input_shape(0);
  if (!from.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, from.rank());
  if (from[axis].is_constant() && from[axis].value() % p.num_outputs != 0) {
    c.fail_input(0, fmt::format("a multiple of num_outputs={} along axis {}", p.num_outputs, axis));
  }
  if (p.squeeze_axis) {
    Shape cut = Shape::unknown_dims(from.rank());
    cut[axis] = p.num_outputs;
    c.set_input_shape(0, cut);
  }
  Shape part = c.input_shape(0);
  part[axis] = floor_div(part[axis], p.num_outputs);
  if (p.squeeze_axis) part = without_axis(part, axis);
  for (std::size_t i = 0; i < p.count(); ++i) c.set_output_shape(i, part);
  infer_whole(p, c, axis);
  const auto* value = c.input_value(0);
  if (value == nullptr || from.rank() != 1) return;
  const std::size_t size = value->size() / p.count();
  for (std::size_t i = 0; i < p.count(); ++i) {
    const auto first = value->begin() + static_cast<std::ptrdiff_t>(i * size);
    c.set_output_value(i, {first, first + static_cast<std::ptrdiff_t>(size)});
  }
}

void translate_slice_channel(const SliceChannelParam& p, Translation& t) {
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  const std::vector<Dim> sizes(p.count(), floor_div(t.input_shape(0)[axis], p.num_outputs));
  translate_parts(t, axis, sizes, p.squeeze_axis);
}

struct SplitParam {
  Tuple indices;
  std::int64_t axis = 1;
  bool squeeze_axis = false;
  std::int64_t sections = 0;

  static void declare(AttrDeclarer<SplitParam>& d) {
    d.field("indices", &SplitParam::indices)
        .required()
        .sizes(0, kMostOutputs)
        .at_least(0)
        .help("where each part begins; the first is 0");
    d.field("axis", &SplitParam::axis).help("the axis that is cut");
    d.field("squeeze_axis", &SplitParam::squeeze_axis)
        .help("drop the axis; each part has one element");
    d.field("sections", &SplitParam::sections)
        .at_least(0)
        .at_most(kMostOutputs)
        .help("number of parts, instead of indices");
  }
  std::size_t count() const {
    return sections > 0 ? static_cast<std::size_t>(sections) : indices.size();
  }
};

std::vector<AttrProblem> check_split(const SplitParam& p, const CheckContext& /*context*/) {
  if (p.sections > 0) return {};
  if (!p.indices.empty() && p.indices[0] == 0 &&
      std::is_sorted(p.indices.begin(), p.indices.end())) {
    return {};
  }
  return {{"indices",
           fmt::format("expected rising numbers from 0, got {}", attr_detail::text_of(p.indices)),
           ""}};
}

using SectionSize = Dim (*)(const SplitParam& p, std::int64_t section, const Dim& size);

// The first ones are larger by one if need be.
Dim even_section(const SplitParam& p, std::int64_t section, const Dim& size) {
  return floor_div(size + (p.sections - 1 - section), p.sections);
}

// The last one has what is left over.
Dim section_or_rest(const SplitParam& p, std::int64_t section, const Dim& size) {
  const Dim each = floor_div(size, p.sections);
  return section + 1 < p.sections ? each : size - each * (p.sections - 1);
}

std::vector<Dim> part_sizes(const SplitParam& p, const Dim& size, SectionSize section_size) {
  std::vector<Dim> sizes;
  for (std::size_t i = 0; i < p.count(); ++i) {
    if (size == Dim(0)) {
      sizes.emplace_back(0);  // wherever the parts begin
    } else if (p.sections > 0) {
      sizes.push_back(section_size(p, static_cast<std::int64_t>(i), size));
    } else {
      sizes.push_back((i + 1 < p.count() ? Dim(p.indices[i + 1]) : size) - p.indices[i]);
    }
  }
  return sizes;
}

// The axis that an array is cut along.
using CutAxis = std::size_t (*)(const SplitParam& p, const Shape& shape);

std::size_t given_axis(const SplitParam& p, const Shape& shape) {
  return checked_axis(p.axis, shape.rank());
}

void infer_split(const SplitParam& p, InferContext& c, SectionSize section_size, CutAxis cut_axis) {
  c.unify_dtypes();
  const Shape from = c.input_shape(0);
  if (!from.known_rank()) return;
  const std::size_t axis = cut_axis(p, from);
  if (p.squeeze_axis) {
    Shape cut = Shape::unknown_dims(from.rank());
    cut[axis] = static_cast<std::int64_t>(p.count());
    c.set_input_shape(0, cut);
  }
  // What the parts know besides their own size is true of the whole.
  for (std::size_t i = 0; i < c.num_outputs(); ++i) {
    auto whole = c.output_shape(i).dims();
    if (!c.output_shape(i).known_rank()) continue;
    if (p.squeeze_axis) whole.insert(whole.begin() + static_cast<std::ptrdiff_t>(axis), Dim());
    if (whole.size() != from.rank()) continue;  // refused below
    whole[axis] = Dim();
    c.set_input_shape(0, Shape(std::move(whole)));
  }
  const auto sizes = part_sizes(p, c.input_shape(0)[axis], section_size);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i].is_constant() && sizes[i].value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}", p.indices[i], axis));
    }
    Shape part = c.input_shape(0);
    part[axis] = sizes[i];
    if (p.squeeze_axis && sizes[i].is_constant() && sizes[i].value() != 1) {
      c.fail_input(0, "parts of one element, as squeeze_axis wants");
    }
    c.set_output_shape(i, p.squeeze_axis ? without_axis(part, axis) : part);
  }
}

void translate_split(const SplitParam& p, Translation& t, SectionSize section_size,
                     CutAxis cut_axis) {
  const std::size_t axis = cut_axis(p, t.input_shape(0));
  translate_parts(t, axis, part_sizes(p, t.input_shape(0)[axis], section_size), p.squeeze_axis);
}

void cut_by(OpDeclarer<SplitParam>& op, SectionSize section_size, CutAxis cut_axis = given_axis) {
  op.infer(
      [=](const SplitParam& p, InferContext& c) { infer_split(p, c, section_size, cut_axis); });
  op.translate(
      [=](const SplitParam& p, Translation& t) { translate_split(p, t, section_size, cut_axis); });
}

void declare_split(OpDeclarer<SplitParam>& op) {
  op.outputs_by([](const SplitParam& p, std::size_t) {
    // Unlike that of SliceChannel, a single output has no number.
    return p.count() == 1 ? std::vector<std::string>{"output"} : numbered_outputs(p.count());
  });
  op.check(check_split);
}

std::size_t columns_axis(const SplitParam& /*p*/, const Shape& shape) {
  checked_axis(0, shape.rank());
  return shape.rank() > 1 ? 1 : 0;
}

std::size_t depth_axis(const SplitParam& /*p*/, const Shape& shape) {
  return checked_axis(2, shape.rank());
}

// MXNet gives the parts the shape of axis 2 and cuts along `axis`.
std::vector<AttrProblem> check_depth_split(const SplitParam& p, const CheckContext& context) {
  auto problems = check_split(p, context);
  if (p.axis != 2) problems.push_back({"axis", fmt::format("expected 2, got {}", p.axis), ""});
  return problems;
}

}  // namespace

void register_split(Registry& r) {
  r.add<SliceChannelParam>({"SliceChannel", "split", "_npx_slice_channel"})
      .summary("Parts of one size along an axis.")
      .outputs_by(
          [](const SliceChannelParam& p, std::size_t) { return numbered_outputs(p.count()); })
      .infer(infer_slice_channel)
      .translate(translate_slice_channel);
  auto split = r.add<SplitParam>({"_split_v2", "_npi_split", "_npi_array_split"});
  declare_split(split);
  cut_by(split, even_section);
  split
      .summary(
          "Parts along an axis, from given indices on, or sections of which the first ones are "
          "larger by one if need be.")
      .variant(OriginRange::until(1, 6), "the last section has what is left over",
               [](OpDeclarer<SplitParam>& variant) { cut_by(variant, section_or_rest); });
  auto columns = r.add<SplitParam>({"_npi_hsplit"});
  declare_split(columns);
  cut_by(columns, even_section, columns_axis);
  columns.summary("Parts along axis 1, or of a vector; as _split_v2.");
  auto depth = r.add<SplitParam>({"_npi_dsplit"});
  declare_split(depth);
  cut_by(depth, even_section, depth_axis);
  depth.summary("Parts along axis 2; as _split_v2.").check(check_depth_split);
}

}  // namespace mx2onnx
