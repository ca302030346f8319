// Which files are a checkpoint, and what bytes are.
#include <gtest/gtest.h>

#include "source/checkpoints.h"
#include "source/container.h"
#include "source/facts.h"
#include "source/kind.h"
#include "source/tar.h"
#include "support/error_text.h"

namespace mx2onnx::source {
namespace {

using Names = std::vector<std::string>;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(CheckpointsTest, SymbolsByNameThenByContent) {
  const auto all = [](const std::string&) { return true; };
  EXPECT_EQ(find_symbols({"a/net-symbol.json", "b.json", "c-symbol.json.gz"}, all),
            (Names{"a/net-symbol.json", "c-symbol.json.gz"}));
  EXPECT_EQ(find_symbols({"a.txt", "b.json", "c.json"},
                         [](const std::string& name) { return name == "c.json"; }),
            (Names{"c.json"}));
}

TEST(CheckpointsTest, ParametersOfAnEpoch) {
  const Names names = {"net-0000.params", "net-0012.params.gz", "net-symbol.json",
                       "other-0099.params"};
  const auto newest = find_parameters(names, "net-symbol.json", std::nullopt, true);
  EXPECT_EQ(newest.params, Names{"net-0012.params.gz"});
  EXPECT_EQ(newest.epochs, (std::vector<std::int64_t>{0, 12}));
  EXPECT_TRUE(epoch_note(newest, std::nullopt));
  const auto first = find_parameters(names, "net-symbol.json", 0, true);
  EXPECT_EQ(first.params, Names{"net-0000.params"});
  EXPECT_FALSE(epoch_note(first, 0));
}

TEST(CheckpointsTest, OtherNamesOnlyWhereTheyCanBeNoOthers) {
  EXPECT_EQ(find_parameters({"model.params", "symbol.json"}, "symbol.json", {}, true).params,
            Names{"model.params"});
  EXPECT_EQ(find_parameters({"model.params", "symbol.json"}, "symbol.json", {}, false).params,
            Names{});
  EXPECT_EQ(find_parameters({"arg.params", "aux.params"}, "net-symbol.json", {}, true).params,
            (Names{"arg.params", "aux.params"}));
  EXPECT_EQ(find_parameters({"golden.npz", "model.params", "model.params.gz", "symbol.json"},
                            "symbol.json", {}, true)
                .params,
            Names{"model.params"});
  EXPECT_EQ(find_parameters({"net-0001.params", "net-0001.params.gz", "net.npz"}, "net-symbol.json",
                            {}, true)
                .params,
            Names{"net-0001.params"});
  EXPECT_EQ(error_text([] {
              find_parameters({"a-0001.params", "b-0002.params"}, "net-symbol.json", {}, true);
            }),
            "several files could be the parameters of 'net-symbol.json': 'a-0001.params' and "
            "'b-0002.params'\nhint: name the symbol and the parameter file that is meant");
  EXPECT_EQ(error_text([] { find_parameters({"net.params"}, "net-symbol.json", 3, true); }),
            "there are no parameters of epoch 3 for 'net-symbol.json'\n"
            "hint: the files have no epochs in their names: 'net.params'");
}

TEST(CheckpointsTest, EpochsAreShortNumbers) {
  EXPECT_EQ(parse_parameter_name("d/net-0012.params").epoch, 12);
  EXPECT_EQ(parse_parameter_name("d/net-0012.params").prefix, "d/net");
  EXPECT_FALSE(parse_parameter_name("resnet50_v1-01234567.params").epoch);
  EXPECT_FALSE(parse_parameter_name("resnet50_v1-0aee57f9.params").epoch);
}

TEST(KindTest, Utf16) {
  using namespace std::string_view_literals;
  EXPECT_EQ(to_utf8(bytes_of("\xff\xfe{\0\xe9\0\x3d\xd8\x00\xde"sv)), "{\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(to_utf8(bytes_of("\xfe\xff\0{"sv)), "{");
  EXPECT_EQ(to_utf8(bytes_of("\xef\xbb\xbf{"sv)), "{");
  for (const auto broken : {"\xff\xfe{"sv, "\xff\xfe\x00\xde"sv, "\xff\xfe\x3d\xd8"sv}) {
    EXPECT_EQ(error_text([&] { to_utf8(bytes_of(broken)); }),
              "offset 2: the UTF-16 text is broken");
  }
}

TEST(FactsTest, Shapes) {
  const auto specs = read_signature(
      R"({"inputs": [{"data_name": "data", "data_shape": [0, 3, -1, 224]}], "outputs": []})");
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(*specs[0].dims, (Names{"batch", "3", "?", "224"}));
  EXPECT_EQ(error_text([] { read_signature(R"({"inputs": [{"data_name": "data"}]})"); }),
            "inputs[0].data_shape: expected an array, found nothing");
  EXPECT_EQ(read_labels("a\r\nb b\n\n"), (Names{"a", "b b"}));
  EXPECT_TRUE(read_labels("\xe9\n").empty());
}

TEST(TarTest, NeitherTextNorZeros) {
  EXPECT_FALSE(is_tar(bytes_of(std::string(1024, '\0'))));
  EXPECT_FALSE(is_tar(bytes_of(std::string(1024, 'a'))));
}

}  // namespace
}  // namespace mx2onnx::source
