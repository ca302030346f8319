#include "onnx/shape_expr.h"

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"

namespace mx2onnx::onnx {
namespace {

// Constants up to this many elements are written out instead of being made at run time.
constexpr std::int64_t kMostFilledElements = 64;

Value atom_tensor(Builder& b, const DimAtom& atom) {
  switch (atom.kind) {
    case DimAtom::Kind::kSymbol: {
      const auto* source = b.symbol_source(atom.name);
      if (source == nullptr) {
        fail(ErrorCode::kUnsupported,
             fmt::format("needs the size '{}' at run time, which no input has", atom.name));
      }
      return shape_slice(b, source->first, source->second, source->second + 1);
    }
    case DimAtom::Kind::kFloorDiv:
      // Sizes are not negative, so ONNX's truncating division is the floor.
      return b.div(size_tensor(b, atom.a), size_tensor(b, atom.b));
    case DimAtom::Kind::kMin:
    case DimAtom::Kind::kMax: {
      const bool is_min = atom.kind == DimAtom::Kind::kMin;
      return b.binary(is_min ? "Min" : "Max", size_tensor(b, atom.a), size_tensor(b, atom.b));
    }
  }
  return {};
}

Value term_tensor(Builder& b, const DimTerm& term, std::int64_t coefficient) {
  Value product;
  for (const DimAtom* atom : term.atoms) {
    const std::string key = fmt::format("atom {}", atom->id);
    Value factor = b.find_cached(key);
    if (!factor.present()) {
      factor = atom_tensor(b, *atom);
      b.remember(key, factor);
    }
    product = product.present() ? b.mul(product, factor) : factor;
  }
  return coefficient == 1 ? product : b.mul(product, b.ints({coefficient}));
}

Value expr_tensor(Builder& b, const DimExpr& expr) {
  Value sum;
  // Terms that are subtracted come after one that is added, where there is one.
  for (const auto& term : expr.terms) {
    if (term.coefficient < 0) continue;
    const Value part = term_tensor(b, term, term.coefficient);
    sum = sum.present() ? b.add(sum, part) : part;
  }
  for (const auto& term : expr.terms) {
    if (term.coefficient > 0) continue;
    if (sum.present()) {
      sum = b.sub(sum, term_tensor(b, term, -term.coefficient));
    } else {
      sum = term_tensor(b, term, term.coefficient);
    }
  }
  if (expr.constant > 0) return b.add(sum, b.ints({expr.constant}));
  if (expr.constant < 0) return b.sub(sum, b.ints({-expr.constant}));
  return sum;
}

// The shape operand of a Reshape in numbers: 0 copies a size, -1 is what is left. Nothing if that
// is not enough.
std::optional<std::vector<std::int64_t>> reshape_numbers(const Shape& from, const Shape& target) {
  std::vector<std::int64_t> numbers;
  bool has_rest = false;
  for (std::size_t i = 0; i < target.rank(); ++i) {
    if (target[i].is_constant() && target[i].value() != 0) {
      numbers.push_back(target[i].value());
    } else if (i < from.rank() && from[i] == target[i]) {
      numbers.push_back(0);
    } else if (!has_rest && !target[i].is_constant()) {
      has_rest = true;
      numbers.push_back(-1);
    } else {
      return std::nullopt;
    }
  }
  return numbers;
}

// Reshapes by computed sizes where 0 always copies a size: the last sizes, as many as stay, are
// copied, for which they have to have the same places before and after.
Value reshape_but_last(Builder& b, Value x, const Shape& target) {
  const std::size_t before = b.shape(x).rank();
  const std::size_t after = target.rank();
  std::size_t same = 0;
  while (same < std::min(before, after) &&
         b.shape(x)[before - 1 - same] == target[after - 1 - same])
    ++same;
  std::vector<Dim> sizes = target.dims();
  Ints added;
  for (std::size_t i = 0; i < std::max(before, after) - std::min(before, after); ++i)
    added.push_back(static_cast<std::int64_t>(i));
  if (same > 0 && before < after) x = unsqueeze(b, x, added);
  if (same > 0 && before > after) sizes.insert(sizes.begin(), before - after, Dim(1));
  Shape result(sizes);
  for (std::size_t i = sizes.size() - same; i < sizes.size(); ++i) {
    if (!sizes[i].is_constant()) sizes[i] = 0;
  }
  x = b.emit("Reshape", {x, sizes_tensor(b, sizes)}, {}, {b.dtype(x), std::move(result)});
  return same > 0 && before > after ? squeeze(b, x, added) : x;
}

}  // namespace

Value size_tensor(Builder& b, const Dim& dim) {
  if (!dim.known())
    fail(ErrorCode::kUnsupported, "needs a size at run time that inference could not find");
  if (dim.is_constant()) return b.ints({dim.value()});
  const std::string key = fmt::format("size {}", static_cast<const void*>(dim.expr()));
  if (const Value known = b.find_cached(key); known.present()) return known;
  const Value value = expr_tensor(b, *dim.expr());
  b.remember(key, value);
  return value;
}

Value sizes_tensor(Builder& b, const std::vector<Dim>& dims) {
  const Shape shape(dims);
  if (shape.is_static()) return b.ints(shape.sizes());
  std::string key = "sizes";
  for (const Dim& dim : dims) {
    key += dim.is_constant() ? fmt::format(" {}", dim.value())
                             : fmt::format(" {}", static_cast<const void*>(dim.expr()));
  }
  if (const Value known = b.find_cached(key); known.present()) return known;
  std::vector<Value> parts;
  std::vector<std::int64_t> numbers;
  const auto flush = [&] {
    if (!numbers.empty()) parts.push_back(b.ints(numbers));
    numbers.clear();
  };
  for (const Dim& dim : dims) {
    if (dim.is_constant()) {
      numbers.push_back(dim.value());
    } else {
      flush();
      parts.push_back(size_tensor(b, dim));
    }
  }
  flush();
  const Value value = b.concat(parts, 0);
  b.remember(key, value);
  return value;
}

Value reshape(Builder& b, Value x, const Shape& target) {
  const Shape& from = b.shape(x);
  if (from.known() && from == target) return x;
  const TensorType result{b.dtype(x), target};
  if (const auto numbers = reshape_numbers(from, target)) {
    return b.emit("Reshape", {x, b.ints(*numbers)}, {}, result);
  }
  const bool has_zero = std::any_of(target.dims().begin(), target.dims().end(), [](const Dim& dim) {
    return dim.is_constant() && dim.value() == 0;
  });
  if (has_zero) {
    // An explicit size of 0 needs `allowzero`; before opset 14 an empty tensor is made anew.
    if (!has_allowzero(b)) return fill(b, b.dtype(x), 0, target);
    return b.emit("Reshape", {x, sizes_tensor(b, target.dims())}, {{"allowzero", 1}}, result);
  }
  // A size that turns out to be 0 is a size, and does not copy one.
  if (has_allowzero(b))
    return b.emit("Reshape", {x, sizes_tensor(b, target.dims())}, {{"allowzero", 1}}, result);
  return reshape_but_last(b, x, target);
}

Value expand(Builder& b, Value x, const Shape& target) {
  const Shape& from = b.shape(x);
  if (from.known() && from == target) return x;
  // ONNX's Expand broadcasts both ways, so a free size that stays need not be read at run time.
  std::vector<Dim> sizes = target.dims();
  const std::size_t added = sizes.size() - from.rank();
  for (std::size_t i = added; i < sizes.size(); ++i) {
    if (sizes[i].is_symbolic() && from[i - added] == sizes[i]) sizes[i] = 1;
  }
  return b.emit("Expand", {x, sizes_tensor(b, sizes)}, {}, {b.dtype(x), target});
}

Value fill(Builder& b, DType dtype, double value, const Shape& shape) {
  if (shape.is_static()) {
    const Tensor probe{dtype, shape.sizes(), nullptr};
    if (probe.count() <= kMostFilledElements) {
      const std::vector<double> values(static_cast<std::size_t>(probe.count()), value);
      return b.constant(make_tensor_as(dtype, shape.sizes(), values));
    }
  }
  return b.emit("ConstantOfShape", {sizes_tensor(b, shape.dims())},
                {{"value", make_tensor_as(dtype, {1}, {&value, 1})}}, {dtype, shape});
}

}  // namespace mx2onnx::onnx
