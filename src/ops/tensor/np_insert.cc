// _npi_insert_scalar, _npi_insert_slice, _npi_insert_tensor and _npi_delete: an array with slices
// put in, or left out, along an axis (src/operator/numpy/np_insert_op-inl.h, np_delete_op-inl.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/broadcasting.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// Where: a slice if `step` is given, one place if `int_ind` is, or else an array of places.
struct PlacesParam {
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> stop;
  std::optional<std::int64_t> step;
  std::optional<std::int64_t> int_ind;
  std::optional<std::int64_t> axis;

  template <typename P>
  static void declare_places(AttrDeclarer<P>& d) {
    d.field("start", &P::start).help("first place of a slice");
    d.field("stop", &P::stop).help("the place after the last one of a slice");
    d.field("step", &P::step).help("between the places of a slice; not 0");
    d.field("int_ind", &P::int_ind).help("one place");
    d.field("axis", &P::axis).help("None: of the flattened array");
  }
};

struct DeleteParam : PlacesParam {
  static void declare(AttrDeclarer<DeleteParam>& d) { declare_places(d); }
};

struct InsertParam : PlacesParam {
  std::optional<double> val;
  static void declare(AttrDeclarer<InsertParam>& d) {
    d.field("val", &InsertParam::val).help("a number that is inserted, instead of values");
    declare_places(d);
  }
};

std::vector<AttrProblem> check_places(const PlacesParam& p, const CheckContext& /*context*/) {
  if (p.step == 0) return {{"step", "expected a number other than 0, got 0", ""}};
  return {};
}

// The array, flattened if there is no axis, and the axis.
Shape looked_at(const PlacesParam& p, const Shape& data) {
  return p.axis ? data : Shape{data.count()};
}

std::size_t axis_of(const PlacesParam& p, const Shape& looked_at) {
  return checked_axis(p.axis.value_or(0), looked_at.rank());
}

// The places of a slice of `size` elements, as Python's slice.indices has them.
std::vector<std::int64_t> slice_places(const PlacesParam& p, std::int64_t size) {
  const std::int64_t step = *p.step;
  const std::int64_t lowest = step < 0 ? -1 : 0;
  const std::int64_t highest = step < 0 ? size - 1 : size;
  const auto bound = [&](const std::optional<std::int64_t>& given, std::int64_t otherwise) {
    if (!given) return otherwise;
    return std::clamp(*given < 0 ? *given + size : *given, lowest, std::max(lowest, highest));
  };
  const std::int64_t first = bound(p.start, step > 0 ? 0 : size - 1);
  const std::int64_t stop = bound(p.stop, step > 0 ? size : -1);
  std::vector<std::int64_t> places;
  spend_elements(size);
  for (std::int64_t at = first; step > 0 ? at < stop : at > stop; at += step) places.push_back(at);
  return places;
}

Value whole_array(const PlacesParam& p, Translation& t) {
  return onnx::reshape(t.b, t.input(0), looked_at(p, t.input_shape(0)));
}

// [begin, end) along the axis, of as many elements as `size` says.
Value part(Builder& b, Value x, std::size_t axis, std::int64_t begin, std::int64_t end,
           const Dim& size) {
  Shape shape = b.shape(x);
  shape[axis] = size;
  return onnx::slice(b, x, {{static_cast<std::int64_t>(axis), begin, end}}, shape);
}

void expect_place(InferContext& c, std::int64_t place, const Dim& size, std::int64_t most) {
  if (size.is_constant() && (place < -size.value() || place >= size.value() + most)) {
    c.fail_input(0, fmt::format("a place {} along the axis, of {} elements", place, size.value()));
  }
}

void infer_delete(const DeleteParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  Shape to = looked_at(p, data);
  if (to.rank() == 0) return c.set_output_shape(0, to);
  const std::size_t axis = axis_of(p, to);
  Dim& size = to[axis];
  if (p.step) {
    if (size.known() && !size.is_constant()) {
      fail(ErrorCode::kUnsupported, fmt::format("a slice of {} elements is not known before the "
                                                "model runs",
                                                size.to_string()));
    }
    if (size.is_constant()) {
      size = size.value() - static_cast<std::int64_t>(slice_places(p, size.value()).size());
    }
  } else if (p.int_ind) {
    expect_place(c, *p.int_ind, size, 0);
    size = size - 1;
  } else {
    size = c.own_size(0, axis);
  }
  c.set_output_shape(0, to);
}

