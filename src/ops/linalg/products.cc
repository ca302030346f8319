// Products, triangles and diagonals of batches of matrices (src/operator/tensor/la_op.cc). What
// needs a loop is in linalg_factors.cc.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <type_traits>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct Gemm2Param {
  bool transpose_a = false;
  bool transpose_b = false;
  double alpha = 1;
  std::int64_t axis = -2;

  static void declare(AttrDeclarer<Gemm2Param>& d) { declare_common(d); }
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("transpose_a", &P::transpose_a).help("take A's transpose");
    d.field("transpose_b", &P::transpose_b).help("take B's transpose");
    d.field("alpha", &P::alpha).help("factor of the product");
    d.field("axis", &P::axis).help("of the rows; the columns are the last axis");
  }
};

struct GemmParam : Gemm2Param {
  double beta = 1;

  static void declare(AttrDeclarer<GemmParam>& d) {
    declare_common(d);
    d.field("beta", &GemmParam::beta).help("factor of C");
  }
};

void infer_gemm(const Gemm2Param& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank() || !c.input_shape(1).known_rank()) return;
  const std::size_t rank = c.input_shape(0).rank();
  if (rank < 2) c.fail_input(0, "matrices");
  if (c.input_shape(1).rank() != rank) c.fail_input(1, fmt::format("{} dimensions", rank));
  const std::size_t rows = checked_axis(p.axis, rank);
  if (rows + 1 == rank) fail(ErrorCode::kModel, "attribute 'axis': is that of the columns");
  const std::size_t left_inner = p.transpose_a ? rows : rank - 1;
  const std::size_t right_inner = p.transpose_b ? rank - 1 : rows;
  Shape left = c.input_shape(1);
  left[rows] = left[rank - 1] = Dim();
  left[left_inner] = c.input_shape(1)[right_inner];
  c.set_input_shape(0, left);
  Shape right = c.input_shape(0);
  right[rows] = right[rank - 1] = Dim();
  right[right_inner] = c.input_shape(0)[left_inner];
  c.set_input_shape(1, right);
  Shape result = c.input_shape(0);
  result[rows] = c.input_shape(0)[p.transpose_a ? rank - 1 : rows];
  result[rank - 1] = c.input_shape(1)[p.transpose_b ? rows : rank - 1];
  c.set_output_shape(0, result);
  if (c.num_inputs() > 2) c.set_input_shape(2, c.output_shape(0));
}

Value scaled(Builder& b, Value x, double factor) {
  return factor == 1 ? x : b.mul(x, b.scalar(b.dtype(x), factor));
}

Value matrix_product(Builder& b, Value left, Value right) {
  TensorType type = b.type(left);
  type.shape[type.shape.rank() - 1] = b.shape(right)[type.shape.rank() - 1];
  return b.emit("MatMul", {left, right}, {}, std::move(type));
}

Value scaled_product(const Gemm2Param& p, Translation& t) {
  Builder& b = t.b;
  const std::size_t rank = t.input_rank(0);
  const auto perm = move_perm(rank, checked_axis(p.axis, rank), rank - 2);
  const auto operand = [&](std::size_t i, bool transpose) {
    const Value x = b.transpose(t.input(i), perm);
    return transpose ? transposed(b, x) : x;
  };
  const Value product = matrix_product(b, operand(0, p.transpose_a), operand(1, p.transpose_b));
  const auto back = move_perm(rank, rank - 2, checked_axis(p.axis, rank));
  return b.transpose(scaled(b, product, p.alpha), back);
}

// A factor of 0 keeps BLAS from looking at the operand at all.
void set_zero(Translation& t) {
  t.set_output(0, onnx::fill(t.b, t.output_type(0).dtype, 0, t.output_shape(0)));
}

void translate_gemm2(const Gemm2Param& p, Translation& t) {
  if (!expect_real(t)) return;
  if (p.alpha == 0) return set_zero(t);
  t.set_output(0, scaled_product(p, t));
}

