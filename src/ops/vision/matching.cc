// _contrib_bipartite_matching (src/operator/contrib/bounding_box-inl.h): pairs rows with columns of
// a score matrix, the best score first.
//
// MXNet walks through the sorted scores. Here each turn of a Loop takes the best score that is left
// of each batch and crosses out its row and column; the first of equal scores wins in both.
#include <cmath>
#include <limits>
#include <memory>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct MatchingParam {
  bool is_ascend = false;
  double threshold = 0;
  std::int64_t topk = -1;

  static void declare(AttrDeclarer<MatchingParam>& d) {
    d.field("is_ascend", &MatchingParam::is_ascend).help("small scores are the better ones");
    d.field("threshold", &MatchingParam::threshold)
        .required()
        .help("scores have to be better than this");
    d.field("topk", &MatchingParam::topk)
        .help("one less than the most pairs; not positive: no limit");
  }
};

void infer_matching(const MatchingParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 2) c.fail_input(0, "at least 2 dimensions");
  auto rows = data.dims();
  rows.pop_back();
  auto columns = rows;
  columns.back() = data[data.rank() - 1];
  c.set_output_shape(0, Shape(std::move(rows)));
  c.set_output_shape(1, Shape(std::move(columns)));
}

struct State {
  Value scores;   // (batch, rows, columns), the crossed out ones worse than any
  Value rows;     // (batch, rows): int64, the column of each, or -1
  Value columns;  // (batch, columns)
};

struct Problem {
  bool ascending;
  Value threshold;
  Value worst;
  Value row_numbers;
  Value column_numbers;
  Value num_columns;
};

State next_pair(Builder& b, const Problem& p, const State& state) {
  const Shape shape = b.shape(state.scores);
  const Value flat = onnx::reshape(b, state.scores, Shape{shape[0], shape[1] * shape[2]});
  const Value best = onnx::reduce(b, p.ascending ? "ReduceMin" : "ReduceMax", flat, {1}, true);
  const Value place = onnx::arg_reduce(b, p.ascending ? "ArgMin" : "ArgMax", flat, 1, true);
  const Value good = b.binary(p.ascending ? "Less" : "Greater", best, p.threshold);
  const Value row = b.div(place, p.num_columns);
  const Value column = b.sub(place, b.mul(row, p.num_columns));
  const Value row_hit = b.binary("And", b.binary("Equal", row, p.row_numbers), good);
  const Value column_hit = b.binary("And", b.binary("Equal", column, p.column_numbers), good);
  const Value used =
      b.binary("Or", onnx::unsqueeze(b, row_hit, {2}), onnx::unsqueeze(b, column_hit, {1}));
  return {b.where(used, p.worst, state.scores), b.where(row_hit, column, state.rows),
          b.where(column_hit, row, state.columns)};
}

void translate_matching(const MatchingParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const Dim batch = data.count(0, data.rank() - 2);
  const Dim& rows = data[data.rank() - 2];
  const Dim& columns = data[data.rank() - 1];
  const DType dtype = t.input_type(0).dtype;
  // Comparing in float32 is exact for float16.
  const DType compute = dtype == DType::kFloat64 ? dtype : DType::kFloat32;
  const Value scores = onnx::reshape(b, b.cast(t.input(0), compute), Shape{batch, rows, columns});
  const State start = {scores, onnx::fill(b, DType::kInt64, -1, Shape{batch, rows}),
                       onnx::fill(b, DType::kInt64, -1, Shape{batch, columns})};
  const double infinity = std::numeric_limits<double>::infinity();
  const Problem problem = {p.is_ascend,
                           b.scalar(compute, static_cast<float>(p.threshold)),
                           b.scalar(compute, p.is_ascend ? infinity : -infinity),
                           counting(b, rows),
                           counting(b, columns),
                           onnx::size_tensor(b, columns)};
  // MXNet looks at topk only after it has counted one pair too many.
  Dim turns = min(rows, columns);
  if (p.topk > 0) turns = min(turns, p.topk + 1);
  const Value num_turns = onnx::reshape(b, onnx::size_tensor(b, turns), Shape(std::vector<Dim>{}));

  auto body = std::make_shared<onnx::Body>();
  b.begin_body(*body);
  const auto body_input = [&](const char* name, const TensorType& type) {
    return b.add_input(b.graph().names.unique(std::string(b.node_name()) + "/" + name), type);
  };
  const TensorType scalar_bool{DType::kBool, Shape(std::vector<Dim>{})};
  body_input("turn", {DType::kInt64, Shape(std::vector<Dim>{})});
  const Value go_on = body_input("go_on", scalar_bool);
  const State state = {body_input("scores", b.type(start.scores)),
                       body_input("rows", b.type(start.rows)),
                       body_input("columns", b.type(start.columns))};
  const State next = next_pair(b, problem, state);
  body->outputs = {b.identity(go_on), next.scores, next.rows, next.columns};
  b.end_body();

  const auto ends = b.emit_many("Loop", {num_turns, {}, start.scores, start.rows, start.columns},
                                {{"body", body}},
                                {b.type(start.scores), b.type(start.rows), b.type(start.columns)});
  t.set_output(0, onnx::reshape(b, b.cast(ends[1], dtype), t.output_shape(0)));
  t.set_output(1, onnx::reshape(b, b.cast(ends[2], dtype), t.output_shape(1)));
}

}  // namespace

void register_matching(Registry& r) {
  r.add<MatchingParam>({"_contrib_bipartite_matching", "_npx_bipartite_matching"})
      .summary("Pairs rows with columns of a score matrix, the best score first.")
      .outputs({"output0", "output1"})
      .infer(infer_matching)
      .translate(translate_matching)
      .note("Of scores of which one is NaN, the order is undefined in MXNet, which sorts them.");
}

}  // namespace mx2onnx
