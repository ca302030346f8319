// Arrays that are made and not computed (src/operator/tensor/init_op.h): constant ones, sequences
// and the identity matrix. Small ones become constants of the model, larger ones are made when it
// runs.

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/schema.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// Sequences and matrices up to this many elements are constants of the model.
constexpr std::int64_t kMostConstantElements = 1024;

const char* const kShapeHelp =
    "of the array; unknown sizes, which are learnt from its use, are 0, or -1 under NumPy "
    "semantics";

struct FilledParam {
  std::optional<Tuple> shape = Tuple{};
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<FilledParam>& d) {
    d.field("shape", &FilledParam::shape).at_least(-1).help(kShapeHelp);
    d.dtype("dtype", &FilledParam::dtype).help("of the array");
    d.ignore({"ctx"});
  }
};

struct FullParam {
  std::optional<Tuple> shape;
  DType dtype = DType::kFloat32;
  double value = 0;

  static void declare(AttrDeclarer<FullParam>& d) {
    d.field("shape", &FullParam::shape).at_least(-1).help(kShapeHelp);
    d.dtype("dtype", &FullParam::dtype).help("of the array");
    d.field("value", &FullParam::value).required().help("of every element");
    d.ignore({"ctx"});
  }
};

template <typename P>
void infer_filled(const P& p, InferContext& c) {
  c.set_output_dtype(0, p.dtype);
  c.set_output_shape(0, declared_shape(p.shape, c.np_shape()));
}

void fill_output(Translation& t, double value) {
  const DType dtype = t.output_type(0).dtype;
  if (!has_defined_value(value, dtype)) {
    return t.refuse(fmt::format("the value {:g} does not fit {}", value, dtype_name(dtype)));
  }
  t.set_output(0, onnx::fill(t.b, dtype, value, t.output_shape(0)));
}

struct ZerosWithoutDtypeParam {
  std::optional<Tuple> shape;
  std::int64_t dtype = -1;

  static void declare(AttrDeclarer<ZerosWithoutDtypeParam>& d) {
    d.field("shape", &ZerosWithoutDtypeParam::shape).at_least(-1).help(kShapeHelp);
    d.field("dtype", &ZerosWithoutDtypeParam::dtype)
        .at_least(-1)
        .at_most(12)
        .help("MXNet's number of the dtype; -1 learns it from the use");
    d.ignore({"ctx"});
  }
};

void infer_zeros_without_dtype(const ZerosWithoutDtypeParam& p, InferContext& c) {
  c.set_output_dtype(0, dtype_from_flag(p.dtype).value_or(DType::kUnknown));
  c.set_output_shape(0, declared_shape(p.shape, c.np_shape()));
}

void fill_like(Translation& t, double value) {
  const Shape& shape = t.output_shape(0);
  if (shape.is_static()) return fill_output(t, value);
  const Value sizes = onnx::shape_slice(t.b, t.input(0), 0, shape.rank());
  const DType dtype = t.output_type(0).dtype;
  t.set_output(0, t.b.emit("ConstantOfShape", {sizes},
                           {{"value", make_tensor_as(dtype, {1}, {&value, 1})}}, t.output_type(0)));
}

// start + (i / repeat) * step for i of 0, 1, 2, …, computed in one dtype and converted to another.
struct Sequence {
  double start = 0;
  double step = 1;
  std::int64_t repeat = 1;
  DType computed_in = DType::kFloat32;
};

Value sequence_constant(Builder& b, const Sequence& s, std::int64_t count, DType dtype) {
  std::vector<double> elements;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t k = i / s.repeat;
    double element = s.start + static_cast<double>(k) * s.step;
    if (s.computed_in == DType::kFloat32) {
      element = static_cast<float>(s.start) + static_cast<float>(k) * static_cast<float>(s.step);
    }
    elements.push_back(element);
  }
  return b.constant(make_tensor_as(dtype, {count}, elements));
}

Value sequence_at_run_time(Builder& b, const Sequence& s, const Dim& count, DType dtype) {
  const Value limit = onnx::reshape(b, onnx::size_tensor(b, count), Shape(std::vector<Dim>{}));
  Value x =
      b.emit("Range", {b.int_scalar(0), limit, b.int_scalar(1)}, {}, {DType::kInt64, Shape{count}});
  if (s.repeat != 1) x = b.div(x, b.int_scalar(s.repeat));
  x = b.cast(x, s.computed_in);
  if (s.step != 1) x = b.mul(x, b.scalar(s.computed_in, s.step));
  if (s.start != 0) x = b.add(x, b.scalar(s.computed_in, s.start));
  return b.cast(x, dtype);
}

void set_sequence(Translation& t, const Sequence& s) {
  const DType dtype = t.output_type(0).dtype;
  const Dim count = t.output_shape(0).count();
  const bool is_small = count.is_constant() && count.value() <= kMostConstantElements;
  const Value elements = is_small ? sequence_constant(t.b, s, count.value(), dtype)
                                  : sequence_at_run_time(t.b, s, count, dtype);
  t.set_output(0, onnx::reshape(t.b, elements, t.output_shape(0)));
}

