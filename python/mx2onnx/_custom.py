"""Operators of the user's own: a shape rule and a translation, as Python functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional, Union

from . import _arguments as check
from . import _core
from ._arrays import has_masks, is_complex, plain
from ._inputs import dtype_name

_registered: dict[str, _core.CustomOperator] = {}


class ArrayType:
    """Element type and shape of an array, as far as they are known.

    - ``dtype``: NumPy's name, or None
    - ``shape``: a tuple of sizes, or None if not even the number of dimensions is known. A size is a number, or text:
      the name of a free size, an expression of such names with ``+ - * //``, ``min`` and ``max``, or ``"?"``
    """

    def __init__(self, shape: Optional[Sequence[Union[int, str]]] = None, dtype: Optional[str] = None):
        self.shape = None if shape is None else tuple(shape)
        self.dtype = dtype

    def __repr__(self) -> str:
        return "ArrayType(%r, %r)" % (self.shape, self.dtype)


class Node:
    """A node of the MXNet model.

    - ``name``, ``op``: its name, and its operator ("Custom:my_op" for a Python operator)
    - ``attributes``: dict of texts, as the file has them
    - ``inputs``, ``outputs``: lists of ``ArrayType``; of outputs, what is known already
    - ``opset``: the target's
    """

    def __init__(self, node: _core.CustomNode):
        self.name = node.name
        self.op = node.op
        self.attributes: dict[str, str] = dict(node.attributes)
        self.inputs = [_array_type(t) for t in node.inputs]
        self.outputs = [_array_type(t) for t in node.outputs]
        self.opset = node.opset


class Emitter:
    """Emits the ONNX nodes of one MXNet node; only good while the translation runs."""

    def __init__(self, core: _core.OnnxEmitter):
        self._core = core

    def has(self, op_type: str) -> bool:
        """True if the target opset has the operator."""
        return self._core.has(check.text("has: the operator", op_type))

    def input(self, index: int) -> _core.OnnxValue:
        """The ONNX value of an input of the MXNet node."""
        return self._core.input(check.index("input", index))

    def constant(self, value: Any, dtype: Optional[str] = None) -> _core.OnnxValue:
        """A constant: a number, nested lists or a NumPy array; floats are float32 unless ``dtype`` says otherwise."""
        import numpy

        try:
            array, own = plain("constant", value)
        except TypeError as error:
            masked = "masked" in str(error)
            raise error if masked else TypeError("constant: expected numbers, got %r" % (value,)) from None
        if own == "bfloat16":
            array = (array.astype(numpy.uint32) << 16).view(numpy.float32)
        if dtype is None:
            given = isinstance(value, (numpy.ndarray, numpy.generic))
            dtype = "float32" if own == "float64" and not given else own
        numbers = array.astype(numpy.float64)
        if array.dtype.kind in "iu" and not all(int(a) == int(b) for a, b in zip(array.flat, numbers.flat)):
            raise ValueError("constant: whole numbers beyond 2**53 are not kept exactly")
        return self._core.constant(dtype_name(dtype), list(array.shape), numbers.reshape(-1).tolist())

    def shape(self, sizes: Sequence[Union[int, str]]) -> _core.OnnxValue:
        """A shape as an int64 array, for Reshape, Expand and the like."""
        return self._core.shape([str(size) for size in sizes])

    def emit(
        self,
        op_type: str,
        inputs: Sequence[Optional[_core.OnnxValue]],
        attributes: Optional[Mapping[str, Any]] = None,
        *,
        outputs: Union[int, Sequence[ArrayType]] = 1,
        domain: str = "",
    ) -> Any:
        """A node. Its output, or a list of them if ``outputs`` is a sequence or a number other than 1.

        None as an input is an absent optional one. ``outputs`` says how many there are, or what they are; a ``dtype``
        that is left out is that of the first input. Nodes of ONNX's own domain are checked against the schema of the
        target opset.
        """
        many = outputs != 1
        types: Any = [ArrayType()] * outputs if isinstance(outputs, int) else outputs
        if isinstance(inputs, _core.OnnxValue):
            raise TypeError("emit: inputs: expected a list of values, got one value")
        if attributes is not None and not isinstance(attributes, Mapping):
            raise TypeError("emit: attributes: expected a mapping of names to values, got %r" % (attributes,))
        values = self._core.emit_many(
            check.text("emit: the operator", op_type),
            [
                _core.OnnxValue() if value is None else _value("emit: input %d" % i, value)
                for i, value in enumerate(inputs)
            ],
            [
                (check.text("emit: attributes", name), _attribute(name, value))
                for name, value in (attributes or {}).items()
            ],
            check.checked_list("emit: outputs", types, ArrayType, _core_type),
            check.text("emit: domain", domain),
        )
        return values if many else values[0]

    def set_output(self, index: int, value: _core.OnnxValue) -> None:
        """Says what an output of the MXNet node is."""
        self._core.set_output(check.index("set_output", index), _value("set_output", value))

    def refuse(self, reason: str, hint: str = "") -> None:
        """Says that this node cannot be expressed. Return after this; all refusals come in one message."""
        self._core.refuse(check.text("refuse: reason", reason), check.text("refuse: hint", hint))

    def warn(self, message: str) -> None:
        """Adds a warning to the report."""
        self._core.warn(check.text("warn: message", message))


def _array_type(core: _core.CustomType) -> ArrayType:
    shape = None if core.shape is None else [int(s) if s.isdigit() else s for s in core.shape]
    return ArrayType(shape, core.dtype or None)


def _value(what: str, given: Any) -> _core.OnnxValue:
    if not isinstance(given, _core.OnnxValue):
        raise TypeError("%s: expected a value that the emitter gave, got %r" % (what, given))
    return given


def _core_type(given: Any) -> _core.CustomType:
    if not isinstance(given, ArrayType):
        raise TypeError("expected an ArrayType, got %r" % (given,))
    shape = None if given.shape is None else [str(size) for size in given.shape]
    return _core.CustomType("" if given.dtype is None else dtype_name(given.dtype), shape)


def _attribute(name: str, value: Any) -> Any:
    def scalar(item: Any) -> Any:
        if isinstance(item, str):
            return check.encodable("emit: attributes", item)
        if has_masks(item) or is_complex(item):
            raise TypeError("emit: attribute %r: expected numbers or texts, got %r" % (name, value))
        if hasattr(item, "__index__"):  # NumPy's whole numbers and truth values, too
            return int(item)
        if hasattr(item, "__float__"):
            return float(item)
        raise TypeError("emit: attribute %r: expected numbers or texts, got %r" % (name, value))

    if isinstance(value, (str, int, float)) or not hasattr(value, "__iter__") or getattr(value, "shape", None) == ():
        return scalar(value)
    values = [scalar(item) for item in value]
    if any(isinstance(v, str) for v in values) and not all(isinstance(v, str) for v in values):
        raise TypeError("emit: attribute %r: expected numbers or texts, got %r" % (name, value))
    return [float(v) for v in values] if any(isinstance(v, float) for v in values) else values


Translation = Callable[[Node, Emitter], None]


def register_operator(
    name: str,
    *,
    op_type: Optional[str] = None,
    inputs: Sequence[str] = (),
    parameters: Sequence[str] = (),
    outputs: Sequence[str] = ("output",),
    infer: Optional[Callable[[Node], Sequence[ArrayType]]] = None,
) -> Callable[[Translation], Translation]:
    """Decorator: registers a translation for ``Custom`` with an ``op_type`` (``"Custom:my_op"``, or ``"Custom"`` and
    ``op_type="my_op"``), or for any operator by its name, for all conversions from then on.

    The function gets a ``Node`` and an ``Emitter``. ``inputs`` names the inputs (empty for any number of
    them), and ``parameters`` those among them that are weights: missing if no parameter file has them. ``outputs``
    names the outputs. ``infer`` gets a ``Node`` and gives the ``ArrayType`` of each output, for what is known
    of the inputs; it is called again when more is known. Without it the outputs are like the first input.
    """
    key = check.text("name", name) if op_type is None else "%s:%s" % (name, check.text("op_type", op_type))
    inputs, parameters = check.texts("inputs", inputs), check.texts("parameters", parameters)
    output_names = check.texts("outputs", outputs)
    check.function("infer", infer)
    unknown = set(parameters) - set(inputs)
    if unknown:
        raise ValueError("parameters that are no inputs: %s" % ", ".join(sorted(unknown)))

    def register(translate: Translation) -> Translation:
        core_infer = None
        if infer is not None:

            def core_infer(node: _core.CustomNode) -> list[_core.CustomType]:
                return check.checked_list("infer of %r" % key, infer(Node(node)), ArrayType, _core_type)

        _registered[key] = _core.CustomOperator(
            key,
            [(i, i in parameters) for i in inputs],
            output_names,
            core_infer,
            lambda node, emitter: translate(Node(node), Emitter(emitter)),
        )
        return translate

    return register


def unregister_operator(name: str) -> None:
    """Takes back ``register_operator``; `name` is "Custom:my_op" or the operator's name."""
    del _registered[name]


def registered_operators() -> list[_core.CustomOperator]:
    return list(_registered.values())
