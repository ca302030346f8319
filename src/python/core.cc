// Bindings only: Python values in, Python values out. What the package makes of them is in
// python/mx2onnx.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "bindings.h"
#include "cli/application.h"
#include "mx2onnx/architectures.h"
#include "mx2onnx/convert.h"
#include "mx2onnx/inspect.h"
#include "mx2onnx/operators.h"
#include "mx2onnx/picture.h"
#include "mx2onnx/printable.h"
#include "mx2onnx/version.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// What the package's `_arrays` helper hands over: name, dtype name, and the bytes as uint8.
struct GivenArray {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> bytes;
};

/// What of several files, and how much of them.
struct Choice {
  std::optional<std::int64_t> epoch;
  std::optional<std::uint64_t> unpack_limit;
};

mx2onnx::Source make_source(std::filesystem::path name, std::string json,
                            std::vector<std::filesystem::path> param_paths,
                            const std::vector<GivenArray>& arrays, const Choice& choice) {
  mx2onnx::Source source{std::move(name), std::move(json),    std::move(param_paths), {},
                         choice.epoch,    choice.unpack_limit};
  for (const auto& array : arrays) {
    // The caller holds the arrays until the call returns.
    source.arrays.push_back({array.name, array.dtype, array.shape,
                             std::as_bytes(std::span(array.bytes.data(), array.bytes.size())),
                             nullptr});
  }
  return source;
}

// Reports are in Python what they are in JSON.
nb::dict describe(const mx2onnx::Report& report) {
  return nb::cast<nb::dict>(nb::module_::import_("json").attr("loads")(mx2onnx::to_json(report)));
}

nb::dict describe(const mx2onnx::Inspection& inspection) {
  return nb::cast<nb::dict>(
      nb::module_::import_("json").attr("loads")(mx2onnx::to_json(inspection)));
}

nb::list describe(const std::vector<mx2onnx::AttributeInfo>& attributes) {
  nb::list result;
  for (const auto& attribute : attributes) {
    nb::dict entry;
    entry["name"] = attribute.name;
    entry["expected"] = attribute.expected;
    entry["default"] = attribute.default_text;
    entry["required"] = attribute.required;
    entry["ignored"] = attribute.ignored;
    entry["help"] = attribute.help;
    result.append(entry);
  }
  return result;
}

nb::dict describe(const mx2onnx::OperatorInfo& op) {
  nb::dict result;
  result["name"] = op.name;
  result["aliases"] = op.aliases;
  result["summary"] = op.summary;
  result["inputs"] = op.inputs;
  result["attributes"] = describe(op.attributes);
  result["notes"] = op.notes;
  nb::list variants;
  for (const auto& variant : op.variants) {
    nb::dict entry;
    entry["files"] = variant.files;
    entry["difference"] = variant.difference;
    entry["inputs"] = variant.inputs;
    entry["attributes"] = describe(variant.attributes);
    entry["notes"] = variant.notes;
    variants.append(entry);
  }
  result["variants"] = variants;
  return result;
}

nb::dict describe_untranslated(const mx2onnx::OperatorInfo& op) {
  nb::dict result;
  result["name"] = op.name;
  result["aliases"] = op.aliases;
  result["status"] = op.status == mx2onnx::OperatorStatus::kPlanned ? "planned" : "refused";
  result["kind"] = op.kind;
  result["reason"] = op.reason;
  return result;
}

