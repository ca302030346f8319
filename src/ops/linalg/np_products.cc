// Products of NumPy's interface: dot, matmul and tensordot (src/operator/numpy/np_dot-inl.h,
// np_matmul_op-inl.h, np_tensordot_op-inl.h).
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/linalg/contraction.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// What an operator sums over, for operands of the given numbers of dimensions, none of them 0.
template <typename P>
using AxesOf = ContractedAxes (*)(const P& p, std::size_t left_rank, std::size_t right_rank);

// With a number the product is element by element.
template <typename P, AxesOf<P> kAxes>
void infer_product(const P& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& lhs = c.input_shape(0);
  const Shape& rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  if (lhs.rank() == 0 || rhs.rank() == 0) {
    const std::size_t array = lhs.rank() == 0 ? 1 : 0;
    c.set_input_shape(array, c.output_shape(0));
    return c.set_output_shape(0, c.input_shape(array));
  }
  infer_contraction(c, kAxes(p, lhs.rank(), rhs.rank()));
}

template <typename P, AxesOf<P> kAxes>
void translate_product(const P& p, Translation& t) {
  if (!expect_floating(t)) return;
  if (t.input_rank(0) == 0 || t.input_rank(1) == 0) {
    return t.set_output(0, t.b.mul(t.input(0), t.input(1)));
  }
  const ContractedAxes axes = kAxes(p, t.input_rank(0), t.input_rank(1));
  t.set_output(0, contract(t.b, t.input(0), t.input(1), axes, t.output_shape(0)));
}

// The last axis with the last but one.
ContractedAxes dot_axes(const NoParam& /*p*/, std::size_t left_rank, std::size_t right_rank) {
  return {{left_rank - 1}, {right_rank == 1 ? 0 : right_rank - 2}};
}

struct TensordotParam {
  Tuple a_axes_summed;
  Tuple b_axes_summed;

  static void declare(AttrDeclarer<TensordotParam>& d) {
    d.field("a_axes_summed", &TensordotParam::a_axes_summed)
        .required()
        .help("axes of a that are summed over");
    d.field("b_axes_summed", &TensordotParam::b_axes_summed)
        .required()
        .help("as many axes of b, of the same sizes");
  }
};

std::vector<std::size_t> summed_axes(const Tuple& axes, std::size_t rank, const char* attribute) {
  std::vector<std::size_t> result;
  for (const auto axis : axes) result.push_back(checked_axis(axis, rank, attribute));
  if (std::set(result.begin(), result.end()).size() != result.size()) {
    fail(ErrorCode::kModel, fmt::format("attribute '{}': names an axis twice", attribute));
  }
  return result;
}

ContractedAxes tensordot_axes(const TensordotParam& p, std::size_t left_rank,
                              std::size_t right_rank) {
  if (p.a_axes_summed.size() != p.b_axes_summed.size()) {
    fail(ErrorCode::kModel, fmt::format("attribute 'b_axes_summed': expected {} axes, got {}",
                                        p.a_axes_summed.size(), p.b_axes_summed.size()));
  }
  return {summed_axes(p.a_axes_summed, left_rank, "a_axes_summed"),
          summed_axes(p.b_axes_summed, right_rank, "b_axes_summed")};
}

struct TensordotIntParam {
  std::int64_t axes = 0;

  static void declare(AttrDeclarer<TensordotIntParam>& d) {
    d.field("axes", &TensordotIntParam::axes)
        .required()
        .at_least(0)
        .help("how many of a's last and of b's first axes are summed over");
  }
};

ContractedAxes tensordot_int_axes(const TensordotIntParam& p, std::size_t left_rank,
                                  std::size_t right_rank) {
  const auto count = static_cast<std::size_t>(p.axes);
  if (count > std::min(left_rank, right_rank)) {
    fail(ErrorCode::kModel, fmt::format("attribute 'axes': expected at most {}, got {}",
                                        std::min(left_rank, right_rank), p.axes));
  }
  ContractedAxes axes{std::vector<std::size_t>(count), std::vector<std::size_t>(count)};
  std::iota(axes.left.begin(), axes.left.end(), left_rank - count);
  std::iota(axes.right.begin(), axes.right.end(), std::size_t{0});
  return axes;
}