// The elements whose places an array names go; places that are not there are passed over, negative
// ones too.
Value without_named(Translation& t, Value x, std::size_t axis) {
  Builder& b = t.b;
  const Dim& size = b.shape(x)[axis];
  const Value named =
      onnx::reshape(b, b.cast(t.input(1), DType::kInt64), Shape{1, t.input_shape(1).count()});
  const Value equal = b.binary("Equal", onnx::unsqueeze(b, counting(b, size), {1}), named);
  const Value hits = onnx::reduce(b, "ReduceSum", b.cast(equal, DType::kInt64), {1}, false);
  const Value kept = b.binary("Equal", hits, b.int_scalar(0));
  const Value rest =
      b.emit("Compress", {x, kept}, {{"axis", static_cast<std::int64_t>(axis)}}, t.output_type(0));
  const auto symbol = t.output_shape(0)[axis].symbol_name();
  if (!symbol.empty() && b.symbol_source(symbol) == nullptr) b.define_symbol(symbol, rest, axis);
  return rest;
}

void translate_delete(const DeleteParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = whole_array(p, t);
  if (b.shape(x).rank() == 0) return t.set_output(0, x);
  const std::size_t axis = axis_of(p, b.shape(x));
  const auto at = static_cast<std::int64_t>(axis);
  const Dim size = b.shape(x)[axis];
  if (p.step) {
    std::vector<bool> goes(static_cast<std::size_t>(size.value()));
    for (const auto place : slice_places(p, size.value()))
      goes[static_cast<std::size_t>(place)] = true;
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < goes.size(); ++i) {
      if (!goes[i]) kept.push_back(static_cast<std::int64_t>(i));
    }
    return t.set_output(0, kept.size() == goes.size() ? x : b.gather(x, b.ints(kept), at));
  }
  if (!p.int_ind) return t.set_output(0, without_named(t, x, axis));
  const std::int64_t place = *p.int_ind;
  const Dim before = place < 0 ? size + place : Dim(place);
  const Value head = part(b, x, axis, 0, place, before);
  const std::int64_t next = place == -1 ? onnx::kSliceEnd : place + 1;
  const Value tail = part(b, x, axis, next, onnx::kSliceEnd, size - 1 - before);
  t.set_output(0, b.concat({head, tail}, at));
}

// The input that has the places; nothing if the attributes have them.
std::optional<std::size_t> places_input(const InsertParam& p, bool by_tensor) {
  if (!by_tensor) return std::nullopt;
  return p.val ? 1 : 2;
}

// Values with as many dimensions as the array; those that are more have to be 1.
Shape wide_values(const InsertParam& p, const Shape& values, std::size_t rank) {
  std::vector<Dim> dims = p.val ? std::vector<Dim>{} : values.dims();
  while (dims.size() > rank) {
    if (dims.front().is_constant() && !(dims.front() == Dim(1))) {
      fail(ErrorCode::kModel, fmt::format("expected values of at most {} dimensions, found {}",
                                          rank, values.to_string()));
    }
    dims.erase(dims.begin());
  }
  dims.insert(dims.begin(), rank - dims.size(), Dim(1));
  return Shape(std::move(dims));
}

enum class InsertKind { kScalar, kSlice, kTensor };

// How slices are inserted.
struct Insertion {
  bool one_place = false;    // all of the values at one place
  bool turns_first = false;  // the first axis of the values is the one along which they lie
  Dim added;
};

// Nothing while it is not known.
std::optional<Insertion> insertion(const InsertParam& p, InsertKind kind, const Shape& array,
                                   std::size_t axis, const Shape& values, const Shape* places) {
  Insertion result;
  if (kind == InsertKind::kScalar) return Insertion{true, true, values[0]};
  if (kind == InsertKind::kTensor && places->rank() == 0)
    return Insertion{true, true, values[axis]};
  Dim count;
  if (kind == InsertKind::kTensor) {
    count = places->count();
  } else {
    if (!array[axis].is_constant()) return std::nullopt;
    count = static_cast<std::int64_t>(slice_places(p, array[axis].value()).size());
  }
  if (!count.known()) return std::nullopt;
  if (count == Dim(1)) return Insertion{true, false, values[axis]};
  return Insertion{false, false, count};
}

