#include "cli/fewer_bits.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace mx2onnx::cli {
namespace {

// A line for each reason that something stays float32, with its operators as far as they fit.
class KeptLines {
 public:
  void add(std::string_view reason, std::string_view op, std::size_t count, std::uint64_t bytes) {
    auto& entry = by_reason_[reason];
    entry.count += count;
    entry.bytes += bytes;
    entry.operators.push_back(op);
  }
  void print(std::FILE* out, std::string_view what) const {
    constexpr std::size_t kColumns = 78;
    for (const auto& [reason, kept] : by_reason_) {
      std::string line =
          fmt::format("  float32: {} {}{}", kept.count, what, kept.count == 1 ? "" : "s");
      if (kept.bytes > 0) line += fmt::format(" of {}", size_text(kept.bytes));
      line += fmt::format(": {}", reason);
      const char* before = " (";
      for (const auto op : kept.operators) {
        const bool fits = line.size() + op.size() + 2 < kColumns;
        line += fmt::format("{}{}", before, fits ? op : "…");
        before = ", ";
        if (!fits) break;
      }
      fmt::print(out, "{})\n", line);
    }
  }

 private:
  struct Kept {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string_view> operators;
  };
  std::map<std::string_view, Kept> by_reason_;
};

}  // namespace

void declare_precision(CLI::App& command, ConvertOptions& options, bool& float16, bool& bfloat16) {
  const std::string group = "Half precision";
  auto* const float16_flag =
      command
          .add_flag("--float16", float16,
                    "compute in float16, with float32 where that would lose too much;\n"
                    "inputs and outputs stay float32")
          ->group(group);
  command
      .add_flag("--bfloat16", bfloat16,
                "store weights as bfloat16, and compute in float32, as ONNX\n"
                "Runtime has no kernels for it")
      ->group(group)
      ->excludes(float16_flag);
  command
      .add_flag("--float16-io", options.half_ports,
                "with --float16: inputs and outputs, too, but for positions and ids")
      ->group(group);
  command
      .add_option("--keep-float32", options.keep_float32,
                  "these stay float32: names of nodes or operators of the ONNX model,\n"
                  "* for any text")
      ->type_name("PATTERN")
      ->allow_extra_args(false)
      ->group(group);
}

void declare_stored_weights(CLI::App& command, ConvertOptions& options) {
  const std::string group = "Weights";
  command
      .add_option("--weights", options.weights,
                  "store weights of products and embeddings as int8 or int4, in blocks\n"
                  "with a scale each (opset 21 and up); all is computed in float32")
      ->type_name("DTYPE")
      ->group(group);
  command
      .add_option("--weights-operator", options.weights_operator,
                  "with --weights: DequantizeLinear, which all runtimes know, before a\n"
                  "product, or ONNX Runtime's own MatMulNBits instead of it")
      ->type_name("OPERATOR")
      ->group(group);
  command
      .add_option("--weights-block", options.weights_block,
                  "with --weights: elements of a block, 16, 32, 64, 128 or 256")
      ->type_name("N")
      ->group(group);
}

void print_stored_weights(std::FILE* out, const WeightsReport& weights) {
  if (weights.dtype.empty()) return;
  fmt::print(out, "  {}: {} {}, {} of {}; they differ by {:.2g} %", weights.dtype, weights.count,
             weights.count == 1 ? "weight" : "weights", size_text(weights.bytes_after),
             size_text(weights.bytes_before), weights.difference * 100);
  if (weights.count > 1) fmt::print(out, " (at most {:.2g} %)", weights.largest_difference * 100);
  fmt::print(out, "\n");
  KeptLines lines;
  for (const auto& left : weights.left) lines.add(left.reason, left.op, left.weights, left.bytes);
  lines.print(out, "weight");
}

void print_precision(std::FILE* out, const PrecisionReport& precision) {
  if (precision.dtype.empty()) return;
  fmt::print(out, "  {}: {} {}", precision.dtype, precision.count,
             precision.dtype == "bfloat16" ? "weights" : "nodes");
  if (precision.subnormal > 0)
    fmt::print(out, "; {} elements of weights are subnormal there", precision.subnormal);
  fmt::print(out, "\n");
  KeptLines lines;
  for (const auto& kept : precision.kept) lines.add(kept.reason, kept.op, kept.nodes, 0);
  lines.print(out, "node");
}

}  // namespace mx2onnx::cli