void translate_gemm(const GemmParam& p, Translation& t) {
  if (p.beta == 0) return translate_gemm2(p, t);
  if (!expect_real(t)) return;
  const Value c = scaled(t.b, t.input(2), p.beta);
  t.set_output(0, p.alpha == 0 ? c : t.b.add(scaled_product(p, t), c));
}

void translate_trmm(const TriangleParam& p, Translation& t) {
  if (!expect_real(t)) return;
  if (p.alpha == 0) return set_zero(t);
  Builder& b = t.b;
  Value a = triangle(b, t.input(0), p.lower);
  if (p.transpose) a = transposed(b, a);
  const Value product =
      p.rightside ? matrix_product(b, t.input(1), a) : matrix_product(b, a, t.input(1));
  t.set_output(0, scaled(b, product, p.alpha));
}

struct SyrkParam {
  bool transpose = false;
  double alpha = 1;

  static void declare(AttrDeclarer<SyrkParam>& d) {
    d.field("transpose", &SyrkParam::transpose).help("A^T A, not A A^T");
    d.field("alpha", &SyrkParam::alpha).help("factor of the product");
  }
};

void infer_syrk(const SyrkParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  Shape shape = c.input_shape(0);
  const std::size_t rank = shape.rank();
  if (rank < 2) c.fail_input(0, "matrices");
  shape[rank - 1] = shape[rank - 2] = shape[p.transpose ? rank - 1 : rank - 2];
  c.set_output_shape(0, shape);
}

void translate_syrk(const SyrkParam& p, Translation& t) {
  if (!expect_real(t)) return;
  if (p.alpha == 0) return set_zero(t);
  Builder& b = t.b;
  const Value a = t.input(0);
  const Value other = transposed(b, a);
  const Value product = p.transpose ? matrix_product(b, other, a) : matrix_product(b, a, other);
  t.set_output(0, scaled(b, product, p.alpha));
}

// The rank goes down by two, but not to 0.
void infer_sumlogdiag(const NoParam& /*p*/, InferContext& c) {
  const Shape& data = c.input_shape(0);
  auto dims = data.dims();
  dims.resize(dims.size() < 2 ? 0 : dims.size() - 2);
  const bool is_open = c.np_shape() && data.known_rank() && !Shape(dims).known();
  const bool has_result = !is_open && !Shape(dims).is_empty();
  // MXNet looks at the matrices only where there are any.
  if (has_result) infer_square(c);
  c.unify_dtypes();
  if (!data.known_rank()) return;
  if (dims.empty()) dims.emplace_back(1);
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_sumlogdiag(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Value logs = b.unary("Log", diagonal(b, t.input(0)));
  t.set_output(0,
               onnx::reshape(b, onnx::reduce(b, "ReduceSum", logs, {-1}, true), t.output_shape(0)));
}

// An offset of more makes no matrix that fits a machine.
constexpr double kMostOffset = 1 << 20;

struct DiagParam {
  std::int64_t offset = 0;

  static void declare(AttrDeclarer<DiagParam>& d) { declare_common(d); }
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("offset", &P::offset)
        .at_least(-kMostOffset)
        .at_most(kMostOffset)
        .help("of the diagonal: above the main one where it is positive, below where negative");
  }
  std::int64_t distance() const { return std::abs(offset); }
};

struct TrianParam : DiagParam {
  bool lower = true;

  static void declare(AttrDeclarer<TrianParam>& d) {
    declare_common(d);
    d.field("lower", &TrianParam::lower).help("which triangle, where offset is 0");
  }
  bool is_lower() const { return offset < 0 || (offset == 0 && lower); }
};

// The diagonal's length in matrices of the given size.
Dim length_in(const InferContext& c, const Dim& size, const DiagParam& p) {
  const Dim length = size - p.distance();
  if (length.is_constant() && length.value() <= 0) {
    c.fail_input(0, fmt::format("matrices of more than {} rows", p.distance()));
  }
  return length;
}

