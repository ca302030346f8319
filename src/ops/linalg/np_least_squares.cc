// What is made of singular values: pseudo-inverses, least squares, ranks
// (src/operator/numpy/linalg/np_pinv.cc, np_lstsq.cc, np_matrix_rank.cc).
#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/broadcasting.h"
#include "ops/expressions/common.h"
#include "ops/expressions/matrices.h"
#include "ops/linalg/elimination.h"
#include "ops/linalg/jacobi.h"
#include "ops/linalg/np_types.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value real(Builder& b, double value) { return b.scalar(DType::kFloat64, value); }

const Dim& rows_of(const Shape& shape) { return shape.dims()[shape.rank() - 2]; }
const Dim& columns_of(const Shape& shape) { return shape.dims().back(); }

// Rotates the rows where there are not more of them than columns.
struct Decomposition {
  SingularValues parts;
  bool is_of_transposed;
  /// Which of the values there are: behind them are zeros, or what rounding makes of zeros, where
  /// it was not known which side is the shorter one. Absent where all are.
  Value exist;

  Value above(Builder& b, Value limits) const {
    const Value are_above = b.binary("Greater", parts.values, limits);
    return exist.present() ? b.binary("And", are_above, exist) : are_above;
  }
};

Decomposition decompose(Builder& b, Value a) {
  const Dim rows = rows_of(b.shape(a));
  const Dim columns = columns_of(b.shape(a));
  const bool swap = !certainly_at_least(columns, rows);
  Decomposition result{singular_values(b, swap ? transposed(b, a) : a), swap, {}};
  if (!certainly_at_least(swap ? rows : columns, swap ? columns : rows)) {
    result.exist =
        b.binary("Less", counting(b, swap ? columns : rows), scalar_size(b, min(rows, columns)));
  }
  return result;
}

// V^T diag(1 / s) U^T, where what is not above the limits counts as 0. `limits` has an axis of size
// 1 in the place of the values.
Value pseudo_inverse(Builder& b, const Decomposition& a, Value limits) {
  const auto& [left, values, right] = a.parts;
  const Value counts = a.above(b, limits);
  const Value inverse =
      b.where(counts, b.unary("Reciprocal", b.where(counts, values, real(b, 1))), real(b, 0));
  const Value scaled = b.mul(left, onnx::unsqueeze(b, inverse, {-2}));
  const Value product = matrix_product(b, scaled, right);
  return a.is_of_transposed ? product : transposed(b, product);
}

Value largest(Builder& b, Value values) { return onnx::reduce(b, "ReduceMax", values, {-1}, true); }

// MXNet does not look at `hermitian`: asymmetric matrices have their own pseudo-inverses with it.
struct PinvParam {
  static void declare(AttrDeclarer<PinvParam>& d) { d.ignore({"hermitian"}); }
};
struct PinvScalarParam : PinvParam {
  double rcond = 1e-15;

  static void declare(AttrDeclarer<PinvScalarParam>& d) {
    d.field("rcond", &PinvScalarParam::rcond)
        .help("singular values up to this part of the largest one count as 0");
    d.ignore({"hermitian"});
  }
};

void infer_pinv(const PinvParam& /*p*/, InferContext& c) {
  const DType dtype = c.input(0).dtype;
  if (dtype != DType::kUnknown) {
    c.set_output_dtype(0, dtype == DType::kFloat32 ? dtype : DType::kFloat64);
  }
  const auto turned = [](const Shape& shape) {
    auto dims = shape.dims();
    std::swap(dims[dims.size() - 2], dims.back());
    return Shape(std::move(dims));
  };
  const Shape& inverse = c.output_shape(0);
  if (inverse.known_rank() && inverse.rank() >= 2) c.set_input_shape(0, turned(inverse));
  if (!c.input_shape(0).known_rank()) return;
  if (c.input_shape(0).rank() < 2) c.fail_input(0, "matrices");
  c.set_output_shape(0, turned(c.input_shape(0)));
}

