"""CTCLoss and WarpCTC: what the recorded cases cannot say."""

import json

import mx2onnx
import numpy as np
import pytest
from running import check_model, run


def symbol_of(op, variables, attrs=None):
    nodes = [{"op": "null", "name": name, "inputs": []} for name in variables]
    inputs = [[i, 0, 0] for i in range(len(variables))]
    nodes.append({"op": op, "name": "ctc", "attrs": attrs or {}, "inputs": inputs})
    return json.dumps({"nodes": nodes, "heads": [[len(variables), 0, 0]]})


@pytest.mark.parametrize("shape", [(6, 4), (3, 2, 5)])
def test_warp_ctc_is_softmax_without_its_label(shape):
    """The plug-in is in no package of MXNet: plugin/warpctc/warpctc-inl.h, Forward."""
    graph = symbol_of("WarpCTC", ["data", "label"], {"label_length": "2", "input_length": "3"})
    data = np.random.RandomState(1).normal(0, 3, shape).astype("float32")
    for opset in (12, mx2onnx.LAST_OPSET):
        model = mx2onnx.convert(graph, inputs={"data": ("N",) + shape[1:]}, opset=opset).model
        check_model(model)
        exp = np.exp(data - data.max(-1, keepdims=True))
        (found,) = run(model, {"data": data})
        np.testing.assert_allclose(found, exp / exp.sum(-1, keepdims=True), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "inputs,words",
    [
        ({"data": (3, 2, 5), "label": (2, 4)}, "3 labels at most"),
        ({"data": (3, 2), "label": (2, 4)}, "'data': expected 3 dimensions"),
        ({"data": (3, 2, 5), "label": (2,)}, "'label': expected 2 dimensions"),
        ({"data": (3, 2, 5), "label": (3, 2)}, "'label'"),
        ({"data": ((3, 2, 5), "float64"), "label": (2, 2)}, "float64"),
    ],
)
def test_what_mxnet_refuses(inputs, words):
    with pytest.raises(mx2onnx.Error) as error:
        mx2onnx.convert(symbol_of("CTCLoss", ["data", "label"]), inputs=inputs)
    assert words in str(error.value)