Dim triangle_count(const Dim& size) { return floor_div(size * (size + 1), 2); }

template <typename P>
void infer_extract(const P& p, InferContext& c) {
  infer_square(c);
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  dims.pop_back();
  const Dim length = length_in(c, dims.back(), p);
  dims.back() = std::is_same_v<P, DiagParam> ? length : triangle_count(length);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// The square part of the matrices whose main diagonal is the diagonal meant.
Value square_part(Builder& b, Value x, const DiagParam& p) {
  if (p.offset == 0) return x;
  const auto rank = static_cast<std::int64_t>(b.shape(x).rank());
  const Dim length = b.shape(x).dims().back() - p.distance();
  const Dim row = p.offset < 0 ? p.distance() : 0;
  const Dim column = p.offset > 0 ? p.distance() : 0;
  auto dims = b.shape(x).dims();
  dims.back() = dims[dims.size() - 2] = length;
  return onnx::slice(b, x,
                     {{rank - 2, row, row + length, 1}, {rank - 1, column, column + length, 1}},
                     Shape(std::move(dims)));
}

// The way back, with zeros around.
Value whole_part(Builder& b, Value x, const DiagParam& p) {
  onnx::Ints before(b.shape(x).rank(), 0);
  onnx::Ints after = before;
  const std::size_t row = before.size() - 2;
  (p.offset < 0 ? before : after)[row] = p.distance();
  (p.offset > 0 ? before : after)[row + 1] = p.distance();
  return onnx::pad(b, x, before, after, "constant");
}

void translate_extractdiag(const DiagParam& p, Translation& t) {
  if (!expect_real(t)) return;
  t.set_output(0, diagonal(t.b, square_part(t.b, t.input(0), p)));
}

void translate_extracttrian(const TrianParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  Value x = square_part(b, t.input(0), p);
  if (!p.is_lower()) x = transposed(b, x);
  auto dims = b.shape(x).dims();
  const Dim size = dims.back();
  dims.pop_back();
  dims.back() = size * size;
  const Value flat = onnx::reshape(b, x, Shape(std::move(dims)));
  const Value above = position_mask(b, "Less", size, size);
  const Value mask = onnx::reshape(b, b.unary("Not", above), Shape{size * size});
  t.set_output(0, b.emit("Compress", {flat, mask},
                         {{"axis", static_cast<std::int64_t>(t.output_shape(0).rank()) - 1}},
                         t.output_type(0)));
}

void infer_makediag(const DiagParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  if (c.input_shape(0).rank() == 0) c.fail_input(0, "vectors");
  auto dims = c.input_shape(0).dims();
  dims.back() = dims.back() + p.distance();
  dims.push_back(dims.back());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_makediag(const DiagParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Dim length = t.input_shape(0).dims().back();
  const Value mask = position_mask(b, "Equal", length, length);
  const Value matrices =
      b.where(mask, onnx::unsqueeze(b, t.input(0), {-1}), b.scalar(b.dtype(t.input(0)), 0));
  t.set_output(0, whole_part(b, matrices, p));
}

// The size of a triangle of so many elements; nothing if there is none.
std::optional<std::int64_t> triangle_size(std::int64_t count) {
  const std::int64_t size = std::llround((std::sqrt(8.0 * static_cast<double>(count) + 1) - 1) / 2);
  if (size * (size + 1) / 2 != count) return std::nullopt;
  return size;
}

// More elements than that have no size that is exact in MXNet's arithmetic of 32 bits.
constexpr std::int64_t kMostTriangleElements = (std::int64_t{1} << 28) - 1;

void infer_maketrian(const TrianParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  if (c.input_shape(0).rank() == 0) c.fail_input(0, "vectors");
  auto dims = c.input_shape(0).dims();
  if (!dims.back().known()) return;
  if (!dims.back().is_constant()) {
    fail(ErrorCode::kUnsupported,
         "the size of the triangle has to be a number, for there is no root of a free size",
         "give the last size of input 'A'");
  }
  if (dims.back().value() > kMostTriangleElements) c.fail_input(0, "2^28 elements at most");
  const auto size = triangle_size(dims.back().value());
  if (!size || *size == 0) c.fail_input(0, "a last size of 1, 3, 6, 10…");
  dims.back() = *size + p.distance();
  dims.push_back(dims.back());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_maketrian(const TrianParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const std::int64_t size = t.output_shape(0).dims().back().value() - p.distance();
  // In the triangle that is left out stands any element.
  const Value i = onnx::unsqueeze(b, counting(b, size), {1});
  const Value start = b.div(b.mul(i, b.add(i, b.int_scalar(1))), b.int_scalar(2));
  const Value above = position_mask(b, "Less", size, size);
  const Value position = b.where(above, b.int_scalar(0), b.add(start, counting(b, size)));
  Value x = b.gather(t.input(0), position, -1);
  x = b.where(above, b.scalar(b.dtype(x), 0), x);
  t.set_output(0, whole_part(b, p.is_lower() ? x : transposed(b, x), p));
}

}  // namespace

void register_linalg_products(Registry& r) {
  const std::vector<InputDef> one{{"A", InputRole::kData}};
  const std::vector<InputDef> two{{"A", InputRole::kData}, {"B", InputRole::kData}};
  const std::vector<InputDef> three{
      {"A", InputRole::kData}, {"B", InputRole::kData}, {"C", InputRole::kData}};
  r.add<GemmParam>({"_linalg_gemm", "linalg_gemm"})
      .summary("alpha A B + beta C, of matrices.")
      .inputs(three)
      .infer(infer_gemm)
      .translate(translate_gemm);
  r.add<Gemm2Param>({"_linalg_gemm2", "linalg_gemm2"})
      .summary("alpha A B, of matrices.")
      .inputs(two)
      .infer(infer_gemm)
      .translate(translate_gemm2);
  r.add<TriangleParam>({"_linalg_trmm", "linalg_trmm"})
      .summary("alpha A B, or alpha B A, where A is a triangle.")
      .inputs(two)
      .infer(infer_triangle)
      .translate(translate_trmm)
      .note(
          "Where an element of A or B is infinite or NaN, or a product overflows, elements of the "
          "result that it has no part in are NaN, too.");
  r.add<SyrkParam>({"_linalg_syrk", "linalg_syrk"})
      .summary("The product of matrices with their transposes.")
      .inputs(one)
      .infer(infer_syrk)
      .translate(translate_syrk);
  r.add<NoParam>({"_linalg_sumlogdiag", "linalg_sumlogdiag"})
      .summary("The sum of the logarithms of the diagonal.")
      .inputs(one)
      .infer(infer_sumlogdiag)
      .translate(translate_sumlogdiag);
  r.add<DiagParam>({"_linalg_extractdiag", "linalg_extractdiag"})
      .summary("A diagonal of square matrices.")
      .inputs(one)
      .infer(infer_extract<DiagParam>)
      .translate(translate_extractdiag);
  r.add<DiagParam>({"_linalg_makediag", "linalg_makediag"})
      .summary("Square matrices with the given diagonal.")
      .inputs(one)
      .infer(infer_makediag)
      .translate(translate_makediag)
      .note(std::string(kZeroSignNote));
  r.add<TrianParam>({"_linalg_extracttrian", "linalg_extracttrian"})
      .summary("A triangle of square matrices, row after row.")
      .inputs(one)
      .infer(infer_extract<TrianParam>)
      .translate(translate_extracttrian);
  r.add<TrianParam>({"_linalg_maketrian", "linalg_maketrian"})
      .summary("Square matrices with the given triangle.")
      .inputs(one)
      .infer(infer_maketrian)
      .translate(translate_maketrian)
      .note("The last size has to be a number.");
}

}  // namespace mx2onnx