// Names of files and parameters are bytes, which need not be UTF-8.
nb::str as_path(const std::string& bytes) {
  return nb::steal<nb::str>(
      PyUnicode_DecodeFSDefaultAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}
nb::str as_text(const std::string& bytes) {
  return nb::steal<nb::str>(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace"));
}

void raise_error(const mx2onnx::Error& error) {
  const auto& place = error.place();
  const nb::object instance =
      nb::module_::import_("mx2onnx._errors")
          .attr("from_core")(static_cast<int>(error.code()), error.what(), error.message(),
                             error.hint(), "file"_a = as_path(place.file),
                             "node"_a = as_text(place.node), "op"_a = as_text(place.op),
                             "attribute"_a = as_text(place.attribute));
  PyErr_SetObject(instance.type().ptr(), instance.ptr());
}

// Python's function for the progress. In a place of its own, so that the garbage collector can be
// shown it.
struct ProgressCall {
  std::shared_ptr<nb::object> function;

  void operator()(std::uint64_t done, std::uint64_t total) const {
    const nb::gil_scoped_acquire lock;
    (*function)(done, total);
  }
};

void set_progress(mx2onnx::ConvertOptions& options, nb::object function) {
  if (function.is_none()) {
    options.progress = nullptr;
    return;
  }
  options.progress = ProgressCall{{new nb::object(std::move(function)), [](nb::object* held) {
                                     const nb::gil_scoped_acquire lock;
                                     delete held;
                                   }}};
}

nb::object progress_of(const mx2onnx::ConvertOptions& options) {
  const auto* call = options.progress.target<ProgressCall>();
  return call == nullptr ? nb::none() : *call->function;
}

int traverse_options(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  const auto* options = nb::inst_ptr<mx2onnx::ConvertOptions>(self);
  if (const auto* call = options->progress.target<ProgressCall>()) Py_VISIT(call->function->ptr());
  for (const auto& op : options->operators) Py_VISIT(nb::find(op).ptr());
  return 0;
}

int clear_options(PyObject* self) {
  if (!nb::inst_ready(self)) return 0;
  auto* options = nb::inst_ptr<mx2onnx::ConvertOptions>(self);
  options->progress = nullptr;
  options->operators.clear();
  return 0;
}

PyType_Slot options_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse_options)},
                               {Py_tp_clear, reinterpret_cast<void*>(clear_options)},
                               {0, nullptr}};

// The options with a look at Python's signals, Ctrl-C above all, in every phase. Only the main
// thread of Python handles signals; in others the look does nothing.
mx2onnx::ConvertOptions with_signals(mx2onnx::ConvertOptions options) {
  static constexpr std::chrono::milliseconds kBetweenLooks(20);
  options.checkpoint = [last = std::chrono::steady_clock::now()]() mutable {
    const auto now = std::chrono::steady_clock::now();
    if (now - last < kBetweenLooks) return;
    last = now;
    const nb::gil_scoped_acquire lock;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  };
  return options;
}

}  // namespace