// MXNet does not broadcast one matrix to several limits.
void infer_pinv_input(const PinvParam& p, InferContext& c) {
  infer_pinv(p, c);
  const Shape& matrices = c.input_shape(0);
  if (!matrices.known_rank() || !c.input_shape(1).known_rank()) return;
  const Shape batch(std::vector<Dim>(matrices.dims().begin(), matrices.dims().end() - 2));
  if (c.input_shape(1).rank() <= batch.rank() && !may_broadcast_to(c.input_shape(1), batch))
    c.fail_input(1, fmt::format("limits that broadcast to {}", batch.to_string()));
}

void translate_pinv(Translation& t, Value part) {
  if (!expect_linalg_type(t)) return;
  Builder& b = t.b;
  const Decomposition a = decompose(b, b.cast(t.input(0), DType::kFloat64));
  const Value limits = b.mul(largest(b, a.parts.values), part);
  const Value inverse = pseudo_inverse(b, a, limits);
  t.set_output(0, onnx::expand(b, b.cast(inverse, t.output_type(0).dtype), t.output_shape(0)));
}

// The limits of the input are for each matrix.
void translate_pinv_input(const PinvParam& /*p*/, Translation& t) {
  const std::size_t batch = t.input_rank(0) - 2;
  if (t.input_rank(1) > batch) {
    return t.refuse(
        fmt::format("expected {} dimensions of rcond at most, found {}", batch, t.input_rank(1)));
  }
  const Value part = onnx::unsqueeze(t.b, t.b.cast(t.input(1), DType::kFloat64), {-1});
  translate_pinv(t, part);
}

struct RankParam {
  double epsilon32 = 0;
  double epsilon64 = 0;
  bool hermitian = false;

  static void declare(AttrDeclarer<RankParam>& d) {
    d.field("finfoEps32", &RankParam::epsilon32).help("the relative precision of float32");
    d.field("finfoEps64", &RankParam::epsilon64).help("the relative precision of float64");
    d.field("hermitian", &RankParam::hermitian).help("not in MXNet, either: refused");
  }
};
struct RankInputParam {
  bool hermitian = false;

  static void declare(AttrDeclarer<RankInputParam>& d) {
    d.field("hermitian", &RankInputParam::hermitian).help("not in MXNet, either: refused");
  }
};

// The sizes before the matrices; of a vector or a number none.
std::vector<Dim> batch_of(const Shape& m) {
  auto dims = m.dims();
  dims.resize(std::max<std::size_t>(dims.size(), 2) - 2);
  return dims;
}

template <typename P>
void infer_rank(const P& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.unify_dtypes(0, 1);
  const Shape& m = c.input_shape(0);
  if (!m.known_rank()) return;
  if (c.num_inputs() > 1) {
    if (!c.input_shape(1).known_rank()) return;
    if (c.input_shape(1).rank() > batch_of(m).size()) {
      fail(ErrorCode::kUnsupported, "more limits than matrices are not supported");
    }
  }
  std::vector<Dim> batch = batch_of(m);
  if (c.num_inputs() > 1) {
    const Shape& limits = c.input_shape(1);
    const std::size_t before = batch.size() - limits.rank();
    for (std::size_t i = 0; i < limits.rank(); ++i) {
      if (clash(limits[i], batch[before + i]) && clash(batch[before + i], limits[i])) {
        c.fail_input(1, fmt::format("limits that broadcast with {}", Shape(batch).to_string()));
      }
      if (batch[before + i] == Dim(1)) batch[before + i] = limits[i];
    }
  }
  c.set_output_shape(0, Shape(std::move(batch)));
}

// Of a vector 1 where no element is 0.
Value vector_rank(Builder& b, Value x) {
  const Value is_zero = b.binary("Equal", x, b.scalar(b.dtype(x), 0));
  onnx::Ints axes = iota(b.shape(x).rank());
  const Value flags = b.cast(b.unary("Not", is_zero), DType::kInt32);
  return b.cast(onnx::reduce(b, "ReduceMin", flags, axes, false), DType::kInt64);
}

