// Splitting an array along an axis: SliceChannel, known as split
// (src/operator/slice_channel.cc), and split_v2 (src/operator/tensor/matrix_op.cc).
#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// More outputs than any model has; a file that asks for more is broken.
constexpr std::int64_t kMostOutputs = 65536;

// Parts of the given sizes along an axis, without it if `squeeze`.
void emit_split(Translation& t, std::size_t axis, const std::vector<Dim>& sizes, bool squeeze) {
  Builder& b = t.b;
  const auto at = static_cast<std::int64_t>(axis);
  std::vector<Value> parts{t.input(0)};
  if (sizes.size() > 1) parts = onnx::split(b, t.input(0), at, sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!t.output_used(i)) continue;
    t.set_output(i, squeeze ? onnx::squeeze(b, parts[i], {at}) : parts[i]);
  }
}

Shape without_axis(const Shape& shape, std::size_t axis) {
  auto dims = shape.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  return Shape(std::move(dims));
}

Shape with_axis(const Shape& shape, std::size_t axis, const Dim& size) {
  auto dims = shape.dims();
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), size);
  return Shape(std::move(dims));
}

// What the outputs say of the input, apart from the axis itself.
void infer_split_input(InferContext& c, std::size_t axis, bool squeeze) {
  for (std::size_t i = 0; i < c.num_outputs(); ++i) {
    if (!c.output_shape(i).known_rank()) continue;
    Shape shape = squeeze ? with_axis(c.output_shape(i), axis, Dim()) : c.output_shape(i);
    if (axis < shape.rank()) shape[axis] = Dim();
    c.set_input_shape(0, shape);
  }
}

void set_split_outputs(InferContext& c, std::size_t axis, const std::vector<Dim>& sizes,
                       bool squeeze) {
  Shape part = c.input_shape(0);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    part[axis] = sizes[i];
    c.set_output_shape(i, squeeze ? without_axis(part, axis) : part);
  }
  const auto* values = c.input_value(0);
  if (values == nullptr || part.rank() != 1 || !Shape(sizes).is_static()) return;
  auto at = values->begin();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto next = at + sizes[i].value();
    c.set_output_value(i, std::vector<Dim>(at, next));
    at = next;
  }
}

std::vector<std::string> split_outputs(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("output{}", i));
  return names;
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
        .help("equal parts");
    d.field("axis", &SliceChannelParam::axis).help("that is split");
    d.field("squeeze_axis", &SliceChannelParam::squeeze_axis)
        .help("the axis, whose parts then have size 1, is left out");
  }
};

void infer_slice_channel(const SliceChannelParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, c.input_shape(0).rank());
  infer_split_input(c, axis, p.squeeze_axis);
  Shape whole = Shape::unknown_dims(c.input_shape(0).rank());
  if (p.squeeze_axis) {
    whole[axis] = p.num_outputs;
  } else if (!c.input_shape(0)[axis].known() && c.output_shape(0).known_rank()) {
    whole[axis] = c.output_shape(0)[axis] * p.num_outputs;
  }
  c.set_input_shape(0, whole);
  const Dim size = c.input_shape(0)[axis];
  if (size.is_constant() && size.value() % p.num_outputs != 0) {
    c.fail_input(0, fmt::format("a multiple of {} along axis {}", p.num_outputs, axis));
  }
  const Dim part = p.squeeze_axis ? Dim(1) : floor_div(size, p.num_outputs);
  set_split_outputs(c, axis, std::vector<Dim>(static_cast<std::size_t>(p.num_outputs), part),
                    p.squeeze_axis);
}

void translate_slice_channel(const SliceChannelParam& p, Translation& t) {
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  const Dim part = p.squeeze_axis ? Dim(1) : floor_div(t.input_shape(0)[axis], p.num_outputs);
  emit_split(t, axis, std::vector<Dim>(static_cast<std::size_t>(p.num_outputs), part),
             p.squeeze_axis);
}

