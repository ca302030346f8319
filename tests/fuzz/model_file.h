// A model as the structure-aware fuzzer has it: a symbol and its parameters in one tar archive,
// which is also what the command line takes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mxnet/param_files.h"
#include "mxnet/symbol.h"

namespace mx2onnx::fuzz {

struct FuzzModel {
  mxnet::Symbol symbol;
  std::vector<mxnet::StoredArray> params;
};

/// The model in a file of these bytes; nothing if there is none.
std::optional<FuzzModel> read_fuzz_model(std::span<const std::uint8_t> bytes);

/// An archive of `m-symbol.json` and, if there are parameters, `m-0000.params`.
std::string write_fuzz_model(const FuzzModel& model);

}  // namespace mx2onnx::fuzz
