#include "ops/record/infer_context.h"

#include "base/error.h"

namespace mx2onnx {
namespace {

// More than any machine holds, and so few that no later product of sizes overflows.
constexpr std::int64_t kMostElements = std::int64_t{1} << 48;

// Free sizes count as 1.
bool is_too_large(const Shape& shape) {
  std::int64_t elements = 1;
  for (const Dim& dim : shape.dims()) {
    if (!dim.is_constant() || dim.value() <= 1) continue;
    if (dim.value() > kMostElements / elements) return true;
    elements *= dim.value();
  }
  return false;
}

}  // namespace

const std::vector<Dim>* InferContext::input_value(std::size_t i) const {
  const auto& value = inputs_[i].entry->value;
  return value ? &*value : nullptr;
}

void InferContext::set_output_value(std::size_t i, std::vector<Dim> value) {
  outputs_[i].entry->value = std::move(value);
}

namespace {

// min(n, 1), the size of what is sliced off a free size: where the graph wants a 1 it is one, or
// the model does not run in MXNet either.
bool is_at_most_one(const Dim& dim) {
  if (!dim.is_symbolic() || dim.expr()->constant != 0 || dim.expr()->terms.size() != 1) {
    return false;
  }
  const DimTerm& term = dim.expr()->terms.front();
  if (term.coefficient != 1 || term.atoms.size() != 1) return false;
  const DimAtom& atom = *term.atoms.front();
  return atom.kind == DimAtom::Kind::kMin && (atom.a == Dim(1) || atom.b == Dim(1));
}

bool is_same_size(const Dim& known, const Dim& added) {
  return known == added || (known == Dim(1) && is_at_most_one(added));
}

}  // namespace

bool InferContext::merge_dim(Dim& known, const Dim& added) {
  if (!added.known() || is_same_size(known, added)) return false;
  if (!known.known() || (added == Dim(1) && is_at_most_one(known))) {
    known = added;
    return true;
  }
  if (fixed_size_) return false;
  if (auto solution = solve_size(known, added))
    fixed_size_ = FixedSize{*solution, current_place().node};
  return false;
}

std::string InferContext::port_text(const Port& port, bool is_input) {
  return fmt::format("{} '{}'", is_input ? "input" : "output", *port.name);
}

void InferContext::merge(Port& port, const Shape& shape, bool is_input) {
  if (!shape.known_rank()) return;
  Shape& known = port.entry->type.shape;
  if (!known.known_rank()) {
    known = Shape::unknown_dims(shape.rank());
    port.entry->changed = true;
  }
  bool fits = known.rank() == shape.rank();
  bool is_free = false;
  for (std::size_t axis = 0; fits && axis < shape.rank(); ++axis) {
    if (merge_dim(known[axis], shape[axis])) port.entry->changed = true;
    const bool differs = shape[axis].known() && !is_same_size(known[axis], shape[axis]);
    fits = !differs || fixed_size_.has_value();
    is_free = !fits && (shape[axis].is_symbolic() || known[axis].is_symbolic());
  }
  if (!fits) {
    fail(ErrorCode::kModel,
         fmt::format("{}: expected shape {}, found {}", port_text(port, is_input),
                     shape.to_string(), known.to_string()),
         is_free ? "the model fixes a size that is left free: give the input numbers" : "");
  }
  if (is_too_large(known)) {
    fail(ErrorCode::kModel, fmt::format("{}: expected at most 2^48 elements, found shape {}",
                                        port_text(port, is_input), known.to_string()));
  }
}

void InferContext::merge(Port& port, DType dtype, bool is_input) {
  DType& known = port.entry->type.dtype;
  if (dtype == DType::kUnknown || known == dtype) return;
  if (known != DType::kUnknown) {
    return conflict_dtypes(fmt::format("{}: expected {}, found {}", port_text(port, is_input),
                                       dtype_name(dtype), dtype_name(known)));
  }
  known = dtype;
  port.entry->changed = true;
}

void InferContext::conflict_dtypes(std::string message) {
  if (!records_conflicts_) fail(ErrorCode::kModel, message);
  if (!dtype_conflict_) dtype_conflict_ = std::move(message);
}

Dim InferContext::own_size(std::size_t output, std::size_t axis) {
  // Two nodes may have the same name, hence the key.
  return arena_.symbol(
      fmt::format("{}.{}#{}{}", *outputs_[output].name, axis, node_.path, node_.index));
}

void InferContext::unify_dtypes(std::size_t first_input, std::size_t first_output) {
  DType dtype = DType::kUnknown;
  for (std::size_t i = first_input; i < num_inputs() && dtype == DType::kUnknown; ++i) {
    dtype = input(i).dtype;
  }
  for (std::size_t i = first_output; i < num_outputs() && dtype == DType::kUnknown; ++i) {
    dtype = output(i).dtype;
  }
  for (std::size_t i = first_input; i < num_inputs(); ++i) set_input_dtype(i, dtype);
  for (std::size_t i = first_output; i < num_outputs(); ++i) set_output_dtype(i, dtype);
}

void InferContext::unify_shapes() {
  // Twice, so that what a later one knows reaches the earlier ones.
  Shape shape;
  for (int round = 0; round < 2; ++round) {
    const auto take = [&](const Shape& found) {
      if (!found.known_rank()) return;
      if (!shape.known_rank()) {
        shape = found;
      } else if (shape.rank() == found.rank()) {
        for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
          if (!shape[axis].known()) shape[axis] = found[axis];
        }
      }
    };
    for (std::size_t i = 0; i < num_inputs(); ++i) {
      take(input_shape(i));
      set_input_shape(i, shape);
    }
    for (std::size_t i = 0; i < num_outputs(); ++i) {
      take(output_shape(i));
      set_output_shape(i, shape);
    }
  }
}

void InferContext::fail_input(std::size_t i, std::string_view expected) const {
  fail(ErrorCode::kModel,
       fmt::format("{}: expected {}, found shape {}", port_text(inputs_[i], true), expected,
                   input_shape(i).to_string()));
}

std::size_t checked_axis(std::int64_t axis, std::size_t rank, std::string_view attribute) {
  const auto resolved = resolve_axis(axis, rank);
  if (!resolved) {
    const ErrorScope scope = ErrorScope::attribute(attribute);
    fail(ErrorCode::kModel,
         fmt::format("expected an axis of an array of {} dimensions, got {}", rank, axis));
  }
  return *resolved;
}

}  // namespace mx2onnx
