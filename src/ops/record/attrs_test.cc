// Attribute texts and declared attributes.
#include <gtest/gtest.h>

#include "ops/record/attr_schema.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

template <typename T>
std::optional<T> parsed(std::string_view text) {
  T value = {};
  if (!parse_attr(text, value)) return std::nullopt;
  return value;
}

TEST(AttrTextTest, Tuples) {
  EXPECT_EQ(parsed<Tuple>("(3, 3)"), (Tuple{3, 3}));
  EXPECT_EQ(parsed<Tuple>("(3,)"), (Tuple{3}));
  EXPECT_EQ(parsed<Tuple>("[2,2]"), (Tuple{2, 2}));
  EXPECT_EQ(parsed<Tuple>("(2L, 3L)"), (Tuple{2, 3}));
  EXPECT_EQ(parsed<Tuple>("5"), (Tuple{5}));
  EXPECT_EQ(parsed<Tuple>("()"), (Tuple{}));
  EXPECT_EQ(parsed<Tuple>(" ( 1 , -1 ) "), (Tuple{1, -1}));
  for (const auto* bad : {"", "(3, x)", "(3", "3, 3", "(,)", "(1,,2)", "(None, 1)", "(1.5,)"}) {
    EXPECT_EQ(parsed<Tuple>(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parsed<OptionalTuple>("(None, 1)"), (OptionalTuple{std::nullopt, 1}));
  EXPECT_EQ(parsed<OptionalTuple>("[None]"), (OptionalTuple{std::nullopt}));
  EXPECT_EQ(parsed<FloatTuple>("(0.5, 1e-3)"), (FloatTuple{0.5, 1e-3}));
}

TEST(AttrTextTest, Scalars) {
  EXPECT_EQ(parsed<bool>("True"), true);
  EXPECT_EQ(parsed<bool>("0"), false);
  EXPECT_EQ(parsed<bool>("yes"), std::nullopt);
  EXPECT_EQ(parsed<std::int64_t>("12L"), 12);
  EXPECT_EQ(parsed<std::int64_t>("1.0"), std::nullopt);
  EXPECT_EQ(parsed<double>("1e-05"), 1e-05);
  EXPECT_EQ(parsed<double>("0.1f"), 0.1);
  EXPECT_EQ(parsed<double>("None"), std::nullopt);
}

struct SampleParam {
  enum class Mode { kFast, kSlow };
  Tuple kernel;
  std::int64_t count = 1;
  std::optional<double> scale;
  Mode mode = Mode::kSlow;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<SampleParam>& d) {
    d.field("kernel", &SampleParam::kernel).required().sizes(1, 3).at_least(1);
    d.field("count", &SampleParam::count).at_least(1).at_most(8);
    d.field("scale", &SampleParam::scale);
    d.one_of("mode", &SampleParam::mode, {"fast", "slow"});
    d.dtype("dtype", &SampleParam::dtype);
    d.ignore({"workspace"});
  }
};

std::vector<std::string> problems_of(const mxnet::Attributes& attrs) {
  std::vector<AttrProblem> problems;
  AttrSchema::of<SampleParam>().parse(attrs, problems);
  std::vector<std::string> texts;
  for (const auto& problem : problems) {
    texts.push_back(problem.attribute + ": " + problem.message +
                    (problem.hint.empty() ? "" : " | " + problem.hint));
  }
  return texts;
}

TEST(AttrSchemaTest, ParsesIntoTheStruct) {
  std::vector<AttrProblem> problems;
  const auto params = AttrSchema::of<SampleParam>().parse({{"kernel", "(2, 3)"},
                                                           {"scale", "None"},
                                                           {"mode", "fast"},
                                                           {"dtype", "int8"},
                                                           {"workspace", "?"},
                                                           {"__x__", "y"}},
                                                          problems);
  EXPECT_TRUE(problems.empty());
  const auto& p = *static_cast<const SampleParam*>(params.get());
  EXPECT_EQ(p.kernel, (Tuple{2, 3}));
  EXPECT_EQ(p.count, 1);
  EXPECT_EQ(p.mode, SampleParam::Mode::kFast);
  EXPECT_EQ(p.dtype, DType::kInt8);
}

TEST(AttrSchemaTest, ReportsEverythingThatIsWrong) {
  EXPECT_EQ(problems_of({{"kernal", "(1,)"},
                         {"count", "9"},
                         {"mode", "quick"},
                         {"scale", "x"},
                         {"dtype", "float"}}),
            (std::vector<std::string>{
                "count: expected an integer from 1 to 8, got \"9\"",
                "dtype: expected an element type such as float32, got \"float\"",
                "kernal: this operator has no such attribute | did you mean 'kernel'?",
                "mode: expected fast or slow, got \"quick\"",
                "scale: expected a number, or None, got \"x\"",
                "kernel: expected a tuple of 1 to 3 integers of at least 1, found nothing",
            }));
  EXPECT_EQ(problems_of({{"kernel", "(3, x)"}}),
            (std::vector<std::string>{
                "kernel: expected a tuple of 1 to 3 integers of at least 1, got \"(3, x)\" | "
                "MXNet writes tuples as \"(3, 3)\""}));
}

TEST(AttrSchemaTest, DefaultsAreTheMemberInitialisers) {
  const auto schema = AttrSchema::of<SampleParam>();
  EXPECT_EQ(schema.find("count")->default_text, "1");
  EXPECT_EQ(schema.find("scale")->default_text, "None");
  EXPECT_EQ(schema.find("mode")->default_text, "slow");
  EXPECT_EQ(schema.find("kernel")->default_text, "()");
}

TEST(RegistryTest, EveryRecordIsComplete) {
  for (const auto& def : Registry::instance().ops()) {
    EXPECT_FALSE(def.summary.empty()) << def.name();
    EXPECT_TRUE(def.infer) << def.name();
    EXPECT_TRUE(def.translate) << def.name();
    for (const auto& name : def.names) EXPECT_EQ(Registry::instance().find(name), &def);
    for (const auto& field : def.attrs.fields()) {
      if (!field.ignored) {
        EXPECT_FALSE(field.help.empty()) << def.name() << " " << field.name;
      }
    }
  }
}

TEST(RegistryTest, InputNamesFollowTheAttributes) {
  const OperatorsOf operators{Origin{}};
  EXPECT_EQ(operators.input_names("Convolution", {{"kernel", "(1,)"}, {"num_filter", "1"}}),
            (std::vector<std::string>{"data", "weight", "bias"}));
  EXPECT_EQ(operators.input_names("Convolution", {{"no_bias", "True"}}),
            (std::vector<std::string>{"data", "weight"}));
  EXPECT_TRUE(operators.input_names("NoSuchOperator", {}).empty());
}

}  // namespace
}  // namespace mx2onnx
