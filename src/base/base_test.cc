// Errors, text, JSON, the byte reader.
#include <gtest/gtest.h>

#include <array>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/text.h"
#include "support/error_text.h"

namespace mx2onnx {
namespace {

TEST(ErrorTest, TextNamesThePlace) {
  const std::string text = error_text([] {
    const ErrorScope file = ErrorScope::file("model-symbol.json");
    const ErrorScope node = ErrorScope::node(17, "conv0", "Convolution");
    const ErrorScope attribute = ErrorScope::attribute("kernel");
    fail(ErrorCode::kModel, "expected a tuple, got \"(3, x)\"",
         "MXNet writes tuples as \"(3, 3)\"");
  });
  EXPECT_EQ(text,
            "model-symbol.json: node 17 'conv0' (Convolution): attribute 'kernel': expected a "
            "tuple, got \"(3, x)\"\n"
            "hint: MXNet writes tuples as \"(3, 3)\"");
}

TEST(ErrorTest, FieldsAndEndOfScope) {
  {
    const ErrorScope file = ErrorScope::file("a");
    const ErrorScope outer = ErrorScope::node(1, "outer", "Foo");
    const ErrorScope inner = ErrorScope::node(2, "inner", "");
    EXPECT_EQ(place_text(current_place()), "a: node 2 'inner' (variable): ");
  }
  EXPECT_EQ(place_text(current_place()), "");
  try {
    fail(ErrorCode::kIo, "no", "hint");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_EQ(error.message(), "no");
    EXPECT_EQ(error.hint(), "hint");
  }
}

TEST(ByteReaderTest, RefusesToReadPastTheEnd) {
  const std::array<std::byte, 6> bytes = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                                          std::byte{5}};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read<std::uint32_t>("number"), 0x04030201U);
  EXPECT_EQ(error_text([&] { reader.read<std::uint32_t>("shape"); }),
            "offset 4: shape: expected 4 bytes, found 2 before the end of the file");
  EXPECT_EQ(
      error_text([&] { reader.read_bytes(UINT64_MAX, "data"); }),
      "offset 4: data: expected 18446744073709551615 bytes, found 2 before the end of the file");
}

TEST(TextTest, Nearest) {
  const std::vector<std::string> names = {"Convolution", "Deconvolution", "Pooling"};
  EXPECT_EQ(nearest("QConvolution", names),
            (std::vector<std::string>{"Convolution", "Deconvolution"}));
  EXPECT_EQ(nearest("pooling", names), (std::vector<std::string>{"Pooling"}));
  EXPECT_TRUE(nearest("xyz", names).empty());
}

TEST(TextTest, Numbers) {
  EXPECT_EQ(parse_int(" 12 "), 12);
  EXPECT_EQ(parse_int("+3"), 3);
  EXPECT_EQ(parse_int("3x"), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
  EXPECT_EQ(parse_int("99999999999999999999"), std::nullopt);
  EXPECT_EQ(parse_double("1e-05"), 1e-05);
  EXPECT_EQ(parse_double("abc"), std::nullopt);
}

TEST(TextTest, QuotesMakeHostileTextHarmless) {
  EXPECT_EQ(in_quotes("a\nb\x01"), "\"a\\x0ab\\x01\"");
  EXPECT_EQ(in_quotes(std::string(70, 'x')), "\"" + std::string(60, 'x') + "…\"");
}

TEST(JsonTest, ReadsAndWrites) {
  const auto value = parse_json(R"({"a": [1, 2.5, "x", true, null], "a": 3})");
  EXPECT_EQ(*value.find("a")->as_int(), 3);
  EXPECT_EQ(value.find("b"), nullptr);
  EXPECT_EQ(json_text({JsonObject{{"k", {JsonArray{{std::int64_t{1}}, {std::string("\xff")}}}}}}),
            "{\n  \"k\": [\n    1,\n    \"\xEF\xBF\xBD\"\n  ]\n}");
}

TEST(JsonTest, ErrorsNameLineAndColumn) {
  EXPECT_EQ(error_text([] { parse_json("{\n  \"a\": tru }"); }),
            "line 2, column 11: not valid JSON near \"\"a\": tru \"");
  EXPECT_EQ(error_text([] { parse_json("{\"a\": [1, 2"); }),
            "line 1, column 12: the JSON text ends too early");
  EXPECT_EQ(error_text([] { parse_json(""); }), "line 1, column 1: the JSON text ends too early");
  EXPECT_EQ(error_text([] { parse_json(std::string(100000, '[')); }),
            "JSON nested deeper than 512 levels");
}

}  // namespace
}  // namespace mx2onnx
