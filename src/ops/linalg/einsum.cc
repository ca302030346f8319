// _npi_einsum: Einstein's summation (src/operator/numpy/np_einsum_op.cc), as ONNX's Einsum in a
// form that every runtime takes: spelled out, without ellipses, spaces or sizes that broadcast.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/numbered.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct EinsumParam {
  std::int64_t num_args = 1;
  std::string subscripts;

  static void declare(AttrDeclarer<EinsumParam>& d) {
    d.field("num_args", &EinsumParam::num_args)
        .required()
        .at_least(1)
        .at_most(static_cast<double>(kMostPorts))
        .help("number of operands");
    d.field("subscripts", &EinsumParam::subscripts).help("the formula, \"ij,jk->ik\"");
    // Only the order in which MXNet multiplies.
    d.ignore({"optimize"});
  }
};

constexpr std::string_view kLabels = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kEllipsis = "...";

// A label per axis of each operand and of the result.
struct Formula {
  std::vector<std::string> operands;
  std::string result;
};

[[noreturn]] void fail_formula(const EinsumParam& p, std::string_view reason) {
  fail(ErrorCode::kModel,
       fmt::format("attribute 'subscripts': {}, got {}", reason, in_quotes(p.subscripts)));
}

void check_term(const EinsumParam& p, std::string_view term) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (term[i] == '.' && term.substr(i).starts_with(kEllipsis)) {
      if (term.find('.', i + kEllipsis.size()) != std::string_view::npos) {
        fail_formula(p, "expected one ellipsis at most for each operand");
      }
      i += kEllipsis.size() - 1;
    } else if (kLabels.find(term[i]) == std::string_view::npos) {
      fail_formula(p, R"(expected letters, "...", "," and "->")");
    }
  }
}

// Labels that come once, in the alphabet's order.
std::string implied_result(const std::vector<std::string>& operands) {
  std::map<char, int> counts;
  for (const auto& operand : operands) {
    for (const char label : operand) ++counts[label];
  }
  std::string result;
  for (const auto& [label, count] : counts) {
    if (count == 1 && label != '.') result += label;
  }
  return result;
}

Formula parse_formula(const EinsumParam& p, const std::vector<std::size_t>& ranks) {
  std::string text = p.subscripts;
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  const bool has_result = arrow != std::string::npos;
  Formula formula;
  const std::string operands = text.substr(0, arrow);
  for (const auto term : split(operands, ',')) formula.operands.emplace_back(term);
  if (formula.operands.size() != ranks.size()) {
    fail_formula(p, fmt::format("expected {} operands", ranks.size()));
  }
  for (const auto& operand : formula.operands) check_term(p, operand);
  formula.result = has_result ? text.substr(arrow + 2)
                              : std::string(kEllipsis) + implied_result(formula.operands);
  check_term(p, formula.result);

  // Labels for what the ellipses stand for, the last ones counting from the right.
  std::string free_labels;
  for (const char label : kLabels) {
    if (text.find(label) == std::string::npos) free_labels += label;
  }
  std::size_t longest = 0;
  const auto expand = [&](std::string& term, std::size_t count) {
    const std::size_t place = term.find(kEllipsis);
    if (place == std::string::npos) return;
    if (count > free_labels.size()) fail_formula(p, "expected fewer dimensions");
    term.replace(place, kEllipsis.size(), free_labels.substr(free_labels.size() - count));
  };
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    std::string& term = formula.operands[i];
    const bool has_ellipsis = term.find('.') != std::string::npos;
    const std::size_t named = term.size() - (has_ellipsis ? kEllipsis.size() : 0);
    if (has_ellipsis ? named > ranks[i] : named != ranks[i]) {
      fail_formula(p, fmt::format("expected {} labels for operand {}", ranks[i], i));
    }
    if (has_ellipsis) longest = std::max(longest, ranks[i] - named);
    expand(term, ranks[i] - named);
  }
  expand(formula.result, longest);
  std::set<char> seen;
  for (const char label : formula.result) {
    const bool is_known = std::any_of(formula.operands.begin(), formula.operands.end(),
                                      [&](const auto& o) { return o.find(label) != o.npos; });
    if (!is_known || !seen.insert(label).second) {
      fail_formula(p, "expected each label of the result once, and in an operand");
    }
  }
  return formula;
}

std::vector<std::size_t> ranks_of(const InferContext& c) {
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) ranks.push_back(c.input_shape(i).rank());
  return ranks;
}

// The size of each label; 1 gives way to any other.
std::map<char, Dim> sizes_of(const Formula& formula, const InferContext& c) {
  std::map<char, Dim> sizes;
  for (std::size_t i = 0; i < formula.operands.size(); ++i) {
    for (std::size_t axis = 0; axis < formula.operands[i].size(); ++axis) {
      Dim& size = sizes[formula.operands[i][axis]];
      const Dim& here = c.input_shape(i)[axis];
      const bool is_one = here == Dim(1);
      if (!size.known() || size == Dim(1)) {
        size = here.known() ? here : size;
      } else if (!is_one && here.is_constant() && !size.is_constant()) {
        size = here;
      }
    }
  }
  return sizes;
}

