// The fuzzers' corpora as ordinary tests: every file goes through its target, and through all
// truncations of itself. A crash, a hang or an exception other than Error fails the program.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz_targets.h"

namespace mx2onnx::fuzz {
namespace {

using Target = void (*)(const std::uint8_t*, std::size_t);

std::vector<std::uint8_t> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void run_corpus(const std::string& name, Target target) {
  constexpr std::size_t kMostTruncations = 64;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MX2ONNX_TESTS_DIR) +
                                                               "/fuzz/corpus/" + name)) {
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

}  // namespace
}  // namespace mx2onnx::fuzz