void infer_insert(const InsertParam& p, InferContext& c, InsertKind kind) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const auto places = places_input(p, kind == InsertKind::kTensor);
  if (places) c.set_input_dtype(*places, DType::kInt64);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank() || (!p.val && !c.input_shape(1).known_rank())) return;
  if (places && !c.input_shape(*places).known_rank()) return;
  if (places && c.input_shape(*places).rank() > 1) c.fail_input(*places, "at most 1 dimension");
  Shape to = looked_at(p, data);
  if (to.rank() == 0) c.fail_input(0, "at least 1 dimension");
  const std::size_t axis = axis_of(p, to);
  const Shape values = wide_values(p, p.val ? Shape() : c.input_shape(1), to.rank());
  if (kind == InsertKind::kScalar) expect_place(c, *p.int_ind, to[axis], 1);
  if (kind == InsertKind::kSlice && to[axis].is_symbolic()) {
    fail(ErrorCode::kUnsupported,
         fmt::format("a slice of {} elements is not known before the model runs",
                     to[axis].to_string()));
  }
  const auto how = insertion(p, kind, to, axis, values, places ? &c.input_shape(*places) : nullptr);
  if (!how) return;
  if (!p.val) {
    std::vector<Dim> laid = values.dims();
    if (how->turns_first)
      std::rotate(laid.begin(), laid.begin() + 1,
                  laid.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
    Shape room = to;
    room[axis] = how->added;
    if (!may_broadcast_to(Shape(std::move(laid)), room)) {
      c.fail_input(1, fmt::format("values that broadcast to {}", room.to_string()));
    }
  }
  to[axis] = to[axis] + how->added;
  c.set_output_shape(0, to);
}

// The values in the array's dtype, as many along the axis as are added.
Value values_to_insert(const InsertParam& p, Translation& t, const Shape& array, std::size_t axis,
                       const Insertion& how) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  Shape shape = array;
  shape[axis] = how.added;
  if (p.val) return onnx::fill(b, dtype, *p.val, shape);
  const Shape wide = wide_values(p, t.input_shape(1), array.rank());
  Value values = onnx::reshape(b, b.cast(t.input(1), dtype), wide);
  if (how.turns_first) values = b.transpose(values, move_perm(array.rank(), 0, axis));
  return onnx::expand(b, values, shape);
}

// Before one place that is known when the model runs.
Value insert_before(Builder& b, Value x, Value values, Value place, std::size_t axis) {
  const auto at = static_cast<std::int64_t>(axis);
  const Value size = onnx::size_tensor(b, b.shape(x)[axis]);
  const Value is_negative = b.binary("Less", place, b.int_scalar(0));
  const Value index = b.where(is_negative, b.add(place, size), place);
  const Dim added = b.shape(values)[axis];
  const Dim total = b.shape(x)[axis] + added;
  const Value out = counting(b, total);
  const Value behind = b.sub(out, index);
  const Value end = onnx::size_tensor(b, added);
  const Value zero = b.int_scalar(0);
  const Value is_before = b.binary("Less", behind, zero);
  const Value is_value = b.binary("And", b.unary("Not", is_before), b.binary("Less", behind, end));
  const Value of_array = b.where(is_before, out, b.sub(out, end));
  const Value source = b.where(is_value, b.add(size, behind), of_array);
  return b.gather(b.concat({x, values}, at), source, at);
}

// One slice of the values before each of the places. Of the k-th place, that of its slice in the
// result is behind all that come before places that are smaller, or equal and named earlier.
Value insert_each(Builder& b, Value x, Value values, Value places, std::size_t axis) {
  const auto at = static_cast<std::int64_t>(axis);
  const Dim count = b.shape(values)[axis];
  const Value size = onnx::size_tensor(b, b.shape(x)[axis]);
  const Value is_negative = b.binary("Less", places, b.int_scalar(0));
  const Value index = b.where(is_negative, b.add(places, size), places);
  const Value order = counting(b, count);
  const auto row = [&](Value v) { return onnx::unsqueeze(b, v, {0}); };
  const auto column = [&](Value v) { return onnx::unsqueeze(b, v, {1}); };
  const auto sum = [&](Value flags) {
    return onnx::reduce(b, "ReduceSum", b.cast(flags, DType::kInt64), {1}, false);
  };
  const Value same = b.binary("And", b.binary("Equal", row(index), column(index)),
                              b.binary("Less", row(order), column(order)));
  const Value sooner = b.binary("Or", b.binary("Less", row(index), column(index)), same);
  const Value target = b.add(index, sum(sooner));
  const Value out = counting(b, b.shape(x)[axis] + count);
  const Value hit = b.binary("Equal", column(out), row(target));
  const Value which =
      onnx::reduce(b, "ReduceSum", b.mul(b.cast(hit, DType::kInt64), row(order)), {1}, false);
  const Value is_value = b.cast(sum(hit), DType::kBool);
  const Value of_array = b.sub(out, sum(b.binary("Less", row(target), column(out))));
  const Value source = b.where(is_value, b.add(size, which), of_array);
  return b.gather(b.concat({x, values}, at), source, at);
}

