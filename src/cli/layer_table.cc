// See layer_table.h.
#include "cli/layer_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cli/command.h"
#include "cli/text_fit.h"

namespace mx2onnx::cli {
namespace {

constexpr std::size_t kFewestGroups = 4;
constexpr std::size_t kColumns = 6;
using Cells = std::array<std::string, kColumns>;

// What computes next to nothing, and belongs to the layer before it in a reader's eyes.
bool is_minor(const LayerInfo& layer) {
  const bool is_norm = layer.op.find("Norm") != std::string::npos;
  return is_norm || (layer.parameters == 0 && layer.multiply_adds == 0);
}

std::vector<LayerRow> join_minor(const std::vector<LayerInfo>& layers) {
  std::vector<LayerRow> rows;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!rows.empty() && is_minor(layers[i])) {
      ++rows.back().count;
    } else {
      rows.push_back({i, 1, layers[i].name});
    }
  }
  return rows;
}

// The first words of a name: all of "stage1_unit2_conv1" at a depth of 3.
std::string front(const std::string& name, std::size_t depth) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < depth && at != std::string::npos; ++i) {
    at = name.find_first_of("_/.", i == 0 ? 0 : at + 1);
  }
  const std::string front = name.substr(0, at);
  return front.substr(0, front.find_last_not_of("_/.") + 1);
}

std::vector<LayerRow> join_alike(const std::vector<LayerInfo>& layers, std::size_t depth) {
  std::vector<LayerRow> rows;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::string name = front(layers[i].name, depth);
    if (!rows.empty() && rows.back().name == name) {
      ++rows.back().count;
    } else {
      rows.push_back({i, 1, std::move(name)});
    }
  }
  for (auto& row : rows) {
    if (row.count == 1) row.name = layers[row.first].name;
  }
  return rows;
}

std::string output_text(const LayerInfo& layer) {
  const PortReport port{layer.name, layer.dtype, layer.shape};
  const std::string text = type_text(port);
  const auto space = text.find(' ');
  // The element type is said where it is an unusual one.
  return layer.dtype == "float32" && space != std::string::npos ? text.substr(space + 1) : text;
}

std::string operators_of(const std::vector<LayerInfo>& layers, const LayerRow& row) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (std::size_t i = row.first; i < row.first + row.count; ++i) {
    const auto known = std::find_if(counts.begin(), counts.end(),
                                    [&](const auto& entry) { return entry.first == layers[i].op; });
    if (known == counts.end()) {
      counts.emplace_back(layers[i].op, 1);
    } else {
      ++known->second;
    }
  }
  std::string text;
  for (const auto& [op, count] : counts) {
    text += text.empty() ? "" : ", ";
    text += count > 1 ? fmt::format("{} {}", count, op) : op;
  }
  return text;
}

using Sum = std::optional<std::uint64_t>;

Sum plus(const Sum& a, const Sum& b) { return a && b ? Sum(*a + *b) : std::nullopt; }

// Nothing for 0, which most layers have.
std::string cell(const Sum& sum, std::string (*format)(std::uint64_t)) {
  if (!sum) return "?";
  return *sum == 0 ? "" : format(*sum);
}

Cells cells_of(const std::vector<LayerInfo>& layers, const LayerRow& row) {
  Sum parameters = 0;
  Sum bytes = 0;
  Sum work = 0;
  for (std::size_t i = row.first; i < row.first + row.count; ++i) {
    parameters = plus(parameters, layers[i].parameters);
    bytes = plus(bytes, layers[i].parameter_bytes);
    work = plus(work, layers[i].multiply_adds);
  }
  return {row.name,
          operators_of(layers, row),
          output_text(layers[row.first + row.count - 1]),
          cell(parameters, grouped),
          cell(work, scaled),
          cell(bytes, size_text)};
}

// The widest of name, operator and output give way until the table fits.
std::array<std::size_t, kColumns> column_widths(const std::vector<Cells>& table,
                                                std::size_t width) {
  std::array<std::size_t, kColumns> widths = {};
  for (const auto& cells : table) {
    for (std::size_t i = 0; i < kColumns; ++i)
      widths[i] = std::max(widths[i], text_width(cells[i]));
  }
  constexpr std::size_t kNarrowest = 8;
  constexpr std::size_t kFlexible = 3;
  constexpr std::size_t kGaps = 2 * (kColumns - 1);
  for (;;) {
    std::size_t total = kGaps;
    for (const auto w : widths) total += w;
    auto* widest = std::max_element(widths.begin(), widths.begin() + kFlexible);
    if (width == 0 || total <= width || *widest <= kNarrowest) return widths;
    --*widest;
  }
}

std::string line_of(const Cells& cells, const std::array<std::size_t, kColumns>& widths) {
  constexpr std::size_t kLeft = 3;
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const std::string cell = shortened(cells[i], widths[i]);
    const std::string space(widths[i] - text_width(cell), ' ');
    line += (i == 0 ? "" : "  ") + (i < kLeft ? cell + space : space + cell);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

}  // namespace

std::vector<LayerRow> fold_layers(const std::vector<LayerInfo>& layers, std::size_t most) {
  std::vector<LayerRow> rows;
  for (std::size_t i = 0; i < layers.size(); ++i) rows.push_back({i, 1, layers[i].name});
  if (rows.size() <= most) return rows;
  rows = join_minor(layers);
  if (rows.size() <= most) return rows;
  // The deepest names that make few enough groups.
  std::vector<LayerRow> best;
  for (std::size_t depth = 1; best.size() <= most; ++depth) {
    auto groups = join_alike(layers, depth);
    if (groups.size() > most || (depth > 1 && groups.size() == layers.size())) break;
    const bool is_last = groups.size() == best.size() && depth > kColumns;
    best = std::move(groups);
    if (is_last) break;
  }
  return best.size() >= kFewestGroups ? best : rows;
}

std::vector<std::string> layer_table(const std::vector<LayerInfo>& layers, TableSize size) {
  const std::size_t most = size.rows == 0 ? layers.size() : size.rows;
  const auto rows = fold_layers(layers, most);
  std::vector<Cells> table = {
      {"layer", "operator", "output", "parameters", "multiply-adds", "bytes"}};
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // Of too many rows the beginning and the end are shown, with a row between.
    const std::size_t shown = std::max<std::size_t>(most, 1) - 1;
    const bool is_middle =
        rows.size() > most && i >= shown / 2 && i + (shown - shown / 2) < rows.size();
    if (is_middle) {
      left_out += rows[i].count;
      continue;
    }
    if (left_out > 0) {
      table.push_back({fmt::format("… {} layers", left_out), "", "", "", "", ""});
      left_out = 0;
    }
    table.push_back(cells_of(layers, rows[i]));
  }
  Cells total = cells_of(layers, {0, layers.size(), ""});
  total[0] = fmt::format("{} layer{}", layers.size(), layers.size() == 1 ? "" : "s");
  total[1] = total[2] = "";
  table.push_back(total);
  const auto widths = column_widths(table, size.width);
  std::vector<std::string> lines;
  for (const auto& cells : table) lines.push_back(line_of(cells, widths));
  return lines;
}

std::string grouped(std::uint64_t number) {
  constexpr std::size_t kGroup = 3;
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % kGroup == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string scaled(std::uint64_t number) {
  constexpr std::array<const char*, 5> kUnits = {"", " k", " M", " G", " T"};
  auto value = static_cast<double>(number);
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  if (unit == 0) return std::to_string(number);
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

}  // namespace mx2onnx::cli
