// Arrays that NumPy's interface makes: arange, eye, tri, identity, indices, logspace, full_like and
// windows (src/operator/numpy/np_init_op.h, np_tri_op-inl.h, np_window_op.h).
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/schema.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/real_functions.h"
#include "ops/expressions/stepwise.h"
#include "ops/tensor/sequences.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

const char* const kDtypeHelp = "of the array; None, of MXNet 2, is float32";
constexpr double kMostRows = 0x1p31;

struct NpArangeParam {
  double start = 0;
  std::optional<double> stop;
  double step = 1;
  std::int64_t repeat = 1;
  bool infer_range = false;
  std::optional<DType> dtype = DType::kFloat32;

  static void declare(AttrDeclarer<NpArangeParam>& d) {
    d.field("start", &NpArangeParam::start)
        .required()
        .help("first element; without stop, the stop");
    d.field("stop", &NpArangeParam::stop).help("the elements stay below");
    d.field("step", &NpArangeParam::step).help("between elements; not 0");
    d.field("repeat", &NpArangeParam::repeat)
        .at_least(1)
        .at_most(1)
        .help("NumPy's interface has 1 only");
    d.field("infer_range", &NpArangeParam::infer_range).help("needs a stop");
    d.dtype("dtype", &NpArangeParam::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
  double first() const { return stop ? start : 0; }
  double last() const { return stop.value_or(start); }
};

std::vector<AttrProblem> check_np_arange(const NpArangeParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  if (p.step == 0) problems.push_back({"step", "expected a number other than 0, got 0", ""});
  if (p.infer_range && !p.stop) problems.push_back({"stop", "expected a number, got None", ""});
  return problems;
}

void infer_np_arange(const NpArangeParam& p, InferContext& c) {
  c.set_output_dtype(0, *p.dtype);
  c.set_output_shape(0, Shape{arange_size(p.first(), p.last(), p.step)});
}

void translate_np_arange(const NpArangeParam& p, Translation& t) {
  set_arange(t, {p.first(), p.step});
}

struct MatrixParam {
  std::int64_t N = 0;
  std::optional<std::int64_t> M;
  std::int64_t k = 0;
  std::optional<DType> dtype = DType::kFloat32;

  static void declare(AttrDeclarer<MatrixParam>& d) {
    d.field("N", &MatrixParam::N).required().at_least(0).at_most(kMostRows).help("rows");
    d.field("M", &MatrixParam::M)
        .at_least(0)
        .at_most(kMostRows)
        .help("columns; None: as many as rows");
    d.field("k", &MatrixParam::k).help("the diagonal: above the main one if positive");
    d.dtype("dtype", &MatrixParam::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
};

void infer_matrix(const MatrixParam& p, InferContext& c) {
  c.set_output_dtype(0, *p.dtype);
  c.set_output_shape(0, Shape{p.N, p.M.value_or(p.N)});
}

void translate_tri(const MatrixParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& shape = t.output_shape(0);
  const Value row = onnx::unsqueeze(b, counting(b, shape[0]), {1});
  const Value above = b.binary("Less", b.add(row, b.int_scalar(p.k)), counting(b, shape[1]));
  t.set_output(0, b.cast(b.unary("Not", above), t.output_type(0).dtype));
}

struct IdentityParam {
  Tuple shape;
  std::optional<DType> dtype = DType::kFloat32;
  static void declare(AttrDeclarer<IdentityParam>& d) {
    d.field("shape", &IdentityParam::shape).at_least(0).help("of the matrix, a square");
    d.dtype("dtype", &IdentityParam::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
};

std::vector<AttrProblem> check_identity(const IdentityParam& p, const CheckContext& /*context*/) {
  if (p.shape.size() == 2 && p.shape[0] == p.shape[1]) return {};
  return {{"shape",
           fmt::format("expected a square, for which MXNet takes all shapes, got {}",
                       attr_detail::text_of(p.shape)),
           ""}};
}

struct IndicesParam {
  Tuple dimensions;
  std::optional<DType> dtype;
  static void declare(AttrDeclarer<IndicesParam>& d) {
    d.field("dimensions", &IndicesParam::dimensions).required().at_least(0).help("of the grid");
    d.dtype("dtype", &IndicesParam::dtype)
        .help("of the array; int32 unless given, and int64 of MXNet 2");
    d.ignore({"ctx"});
  }
};

void infer_indices(const IndicesParam& p, InferContext& c, DType otherwise) {
  c.set_output_dtype(0, p.dtype.value_or(otherwise));
  std::vector<Dim> dims(p.dimensions.begin(), p.dimensions.end());
  dims.insert(dims.begin(), Dim(static_cast<std::int64_t>(p.dimensions.size())));
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_indices(const IndicesParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (t.output_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, dtype, 0, t.output_shape(0)));
  }
  Shape plane = t.output_shape(0);
  plane[0] = 1;
  std::vector<Value> planes;
  for (std::size_t i = 0; i < p.dimensions.size(); ++i) {
    const Value places = b.cast(counting(b, p.dimensions[i]), dtype);
    planes.push_back(onnx::expand(b, along_axis(b, places, i + 1, plane.rank()), plane));
  }
  t.set_output(0, planes.size() == 1 ? planes[0] : b.concat(planes, 0));
}

struct LogspaceParam {
  double start = 0;
  double stop = 0;
  std::int64_t num = 0;
  bool endpoint = true;
  double base = 10;
  std::optional<DType> dtype = DType::kFloat32;

  static void declare(AttrDeclarer<LogspaceParam>& d) {
    d.field("start", &LogspaceParam::start).required().help("first exponent");
    d.field("stop", &LogspaceParam::stop).required().help("last exponent, with endpoint");
    d.field("num", &LogspaceParam::num).required().at_least(0).at_most(0x1p31).help("of elements");
    d.field("endpoint", &LogspaceParam::endpoint).help("stop is an exponent");
    d.field("base", &LogspaceParam::base).help("of the powers");
    d.dtype("dtype", &LogspaceParam::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
};

void infer_logspace(const LogspaceParam& p, InferContext& c) {
  c.set_output_dtype(0, *p.dtype);
  c.set_output_shape(0, Shape{p.num});
}

// MXNet computes in float64.
void translate_logspace(const LogspaceParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  const std::int64_t steps = p.endpoint ? p.num - 1 : p.num;
  const double step = steps > 0 ? (p.stop - p.start) / static_cast<double>(steps) : 0;
  if (p.num <= kMostConstantElements) {
    std::vector<double> elements;
    for (std::int64_t i = 0; i < p.num; ++i) {
      elements.push_back(std::pow(p.base, p.start + step * static_cast<double>(i)));
      if (is_integer(dtype)) elements.back() = std::trunc(elements.back());
      if (!has_defined_value(elements.back(), dtype)) {
        return t.refuse(
            fmt::format("{} is not a number of {}", elements.back(), dtype_name(dtype)));
      }
    }
    return t.set_output(0, b.constant(make_tensor_as(dtype, {p.num}, elements)));
  }
  if (is_integer(dtype)) return t.refuse("so many powers as integers");
  const auto number = [&](double value) { return b.scalar(DType::kFloat64, value); };
  const Value places = b.cast(counting(b, p.num), DType::kFloat64);
  const Value exponents = b.add(b.mul(places, number(step)), number(p.start));
  t.set_output(0, b.cast(b.binary("Pow", number(p.base), exponents), dtype));
}

struct FullLikeParam {
  double fill_value = 0;
  std::optional<DType> dtype;
  static void declare(AttrDeclarer<FullLikeParam>& d) {
    d.field("fill_value", &FullLikeParam::fill_value).required().help("of every element");
    d.dtype("dtype", &FullLikeParam::dtype).help("None: that of the other array");
    d.ignore({"ctx"});
  }
};

void infer_full_like(const FullLikeParam& p, InferContext& c) {
  c.unify_shapes();
  if (p.dtype) return c.set_output_dtype(0, *p.dtype);
  c.unify_dtypes();
}

void translate_full_like(const FullLikeParam& p, Translation& t) {
  const DType dtype = t.output_type(0).dtype;
  if (!has_defined_value(p.fill_value, dtype)) {
    return t.refuse(fmt::format("the value {:g} does not fit {}", p.fill_value, dtype_name(dtype)));
  }
  fill_like(t, p.fill_value);
}

struct WindowParam {
  std::optional<std::int64_t> M;
  std::optional<DType> dtype = DType::kFloat32;
  static void declare(AttrDeclarer<WindowParam>& d) {
    d.field("M", &WindowParam::M).at_most(0x1p31).help("of elements; none if 0 or less; needed");
    d.dtype("dtype", &WindowParam::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
};

std::vector<AttrProblem> check_window(const WindowParam& p, const CheckContext& /*context*/) {
  if (p.M) return {};
  return {{"M", "expected an integer, got None", ""}};
}

void infer_window(const WindowParam& p, InferContext& c) {
  c.set_output_dtype(0, *p.dtype);
  c.set_output_shape(0, Shape{std::max<std::int64_t>(*p.M, 0)});
}

// first - second cos(2 pi i / (M - 1)) + third cos(4 pi i / (M - 1))
struct Window {
  double first;
  double second;
  double third;
};

// Each number and each step is one of the element type.
void translate_window(const WindowParam& p, Translation& t, const Window& window) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  const Shape& shape = t.output_shape(0);
  if (shape.is_empty() || *p.M == 1 || is_integer(dtype)) {
    return t.set_output(0, onnx::fill(b, dtype, *p.M == 1 ? 1 : 0, shape));
  }
  const Stepwise step(b, dtype);
  const auto cosine = [&](double turns, double factor) {
    const Value places = b.cast(counting(b, shape[0]), DType::kFloat64);
    const Value scaled = b.mul(places, b.scalar(DType::kFloat64, turns * std::numbers::pi));
    const auto last = static_cast<double>(*p.M - 1);
    const Value angle = step.take(b.cast(b.div(scaled, b.scalar(DType::kFloat64, last)), dtype));
    return step.mul(step.number(factor), real_function(b, "Cos", angle));
  };
  Value result = step.sub(step.number(window.first), cosine(2, window.second));
  if (window.third != 0) result = step.add(result, cosine(4, window.third));
  t.set_output(0, step.give(result));
}

}  // namespace

void register_np_init(Registry& r) {
  r.add<NpArangeParam>({"_npi_arange"})
      .summary("Evenly spaced numbers; none if the step leads away from the stop.")
      .inputs({})
      .infer(infer_np_arange)
      .translate(translate_np_arange)
      .check(check_np_arange)
      .note("Of float16 start and step are cut to integers, as MXNet does.");
  r.add<MatrixParam>({"_npi_eye"})
      .summary("A matrix with ones on a diagonal.")
      .inputs({})
      .infer(infer_matrix)
      .translate([](const MatrixParam& p, Translation& t) { set_eye(t, p.k); });
  r.add<MatrixParam>({"_npi_tri"})
      .summary("A matrix with ones on a diagonal and below it.")
      .inputs({})
      .infer(infer_matrix)
      .translate(translate_tri);
  r.add<IdentityParam>({"_npi_identity"})
      .summary("The identity matrix.")
      .inputs({})
      .infer([](const IdentityParam& p, InferContext& c) {
        c.set_output_dtype(0, *p.dtype);
        c.set_output_shape(0, Shape::of(p.shape));
      })
      .translate([](const IdentityParam&, Translation& t) { set_eye(t, 0); })
      .check(check_identity);
  r.add<IndicesParam>({"_npi_indices"})
      .summary("The coordinates of the places of a grid, of each axis an array.")
      .inputs({})
      .infer([](const IndicesParam& p, InferContext& c) { infer_indices(p, c, DType::kInt32); })
      .translate(translate_indices)
      .variant(OriginRange::since(2, 0), "int64 unless dtype is given",
               [](OpDeclarer<IndicesParam>& variant) {
                 variant.infer([](const IndicesParam& p, InferContext& c) {
                   infer_indices(p, c, DType::kInt64);
                 });
               });
  r.add<LogspaceParam>({"_npi_logspace"})
      .summary("Powers whose exponents are evenly spaced.")
      .inputs({})
      .infer(infer_logspace)
      .translate(translate_logspace);
  r.add<FullLikeParam>({"_npi_full_like"})
      .summary("One value in the shape of another array.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_full_like)
      .translate(translate_full_like);
  const std::vector<std::tuple<const char*, const char*, Window>> windows = {
      {"_npi_hanning", "The Hann window.", {0.5, 0.5, 0}},
      {"_npi_hamming", "The Hamming window.", {0.54, 0.46, 0}},
      {"_npi_blackman", "The Blackman window.", {0.42, 0.5, 0.08}}};
  for (const auto& [name, summary, window] : windows) {
    r.add<WindowParam>({name})
        .summary(summary)
        .inputs({})
        .infer(infer_window)
        .translate([window = window](const WindowParam& p, Translation& t) {
          translate_window(p, t, window);
        })
        .check(check_window);
  }
}

}  // namespace mx2onnx
