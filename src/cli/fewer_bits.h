// Half precision and weights of few bits: the options, and what the summary says of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>

#include "mx2onnx/convert.h"
#include "mx2onnx/report.h"

namespace mx2onnx::cli {

/// Adds the options of half precision; which of the two types is asked for is told by the flags.
void declare_precision(CLI::App& command, ConvertOptions& options, bool& float16, bool& bfloat16);
/// Adds the options of weights in blocks.
void declare_stored_weights(CLI::App& command, ConvertOptions& options);

/// Nothing where it was not asked for.
void print_precision(std::FILE* out, const PrecisionReport& precision);
void print_stored_weights(std::FILE* out, const WeightsReport& weights);

}  // namespace mx2onnx::cli
