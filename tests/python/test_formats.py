"""The files of tests/formats, written by twelve versions of MXNet: every container bit for bit, and the nets
with each version's own outputs. shared/facts/formats.md describes them."""

import json
import pathlib
import re

import mx2onnx
import numpy as np
import pytest
from running import assert_same, check_model, run

import onnx
from onnx import numpy_helper

FORMATS = pathlib.Path(__file__).resolve().parent.parent / "formats"
VERSIONS = sorted(p.name for p in FORMATS.iterdir())


def identity_symbol(names):
    """A symbol that hands each of its variables on."""
    nodes = []
    for name in names:
        nodes.append({"op": "null", "name": name, "inputs": []})
        nodes.append({"op": "_copy", "name": "out_" + name, "inputs": [[len(nodes) - 1, 0, 0]]})
    return json.dumps(
        {
            "nodes": nodes,
            "heads": [[i, 0, 0] for i in range(1, len(nodes), 2)],
            "attrs": {"mxnet_version": ["int", 10901]},
        }
    )


def stored_arrays(path, names):
    """The arrays of a parameter file as they reach the ONNX file."""
    result = mx2onnx.convert(identity_symbol(names), str(path), optimize=False)
    model = onnx.load_from_string(result.model)
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}


EXPECTED = sorted(p.relative_to(FORMATS) for p in FORMATS.glob("*/*-expected.npz"))


@pytest.mark.parametrize("expected", EXPECTED, ids=str)
def test_container_bit_for_bit(expected):
    path = str(FORMATS / expected).replace("-expected.npz", "")
    path += ".npz" if pathlib.Path(path + ".npz").exists() else ".params"
    wanted = {k.split(":")[-1]: v for k, v in np.load(FORMATS / expected).items()}
    found = stored_arrays(path, list(wanted))
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tobytes() == np.ascontiguousarray(array).tobytes(), name


def test_bfloat16():
    model = onnx.load_from_string(
        mx2onnx.convert(identity_symbol(["b"]), str(FORMATS / "1.9.1/bfloat16.params"), opset=18, optimize=False).model
    )
    assert model.graph.initializer[0].data_type == onnx.TensorProto.BFLOAT16
    # bfloat16 is the upper half of a float32.
    assert (
        model.graph.initializer[0].raw_data
        == (FORMATS / "1.9.1/bfloat16.params").read_bytes()[-(8 + 8 + 1) - 6 : -(8 + 8 + 1)]
    )


@pytest.mark.parametrize("path", ["0.9.5/list.params", "1.9.1/list.params", "1.9.1/unnamed.params"])
def test_lists_without_names_cannot_be_matched(path):
    with pytest.raises(mx2onnx.ModelError) as error:
        mx2onnx.convert(identity_symbol(["w"]), str(FORMATS / path))
    assert re.fullmatch(
        r"%s: array 1 of \d+ has no name\nhint: a list saved by mx.nd.save without names cannot be "
        "matched with a symbol" % re.escape(str(FORMATS / path)),
        str(error.value),
    )


def test_empty_file_has_no_arrays():
    with pytest.raises(mx2onnx.ModelError, match="the shape of input 'w' is not known"):
        mx2onnx.convert(identity_symbol(["w"]), str(FORMATS / "1.9.1/empty.params"))


NETS = sorted(str(p.relative_to(FORMATS)).replace("-golden.npz", "") for p in FORMATS.glob("*/*-golden.npz"))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("free", [False, True], ids=["fixed", "free_batch"])
def test_net(net, free):
    folder, name = net.split("/")
    params = sorted((FORMATS / folder).glob(name + "-0*.params"))[0]
    golden = np.load(FORMATS / (net + "-golden.npz"))
    feeds = {k[3:]: v for k, v in golden.items() if k.startswith("in/")}
    expected = [golden[k] for k in sorted(k for k in golden if k.startswith("out"))]
    for opset in (12, mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET):
        result = mx2onnx.convert(
            FORMATS / (net + "-symbol.json"),
            params,
            opset=opset,
            inputs={k: (("N",) if free else v.shape[:1]) + v.shape[1:] for k, v in feeds.items()},
        )
        check_model(result.model)
        assert_same(run(result.model, feeds), expected, rtol=1e-4, atol=1e-5, where="opset %d" % opset)
