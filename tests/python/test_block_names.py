"""Parameters of `save_parameters` beside a symbol: bound where shapes and the order of numbered blocks leave one way."""

import json
import pathlib

import mx2onnx
import numpy as np
import parameter_files
import pytest
from running import run

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL = MODELS / "digits_cnn-symbol.json"
BLOCKS = {
    "digits_conv0": "features.0",
    "digits_batchnorm0": "features.1.norm",
    "digits_conv1": "features.2",
    "digits_batchnorm1": "features.3.norm",
    "digits_dense0": "output",
}


def random_arrays():
    """Of digits_cnn, by the symbol's names."""
    random = np.random.RandomState(0)
    arrays = mx2onnx.inspect(MODELS / "digits_cnn-0000.params")["arrays"]
    return {array["name"][4:]: random.uniform(0.5, 1, array["shape"]).astype("f4") for array in arrays}


def in_blocks(arrays):
    renamed = {}
    for name, value in arrays.items():
        block = next(block for block in BLOCKS if name.startswith(block + "_"))
        renamed["%s.%s" % (BLOCKS[block], name[len(block) + 1 :])] = value
    return renamed


@pytest.mark.parametrize("inputs", [{"data": (1, 1, 8, 8)}, None])
def test_shapes_tell(tmp_path, inputs):
    arrays = random_arrays()
    parameter_files.write_list(tmp_path / "named.params", arrays)
    parameter_files.write_list(tmp_path / "x.params", dict(reversed(in_blocks(arrays).items())))
    result = mx2onnx.convert(SYMBOL, tmp_path / "x.params", inputs=inputs)
    assert [note["id"] for note in result.diagnostics].count("W-parameters-renamed") == 1
    image = np.random.RandomState(0).uniform(0, 1, (1, 1, 8, 8)).astype("f4")
    expected = mx2onnx.convert(SYMBOL, tmp_path / "named.params", inputs=inputs)
    assert np.array_equal(run(result.model, {"data": image})[0], run(expected.model, {"data": image})[0])


def chain(names):
    """FullyConnected layers of 4, one after the other."""
    nodes = [{"op": "null", "name": "data", "inputs": []}]
    last = 0
    for name in names:
        first = len(nodes)
        nodes += [{"op": "null", "name": "%s_%s" % (name, role), "inputs": []} for role in ("weight", "bias")]
        nodes.append(
            {
                "op": "FullyConnected",
                "name": name,
                "attrs": {"num_hidden": "4"},
                "inputs": [[last, 0, 0], [first, 0, 0], [first + 1, 0, 0]],
            }
        )
        last = len(nodes) - 1
    arguments = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    return json.dumps({"nodes": nodes, "arg_nodes": arguments, "heads": [[last, 0, 0]]})


def write_chain(tmp_path, blocks):
    """A chain of as many layers, and a file that calls them as the blocks are called. What it computes for ones."""
    (tmp_path / "net-symbol.json").write_text(chain(["dense%d" % i for i in range(len(blocks))]))
    random = np.random.RandomState(0)
    arrays, value = {}, np.ones((1, 4), "f4")
    for block in blocks:
        weight, bias = random.normal(size=(4, 4)).astype("f4"), random.normal(size=4).astype("f4")
        arrays.update({block + ".weight": weight, block + ".bias": bias})
        value = value @ weight.T + bias
    parameter_files.write_list(tmp_path / "w.params", arrays)
    return value


def convert_chain(tmp_path):
    return mx2onnx.convert(tmp_path / "net-symbol.json", tmp_path / "w.params", inputs={"data": (1, 4)})


def test_numbered_blocks_come_in_their_order(tmp_path):
    expected = write_chain(tmp_path, ["0"] + ["1.%d.fc" % i for i in range(11)])
    found = run(convert_chain(tmp_path).model, {"data": np.ones((1, 4), "f4")})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("blocks", [["query", "key"], ["0.body", "0.skip", "1"], ["0", "0.1"]])
def test_blocks_without_an_order_are_refused(tmp_path, blocks):
    write_chain(tmp_path, blocks)
    with pytest.raises(mx2onnx.ModelError, match="the file has the names of save_parameters"):
        convert_chain(tmp_path)


def test_a_block_too_many_is_refused(tmp_path):
    write_chain(tmp_path, ["0", "1", "2"])
    (tmp_path / "net-symbol.json").write_text(chain(["dense0", "dense1"]))
    with pytest.raises(mx2onnx.ModelError, match="the file has the names of save_parameters"):
        convert_chain(tmp_path)
