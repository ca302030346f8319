// Which files a variant of an operator is for, and which record a file gets.
#include "ops/record/origin.h"

#include <gtest/gtest.h>

#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

TEST(OriginRange, HasWholeMinorVersions) {
  const auto until = OriginRange::until(0, 7);
  EXPECT_TRUE(until.contains({0, false}));
  EXPECT_TRUE(until.contains({799, true}));
  EXPECT_FALSE(until.contains({800, false}));
  EXPECT_EQ(until.text(), "until MXNet 0.7");
  const auto since = OriginRange::since(2, 0);
  EXPECT_FALSE(since.contains({19999, false}));
  EXPECT_TRUE(since.contains({20000, false}));
  EXPECT_EQ(since.text(), "since MXNet 2.0");
}

TEST(OriginRange, MayAskForShapeSemantics) {
  const auto range = OriginRange::since(1, 6).with_np_shape(true);
  EXPECT_TRUE(range.contains({10901, true}));
  EXPECT_FALSE(range.contains({10901, false}));
  EXPECT_FALSE(range.contains({10500, true}));
  EXPECT_EQ(range.text(), "since MXNet 1.6, with NumPy shapes");
  EXPECT_EQ(OriginRange().with_np_shape(false).text(), "without NumPy shapes");
}

struct OneParam {
  std::int64_t size = 1;
  static void declare(AttrDeclarer<OneParam>& d) { d.field("size", &OneParam::size); }
};
struct OtherParam {
  static void declare(AttrDeclarer<OtherParam>& /*d*/) {}
};

TEST(Variants, ReplaceWhatIsDifferent) {
  Registry registry;
  registry.add<OneParam>({"op", "alias"})
      .summary("Does something.")
      .outputs({"first", "second"})
      .note("It is slow.")
      .variant(OriginRange::until(1, 2), "one output",
               [](OpDeclarer<OneParam>& variant) { variant.outputs({"only"}); })
      .variant<OtherParam>(OriginRange::until(1, 4), "no attributes",
                           [](OpDeclarer<OtherParam>& variant) { variant.note("It is slower."); });
  const OpDef* base = registry.find("alias");
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(&base->of({10500, false}), base);

  const OpDef& same_attributes = base->of({10200, false});  // the first of two that hold
  EXPECT_EQ(same_attributes.difference, "one output");
  EXPECT_EQ(same_attributes.name(), "op");
  EXPECT_NE(same_attributes.attrs.find("size"), nullptr);
  EXPECT_EQ(same_attributes.outputs(nullptr, 1), std::vector<std::string>{"only"});
  EXPECT_EQ(same_attributes.notes, base->notes);
  EXPECT_TRUE(same_attributes.variants.empty());

  const OpDef& other_attributes = base->of({10300, true});
  EXPECT_EQ(other_attributes.difference, "no attributes");
  EXPECT_EQ(other_attributes.summary, base->summary);
  EXPECT_EQ(other_attributes.attrs.find("size"), nullptr);
  EXPECT_EQ(other_attributes.outputs(nullptr, 1), std::vector<std::string>{"output"});
  EXPECT_EQ(other_attributes.notes, std::vector<std::string>{"It is slower."});
}

// Whatever the origin, each name of the library leads to a record that can be used.
TEST(Variants, OfTheLibraryAreWhole) {
  for (const OpDef& def : Registry::instance().ops()) {
    for (const auto& variant : def.variants) {
      EXPECT_EQ(variant->names, def.names);
      EXPECT_FALSE(variant->difference.empty()) << def.name();
      EXPECT_FALSE(variant->files.text().empty()) << def.name();
      EXPECT_TRUE(variant->infer && variant->translate) << def.name();
      EXPECT_TRUE(variant->inputs && variant->outputs) << def.name();
    }
  }
}

}  // namespace
}  // namespace mx2onnx
