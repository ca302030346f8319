// Bindings of lint: results are in Python what they are in JSON.
#include "mx2onnx/lint.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

nb::list describe(const std::vector<mx2onnx::LintResult>& results) {
  return nb::cast<nb::list>(nb::module_::import_("json").attr("loads")(mx2onnx::to_json(results)));
}

}  // namespace

void bind_lint(nb::module_& m) {
  m.def(
      "lint_file",
      [](const std::filesystem::path& file, const std::vector<std::string>& targets) {
        return describe(mx2onnx::lint_file(file, targets));
      },
      "file"_a, "targets"_a);
  m.def(
      "lint_model",
      [](const nb::bytes& model, const std::vector<std::string>& targets) {
        const std::span bytes(static_cast<const char*>(model.data()), model.size());
        return describe(mx2onnx::lint_model(std::as_bytes(bytes), "model", targets));
      },
      "model"_a, "targets"_a);
  m.def("lint_targets", [] {
    std::vector<std::string> names;
    for (const auto& runtime : mx2onnx::lint_runtimes()) names.push_back(runtime.name);
    return names;
  });
}
