// Arrays that are made and not computed (src/operator/tensor/init_op.h): constant ones, sequences
// and the identity matrix.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/schema.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/sequences.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

const char* const kShapeHelp =
    "of the array; unknown sizes, which are learnt from its use, are 0, or -1 under NumPy "
    "semantics";
const char* const kDtypeHelp = "of the array; None, of MXNet 2, is float32";

struct FilledParam {
  std::optional<Tuple> shape = Tuple{};
  std::optional<DType> dtype = DType::kFloat32;

  static void declare(AttrDeclarer<FilledParam>& d) {
    d.field("shape", &FilledParam::shape).at_least(-1).help(kShapeHelp);
    d.dtype("dtype", &FilledParam::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
};

struct FullParam {
  std::optional<Tuple> shape;
  std::optional<DType> dtype = DType::kFloat32;
  double value = 0;

  static void declare(AttrDeclarer<FullParam>& d) {
    d.field("shape", &FullParam::shape).at_least(-1).help(kShapeHelp);
    d.dtype("dtype", &FullParam::dtype).help(kDtypeHelp);
    d.field("value", &FullParam::value).required().help("of every element");
    d.ignore({"ctx"});
  }
};

template <typename P>
void infer_filled(const P& p, InferContext& c) {
  c.set_output_dtype(0, *p.dtype);
  c.set_output_shape(0, declared_shape(p.shape, c.np_shape()));
}

struct Full2Param {
  std::optional<Tuple> shape;
  std::optional<DType> dtype = DType::kFloat32;
  std::optional<double> value;
  double double_value = 0;
  double int_value = 0;
  double uint_value = 0;
  std::int64_t value_type = 2;

  static void declare(AttrDeclarer<Full2Param>& d) {
    d.field("shape", &Full2Param::shape).at_least(-1).help(kShapeHelp);
    d.dtype("dtype", &Full2Param::dtype).help(kDtypeHelp);
    d.field("value", &Full2Param::value).help("of every element, of _full");
    d.field("double_value", &Full2Param::double_value).help("of every element, if value_type is 2");
    d.field("int_value", &Full2Param::int_value).help("if value_type is 0");
    d.field("uint_value", &Full2Param::uint_value).help("if value_type is 1");
    d.field("value_type", &Full2Param::value_type).at_least(0).at_most(2);
    d.ignore({"ctx"});
  }
  double number() const {
    if (value) return *value;
    return value_type == 0 ? int_value : value_type == 1 ? uint_value : double_value;
  }
};

// Numbers beyond 2^53 are not what the text says.
bool is_exact(double number) { return !(std::abs(number) > 0x1p53); }

void translate_full2(const Full2Param& p, Translation& t) {
  if (is_integer(t.output_type(0).dtype) && !is_exact(p.number())) {
    return t.refuse("the value is beyond 2^53");
  }
  fill_output(t, p.number());
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
  const double count =
      static_cast<double>(arange_size(p.first(), p.last(), p.step)) * static_cast<double>(p.repeat);
  if (!(count < 0x1p31)) fail(ErrorCode::kModel, "the range has more than 2^31 elements");
  c.set_output_shape(0, Shape{static_cast<std::int64_t>(count)});
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

struct Linspace2Param {
  std::optional<double> start;
  std::optional<double> stop;
  double start_double = 0;
  double stop_double = 0;
  double start_int = 0;
  double stop_int = 0;
  double start_uint = 0;
  double stop_uint = 0;
  std::int64_t value_type = 0;
  std::int64_t num = 0;
  bool endpoint = true;
  std::optional<DType> dtype = DType::kFloat32;

  static void declare(AttrDeclarer<Linspace2Param>& d) {
    d.field("start", &Linspace2Param::start).help("first element, of _linspace");
    d.field("stop", &Linspace2Param::stop).help("last element, of _linspace");
    d.field("start_double", &Linspace2Param::start_double).help("first, if value_type is 2");
    d.field("stop_double", &Linspace2Param::stop_double).help("last, if value_type is 2");
    d.field("start_int", &Linspace2Param::start_int).help("first, if value_type is 0");
    d.field("stop_int", &Linspace2Param::stop_int).help("last, if value_type is 0");
    d.field("start_uint", &Linspace2Param::start_uint).help("first, if value_type is 1");
    d.field("stop_uint", &Linspace2Param::stop_uint).help("last, if value_type is 1");
    d.field("value_type", &Linspace2Param::value_type).at_least(0).at_most(2);
    d.field("num", &Linspace2Param::num).required().at_least(0).at_most(0x1p31).help("of elements");
    d.field("endpoint", &Linspace2Param::endpoint).help("stop is an element");
    d.dtype("dtype", &Linspace2Param::dtype).help(kDtypeHelp);
    d.ignore({"ctx"});
  }
  double first() const {
    if (start) return *start;
    return value_type == 0 ? start_int : value_type == 1 ? start_uint : start_double;
  }
  double last() const {
    if (stop) return *stop;
    return value_type == 0 ? stop_int : value_type == 1 ? stop_uint : stop_double;
  }
};

void infer_linspace2(const Linspace2Param& p, InferContext& c) {
  c.set_output_dtype(0, *p.dtype);
  c.set_output_shape(0, Shape{p.num});
}

void translate_linspace2(const Linspace2Param& p, Translation& t) {
  if (!is_exact(p.first()) || !is_exact(p.last())) {
    return t.refuse("start and stop are not within 2^53");
  }
  const std::int64_t steps = p.endpoint ? p.num - 1 : p.num;
  const double step = steps > 0 ? (p.last() - p.first()) / static_cast<double>(steps) : 0;
  Sequence sequence{p.first(), step, 1, DType::kFloat64};
  // Unlike the legacy operator, the last element is the stop whatever the sum of steps is.
  if (p.endpoint && p.num > 1 && !p.start) sequence.last = p.last();
  set_sequence(t, sequence);
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

void translate_eye(const EyeParam& p, Translation& t) { set_eye(t, p.k); }

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
      .translate([](const FullParam& p, Translation& t) { fill_output(t, p.value); })
      .variant<Full2Param>(
          OriginRange::since(2, 0), "_npi_full has a value for each kind of number",
          [](OpDeclarer<Full2Param>& variant) {
            variant.inputs({}).infer(infer_filled<Full2Param>).translate(translate_full2);
          });
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
      .translate(translate_linspace)
      .variant<Linspace2Param>(
          OriginRange::since(2, 0), "_npi_linspace has a start and a stop for each kind of number",
          [](OpDeclarer<Linspace2Param>& variant) {
            variant.inputs({}).infer(infer_linspace2).translate(translate_linspace2);
          });
  r.add<EyeParam>({"_eye"})
      .summary("A matrix with ones on a diagonal.")
      .inputs({})
      .infer(infer_eye)
      .translate(translate_eye);
}

}  // namespace mx2onnx
