// The layers of a model as a table on the terminal, folded to fit.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mx2onnx/inspect.h"

namespace mx2onnx::cli {

/// A line of the table: a layer, or several that follow each other.
struct LayerRow {
  std::size_t first = 0;
  std::size_t count = 1;
  std::string name;
};

/// Rows for all layers, at most `most` of them: layers without weights join the one before them,
/// and if these are still too many, layers whose names begin alike join. Where names say nothing
/// the rows may be more.
std::vector<LayerRow> fold_layers(const std::vector<LayerInfo>& layers, std::size_t most);

struct TableSize {
  std::size_t width = 0;  ///< 0: lines are as long as they are.
  std::size_t rows = 0;   ///< 0: a row for each layer.
};

/// The table's lines, with a heading and a line of totals.
std::vector<std::string> layer_table(const std::vector<LayerInfo>& layers, TableSize size);

/// "1,234,567".
std::string grouped(std::uint64_t number);

/// "1.82 G".
std::string scaled(std::uint64_t number);

}  // namespace mx2onnx::cli