// Of the axes before the matrices; a size of 1 fits any other.
Shape common_batch(InferContext& c, std::size_t left_count, std::size_t right_count) {
  const std::size_t count = std::max(left_count, right_count);
  std::vector<Dim> dims(count);
  for (std::size_t back = 1; back <= count; ++back) {
    const auto size = [&](std::size_t input, std::size_t of) {
      return back <= of ? c.input_shape(input)[of - back] : Dim(1);
    };
    const auto fix = [&](std::size_t input, std::size_t of, const Dim& to) {
      Shape shape = Shape::unknown_dims(c.input_shape(input).rank());
      shape[of - back] = to;
      c.set_input_shape(input, shape);
    };
    const Dim left = size(0, left_count);
    const Dim right = size(1, right_count);
    Dim& result = dims[count - back];
    if (left == Dim(1) || right == Dim(1)) {
      result = left == Dim(1) ? right : left;
      continue;
    }
    if (!left.known() || !right.known()) continue;
    fix(0, left_count, right);
    fix(1, right_count, left);
    result = c.input_shape(0)[left_count - back];
  }
  return Shape(std::move(dims));
}

void infer_matmul(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const std::size_t left_rank = c.input_shape(0).rank();
  const std::size_t right_rank = c.input_shape(1).rank();
  for (std::size_t i = 0; i < 2; ++i) {
    if (!c.input_shape(i).known_rank()) return;
    if (c.input_shape(i).rank() == 0) c.fail_input(i, "1 dimension or more");
  }
  const std::size_t left_inner = left_rank - 1;
  const std::size_t right_inner = right_rank == 1 ? 0 : right_rank - 2;
  Shape left = Shape::unknown_dims(left_rank);
  Shape right = Shape::unknown_dims(right_rank);
  left[left_inner] = c.input_shape(1)[right_inner];
  right[right_inner] = c.input_shape(0)[left_inner];
  c.set_input_shape(0, left);
  c.set_input_shape(1, right);
  auto dims = common_batch(c, std::max<std::size_t>(left_rank, 2) - 2,
                           std::max<std::size_t>(right_rank, 2) - 2)
                  .dims();
  if (left_rank > 1) dims.push_back(c.input_shape(0)[left_rank - 2]);
  if (right_rank > 1) dims.push_back(c.input_shape(1)[right_rank - 1]);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// Vectors become rows and columns, as for dot.
void translate_matmul(const NoParam& /*p*/, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  if (t.input_rank(1) <= 2) {
    const ContractedAxes axes = dot_axes({}, t.input_rank(0), t.input_rank(1));
    return t.set_output(0, contract(b, t.input(0), t.input(1), axes, t.output_shape(0)));
  }
  if (t.input_rank(0) == 1) {
    auto dims = t.output_shape(0).dims();
    dims.insert(dims.end() - 1, Dim(1));
    const Value row = onnx::unsqueeze(b, t.input(0), {0});
    const Value product =
        b.emit("MatMul", {row, t.input(1)}, {}, {t.output_type(0).dtype, Shape(std::move(dims))});
    return t.set_output(0, onnx::squeeze(b, product, {-2}));
  }
  t.set_output(0, b.emit("MatMul", {t.input(0), t.input(1)}, {}, t.output_type(0)));
}

}  // namespace

void register_np_products(Registry& r) {
  const std::vector<InputDef> two{{"a", InputRole::kData}, {"b", InputRole::kData}};
  r.add<NoParam>({"_np_dot", "_npi_dot"})
      .summary("NumPy's dot: sums over the last axis of a and the last but one of b.")
      .inputs(two)
      .infer(infer_product<NoParam, dot_axes>)
      .translate(translate_product<NoParam, dot_axes>);
  r.add<NoParam>({"_npi_matmul"})
      .summary("Matrix products, with NumPy's broadcasting.")
      .inputs(two)
      .outputs({"out"})
      .infer(infer_matmul)
      .translate(translate_matmul);
  r.add<TensordotParam>({"_npi_tensordot"})
      .summary("Sums over given axes of two arrays.")
      .inputs(two)
      .infer(infer_product<TensordotParam, tensordot_axes>)
      .translate(translate_product<TensordotParam, tensordot_axes>);
  r.add<TensordotIntParam>({"_npi_tensordot_int_axes"})
      .summary("Sums over a number of a's last and b's first axes.")
      .inputs(two)
      .infer(infer_product<TensordotIntParam, tensordot_int_axes>)
      .translate(translate_product<TensordotIntParam, tensordot_int_axes>);
}

}  // namespace mx2onnx