struct ArangeParam {
  double start = 0;
  std::optional<double> stop;
  double step = 1;
  std::int64_t repeat = 1;
  bool infer_range = false;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<ArangeParam>& d) {
    d.field("start", &ArangeParam::start).required().help("first element; without stop, the stop");
    d.field("stop", &ArangeParam::stop).help("the elements stay below");
    d.field("step", &ArangeParam::step).help("between elements");
    d.field("repeat", &ArangeParam::repeat).at_least(1).help("how often each element comes");
    d.field("infer_range", &ArangeParam::infer_range)
        .help("without stop: the length is learnt from the use");
    d.dtype("dtype", &ArangeParam::dtype).help("of the array");
    d.ignore({"ctx"});
  }

  bool open() const { return infer_range && !stop; }
  double first() const { return stop || infer_range ? start : 0; }
  double last() const { return stop.value_or(start); }
};

std::vector<AttrProblem> check_arange(const ArangeParam& p, const CheckContext& /*context*/) {
  if (p.step == 0) return {{"step", "expected a number other than 0, got 0", ""}};
  const bool empty = p.step > 0 ? p.first() >= p.last() : p.first() <= p.last();
  if (p.open() || !empty) return {};
  return {{"stop", fmt::format("the range from {:g} to {:g} is empty", p.first(), p.last()), ""}};
}

void infer_arange(const ArangeParam& p, InferContext& c) {
  c.set_output_dtype(0, p.dtype);
  if (p.open()) return;
  const double steps = std::ceil((p.last() - p.first()) / p.step);
  const double count = steps * static_cast<double>(p.repeat);
  if (!(count < 0x1p31)) fail(ErrorCode::kModel, "the range has more than 2^31 elements");
  c.set_output_shape(0, Shape{static_cast<std::int64_t>(count)});
}

void set_arange(Translation& t, Sequence s) {
  s.computed_in = t.output_type(0).dtype;
  // Integers take start and step cut; and so does float16, which MXNet holds to be unsigned here.
  if (!is_floating(s.computed_in) || dtype_size(s.computed_in) == 2) {
    s.computed_in = DType::kInt64;
    s.start = std::trunc(s.start);
    s.step = std::trunc(s.step);
  }
  set_sequence(t, s);
}

void translate_arange(const ArangeParam& p, Translation& t) {
  set_arange(t, {p.first(), p.step, p.repeat});
}

struct ArangeLikeParam {
  double start = 0;
  double step = 1;
  std::int64_t repeat = 1;
  std::optional<std::int64_t> axis;

  static void declare(AttrDeclarer<ArangeLikeParam>& d) {
    d.field("start", &ArangeLikeParam::start).help("first element");
    d.field("step", &ArangeLikeParam::step).help("between elements");
    d.field("repeat", &ArangeLikeParam::repeat).at_least(1).help("how often each element comes");
    d.field("axis", &ArangeLikeParam::axis)
        .help("the axis of data that has as many elements; None: the shape of data");
    d.ignore({"ctx"});
  }
};

void infer_arange_like(const ArangeLikeParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!p.axis) {
    c.set_output_shape(0, c.input_shape(0));
  } else if (c.input_shape(0).known_rank()) {
    const Shape& data = c.input_shape(0);
    c.set_output_shape(0, Shape{data[checked_axis(*p.axis, data.rank())]});
  }
  const bool is_whole = std::trunc(p.start) == p.start && std::trunc(p.step) == p.step;
  const bool is_moderate = std::abs(p.start) < 0x1p24 && std::abs(p.step) < 0x1p24;
  if (c.output_shape(0).rank() == 1 && p.repeat == 1 && is_whole && is_moderate) {
    c.set_output_progression(
        0, {static_cast<std::int64_t>(p.start), static_cast<std::int64_t>(p.step)});
  }
}

void translate_arange_like(const ArangeLikeParam& p, Translation& t) {
  if (t.input_type(0).dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  set_arange(t, {p.start, p.step, p.repeat});
}

struct LinspaceParam {
  double start = 0;
  double stop = 0;
  std::int64_t num = 0;
  bool endpoint = true;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<LinspaceParam>& d) {
    d.field("start", &LinspaceParam::start).required().help("first element");
    d.field("stop", &LinspaceParam::stop).required().help("last element, with endpoint");
    d.field("num", &LinspaceParam::num).required().at_least(0).at_most(0x1p31).help("of elements");
    d.field("endpoint", &LinspaceParam::endpoint).help("stop is an element");
    d.dtype("dtype", &LinspaceParam::dtype).help("of the array");
    d.ignore({"ctx"});
  }
};