void infer_einsum(const EinsumParam& p, InferContext& c) {
  check_num_inputs(c, "num_args", p.num_args);
  c.unify_dtypes();
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known_rank()) return;
  }
  const Formula formula = parse_formula(p, ranks_of(c));
  const auto sizes = sizes_of(formula, c);
  bool is_open = false;
  for (std::size_t i = 0; i < formula.operands.size(); ++i) {
    const std::string& labels = formula.operands[i];
    Shape shape = Shape::unknown_dims(labels.size());
    for (std::size_t axis = 0; axis < labels.size(); ++axis) {
      const Dim& here = c.input_shape(i)[axis];
      is_open = is_open || !here.known();
      // Twice in one operand it is one size, which may be 1 where it is another elsewhere.
      const std::size_t first = labels.find(labels[axis]);
      if (first != axis && here.known() && c.input_shape(i)[first].known()) {
        shape[axis] = c.input_shape(i)[first];
      } else if (here.known() && here != Dim(1)) {
        shape[axis] = sizes.at(labels[axis]);
      }
    }
    c.set_input_shape(i, shape);
  }
  std::vector<Dim> dims;
  // What is still open may be larger than 1.
  for (const char label : formula.result) {
    const Dim& size = sizes.at(label);
    dims.push_back(is_open && size == Dim(1) ? Dim() : size);
  }
  c.set_output_shape(0, Shape(std::move(dims)));
}

// Takes out the axes of size 1 that other operands have in another size.
void drop_broadcast(Builder& b, const std::map<char, Dim>& sizes, std::string& labels, Value& x) {
  onnx::Ints axes;
  std::string kept;
  const Shape& shape = b.shape(x);
  for (std::size_t axis = 0; axis < labels.size(); ++axis) {
    if (shape[axis] == Dim(1) && sizes.at(labels[axis]) != Dim(1)) {
      axes.push_back(static_cast<std::int64_t>(axis));
    } else {
      kept += labels[axis];
    }
  }
  if (axes.empty()) return;
  x = onnx::squeeze(b, x, axes);
  labels = kept;
}

// One operand whose axes only change places; empty if it is something else.
std::optional<onnx::Ints> as_permutation(const Formula& formula) {
  if (formula.operands.size() != 1) return std::nullopt;
  const std::string& labels = formula.operands[0];
  if (labels.size() != formula.result.size()) return std::nullopt;
  onnx::Ints perm;
  for (const char label : formula.result) {
    perm.push_back(static_cast<std::int64_t>(labels.find(label)));
  }
  return perm;
}

// Integers in 32 bits, or 64, whose low bits are the result; bools as numbers.
DType computed_in(DType dtype) {
  if (dtype == DType::kFloat16) return DType::kFloat32;
  if (dtype == DType::kBool) return DType::kInt32;
  return is_integer(dtype) && dtype_size(dtype) < 4 ? DType::kInt32 : dtype;
}

void translate_einsum(const EinsumParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) ranks.push_back(t.input_rank(i));
  Formula formula = parse_formula(p, ranks);
  if (const auto perm = as_permutation(formula)) {
    return t.set_output(0, b.transpose(t.input(0), *perm));
  }
  std::map<char, Dim> sizes;
  bool is_empty = false;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    is_empty = is_empty || t.input_shape(i).is_empty();
    for (std::size_t axis = 0; axis < formula.operands[i].size(); ++axis) {
      Dim& size = sizes[formula.operands[i][axis]];
      if (!size.known() || size == Dim(1)) size = t.input_shape(i)[axis];
    }
  }
  if (is_empty) return t.set_output(0, onnx::fill(b, dtype, 0, t.output_shape(0)));
  std::vector<Value> operands;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    Value x = b.cast(t.input(i), computed_in(dtype));
    drop_broadcast(b, sizes, formula.operands[i], x);
    operands.push_back(x);
  }
  const std::string equation =
      fmt::format("{}->{}", fmt::join(formula.operands, ","), formula.result);
  const Value sum =
      b.emit("Einsum", operands, {{"equation", equation}}, {computed_in(dtype), t.output_shape(0)});
  t.set_output(0, b.cast(sum, dtype));
}

}  // namespace

void register_einsum(Registry& r) {
  r.add<EinsumParam>({"_npi_einsum"})
      .summary("Einstein's summation over the axes of several arrays.")
      .variadic()
      .infer(infer_einsum)
      .translate(translate_einsum);
}

}  // namespace mx2onnx
