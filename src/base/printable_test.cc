#include "mx2onnx/printable.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "support/error_text.h"

namespace mx2onnx {
namespace {

// A line feed, an escape sequence, DEL, C1's CSI, an override of the direction, a line separator, a
// letter without width, a tag and bytes that are no UTF-8.
constexpr std::string_view kHostile =
    "a\n\x1b[31m\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xe2\x80\x8b\xf3\xa0\x81\x81\xff\xc0\x80z";
constexpr std::string_view kEscaped =
    "a\\x0a\\x1b[31m\\x7f\\u009b\\u202e\\u2028\\u200b\\ue0041\\xff\\xc0\\x80z";

TEST(Printable, EscapesWhatSteersATerminal) {
  EXPECT_EQ(printable(kHostile), kEscaped);
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable_lines("a\n\tb\r\n"), "a\n\\x09b\\x0d\n");
}

TEST(Printable, LeavesTheRest) {
  for (const char* text : {"", "conv0_weight", "a\\x0a", "größe", "形状", "שלום", "🙂"}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(printable_lines(text), text);
  }
}

TEST(Printable, EveryErrorIsMadeOfIt) {
  const std::string name(kHostile);
  const std::string shown(kEscaped);
  EXPECT_EQ(error_text([&] {
              const ErrorScope file = ErrorScope::file(name);
              const ErrorScope node = ErrorScope::node(3, name, name);
              const ErrorScope attribute = ErrorScope::attribute(name);
              fail(ErrorCode::kModel, "about '" + name + "'", "try '" + name + "'");
            }),
            shown + ": node 3 '" + shown + "' (" + shown + "): attribute '" + shown + "': about '" +
                shown + "'\nhint: try '" + shown + "'");
  EXPECT_EQ(error_text([&] {
              fail_with_list(ErrorCode::kModel, "two:", {name, "b"});
            }),
            "two:\n  " + shown + "\n  b");
}

TEST(Printable, JsonIsTheSameDocument) {
  const std::string text =
      json_text({JsonObject{{"a", {std::string("x\x7f\xe2\x80\xae\xf3\xa0\x81\x81\n")}}}});
  EXPECT_EQ(text, "{\n  \"a\": \"x\\u007f\\u202e\\udb40\\udc41\\n\"\n}");
  EXPECT_EQ(*parse_json(text).find("a")->as_string(), "x\x7f\xe2\x80\xae\xf3\xa0\x81\x81\n");
}

TEST(Printable, QuotesAreCutBetweenLetters) {
  EXPECT_EQ(in_quotes(std::string(60, 'a')), "\"" + std::string(60, 'a') + "\"");
  EXPECT_EQ(in_quotes(std::string(59, 'a') + "é"), "\"" + std::string(59, 'a') + "…\"");
  EXPECT_EQ(in_quotes("\x1b"), "\"\\x1b\"");
}

}  // namespace
}  // namespace mx2onnx