void infer_linspace(const LinspaceParam& p, InferContext& c) {
  c.set_output_dtype(0, p.dtype);
  c.set_output_shape(0, Shape{p.num});
}

void translate_linspace(const LinspaceParam& p, Translation& t) {
  const std::int64_t steps = p.endpoint ? p.num - 1 : p.num;
  const double step = steps > 0 ? (p.stop - p.start) / static_cast<double>(steps) : 0;
  set_sequence(t, {p.start, step, 1, DType::kFloat64});
}

struct EyeParam {
  std::int64_t N = 0;
  std::int64_t M = 0;
  std::int64_t k = 0;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<EyeParam>& d) {
    d.field("N", &EyeParam::N).required().at_least(0).at_most(0x1p31).help("rows");
    d.field("M", &EyeParam::M).at_most(0x1p31).help("columns; as many as rows if 0");
    d.field("k", &EyeParam::k).help("the diagonal: above the main one if positive");
    d.dtype("dtype", &EyeParam::dtype).help("of the matrix");
    d.ignore({"ctx"});
  }

  std::int64_t columns() const { return M > 0 ? M : N; }
};

void infer_eye(const EyeParam& p, InferContext& c) {
  c.set_output_dtype(0, p.dtype);
  c.set_output_shape(0, Shape{p.N, p.columns()});
}

void translate_eye(const EyeParam& p, Translation& t) {
  Builder& b = t.b;
  const std::int64_t columns = p.columns();
  if (p.N * columns <= kMostConstantElements) {
    std::vector<double> elements;
    for (std::int64_t row = 0; row < p.N; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        elements.push_back(column - row == p.k ? 1 : 0);
      }
    }
    return t.set_output(0, b.constant(make_tensor_as(p.dtype, {p.N, columns}, elements)));
  }
  // ONNX Runtime has EyeLike for few dtypes.
  const DType made = p.dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  const Value zeros = onnx::fill(b, made, 0, t.output_shape(0));
  const Value eye = b.emit("EyeLike", {zeros}, {{"k", p.k}}, {made, t.output_shape(0)});
  t.set_output(0, b.cast(eye, p.dtype));
}

}  // namespace

void register_init(Registry& r) {
  // MXNet has those of NumPy as operators of their own.
  for (const char* name : {"_zeros", "_npi_zeros"}) {
    r.add<FilledParam>({name})
        .summary("An array of zeros.")
        .inputs({})
        .infer(infer_filled<FilledParam>)
        .translate([](const FilledParam&, Translation& t) { fill_output(t, 0); });
  }
  for (const char* name : {"_ones", "_npi_ones"}) {
    r.add<FilledParam>({name})
        .summary("An array of ones.")
        .inputs({})
        .infer(infer_filled<FilledParam>)
        .translate([](const FilledParam&, Translation& t) { fill_output(t, 1); });
  }
  r.add<FullParam>({"_full", "_npi_full"})
      .summary("An array of one value.")
      .inputs({})
      .infer(infer_filled<FullParam>)
      .translate([](const FullParam& p, Translation& t) { fill_output(t, p.value); });
  r.add<ZerosWithoutDtypeParam>({"_zeros_without_dtype"})
      .summary("An array of zeros whose dtype may be learnt from its use.")
      .inputs({})
      .infer(infer_zeros_without_dtype)
      .translate([](const ZerosWithoutDtypeParam&, Translation& t) { fill_output(t, 0); });
  r.add<NoParam>({"zeros_like", "_sparse_zeros_like"})
      .summary("Zeros in the shape of another array.")
      .infer(infer_same<NoParam>)
      .translate([](const NoParam&, Translation& t) { fill_like(t, 0); });
  r.add<NoParam>({"ones_like"})
      .summary("Ones in the shape of another array.")
      .infer(infer_same<NoParam>)
      .translate([](const NoParam&, Translation& t) { fill_like(t, 1); });
  r.add<ArangeParam>({"_arange"})
      .summary("Evenly spaced numbers, each as often as repeat says.")
      .inputs({})
      .infer(infer_arange)
      .translate(translate_arange)
      .check(check_arange)
      .note("Of float16 start and step are cut to integers, as MXNet does.");
  r.add<ArangeLikeParam>({"_contrib_arange_like", "_npx_arange_like"})
      .summary("Evenly spaced numbers, as many as an array or an axis of it has elements.")
      .infer(infer_arange_like)
      .translate(translate_arange_like)
      .note("Of float16 start and step are cut to integers, as MXNet does.");
  r.add<LinspaceParam>({"_linspace", "_npi_linspace"})
      .summary("A number of evenly spaced numbers.")
      .inputs({})
      .infer(infer_linspace)
      .translate(translate_linspace);
  r.add<EyeParam>({"_eye"})
      .summary("A matrix with ones on a diagonal.")
      .inputs({})
      .infer(infer_eye)
      .translate(translate_eye);
}

}  // namespace mx2onnx
