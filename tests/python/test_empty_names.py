"""Names without a letter, which mean "absent" in ONNX: at every place of a symbol and of a parameter file."""

import itertools
import json

import mx2onnx
import numpy as np
import onnxruntime
import pytest

W = np.arange(12, dtype="float32").reshape(4, 3)


# Of data, weight and nodes. Two variables of one name are one.
NAMES = [n for n in itertools.product(("", "x"), ("", "w", "unnamed"), ("", "n")) if n[0] != n[1]]


def symbol(data, weight, node):
    return json.dumps(
        {
            "nodes": [
                {"op": "null", "name": data, "inputs": []},
                {"op": "null", "name": weight, "inputs": []},
                {
                    "op": "FullyConnected",
                    "name": node,
                    "attrs": {"num_hidden": "4", "no_bias": "True"},
                    "inputs": [[0, 0, 0], [1, 0, 0]],
                },
                {"op": "relu", "name": node, "inputs": [[2, 0, 0]]},
            ],
            "heads": [[3, 0, 0]],
        }
    )


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("names", NAMES, ids=str)
def test_what_is_written_loads(names, optimize, external, tmp_path):
    path = tmp_path / "m.onnx"
    stored = {"arg:" + names[1]: W}
    mx2onnx.convert(
        symbol(*names), stored, inputs={names[0]: (2, 3)}, output=path, optimize=optimize, external_data=external
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    x = np.ones((2, 3), "float32")
    np.testing.assert_allclose(session.run(None, {given.name: x})[0], x @ W.T)
    assert given.name == (names[0] or given.name) and given.name


def test_an_array_without_a_name_at_all():
    with pytest.raises(mx2onnx.ModelError, match="array 1 of 1 has no name"):
        mx2onnx.convert(symbol("x", "", "n"), {"": W}, inputs={"x": (2, 3)})
