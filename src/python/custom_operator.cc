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
#include "mx2onnx/error.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// An operator whose functions are Python's. They may refer to whatever has the operator, their own
// module above all, so that Python's garbage collector has to see them.
struct PythonOperator final : mx2onnx::CustomOperator {
  nb::object infer_function;
  nb::object translate_function;

  PythonOperator() = default;
  PythonOperator(const PythonOperator&) = delete;
  PythonOperator& operator=(const PythonOperator&) = delete;
  ~PythonOperator() {
    // Conversions run without the interpreter's lock, and may be the last to let go.
    const nb::gil_scoped_acquire lock;
    let_go();
  }

  void let_go() {
    infer_function.reset();
    translate_function.reset();
  }
};

int traverse_operator(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  const PythonOperator* op = nb::inst_ptr<PythonOperator>(self);
  Py_VISIT(op->infer_function.ptr());
  Py_VISIT(op->translate_function.ptr());
  return 0;
}

int clear_operator(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<PythonOperator>(self)->let_go();
  return 0;
}

PyType_Slot operator_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse_operator)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear_operator)},
                                {0, nullptr}};

// What Python holds of an emitter, as long as it likes: the emitter itself is there while the
// translation runs.
class EmitterHandle {
 public:
  explicit EmitterHandle(mx2onnx::OnnxEmitter& emitter) : emitter_(&emitter) {}

  void end() { emitter_ = nullptr; }

  mx2onnx::OnnxEmitter& get() const {
    if (emitter_ == nullptr) {
      throw mx2onnx::Error(mx2onnx::ErrorCode::kUsage, {},
                           "an emitter is only good while its translation runs", "");
    }
    return *emitter_;
  }

 private:
  mx2onnx::OnnxEmitter* emitter_;
};

// The handle ends with the translation, however that ends. The lock is held.
class Lending {
 public:
  explicit Lending(mx2onnx::OnnxEmitter& emitter)
      : handle_(std::make_shared<EmitterHandle>(emitter)) {}
  ~Lending() { handle_->end(); }
  Lending(const Lending&) = delete;
  Lending& operator=(const Lending&) = delete;
  const std::shared_ptr<EmitterHandle>& handle() const { return handle_; }

 private:
  std::shared_ptr<EmitterHandle> handle_;
};

// A method of the emitter as one of the handle.
template <typename Result, typename... Arguments>
auto lent(Result (mx2onnx::OnnxEmitter::*method)(Arguments...)) {
  return [method](const EmitterHandle& handle, std::decay_t<Arguments>... arguments) {
    return (handle.get().*method)(std::move(arguments)...);
  };
}
template <typename Result, typename... Arguments>
auto lent(Result (mx2onnx::OnnxEmitter::*method)(Arguments...) const) {
  return [method](const EmitterHandle& handle, std::decay_t<Arguments>... arguments) {
    return (handle.get().*method)(std::move(arguments)...);
  };
}

// The functions are the operator's own members: they are not called without it.
std::shared_ptr<PythonOperator> make_operator(
    std::string name, const std::vector<std::pair<std::string, bool>>& inputs,
    std::vector<std::string> outputs, const std::optional<nb::callable>& infer,
    nb::callable translate) {
  auto custom = std::make_shared<PythonOperator>();
  custom->name = std::move(name);
  for (const auto& [input, is_parameter] : inputs) custom->inputs.push_back({input, is_parameter});
  custom->outputs = std::move(outputs);
  PythonOperator* self = custom.get();
  if (infer) {
    custom->infer_function = *infer;
    custom->infer = [self](const mx2onnx::CustomNode& node) {
      const nb::gil_scoped_acquire lock;
      return nb::cast<std::vector<mx2onnx::CustomType>>(
          self->infer_function(nb::cast(node, nb::rv_policy::copy)));
    };
  }
  custom->translate_function = std::move(translate);
  custom->translate = [self](const mx2onnx::CustomNode& node, mx2onnx::OnnxEmitter& onnx) {
    const nb::gil_scoped_acquire lock;
    const Lending lending(onnx);
    self->translate_function(nb::cast(node, nb::rv_policy::copy), nb::cast(lending.handle()));
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
  nb::class_<EmitterHandle>(m, "OnnxEmitter")
      .def("has", lent(&mx2onnx::OnnxEmitter::has), "op_type"_a)
      .def("input", lent(&mx2onnx::OnnxEmitter::input), "index"_a)
      .def("constant", lent(&mx2onnx::OnnxEmitter::constant), "dtype"_a, "shape"_a, "numbers"_a)
      .def("shape", lent(&mx2onnx::OnnxEmitter::shape), "sizes"_a)
      .def("emit_many", lent(&mx2onnx::OnnxEmitter::emit_many), "op_type"_a, "inputs"_a,
           "attributes"_a, "outputs"_a, "domain"_a)
      .def("set_output", lent(&mx2onnx::OnnxEmitter::set_output), "index"_a, "value"_a)
      .def("refuse", lent(&mx2onnx::OnnxEmitter::refuse), "reason"_a, "hint"_a)
      .def("warn", lent(&mx2onnx::OnnxEmitter::warn), "message"_a);
  nb::class_<mx2onnx::CustomOperator>(m, "Operator").def_ro("name", &mx2onnx::CustomOperator::name);
  nb::class_<PythonOperator, mx2onnx::CustomOperator>(m, "CustomOperator",
                                                      nb::type_slots(operator_slots))
      .def(nb::new_(&make_operator), "name"_a, "inputs"_a, "outputs"_a, "infer"_a.none(),
           "translate"_a);
}
