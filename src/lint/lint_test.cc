// The table of runtimes, its conditions, and what lint makes of models.
#include "mx2onnx/lint.h"

#include <gtest/gtest.h>

#include "base/byte_sink.h"
#include "lint/condition.h"
#include "lint/facts.h"
#include "lint/rules.h"
#include "onnx/builder.h"
#include "onnx/schema.h"
#include "onnx/writer.h"
#include "support/error_text.h"

namespace mx2onnx {
namespace {

using lint::Answer;
using lint::Effect;

constexpr const char* kRuntime = "r\truntime\t7-17:13\tfixed\tR 1\t\trun";

std::vector<lint::Runtime> table_of(const std::string& row) {
  return lint::read_rules(std::string("# a comment\n") + kRuntime + "\n" + row + "\n");
}

TEST(Rules, LibraryTable) {
  const auto& table = lint::runtimes();
  ASSERT_GE(table.size(), 13U);
  for (const auto& runtime : table) {
    EXPECT_LE(runtime.first_opset, runtime.best_opset) << runtime.name;
    EXPECT_LE(runtime.best_opset, runtime.last_opset) << runtime.name;
    EXPECT_EQ(&lint::find_runtime(runtime.name), &runtime);
    for (const auto& rule : runtime.rules) {
      for (const auto& op : rule.operators) {
        if (op == "*" || op.find('/') != std::string::npos) continue;
        // Names that a table outside of ONNX has, and the two from before the first opset.
        static const std::vector<std::string> kOthers = {"ImageScaler",  "ParametricSoftplus",
                                                         "ScaledTanh",   "Upsample",
                                                         "ImageDecoder", "Scatter"};
        if (std::find(kOthers.begin(), kOthers.end(), op) != kOthers.end()) continue;
        EXPECT_GT(onnx::first_opset(op), 0) << runtime.name << ": " << op;
      }
    }
  }
}

TEST(Rules, Row) {
  const auto table = table_of("r\twrong\tB, A\tattr(mode:x)!=y|z  rank(0)>3\tm\ta\th");
  ASSERT_EQ(table.size(), 1U);
  EXPECT_TRUE(table[0].wants_fixed_sizes);
  EXPECT_EQ(table[0].best_opset, 13);
  const lint::Rule& rule = table[0].rules.at(0);
  EXPECT_EQ(rule.effect, Effect::kWrong);
  EXPECT_TRUE(rule.is_for("A") && rule.is_for("B") && !rule.is_for("C"));
  ASSERT_EQ(rule.terms.size(), 2U);
  EXPECT_EQ(rule.terms[0].attribute, "mode");
  EXPECT_EQ(rule.terms[0].otherwise, "x");
  EXPECT_EQ(rule.terms[0].values, (std::vector<std::string>{"y", "z"}));
  EXPECT_EQ(rule.terms[1].relation, lint::Relation::kMore);
}

TEST(Rules, Mistakes) {
  const auto text = [](const std::string& row) { return error_text([&] { table_of(row); }); };
  EXPECT_EQ(text("r\twrong\tA"), "line 3: expected 7 columns, found 3");
  EXPECT_EQ(text("s\twrong\tA\t\tm\ta\th"),
            "line 3: expected a runtime that a line before declares, found \"s\"");
  EXPECT_EQ(text("r\tbad\tA\t\tm\ta\th"),
            "line 3: expected runs, refuse, wrong, risk or slow, found \"bad\"");
  EXPECT_EQ(text("r\twrong\tA\tsize(0)=1\tm\ta\th"),
            "line 3: expected a subject of conditions, found \"size(0)=1\"");
  EXPECT_EQ(text("r\twrong\tA\trank(x)=1\tm\ta\th"),
            "line 3: expected a small number, found \"x\"");
  EXPECT_EQ(text("r\twrong\tA\trank(0)=\tm\ta\th"), "line 3: expected a value, found \"rank(0)=\"");
  EXPECT_EQ(text("r\twrong\tA\t\t\ta\th"), "line 3: expected a message, found \"\"");
  EXPECT_EQ(text("r\twrong\tA\t\tm\ta\t"), "line 3: expected how it is known, found \"\"");
}

/// A node `y = Op(x, w)` of a graph, and conditions of it.
class ConditionTest : public testing::Test {
 protected:
  ConditionTest() {
    graph_.inputs.push_back({"x", {1, true, {"batch", "3", "8", "8"}}});
    graph_.inputs.push_back({"untyped", {0, false, {}}});
    weight_.name = "w";
    weight_.dtype = 7;
    weight_.dims = {2};
    weight_.field = 9;
    weight_.elements = std::string_view(kTwoNumbers, 16);
    graph_.weights.push_back(weight_);
    node_.name = "x";
    node_.op_type = "Op";
    node_.inputs = {"x", "w", "", "untyped"};
    node_.outputs = {"y"};
    onnx::StoredAttribute pads;
    pads.name = "pads";
    pads.integers = {0, 0, 1, 0};
    node_.attributes.push_back(std::move(pads));
  }

