"""Models that refer to their weights in the parameter file."""

import gzip
import os
import pathlib
import shutil

import mx2onnx
import networks
import numpy as np
import pytest
from running import run

import onnx

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"


@pytest.fixture(params=["digits_cnn", "digits_lstm"])
def model(request, tmp_path):
    """(symbol, params in a folder of their own, what MXNet computes)"""
    params = tmp_path / "net.params"
    shutil.copy(MODELS / (request.param + "-0000.params"), params)
    recorded = np.load(MODELS / (request.param + "-expected.npz"))
    return str(MODELS / (request.param + "-symbol.json")), params, recorded


def external(path):
    """{location: bytes that lie there}"""
    found = {}
    for initializer in onnx.load(str(path), load_external_data=False).graph.initializer:
        entries = {e.key: e.value for e in initializer.external_data}
        if entries:
            found[entries["location"]] = found.get(entries["location"], 0) + int(entries["length"])
    return found


def feeds(recorded):
    return {"data": recorded["data"]}


def test_the_numbers_are_the_same(model, tmp_path):
    symbol, params, recorded = model
    plain, out = tmp_path / "plain.onnx", tmp_path / "out.onnx"
    mx2onnx.convert(symbol, params, output=plain, disabled_passes=["fold_batch_norm"])
    result = mx2onnx.convert(symbol, params, output=out, weights_in_place=True)
    assert result.report["weights_in_place"] == [str(params)]
    (expected,), (found,) = run(str(plain), feeds(recorded)), run(str(out), feeds(recorded))
    np.testing.assert_array_equal(found, expected)
    assert external(out)["net.params"] > params.stat().st_size / 2


def test_weights_that_onnx_has_otherwise_are_changed_when_the_model_is_loaded(tmp_path):
    """Of dense layers over the last axis, MatMul takes the transposed weights."""
    text, shapes = networks.dense_layers(2, 64)
    params, out, plain = tmp_path / "net.params", tmp_path / "out.onnx", tmp_path / "plain.onnx"
    networks.write_params(str(params), shapes)
    inputs = {"data": (2, 3, 64)}
    mx2onnx.convert(text, params, inputs=inputs, output=out, weights_in_place=True)
    mx2onnx.convert(text, params, inputs=inputs, output=plain)
    assert external(out) == {"net.params": 2 * 64 * 64 * 4}
    data = {"data": np.random.RandomState(0).normal(size=(2, 3, 64)).astype("float32")}
    np.testing.assert_array_equal(run(str(out), data)[0], run(str(plain), data)[0])


def test_weights_that_no_file_has_are_in_a_file_of_their_own(tmp_path):
    text, shapes = networks.dense_layers(2, 64)
    params, out = tmp_path / "net.params", tmp_path / "out.onnx"
    first = dict(list(shapes.items())[:1])
    networks.write_params(str(params), first)
    with pytest.warns(mx2onnx.ConversionWarning, match="W-random-weights"):
        report = mx2onnx.convert(
            text, params, inputs={"data": (2, 3, 64)}, output=out, weights_in_place=True, random_weights=True
        ).report
    assert report["output_data"] == str(out) + ".data"
    assert external(out) == {"net.params": 64 * 64 * 4, "out.onnx.data": 64 * 64 * 4}


def test_below_the_models_folder(tmp_path):
    (tmp_path / "weights").mkdir()
    params = shutil.copy(MODELS / "digits_cnn-0000.params", tmp_path / "weights")
    out = tmp_path / "out.onnx"
    mx2onnx.convert(str(MODELS / "digits_cnn-symbol.json"), params, output=out, weights_in_place=True)
    assert set(external(out)) == {"weights/digits_cnn-0000.params"}
    assert sorted(os.listdir(tmp_path)) == ["out.onnx", "weights"]


def test_elsewhere(tmp_path):
    (tmp_path / "models").mkdir()
    params = shutil.copy(MODELS / "digits_cnn-0000.params", tmp_path)
    with pytest.raises(mx2onnx.UsageError) as error:
        out = tmp_path / "models" / "out.onnx"
        mx2onnx.convert(str(MODELS / "digits_cnn-symbol.json"), params, output=out, weights_in_place=True)
    assert str(error.value) == (
        "%s: weights in place: the model's folder has to be the one of its weights, or one above it\n"
        "hint: write it to %s/NAME.onnx" % (params, tmp_path)
    )
    assert os.listdir(tmp_path / "models") == []


def test_compressed(tmp_path):
    packed = tmp_path / "net.params.gz"
    packed.write_bytes(gzip.compress((MODELS / "digits_cnn-0000.params").read_bytes()))
    with pytest.raises(mx2onnx.UsageError, match="compressed, so that no file has them as they are"):
        out = tmp_path / "out.onnx"
        mx2onnx.convert(str(MODELS / "digits_cnn-symbol.json"), packed, output=out, weights_in_place=True)


def test_arrays_of_the_program(tmp_path):
    weights = {"w": np.ones((300, 4), "float32")}
    symbol = (
        '{"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "null", "name": "w", "inputs": []},'
        '{"op": "FullyConnected", "name": "fc", "attrs": {"num_hidden": "300", "no_bias": "True"},'
        '"inputs": [[0, 0, 0], [1, 0, 0]]}], "arg_nodes": [0, 1], "heads": [[2, 0, 0]]}'
    )
    with pytest.raises(mx2onnx.UsageError, match="no file has any of the weights as they are"):
        mx2onnx.convert(symbol, weights, output=tmp_path / "out.onnx", weights_in_place=True)
    # The members of an .npz that is not compressed are arrays as they are.
    np.savez(tmp_path / "net.npz", **weights)
    mx2onnx.convert(symbol, tmp_path / "net.npz", output=tmp_path / "out.onnx", weights_in_place=True)
    assert external(tmp_path / "out.onnx")["net.npz"] == 4800
    (found,) = run(str(tmp_path / "out.onnx"), {"x": np.ones((2, 4), "float32")})
    np.testing.assert_array_equal(found, np.full((2, 300), 4, "float32"))


@pytest.mark.parametrize("change", ["write", "replace"])
def test_a_file_that_changes_meanwhile(change, tmp_path):
    params = tmp_path / "net.params"
    shutil.copy(MODELS / "digits_cnn-0000.params", params)

    def spoil(done, total):
        if change == "replace":
            shutil.copy(params, tmp_path / "other")
            os.replace(tmp_path / "other", params)
        else:
            with open(params, "r+b") as file:
                file.seek(2000)
                file.write(b"\0\0\0\0")
            os.utime(params, ns=(1, 1))  # a coarse clock may show the old time

    with pytest.raises(mx2onnx.Error, match="changed or replaced while it was read"):
        mx2onnx.convert(
            str(MODELS / "digits_cnn-symbol.json"),
            params,
            output=tmp_path / "out.onnx",
            weights_in_place=True,
            progress=spoil,
        )
    assert os.listdir(tmp_path) == ["net.params"]


def test_it_needs_a_file(tmp_path):
    symbol, params = str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params")
    with pytest.raises(mx2onnx.UsageError):
        mx2onnx.convert(symbol, params, weights_in_place=True)
    copied = shutil.copy(params, tmp_path)
    result = mx2onnx.convert(symbol, copied, output=tmp_path / "out.onnx", weights_in_place=True)
    with pytest.raises(mx2onnx.UsageError, match="the weights are in .*digits_cnn-0000.params"):
        result.save(tmp_path / "copy.onnx")