struct SplitParam {
  Tuple indices;
  std::int64_t axis = 1;
  bool squeeze_axis = false;
  std::int64_t sections = 0;

  static void declare(AttrDeclarer<SplitParam>& d) {
    d.field("indices", &SplitParam::indices)
        .required()
        .sizes(0, static_cast<std::size_t>(kMostOutputs))
        .at_least(0)
        .help("where each part begins; the first one is 0");
    d.field("axis", &SplitParam::axis).help("that is split");
    d.field("squeeze_axis", &SplitParam::squeeze_axis)
        .help("the axis, whose parts then have size 1, is left out");
    d.field("sections", &SplitParam::sections)
        .at_most(kMostOutputs)
        .help(
            "parts of equal size, the first ones one longer where it is not a multiple; above 0, "
            "indices is ignored");
  }

  std::int64_t num_outputs() const {
    return sections > 0 ? sections : static_cast<std::int64_t>(indices.size());
  }
};

std::vector<Dim> section_sizes(const SplitParam& p, const Dim& size) {
  std::vector<Dim> sizes;
  for (std::int64_t i = 0; i < p.num_outputs(); ++i) {
    if (p.sections > 0) {
      sizes.push_back(floor_div(size + (p.sections - 1 - i), p.sections));
      continue;
    }
    const auto at = static_cast<std::size_t>(i);
    if (size.is_constant() && size.value() == 0) {
      sizes.emplace_back(0);
    } else if (i + 1 < p.num_outputs()) {
      sizes.emplace_back(p.indices[at + 1] - p.indices[at]);
    } else {
      sizes.push_back(size - p.indices[at]);
    }
  }
  return sizes;
}

void infer_split(const SplitParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, c.input_shape(0).rank());
  infer_split_input(c, axis, p.squeeze_axis);
  if (p.squeeze_axis) {
    Shape whole = Shape::unknown_dims(c.input_shape(0).rank());
    whole[axis] = p.num_outputs();
    c.set_input_shape(0, whole);
  }
  const Dim size = c.input_shape(0)[axis];
  if (!size.known()) return;
  const auto sizes = section_sizes(p, size);
  for (const Dim& part : sizes) {
    if (part.is_constant() && part.value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}", p.indices.back(), axis));
    }
    if (p.squeeze_axis && part.is_constant() && part.value() != 1) {
      c.fail_input(0, fmt::format("parts of size 1 along axis {} for squeeze_axis", axis));
    }
  }
  set_split_outputs(c, axis, sizes, p.squeeze_axis);
}

void translate_split(const SplitParam& p, Translation& t) {
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  emit_split(t, axis, section_sizes(p, t.input_shape(0)[axis]), p.squeeze_axis);
}

std::vector<AttrProblem> check_split(const SplitParam& p, const CheckContext& /*context*/) {
  if (p.sections > 0) return {};
  const bool is_partition =
      !p.indices.empty() && p.indices[0] == 0 && std::is_sorted(p.indices.begin(), p.indices.end());
  if (is_partition) return {};
  return {{"indices", "expected rising indices of which the first is 0", ""}};
}

}  // namespace

void register_split(Registry& r) {
  r.add<SliceChannelParam>({"SliceChannel", "split"})
      .summary("Equal parts of an array along an axis.")
      .outputs_by(
          [](const SliceChannelParam& p, std::size_t) { return split_outputs(p.num_outputs); })
      .infer(infer_slice_channel)
      .translate(translate_slice_channel);
  r.add<SplitParam>({"_split_v2", "_npi_split"})
      .summary("Parts of an array along an axis, by their number or by where they begin.")
      .outputs_by([](const SplitParam& p, std::size_t) {
        // NNVM's default names.
        return p.num_outputs() == 1 ? std::vector<std::string>{"output"}
                                    : split_outputs(p.num_outputs());
      })
      .infer(infer_split)
      .translate(translate_split)
      .check(check_split);
}

}  // namespace mx2onnx
