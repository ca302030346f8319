// Parts that the JSON documents of reports and inspections have in common.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "mx2onnx/inspect.h"
#include "mx2onnx/report.h"

namespace mx2onnx {

JsonValue json_number(std::uint64_t value);
JsonValue json_strings(const std::vector<std::string>& texts);
/// Sizes that are numbers as numbers, others as texts.
JsonValue json_sizes(const std::vector<std::string>& sizes);
JsonValue json_ports(const std::vector<PortReport>& list);
JsonValue json_diagnostics(const std::vector<Diagnostic>& list);
/// The document of an inspection.
JsonValue inspection_json(const Inspection& inspection);

}  // namespace mx2onnx
