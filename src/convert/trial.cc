#include "convert/trial.h"

#include <algorithm>

#include "base/attempt.h"
#include "mxnet/input_spec.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostFixedSizes = 256;

bool any_has(const Shape& shape, const DimAtom& symbol) {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [&](const Dim& dim) { return contains(dim, symbol); });
}

const DimAtom& only_atom(const Dim& symbol) { return *symbol.expr()->terms[0].atoms[0]; }

}  // namespace

bool is_farfetched(const Dim& dim) {
  if (!dim.is_symbolic()) return false;
  const auto& terms = dim.expr()->terms;
  return std::any_of(terms.begin(), terms.end(), [](const DimTerm& term) {
    return std::any_of(term.atoms.begin(), term.atoms.end(),
                       [](const DimAtom* atom) { return atom->kind != DimAtom::Kind::kSymbol; });
  });
}

Trial TrialRunner::run(const Supposition& supposition) {
  Trial trial;
  trial.error = attempt([&] { infer(supposition, trial); });
  return trial;
}

Supposition TrialRunner::with_hidden_names(std::map<std::size_t, Shape> shapes, bool one_batch) {
  Supposition supposition;
  supposition.shapes = std::move(shapes);
  // What one trial assumes of its sizes must not be known to the next.
  supposition.name = [this, one_batch, mark = ++hidden_](const InputAxis& axis, std::size_t rank) {
    if (one_batch && axis.second == 0) return fmt::format("\n{}", mark);
    // The sides of an image are known by their names.
    return fmt::format("{}\n{}.{}.{}", input_name(axis.first), mark, rank == 4 ? 0 : axis.second,
                       usual_meaning(rank, axis.second));
  };
  return supposition;
}

std::vector<std::size_t> TrialRunner::open_inputs(const InferResult& types, bool rank_only) const {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    if (model_.nodes[i].role != VariableRole::kInput || !model_.nodes[i].live) continue;
    const Shape& shape = types.entries[model_.first_entry[i]].type.shape;
    if (!shape.known_rank() || (!rank_only && !shape.known())) open.push_back(i);
  }
  return open;
}

bool TrialRunner::all_declared() const {
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    if (model_.nodes[i].role != VariableRole::kInput || !model_.nodes[i].live) continue;
    const auto& specs = options_.inputs;
    const bool is_known = std::any_of(specs.begin(), specs.end(), [&](const InputSpec& spec) {
      return spec.name == input_name(i) && spec.dims &&
             std::none_of(spec.dims->begin(), spec.dims->end(), [&](const auto& dim) {
               return mxnet::is_unknown_dim(dim, model_.symbol.np_shape);
             });
    });
    if (!is_known) return false;
  }
  return true;
}

void TrialRunner::infer(const Supposition& supposition, Trial& trial) {
  std::vector<SizeSolution> solutions;
  for (const auto& [name, number] : numbers) {
    solutions.push_back({.atom = &only_atom(arena_.symbol(name)), .size = number});
  }
  InferOptions how{.allow_unknown = supposition.allow_unknown,
                   .pass_over_failures = supposition.pass_over_failures};
  if (supposition.name) {
    how.name_size = [&](std::size_t node, std::size_t axis, std::size_t rank) {
      const std::string name = supposition.name({node, axis}, rank);
      trial.named.try_emplace(name, node, axis);
      Dim dim = arena_.symbol(name);
      for (const auto& found : solutions) dim = substitute(dim, *found.atom, found.size);
      return dim;
    };
  }
  for (;;) {
    declare_types(model_, options_, trained, solutions, arena_);
    suppose(supposition.shapes);
    InferResult result = infer_types(model_, arena_, how);
    if (result.conflict) {
      convert_inputs(*result.conflict);
    } else if (result.fixed) {
      trial.types = std::move(result);
      accept(*trial.types.fixed, trial, solutions);
    } else {
      trial.types = std::move(result);
      return;
    }
  }
}

void TrialRunner::convert_inputs(const DtypeConflict& conflict) {
  for (const auto input : conflict.inputs) {
    model_.nodes[input].converted = true;
    conversions.push_back(
        {"W-input-converted", input_name(input),
         fmt::format("input '{}' is converted to float32 inside the model: '{}' does not take {}",
                     input_name(input), conflict.node, dtype_name(model_.nodes[input].fed_as))});
  }
}

void TrialRunner::suppose(const std::map<std::size_t, Shape>& shapes) {
  for (const auto& [node, supposed] : shapes) {
    Shape& declared = model_.nodes[node].declared.shape;
    if (!declared.known_rank()) declared = supposed;
  }
}

bool TrialRunner::inputs_have(const InferResult& types, const DimAtom& symbol) const {
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    const ModelNode& node = model_.nodes[i];
    if (node.role != VariableRole::kInput) continue;
    if (any_has(node.declared.shape, symbol)) return true;
    if (any_has(types.entries[model_.first_entry[i]].type.shape, symbol)) return true;
  }
  return false;
}

void TrialRunner::accept(const FixedSize& fixed, Trial& trial,
                         std::vector<SizeSolution>& solutions) {
  const SizeSolution& found = fixed.solution;
  const DimAtom& symbol = found.multiple != 0 ? *found.symbol : *found.atom;
  trial.fixed.push_back(fixed);
  solutions.push_back(found);
  if (trial.fixed.size() > kMostFixedSizes) {
    fail_at({.node = fixed.node}, ErrorCode::kModel,
            fmt::format("more than {} of the sizes that are left free are determined by the model",
                        kMostFixedSizes),
            "give sizes that are equal one name, or numbers: --input NAME:batch,3");
  }
  if (!inputs_have(trial.types, symbol)) {
    fail_at({.node = fixed.node}, ErrorCode::kModel,
            fmt::format("size '{}' would have to be {}, but no input has it", symbol.name,
                        found.size.to_string()));
  }
  if (found.multiple == 0) return;
  conditions.push_back(fixed);
  arena_.assume(*found.atom, found.size);
}

}  // namespace mx2onnx