  Answer of(const std::string& condition) {
    const auto table = table_of("r\twrong\tOp\t" + condition + "\tm\ta\th");
    const lint::Facts facts(graph_, nullptr, 17);
    const std::unordered_set<std::string_view> inputs = {"x"};
    return lint::holds(table[0].rules.at(0), {node_, facts, 17, false, inputs});
  }

  static constexpr char kTwoNumbers[] = "\x05\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
  onnx::StoredGraph graph_;
  onnx::StoredWeight weight_;
  onnx::StoredNode node_;
};

TEST_F(ConditionTest, Inputs) {
  EXPECT_EQ(of("rank(0)=4"), Answer::kYes);
  EXPECT_EQ(of("rank(0)!=4"), Answer::kNo);
  EXPECT_EQ(of("rank(3)=4"), Answer::kMaybe);
  EXPECT_EQ(of("rank(2)=4"), Answer::kNo);  // it is absent
  EXPECT_EQ(of("type(0)=float32"), Answer::kYes);
  EXPECT_EQ(of("type(*)=int64"), Answer::kYes);
  EXPECT_EQ(of("type(3)=int64"), Answer::kMaybe);
  EXPECT_EQ(of("free(0)"), Answer::kYes);
  EXPECT_EQ(of("free(1)"), Answer::kNo);
  EXPECT_EQ(of("const(0)"), Answer::kNo);
  EXPECT_EQ(of("const(1)"), Answer::kYes);
  EXPECT_EQ(of("given(2)"), Answer::kNo);
  EXPECT_EQ(of("given(9)=no"), Answer::kYes);
  EXPECT_EQ(of("value(1)>4"), Answer::kYes);
  EXPECT_EQ(of("value(1)<0"), Answer::kYes);
  EXPECT_EQ(of("value(1)>5"), Answer::kNo);
  EXPECT_EQ(of("value(0)>5"), Answer::kNo);
  EXPECT_EQ(of("inputs=3"), Answer::kYes);
  EXPECT_EQ(of("rank(0)=4 const(0)"), Answer::kNo);
  EXPECT_EQ(of("rank(0)=4 type(3)=int64"), Answer::kMaybe);
}

TEST_F(ConditionTest, NodeAndModel) {
  EXPECT_EQ(of("attr(pads:0)!=0"), Answer::kYes);
  EXPECT_EQ(of("attr(pads:0)=2"), Answer::kNo);
  EXPECT_EQ(of("attr(mode:nearest)=nearest"), Answer::kYes);
  EXPECT_EQ(of("attr(mode)=nearest"), Answer::kNo);
  EXPECT_EQ(of("opset>16"), Answer::kYes);
  EXPECT_EQ(of("outputs>1"), Answer::kNo);
  EXPECT_EQ(of("inner"), Answer::kNo);
  EXPECT_EQ(of("named-as-input"), Answer::kYes);
}

TEST(Lint, PaddingThatIsNotCounted) {
  onnx::Graph graph;
  onnx::Builder b(graph, 17);
  const auto x = b.add_input("x", {DType::kFloat32, Shape{1, 2, 5, 5}});
  b.begin_node("pool");
  const auto y = b.emit("AveragePool", {x},
                        {{"kernel_shape", std::vector<std::int64_t>{3, 3}},
                         {"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
                         {"count_include_pad", 1}},
                        {DType::kFloat32, Shape{1, 2, 5, 5}});
  graph.main.outputs.push_back(b.name_output(y, "y"));
  const onnx::ModelInfo info{17, "0", {}};
  MemorySink sink;
  onnx::ModelWriter(graph, info).write(sink);
  const std::string bytes = sink.take();
  const auto results =
      lint_model(std::as_bytes(std::span(bytes)), "m.onnx", {"opencv4", "onnxruntime-1.8"});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_FALSE(results[0].runs());
  const LintFinding& finding = results[0].findings.at(0);
  EXPECT_EQ(finding.severity, LintSeverity::kWrong);
  EXPECT_EQ(finding.op, "AveragePool");
  EXPECT_TRUE(finding.certain);
  EXPECT_EQ(finding.nodes, std::vector<std::string>{"pool"});
  ASSERT_FALSE(results[1].runs());
  EXPECT_EQ(results[1].findings.at(0).message, "opset 17: it takes 7 to 14");
}

TEST(Lint, NoSuchTarget) {
  EXPECT_NE(error_text([] { lint_file("none.onnx", {"opencv"}); }).find("target: expected opencv4"),
            std::string::npos);
}

}  // namespace
}  // namespace mx2onnx