// `limits` gets the values, and gives what they have to be above.
template <typename Limits>
void translate_rank(Translation& t, bool hermitian, Limits limits) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64) {
    return t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)));
  }
  if (hermitian) return t.refuse("MXNet does not compute ranks of matrices that are hermitian");
  if (t.input_rank(0) < 2) return t.set_output(0, vector_rank(b, t.input(0)));
  const Decomposition a = decompose(b, b.cast(t.input(0), DType::kFloat64));
  const Value counts = b.cast(a.above(b, limits(a.parts.values)), DType::kInt64);
  t.set_output(0, onnx::reduce(b, "ReduceSum", counts, {-1}, false));
}

void translate_rank_none_tol(const RankParam& p, Translation& t) {
  Builder& b = t.b;
  const double epsilon =
      t.input_type(0).dtype == DType::kFloat32 ? static_cast<float>(p.epsilon32) : p.epsilon64;
  translate_rank(t, p.hermitian, [&](Value values) {
    const Dim side = max(rows_of(t.input_shape(0)), columns_of(t.input_shape(0)));
    const Value factor = b.mul(b.cast(scalar_size(b, side), DType::kFloat64), real(b, epsilon));
    return b.mul(largest(b, values), factor);
  });
}

void translate_rank_input(const RankInputParam& p, Translation& t) {
  translate_rank(t, p.hermitian, [&](Value /*values*/) {
    return onnx::unsqueeze(t.b, t.b.cast(t.input(1), DType::kFloat64), {-1});
  });
}

struct LstsqParam {
  double rcond = -1;
  double epsilon32 = 0;
  double epsilon64 = 0;
  bool new_default = false;

  static void declare(AttrDeclarer<LstsqParam>& d) {
    d.field("rcond", &LstsqParam::rcond)
        .help(
            "singular values up to this part of the largest one count as 0; below 0: those "
            "that are not seen in the element type");
    d.field("finfoEps32", &LstsqParam::epsilon32).help("the relative precision of float32");
    d.field("finfoEps64", &LstsqParam::epsilon64).help("the relative precision of float64");
    d.field("new_default", &LstsqParam::new_default)
        .help("that precision times the longer side is rcond");
  }
};

enum LstsqOutput { kSolution, kResiduals, kRank, kValues };

void infer_lstsq(const LstsqParam& /*p*/, InferContext& c) {
  infer_linalg_dtypes_of(c, {kSolution, kResiduals, kValues});
  c.set_output_dtype(kRank, DType::kInt64);  // as MXNet 2.0.0b1 is built
  c.set_output_shape(kRank, Shape(std::vector<Dim>{}));
  c.set_input_shape(0, Shape::unknown_dims(2));
  const Shape right = c.input_shape(1);
  if (!right.known_rank()) return;
  if (right.rank() != 1 && right.rank() != 2) c.fail_input(1, "a vector or a matrix");
  Shape a = Shape::unknown_dims(2);
  a[0] = right[0];
  c.set_input_shape(0, a);
  Shape known = Shape::unknown_dims(right.rank());
  known[0] = c.input_shape(0)[0];
  c.set_input_shape(1, known);
  Shape solution = c.input_shape(1);
  solution[0] = c.input_shape(0)[1];
  c.set_output_shape(kSolution, solution);
  const Dim& m = c.input_shape(0)[0];
  const Dim& n = c.input_shape(0)[1];
  if (m.known() && n.known()) c.set_output_shape(kValues, Shape{min(m, n)});
  // Where there are more unknowns, there are no residuals.
  c.set_output_shape(kResiduals,
                     Shape{certainly_at_least(n, m) ? Dim(0) : c.own_size(kResiduals, 0)});
}

