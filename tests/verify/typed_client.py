"""A program that uses the package's interface: mypy --strict must find nothing in it. It is not run."""

import pathlib

import mx2onnx
import numpy as np

folder = pathlib.Path("models")
result: mx2onnx.ConvertResult = mx2onnx.convert(
    folder / "model-symbol.json",
    [folder / "model-0000.params"],
    inputs={"data": ("batch", 3, 224, 224), "ids": (("batch", 16), "int32"), "mask": "float32"},
    output=folder / "model.onnx",
    mean=[0.5, 0.5, 0.5],
    scale="1/255",
    rename={"data": "image"},
    progress=lambda done, total: print(done, total),
)
names: list[str] = [port["name"] for port in result.inputs]
alone = mx2onnx.convert("model-symbol.json", "a.params", inputs=(1, None, -1, "width"), no_dropout=True)
example = mx2onnx.convert("model-symbol.json", inputs=np.zeros((1, 3, 224, 224), np.float32), random_weights=True)
pairs = mx2onnx.convert("model-symbol.json", inputs={"data": ((1, 3), np.float16), "ids": np.zeros((1, 4), "int32")})
session = alone.session(providers=["CPUExecutionProvider"])
mx2onnx.export_model("model-symbol.json", "a.params", {"data": (1, 3, 224, 224)}, onnx_file_path="model.onnx")
silenced: type[Warning] = mx2onnx.ConversionWarning
model: bytes = mx2onnx.convert("model-symbol.json", {"w": np.zeros(3)}, inputs=["data:1,3"]).to_bytes()
version: str = mx2onnx.__version__
opsets: range = range(mx2onnx.FIRST_OPSET, mx2onnx.LAST_OPSET)
path = mx2onnx.export_model("model-symbol.json", "model-0000.params", [(1, 3, 224, 224)], np.float32, "model.onnx")
found = mx2onnx.verify("model-symbol.json", ["a.params"], "model.onnx", expect=folder / "recorded.npz")
agreed: bool = found.ok
print(found.table(), mx2onnx.inspect("model-symbol.json")["problems"], mx2onnx.get_operator_support(13))

try:
    mx2onnx.convert("model-symbol.json")
except mx2onnx.UnsupportedError as error:
    problems: list[str] = error.problems
    print(error.node, error.hint)


@mx2onnx.register_operator(
    "Custom:twice", inputs=["data"], infer=lambda node: [mx2onnx.ArrayType(node.inputs[0].shape)]
)
def twice(node: mx2onnx.Node, onnx: mx2onnx.Emitter) -> None:
    x = onnx.input(0)
    onnx.set_output(0, onnx.emit("Add", [x, x]))