void translate_insert(const InsertParam& p, Translation& t, InsertKind kind) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (p.val && !has_defined_value(*p.val, dtype)) {
    return t.refuse(fmt::format("the value {} is not a number of {}", *p.val, dtype_name(dtype)));
  }
  const Value x = whole_array(p, t);
  const Shape array = b.shape(x);
  const std::size_t axis = axis_of(p, array);
  const auto at = static_cast<std::int64_t>(axis);
  const auto places = places_input(p, kind == InsertKind::kTensor);
  const Shape wide = wide_values(p, p.val ? Shape() : t.input_shape(1), array.rank());
  const Insertion how =
      insertion(p, kind, array, axis, wide, places ? &t.input_shape(*places) : nullptr).value();
  if (places && !how.one_place && !how.added.is_constant() && !p.val && !(wide[axis] == Dim(1))) {
    return t.refuse("needs the number of places", "give `obj` a number for its size");
  }
  if (how.turns_first && !(how.added == wide[0])) {
    return t.refuse(fmt::format("MXNet makes room for {} values and puts {} there",
                                how.added.to_string(), wide[0].to_string()));
  }
  if (how.added == Dim(0)) return t.set_output(0, x);
  const Value values = values_to_insert(p, t, array, axis, how);
  if (kind == InsertKind::kTensor) {
    const Value given = b.cast(t.input(*places), DType::kInt64);
    return t.set_output(0, how.one_place ? insert_before(b, x, values, given, axis)
                                         : insert_each(b, x, values, given, axis));
  }
  if (!how.one_place) {
    const Value given = b.ints(slice_places(p, array[axis].value()));
    return t.set_output(0, insert_each(b, x, values, given, axis));
  }
  const std::int64_t place =
      kind == InsertKind::kScalar ? *p.int_ind : slice_places(p, array[axis].value()).front();
  const Dim before = place < 0 ? array[axis] + place : Dim(place);
  const Value head = part(b, x, axis, 0, place, before);
  const Value tail = part(b, x, axis, place, onnx::kSliceEnd, array[axis] - before);
  t.set_output(0, b.concat({head, values, tail}, at));
}

void add_insert(Registry& r, const char* name, const char* summary, InsertKind kind) {
  r.add<InsertParam>({name})
      .summary(summary)
      .inputs_by([kind](const InsertParam& p) {
        std::vector<InputDef> inputs{{"arr", InputRole::kData}};
        if (!p.val) inputs.push_back({"values", InputRole::kData});
        if (kind == InsertKind::kTensor) inputs.push_back({"obj", InputRole::kData});
        return inputs;
      })
      .infer([kind](const InsertParam& p, InferContext& c) { infer_insert(p, c, kind); })
      .translate([kind](const InsertParam& p, Translation& t) { translate_insert(p, t, kind); })
      .check([kind](const InsertParam& p, const CheckContext& context) {
        auto problems = check_places(p, context);
        if (kind == InsertKind::kScalar && !p.int_ind) {
          problems.push_back({"int_ind", "expected an integer, got None", ""});
        }
        if (kind == InsertKind::kSlice && !p.step) {
          problems.push_back({"step", "expected an integer, got None", ""});
        }
        return problems;
      });
}

}  // namespace

void register_np_insert(Registry& r) {
  add_insert(r, "_npi_insert_scalar", "An array with slices put in before one place of an axis.",
             InsertKind::kScalar);
  add_insert(r, "_npi_insert_slice", "An array with slices put in before the places of a slice.",
             InsertKind::kSlice);
  add_insert(r, "_npi_insert_tensor", "An array with slices put in before the places of an array.",
             InsertKind::kTensor);
  r.add<DeleteParam>({"_npi_delete"})
      .summary("An array without some places of an axis.")
      .inputs_by([](const DeleteParam& p) {
        std::vector<InputDef> inputs{{"arr", InputRole::kData}};
        if (!p.step && !p.int_ind) inputs.push_back({"obj", InputRole::kData});
        return inputs;
      })
      .infer(infer_delete)
      .translate(translate_delete)
      .check(check_places);
}

}  // namespace mx2onnx