NB_MODULE(_core, m) {
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const mx2onnx::Error& error) {
      raise_error(error);
    }
  });

  m.attr("__version__") = mx2onnx::kVersion;
  m.attr("DEFAULT_OPSET") = mx2onnx::kDefaultOpset;
  m.attr("FIRST_OPSET") = mx2onnx::kFirstOpset;
  m.attr("LAST_OPSET") = mx2onnx::kLastOpset;
  m.attr("DEFAULT_CUSTOM_DOMAIN") = mx2onnx::kDefaultCustomDomain;

  nb::class_<mx2onnx::InputSpec>(m, "InputSpec")
      .def(
          "__init__",
          [](mx2onnx::InputSpec* self, std::string name,
             std::optional<std::vector<std::string>> dims, std::string dtype) {
            new (self) mx2onnx::InputSpec{std::move(name), std::move(dims), std::move(dtype)};
          },
          "name"_a, "dims"_a = nb::none(), "dtype"_a = "");

  nb::class_<mx2onnx::RenameRule>(m, "RenameRule")
      .def(
          "__init__",
          [](mx2onnx::RenameRule* self, std::string from, std::string to) {
            new (self) mx2onnx::RenameRule{std::move(from), std::move(to)};
          },
          "from_"_a, "to"_a);

  nb::class_<GivenArray>(m, "GivenArray")
      .def(
          "__init__",
          [](GivenArray* self, std::string name, std::string dtype, std::vector<std::int64_t> shape,
             nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> bytes) {
            new (self)
                GivenArray{std::move(name), std::move(dtype), std::move(shape), std::move(bytes)};
          },
          "name"_a, "dtype"_a, "shape"_a, "bytes"_a);

  nb::class_<Choice>(m, "Choice")
      .def(
          "__init__",
          [](Choice* self, std::optional<std::int64_t> epoch,
             std::optional<std::uint64_t> unpack_limit) {
            new (self) Choice{epoch, unpack_limit};
          },
          "epoch"_a = nb::none(), "unpack_limit"_a = nb::none());

  bind_custom_operator(m);
  bind_lint(m);

  nb::class_<mx2onnx::Preprocessing>(m, "Preprocessing")
      .def(nb::init<>())
      .def_rw("input", &mx2onnx::Preprocessing::input)
      .def_rw("mean", &mx2onnx::Preprocessing::mean)
      .def_rw("std", &mx2onnx::Preprocessing::std)
      .def_rw("scale", &mx2onnx::Preprocessing::scale)
      .def_rw("layout", &mx2onnx::Preprocessing::layout)
      .def_rw("dtype", &mx2onnx::Preprocessing::dtype);

  nb::class_<mx2onnx::ConvertOptions>(m, "ConvertOptions", nb::type_slots(options_slots))
      .def(nb::init<>())
      .def_rw("opset", &mx2onnx::ConvertOptions::opset)
      .def_rw("raise_opset", &mx2onnx::ConvertOptions::raise_opset)
      .def_rw("inputs", &mx2onnx::ConvertOptions::inputs)
      .def_rw("batch", &mx2onnx::ConvertOptions::batch, "batch"_a.none())
      .def_rw("fixed_sizes", &mx2onnx::ConvertOptions::fixed_sizes)
      .def_rw("outputs", &mx2onnx::ConvertOptions::outputs)
      .def_rw("rename", &mx2onnx::ConvertOptions::rename)
      .def_rw("preprocessing", &mx2onnx::ConvertOptions::preprocessing)
      .def_rw("architecture", &mx2onnx::ConvertOptions::architecture)
      .def_rw("prepare", &mx2onnx::ConvertOptions::prepare)
      .def_rw("rename_params", &mx2onnx::ConvertOptions::rename_params)
      .def_rw("mxnet_version", &mx2onnx::ConvertOptions::mxnet_version)
      .def_rw("random_weights", &mx2onnx::ConvertOptions::random_weights)
      .def_rw("no_dropout", &mx2onnx::ConvertOptions::no_dropout)
      .def_rw("quantized_form", &mx2onnx::ConvertOptions::quantized_form)
      .def_rw("targets", &mx2onnx::ConvertOptions::targets)
      .def_rw("optimize", &mx2onnx::ConvertOptions::optimize)
      .def_rw("disabled_passes", &mx2onnx::ConvertOptions::disabled_passes)
      .def_rw("external_data", &mx2onnx::ConvertOptions::external_data)
      .def_rw("weights_in_place", &mx2onnx::ConvertOptions::weights_in_place)
      .def_rw("precision", &mx2onnx::ConvertOptions::precision)
      .def_rw("weights", &mx2onnx::ConvertOptions::weights)
      .def_rw("weights_operator", &mx2onnx::ConvertOptions::weights_operator)
      .def_rw("weights_block", &mx2onnx::ConvertOptions::weights_block)
      .def_rw("half_ports", &mx2onnx::ConvertOptions::half_ports)
      .def_rw("keep_float32", &mx2onnx::ConvertOptions::keep_float32)
      .def_prop_rw(
          "operators", [](const mx2onnx::ConvertOptions& self) { return self.operators; },
          [](mx2onnx::ConvertOptions& self,
             const std::vector<std::shared_ptr<mx2onnx::CustomOperator>>& operators) {
            self.operators.assign(operators.begin(), operators.end());
          })
      .def_rw("custom_domain", &mx2onnx::ConvertOptions::custom_domain)
      .def_prop_rw("progress", &progress_of, &set_progress, "progress"_a.none());

  m.def("printable", &mx2onnx::printable, "text"_a);
  m.def("printable_lines", &mx2onnx::printable_lines, "text"_a);
  m.def("parse_input", &mx2onnx::parse_input, "text"_a);
  m.def("parse_rename", &mx2onnx::parse_rename, "option"_a, "text"_a);
  m.def("pass_names", &mx2onnx::pass_names);
  m.def("architectures_json", &mx2onnx::architectures_json);

  m.def(
      "convert_to_file",
      [](std::filesystem::path name, std::string json,
         std::vector<std::filesystem::path> param_paths, const std::vector<GivenArray>& arrays,
         const Choice& choice, const std::filesystem::path& output,
         const mx2onnx::ConvertOptions& options) {
        const auto source =
            make_source(std::move(name), std::move(json), std::move(param_paths), arrays, choice);
        const auto watched = with_signals(options);
        mx2onnx::Report report;
        {
          const nb::gil_scoped_release release;
          report = mx2onnx::convert_to_file(source, output, watched);
        }
        return describe(report);
      },
      "name"_a, "json"_a, "param_paths"_a, "arrays"_a, "choice"_a, "output"_a, "options"_a);

  m.def(
      "convert_to_memory",
      [](std::filesystem::path name, std::string json,
         std::vector<std::filesystem::path> param_paths, const std::vector<GivenArray>& arrays,
         const Choice& choice, const mx2onnx::ConvertOptions& options) {
        const auto source =
            make_source(std::move(name), std::move(json), std::move(param_paths), arrays, choice);
        const auto watched = with_signals(options);
        std::pair<std::string, mx2onnx::Report> result;
        {
          const nb::gil_scoped_release release;
          result = mx2onnx::convert_to_memory(source, watched);
        }
        return nb::make_tuple(nb::bytes(result.first.data(), result.first.size()),
                              describe(result.second));
      },
      "name"_a, "json"_a, "param_paths"_a, "arrays"_a, "choice"_a, "options"_a);

  m.def(
      "inspect",
      [](std::filesystem::path name, std::string json,
         std::vector<std::filesystem::path> param_paths, const std::vector<GivenArray>& arrays,
         const Choice& choice, const mx2onnx::ConvertOptions& options) {
        const auto source =
            make_source(std::move(name), std::move(json), std::move(param_paths), arrays, choice);
        return describe(mx2onnx::inspect(source, with_signals(options)));
      },
      "name"_a, "json"_a, "param_paths"_a, "arrays"_a, "choice"_a, "options"_a);

  m.def(
      "picture",
      [](std::filesystem::path name, std::string json,
         std::vector<std::filesystem::path> param_paths, const std::vector<GivenArray>& arrays,
         const Choice& choice, const mx2onnx::ConvertOptions& options, bool html) {
        const auto source =
            make_source(std::move(name), std::move(json), std::move(param_paths), arrays, choice);
        const auto found = mx2onnx::make_picture(source, with_signals(options));
        return html ? mx2onnx::to_html(found) : mx2onnx::to_json(found);
      },
      "name"_a, "json"_a, "param_paths"_a, "arrays"_a, "choice"_a, "options"_a, "html"_a);

  m.def("operators", [] {
    nb::list result;
    for (const auto& op : mx2onnx::operators()) result.append(describe(op));
    return result;
  });
  m.def("untranslated_operators", [] {
    nb::list result;
    for (const auto& op : mx2onnx::untranslated_operators()) {
      result.append(describe_untranslated(op));
    }
    return result;
  });

  m.def(
      "run_command_line",
      [](std::vector<std::string> arguments, const mx2onnx::cli::Verifier& verifier) {
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        const nb::gil_scoped_release release;
        const int code = mx2onnx::cli::run_command_line(static_cast<int>(arguments.size()),
                                                        argv.data(), verifier);
        std::fflush(stdout);
        return code;
      },
      "arguments"_a, "verifier"_a);
}
