// See random_draws.h. The algorithms are those of src/operator/random/sampler.h, with loops that go
// on until the last element is accepted.
#include "ops/expressions/random_draws.h"

#include <cmath>
#include <numbers>

#include "onnx/kernels.h"
#include "onnx/opset.h"
#include "onnx/schema.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/special_functions.h"

namespace mx2onnx {

using onnx::Value;

namespace {

// That an element needs more rounds has no probability to speak of; but a NaN is never accepted.
constexpr std::int64_t kMostRounds = 10000;
// From here on MXNet draws Poisson's numbers by rejection.
constexpr double kManyEvents = 12;

}  // namespace

DType draw_dtype(DType result) {
  return result == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
}

void warn_of_draws(Translation& t, const std::string& hint) {
  t.warn("W-random-draws-differ",
         "draws random numbers: of the same distribution as in MXNet, but others" +
             (hint.empty() ? "" : "; " + hint));
}

Draws::Draws(onnx::Builder& b, Shape shape, DType dtype)
    : b_(b), shape_(std::move(shape)), dtype_(dtype) {
  if (!onnx::draws_random(b)) counter_.emplace(b, shape_);
}

Value Draws::unit(DType dtype) {
  return counter_ ? counter_->unit(b_, dtype, round_) : draw("RandomUniform", dtype);
}

// Goes on while the first result of the step, a bool scalar, is true.
std::vector<Value> Draws::loop_while(
    const std::vector<Value>& states,
    const std::function<std::vector<Value>(const std::vector<Value>& states)>& step) {
  const Value outer = round_;
  auto end =
      counted_loop_while(b_, kMostRounds, states, [&](Value round, const std::vector<Value>& now) {
        round_ = round;
        if (outer.present()) {
          round_ = b_.add(b_.mul(outer, b_.int_scalar(kMostRounds)), round);
        }
        return step(now);
      });
  round_ = outer;
  return end;
}

std::vector<Value> Draws::repeat(const Dim& count, const std::vector<Value>& states,
                                 const LoopStep& step) {
  const Value outer = round_;
  auto end = counted_loop(b_, count, states, [&](Value i, const std::vector<Value>& now) {
    round_ = b_.add(i, b_.int_scalar(1));
    return step(i, now);
  });
  round_ = outer;
  return end;
}

// Else Box and Muller's, in float64, whose bits reach beyond 8 deviations.
Value Draws::standard_normal() {
  if (!counter_) return draw("RandomNormal", dtype_);
  const auto real = [&](double value) { return b_.scalar(DType::kFloat64, value); };
  const Value rest = b_.sub(real(1), fine_unit());
  const Value radius = b_.unary("Sqrt", b_.mul(b_.unary("Log", rest), real(-2)));
  const Value angle = b_.mul(b_.cast(unit(), DType::kFloat64), real(2 * std::numbers::pi));
  return b_.cast(b_.mul(radius, b_.unary("Cos", angle)), dtype_);
}

Value Draws::draw(std::string_view op_type, DType dtype) {
  const std::int64_t code = onnx::onnx_type_code(dtype);
  if (shape_.is_static()) {
    // ONNX Runtime draws no scalars.
    auto sizes = shape_.sizes();
    if (sizes.empty()) sizes.push_back(1);
    const Value drawn =
        b_.emit(op_type, {}, {{"dtype", code}, {"shape", sizes}}, {dtype, Shape::of(sizes)});
    return onnx::reshape(b_, drawn, shape_);
  }
  const Value like = onnx::fill(b_, dtype, 0, shape_);
  return b_.emit(std::string(op_type) + "Like", {like}, {{"dtype", code}}, {dtype, shape_});
}

// As a bool scalar, also of no elements.
Value Draws::any(Value flags) const {
  const Value flat =
      onnx::reshape(b_, b_.cast(flags, DType::kInt32), Shape{b_.shape(flags).count()});
  const Value none = b_.constant(make_tensor<std::int32_t>({1}, {0}));
  return b_.cast(onnx::reduce(b_, "ReduceMax", b_.concat({flat, none}, 0), {0}, false),
                 DType::kBool);
}

Value Draws::uniform(Value low, Value high) {
  return b_.add(low, b_.mul(b_.sub(high, low), unit()));
}

Value Draws::normal(Value mean, Value deviation) {
  return b_.add(b_.mul(standard_normal(), deviation), mean);
}

Value Draws::exponential(Value rate) {
  const Value rest = b_.sub(number(1), unit());
  return b_.div(b_.unary("Neg", b_.unary("Log", rest)), rate);
}

// Marsaglia and Tsang.
Value Draws::gamma(Value alpha, Value scale) {
  const Value is_small = b_.binary("Less", alpha, number(1));
  const Value d = b_.add(alpha, b_.where(is_small, number(2.0 / 3), number(-1.0 / 3)));
  const Value k = b_.unary("Sqrt", b_.mul(d, number(9)));
  const Value c = b_.unary("Reciprocal", k);
  const Value none = onnx::fill(b_, dtype_, std::nan(""), shape_);
  const Value not_done = onnx::fill(b_, DType::kBool, 1, shape_);
  const auto end = loop_while({none, not_done}, [&](const std::vector<Value>& states) {
    const Value z = standard_normal();
    const Value x = b_.add(number(1), b_.mul(c, z));
    const Value v = b_.mul(b_.mul(x, x), x);
    const Value gap = b_.add(b_.sub(number(1), v), b_.unary("Log", v));
    const Value bound = b_.add(b_.mul(b_.mul(z, z), number(0.5)), b_.mul(d, gap));
    const Value chance = b_.unary("Log", b_.sub(number(1), unit()));
    const Value is_inside = b_.binary("Less", b_.unary("Neg", k), z);
    const Value fits = b_.binary("And", is_inside, b_.binary("Less", chance, bound));
    const Value accepted = b_.binary("And", fits, states[1]);
    const Value left = b_.binary("And", states[1], b_.unary("Not", fits));
    return std::vector<Value>{any(left), b_.where(accepted, b_.mul(d, v), states[0]), left};
  });
  const Value sample = b_.mul(end[0], scale);
  const Value power = b_.binary("Pow", unit(), b_.div(number(1), alpha));
  return b_.mul(sample, b_.where(is_small, power, number(1)));
}

// How many factors of [0, 1) it takes to get below e^-rate.
Value Draws::poisson_of_few(Value rate) {
  const Value limit = b_.unary("Exp", b_.unary("Neg", rate));
  const Value zero = onnx::fill(b_, dtype_, 0, shape_);
  const auto end = loop_while({zero, unit()}, [&](const std::vector<Value>& states) {
    const Value above = b_.binary("Less", limit, states[1]);
    return std::vector<Value>{any(above), b_.add(states[0], b_.cast(above, dtype_)),
                              b_.mul(states[1], unit())};
  });
  return end[0];
}

// Rejection from a Lorentz distribution (Numerical Recipes), in float64.
Value Draws::poisson_of_many(Value rate) {
  const auto real = [&](double value) { return b_.scalar(DType::kFloat64, value); };
  const Value wide = b_.cast(rate, DType::kFloat64);
  const Value width = b_.unary("Sqrt", b_.mul(wide, real(2)));
  const Value log_rate = b_.unary("Log", wide);
  const Value scale = b_.sub(b_.mul(wide, log_rate), log_gamma(b_, b_.add(wide, real(1))));
  const Value none = onnx::fill(b_, DType::kFloat64, std::nan(""), shape_);
  const Value not_done = onnx::fill(b_, DType::kBool, 1, shape_);
  const auto end = loop_while({none, not_done}, [&](const std::vector<Value>& states) {
    const Value angle = b_.mul(fine_unit(), real(std::numbers::pi));
    const Value y = b_.div(b_.unary("Sin", angle), b_.unary("Cos", angle));
    const Value at = b_.add(b_.mul(width, y), wide);
    const Value events = b_.unary("Floor", at);
    const Value log_chance =
        b_.sub(b_.sub(b_.mul(events, log_rate), log_gamma(b_, b_.add(events, real(1)))), scale);
    const Value shape = b_.mul(b_.add(b_.mul(y, y), real(1)), real(0.9));
    const Value limit = b_.mul(shape, b_.unary("Exp", log_chance));
    const Value is_inside = b_.unary("Not", b_.binary("Less", at, real(0)));
    const Value fits = b_.binary("And", is_inside, b_.binary("Less", fine_unit(), limit));
    const Value accepted = b_.binary("And", fits, states[1]);
    const Value left = b_.binary("And", states[1], b_.unary("Not", fits));
    return std::vector<Value>{any(left), b_.where(accepted, events, states[0]), left};
  });
  return b_.cast(end[0], dtype_);
}

Value Draws::poisson(Value rate) {
  if (const Tensor* known = b_.graph().constant(rate); known != nullptr && known->count() == 1) {
    return read_doubles(*known)[0] < kManyEvents ? poisson_of_few(rate) : poisson_of_many(rate);
  }
  const Value are_few = b_.binary("Less", rate, number(kManyEvents));
  const Value few = poisson_of_few(b_.where(are_few, rate, number(0)));
  const Value many = poisson_of_many(b_.where(are_few, number(kManyEvents), rate));
  return b_.where(are_few, few, many);
}

// Trials from one success to the next, until there are no more, in float64.
Value Draws::binomial_of_few(Value count, Value chance) {
  const auto real = [&](double value) { return b_.scalar(DType::kFloat64, value); };
  const Value is_never = b_.binary("LessOrEqual", chance, real(0));
  const Value log_failure = b_.unary("Log", b_.sub(real(1), b_.where(is_never, real(0.5), chance)));
  const Value none = onnx::fill(b_, DType::kFloat64, 0, shape_);
  const auto end = loop_while({none, none}, [&](const std::vector<Value>& states) {
    const Value failures =
        b_.unary("Floor", b_.div(b_.unary("Log", b_.sub(real(1), fine_unit())), log_failure));
    const Value trials = b_.where(is_never, b_.add(count, real(1)), b_.add(failures, real(1)));
    const Value trial = b_.add(states[0], trials);
    const Value is_success = b_.binary("LessOrEqual", trial, count);
    return std::vector<Value>{any(is_success), trial,
                              b_.add(states[1], b_.cast(is_success, DType::kFloat64))};
  });
  return end[1];
}

// Hoermann's rejection (BTRS), in float64.
Value Draws::binomial_of_many(Value count, Value chance) {
  const auto real = [&](double value) { return b_.scalar(DType::kFloat64, value); };
  const auto log_factorial = [&](Value x) { return log_gamma(b_, b_.add(x, real(1))); };
  const Value failure = b_.sub(real(1), chance);
  const Value mean = b_.mul(count, chance);
  const Value deviation = b_.unary("Sqrt", b_.mul(mean, failure));
  const Value width = b_.add(real(1.15), b_.mul(real(2.53), deviation));
  const Value a =
      b_.add(b_.add(real(-0.0873), b_.mul(real(0.0248), width)), b_.mul(real(0.01), chance));
  const Value alpha = b_.mul(b_.add(real(2.83), b_.div(real(5.1), width)), deviation);
  const Value mode = b_.unary("Floor", b_.mul(b_.add(count, real(1)), chance));
  const Value log_odds = b_.unary("Log", b_.div(chance, failure));
  const Value at_mode = b_.add(log_factorial(mode), log_factorial(b_.sub(count, mode)));
  const Value none = onnx::fill(b_, DType::kFloat64, std::nan(""), shape_);
  const Value not_done = onnx::fill(b_, DType::kBool, 1, shape_);
  const auto end = loop_while({none, not_done}, [&](const std::vector<Value>& states) {
    const Value u = b_.sub(fine_unit(), real(0.5));
    const Value distance = b_.sub(real(0.5), b_.unary("Abs", u));
    const Value slope = b_.add(b_.div(b_.mul(real(2), a), distance), width);
    const Value drawn = b_.unary("Floor", b_.add(b_.add(b_.mul(slope, u), mean), real(0.5)));
    const Value is_inside = b_.binary("And", b_.binary("GreaterOrEqual", drawn, real(0)),
                                      b_.binary("LessOrEqual", drawn, count));
    const Value successes = b_.where(is_inside, drawn, mode);
    const Value density = b_.add(b_.div(a, b_.mul(distance, distance)), width);
    const Value height = b_.div(b_.mul(fine_unit(), alpha), density);
    const Value log_ratio =
        b_.sub(b_.add(at_mode, b_.mul(b_.sub(successes, mode), log_odds)),
               b_.add(log_factorial(successes), log_factorial(b_.sub(count, successes))));
    const Value is_below = b_.binary("LessOrEqual", b_.unary("Log", height), log_ratio);
    const Value fits = b_.binary("And", is_inside, is_below);
    const Value accepted = b_.binary("And", fits, states[1]);
    const Value left = b_.binary("And", states[1], b_.unary("Not", fits));
    return std::vector<Value>{any(left), b_.where(accepted, successes, states[0]), left};
  });
  return end[0];
}

// Of the rarer of the two outcomes. Where there are none to draw, any numbers that end the loops.
Value Draws::binomial(Value count, Value chance) {
  const auto real = [&](double value) { return b_.scalar(DType::kFloat64, value); };
  constexpr double kManySuccesses = 10;
  const Value trials = b_.cast(count, DType::kFloat64);
  const Value given = b_.cast(chance, DType::kFloat64);
  const Value is_frequent = b_.binary("Greater", given, real(0.5));
  const Value rarer = b_.where(is_frequent, b_.sub(real(1), given), given);
  const Value are_few = b_.binary("Less", b_.mul(trials, rarer), real(kManySuccesses));
  const Value few = binomial_of_few(trials, b_.where(are_few, rarer, real(0)));
  const Value many = binomial_of_many(b_.where(are_few, real(2 * kManySuccesses), trials),
                                      b_.where(are_few, real(0.5), rarer));
  const Value drawn = b_.where(are_few, few, many);
  return b_.cast(b_.where(is_frequent, b_.sub(trials, drawn), drawn), dtype_);
}

Value Draws::negative_binomial(Value limit, Value chance) {
  return poisson(gamma(limit, b_.div(b_.sub(number(1), chance), chance)));
}

Value Draws::generalized_negative_binomial(Value mean, Value dispersion) {
  // Without dispersion it is Poisson's distribution.
  const Value is_poisson = b_.binary("Equal", dispersion, number(0));
  const Value divisor = b_.where(is_poisson, number(1), dispersion);
  const Value rate = gamma(b_.unary("Reciprocal", divisor), b_.mul(divisor, mean));
  return poisson(b_.where(is_poisson, mean, rate));
}

}  // namespace mx2onnx
