// The fuzzers' corpora as ordinary tests: every file goes through its target, and through all
// truncations of itself. A crash, a hang or an exception other than Error fails the program.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/graph_target.h"
#include "tests/fuzz/mutate.h"

namespace mx2onnx::fuzz {
namespace {

using Target = void (*)(const std::uint8_t*, std::size_t);

std::vector<std::uint8_t> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::filesystem::path corpus_folder(const std::string& name) {
  return std::filesystem::path(MX2ONNX_TESTS_DIR) / "fuzz" / "corpus" / name;
}

void run_corpus(const std::string& name, Target target) {
  constexpr std::size_t kMostTruncations = 64;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_folder(name))) {
    const auto bytes = read(entry.path());
    target(bytes.data(), bytes.size());
    const std::size_t step = bytes.size() / kMostTruncations + 1;
    for (std::size_t size = 0; size < bytes.size(); size += step) target(bytes.data(), size);
    ++files;
  }
  EXPECT_GT(files, 0U);
}

TEST(FuzzCorpusTest, Symbol) { run_corpus("symbol", symbol); }
TEST(FuzzCorpusTest, Params) { run_corpus("params", params); }
TEST(FuzzCorpusTest, Onnx) { run_corpus("onnx", onnx_file); }
TEST(FuzzCorpusTest, Attrs) { run_corpus("attrs", attrs); }
TEST(FuzzCorpusTest, Archive) { run_corpus("archive", archive); }
TEST(FuzzCorpusTest, Pipeline) { run_corpus("pipeline", pipeline); }

void convert_graph_file(const std::uint8_t* data, std::size_t size) {
  graph(data, size, [](const std::string& /*onnx*/, const HowToConvert& /*how*/) {});
}

TEST(FuzzCorpusTest, Graph) { run_corpus("graph", convert_graph_file); }

// The texts of the corpus as every attribute of every operator.
TEST(FuzzCorpusTest, AttrsOfEveryOperator) {
  for (const auto& entry : std::filesystem::directory_iterator(corpus_folder("attrs"))) {
    const auto bytes = read(entry.path());
    const std::string text(bytes.begin() + 5, bytes.end());
    for (const OpDef* def : all_records()) {
      mxnet::Attributes all;
      for (const auto& field : def->attrs.fields()) all[field.name] = text;
      attrs_of(*def, all, kDefaultOpset);
    }
  }
}

// What the fuzzer makes of its corpus stays a model that can be read, and some of it converts.
TEST(FuzzCorpusTest, MutantsAreModels) {
  constexpr unsigned kMutants = 40;
  std::size_t converted = 0;
  std::size_t mutants = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_folder("graph"))) {
    const auto seed = read_fuzz_model(read(entry.path()));
    ASSERT_TRUE(seed) << entry.path();
    auto model = *seed;
    for (unsigned i = 0; i < kMutants; ++i) {
      Draw draw(i);
      mutate(model, draw);
      if (i % 4 == 3) model = joined(model, *seed, draw);
      const std::string bytes = write_fuzz_model(model);
      const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
      ASSERT_TRUE(read_fuzz_model({data, bytes.size()})) << entry.path() << " " << i;
      graph(data, bytes.size(), [&](const std::string&, const HowToConvert&) { ++converted; });
      ++mutants;
      if (i % 8 == 7) model = *seed;
    }
  }
  EXPECT_GT(converted, mutants / 10);
  EXPECT_LT(converted, mutants);
}

}  // namespace
}  // namespace mx2onnx::fuzz