void translate_lstsq(const LstsqParam& p, Translation& t) {
  if (!expect_linalg_type(t)) return;
  Builder& b = t.b;
  const DType dtype = t.output_type(kSolution).dtype;
  const Dim& m = t.input_shape(0)[0];
  const Dim& n = t.input_shape(0)[1];
  if (t.output_used(kResiduals)) {
    if (!certainly_at_least(n, m)) {
      return t.refuse("how many residuals there are depends on the rank of the matrix");
    }
    t.set_output(kResiduals, onnx::fill(b, dtype, 0, t.output_shape(kResiduals)));
  }
  const bool is_float32 = t.input_type(0).dtype == DType::kFloat32;
  const double epsilon = is_float32 ? static_cast<float>(p.epsilon32) : p.epsilon64;
  // LAPACK's gelsd takes its own precision for an rcond that is not between 0 and 1.
  const Value own = real(b, dtype == DType::kFloat32 ? std::numeric_limits<float>::epsilon() / 2
                                                     : std::numeric_limits<double>::epsilon() / 2);
  Value part = p.rcond > 0 && p.rcond < 1 ? real(b, p.rcond) : own;
  if (p.new_default) {
    part = b.mul(b.cast(scalar_size(b, max(m, n)), DType::kFloat64), real(b, epsilon));
    const Value is_between =
        b.binary("And", b.binary("Greater", part, real(b, 0)), b.binary("Less", part, real(b, 1)));
    part = b.where(is_between, part, own);
  }
  const Decomposition a = decompose(b, b.cast(t.input(0), DType::kFloat64));
  const Value limits = b.mul(largest(b, a.parts.values), part);
  const Value inverse = pseudo_inverse(b, a, limits);
  Value right = b.cast(t.input(1), DType::kFloat64);
  const bool is_vector = t.input_rank(1) == 1;
  if (is_vector) right = onnx::unsqueeze(b, right, {1});
  Value solution = matrix_product(b, inverse, right);
  if (is_vector) solution = onnx::squeeze(b, solution, {1});
  t.set_output(kSolution, b.cast(solution, dtype));
  const Value counts = b.cast(a.above(b, limits), DType::kInt64);
  t.set_output(kRank, onnx::reduce(b, "ReduceSum", counts, {0}, false));
  const Dim count = min(m, n);
  const Value values = onnx::slice(b, a.parts.values, {{0, 0, count, 1}}, Shape{count});
  t.set_output(kValues, b.cast(values, dtype));
}

constexpr std::string_view kNotFiniteNote =
    "Of a matrix with elements that are not finite the result is not defined.";

}  // namespace

void register_np_least_squares(Registry& r) {
  const std::string not_finite(kNotFiniteNote);
  r.add<PinvScalarParam>({"_npi_pinv_scalar_rcond"})
      .summary("The pseudo-inverses of matrices.")
      .inputs({{"A", InputRole::kData}})
      .infer(infer_pinv)
      .translate(
          [](const PinvScalarParam& p, Translation& t) { translate_pinv(t, real(t.b, p.rcond)); })
      .note(not_finite);
  r.add<PinvParam>({"_npi_pinv"})
      .summary("The pseudo-inverses of matrices, with a limit for each.")
      .inputs({{"A", InputRole::kData}, {"rcond", InputRole::kData}})
      .infer(infer_pinv_input)
      .translate(translate_pinv_input)
      .note(not_finite);
  r.add<RankParam>({"_npi_matrix_rank_none_tol"})
      .summary("The ranks of matrices: how many singular values are not 0.")
      .inputs({{"M", InputRole::kData}})
      .infer(infer_rank<RankParam>)
      .translate(translate_rank_none_tol)
      .note(not_finite);
  r.add<RankInputParam>({"_npi_matrix_rank"})
      .summary("The ranks of matrices: how many singular values are above a limit.")
      .inputs({{"M", InputRole::kData}, {"tol", InputRole::kData}})
      .infer(infer_rank<RankInputParam>)
      .translate(translate_rank_input)
      .note(not_finite);
  r.add<LstsqParam>({"_npi_lstsq"})
      .summary("The solution of least squares of A X = B, the rank of A and its singular values.")
      .inputs({{"A", InputRole::kData}, {"B", InputRole::kData}})
      .outputs({"output0", "output1", "output2", "output3"})
      .infer(infer_lstsq)
      .translate(translate_lstsq)
      .note(not_finite)
      .note("The residuals are refused where A has more rows than columns.");
}

}  // namespace mx2onnx
