// Models that are changed as graphs (mutate.h): each is an Error, or an ONNX file that our reader,
// the onnx package and ONNX Runtime take.
//
// Where MX2ONNX_FUZZ_FINDINGS names a folder, models that do not load go there, one for each text,
// with the command that shows it, and the run goes on; else the first one ends it.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "tests/fuzz/graph_target.h"
#include "tests/fuzz/loader.h"
#include "tests/fuzz/mutate.h"

namespace mx2onnx::fuzz {
namespace {

// The text without what differs from model to model: numbers, and names in quotes.
std::string kind_of(const std::string& fault) {
  std::string kind;
  bool is_quoted = false;
  for (const char c : fault) {
    if (c == '\'' || c == '"') is_quoted = !is_quoted;
    if (!is_quoted && std::isdigit(static_cast<unsigned char>(c)) == 0) kind += c;
  }
  return kind;
}

void report(const std::uint8_t* data, std::size_t size, const std::string& fault,
            const HowToConvert& how) {
  static std::set<std::string> known;
  if (!known.insert(kind_of(fault)).second) return;
  const char* folder = std::getenv("MX2ONNX_FUZZ_FINDINGS");
  fmt::print(stderr, "does not load ({}): {}\n", how.arguments(), fault);
  if (folder == nullptr) std::abort();
  const std::string path =
      fmt::format("{}/graph-{:016x}", folder, std::hash<std::string>()(kind_of(fault)));
  std::ofstream(path + ".tar", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  std::ofstream(path + ".txt") << "mx2onnx convert " << path << ".tar -o x.onnx " << how.arguments()
                               << "\n"
                               << fault << "\n";
}

std::size_t put(const std::string& bytes, std::uint8_t* data, std::size_t size,
                std::size_t max_size) {
  if (bytes.size() > max_size) return size;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace
}  // namespace mx2onnx::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mx2onnx::fuzz;
  static Loader loader;
  graph(data, size, [&](const std::string& onnx, const HowToConvert& how) {
    const std::string fault = loader.fault_of(onnx);
    if (!fault.empty()) report(data, size, fault, how);
  });
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  using namespace mx2onnx::fuzz;
  Draw draw(seed);
  auto model = read_fuzz_model({data, size});
  if (!model) return put(write_fuzz_model(new_model(draw)), data, size, max_size);
  mutate(*model, draw);
  return put(write_fuzz_model(*model), data, size, max_size);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second,
                                                 std::size_t second_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned seed) {
  using namespace mx2onnx::fuzz;
  Draw draw(seed);
  auto model = read_fuzz_model({first, first_size});
  const auto other = read_fuzz_model({second, second_size});
  if (!model || !other) return 0;
  return put(write_fuzz_model(joined(std::move(*model), *other, draw)), out, 0, max_size);
}
