// Bindings of mx2onnx/custom_operator.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "bindings.h"
#include "mx2onnx/custom_operator.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// Conversions run without the interpreter's lock: the callable is copied and let go of in C++ only
// through this pointer, and called with the lock held.
std::shared_ptr<nb::callable> hold(nb::callable function) {
  return {new nb::callable(std::move(function)), [](nb::callable* held) {
            const nb::gil_scoped_acquire lock;
            delete held;
          }};
}

std::shared_ptr<mx2onnx::CustomOperator> make_operator(
    std::string name, const std::vector<std::pair<std::string, bool>>& inputs,
    std::vector<std::string> outputs, const std::optional<nb::callable>& infer,
    nb::callable translate) {
  auto custom = std::make_shared<mx2onnx::CustomOperator>();
  custom->name = std::move(name);
  for (const auto& [input, is_parameter] : inputs) custom->inputs.push_back({input, is_parameter});
  custom->outputs = std::move(outputs);
  if (infer) {
    custom->infer = [function = hold(*infer)](const mx2onnx::CustomNode& node) {
      const nb::gil_scoped_acquire lock;
      return nb::cast<std::vector<mx2onnx::CustomType>>(
          (*function)(nb::cast(node, nb::rv_policy::copy)));
    };
  }
  custom->translate = [function = hold(std::move(translate))](const mx2onnx::CustomNode& node,
                                                              mx2onnx::OnnxEmitter& onnx) {
    const nb::gil_scoped_acquire lock;
    (*function)(nb::cast(node, nb::rv_policy::copy), nb::cast(&onnx, nb::rv_policy::reference));
  };
  return custom;
}

}  // namespace

void bind_custom_operator(nb::module_& m) {
  nb::class_<mx2onnx::CustomType>(m, "CustomType")
      .def(
          "__init__",
          [](mx2onnx::CustomType* self, std::string dtype,
             std::optional<std::vector<std::string>> shape) {
            new (self) mx2onnx::CustomType{std::move(dtype), std::move(shape)};
          },
          "dtype"_a = "", "shape"_a = nb::none())
      .def_ro("dtype", &mx2onnx::CustomType::dtype)
      .def_ro("shape", &mx2onnx::CustomType::shape);
  nb::class_<mx2onnx::CustomNode>(m, "CustomNode")
      .def_ro("name", &mx2onnx::CustomNode::name)
      .def_ro("op", &mx2onnx::CustomNode::op)
      .def_ro("attributes", &mx2onnx::CustomNode::attributes)
      .def_ro("inputs", &mx2onnx::CustomNode::inputs)
      .def_ro("outputs", &mx2onnx::CustomNode::outputs)
      .def_ro("opset", &mx2onnx::CustomNode::opset);
  nb::class_<mx2onnx::OnnxValue>(m, "OnnxValue").def(nb::init<>());
  nb::class_<mx2onnx::OnnxEmitter>(m, "OnnxEmitter")
      .def("has", &mx2onnx::OnnxEmitter::has, "op_type"_a)
      .def("input", &mx2onnx::OnnxEmitter::input, "index"_a)
      .def("constant", &mx2onnx::OnnxEmitter::constant, "dtype"_a, "shape"_a, "numbers"_a)
      .def("shape", &mx2onnx::OnnxEmitter::shape, "sizes"_a)
      .def("emit_many", &mx2onnx::OnnxEmitter::emit_many, "op_type"_a, "inputs"_a, "attributes"_a,
           "outputs"_a, "domain"_a)
      .def("set_output", &mx2onnx::OnnxEmitter::set_output, "index"_a, "value"_a)
      .def("refuse", &mx2onnx::OnnxEmitter::refuse, "reason"_a, "hint"_a)
      .def("warn", &mx2onnx::OnnxEmitter::warn, "message"_a);
  nb::class_<mx2onnx::CustomOperator>(m, "CustomOperator")
      .def(nb::new_(&make_operator), "name"_a, "inputs"_a, "outputs"_a, "infer"_a.none(),
           "translate"_a)
      .def_ro("name", &mx2onnx::CustomOperator::name);
}
