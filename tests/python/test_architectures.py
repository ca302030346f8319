"""Weights without a symbol: recognised by names and shapes, converted, prepared, listed."""

import json
import os
import pathlib
import subprocess
import tarfile

import mx2onnx
import numpy as np
import parameter_files
import pytest
from running import run

import onnx

TOOL = os.environ.get("MX2ONNX")
needs_tool = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
LAYOUTS = parameter_files.layouts()
NET = "cifar_resnet20_v1"


def weights(layout, seed=0):
    """Small random numbers; variances above zero."""
    random = np.random.RandomState(seed)
    return {key: np.abs(random.normal(0, 0.1, shape)).astype("f4") + 0.01 for key, (_, shape) in layout.items()}


@pytest.fixture(scope="module")
def net_weights():
    return weights(LAYOUTS[NET])


def convert(tmp_path, arrays, name=NET + ".params", **options):
    path = tmp_path / name
    parameter_files.write_list(path, arrays)
    return mx2onnx.convert(str(path), **options)


def metadata(result):
    return {entry.key: entry.value for entry in onnx.load_from_string(result.model).metadata_props}


def test_all_forms_of_names_make_the_same_model(tmp_path, net_weights):
    old = {LAYOUTS[NET][key][0]: value for key, value in net_weights.items()}
    full = {"cifarresnetv10_" + key: value for key, value in old.items()}
    image = np.random.RandomState(1).uniform(0, 1, (1, 3, 32, 32)).astype("f4")
    outputs = [run(convert(tmp_path, arrays).model, {"data": image})[0] for arrays in (net_weights, old, full)]
    assert np.ptp(outputs[0]) > 0
    assert np.array_equal(outputs[0], outputs[1])
    assert np.array_equal(outputs[0], outputs[2])


def test_weights_in_an_archive(tmp_path, net_weights):
    alone = convert(tmp_path, net_weights)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / (NET + ".params"), arcname="weights/best-0007.params")
    packed = mx2onnx.convert(str(tmp_path / "model.tar.gz"))
    image = np.random.RandomState(1).uniform(0, 1, (1, 3, 32, 32)).astype("f4")
    assert np.array_equal(run(packed.model, {"data": image})[0], run(alone.model, {"data": image})[0])
    assert metadata(packed)["mx2onnx.architecture"] == metadata(alone)["mx2onnx.architecture"]


def test_what_is_known_of_the_net_goes_into_the_metadata(tmp_path, net_weights):
    result = convert(tmp_path, net_weights)
    facts = metadata(result)
    assert json.loads(facts["mx2onnx.labels"])[3] == "cat"
    described = json.loads(facts["mx2onnx.architecture"])
    assert (described["name"], described["library"], described["task"]) == (NET, "gluoncv", "classification")
    assert result.inputs == [{"name": "data", "dtype": "float32", "shape": ["batch", 3, 32, 32]}]
    assert [note["id"] for note in result.diagnostics] == ["W-net-recognised"]


def test_prepare_takes_the_bytes_of_a_picture(tmp_path, net_weights):
    prepared = convert(tmp_path, net_weights, prepare=True)
    assert prepared.inputs == [{"name": "data", "dtype": "uint8", "shape": ["batch", 32, 32, 3]}]
    picture = np.random.RandomState(2).randint(0, 256, (1, 32, 32, 3)).astype("u1")
    mean, deviation = np.float32([0.4914, 0.4822, 0.4465]), np.float32([0.2023, 0.1994, 0.2010])
    data = ((picture / np.float32(255) - mean) / deviation).transpose(0, 3, 1, 2)
    expected = run(convert(tmp_path, net_weights).model, {"data": data})[0]
    np.testing.assert_allclose(run(prepared.model, {"data": picture})[0], expected, rtol=1e-4, atol=1e-4)


def test_what_is_said_by_hand_goes_before_the_known_preparation(tmp_path, net_weights):
    result = convert(tmp_path, net_weights, prepare=True, mean=0.5)
    assert json.loads(metadata(result)["mx2onnx.preprocessing"])["mean"] == [0.5]


def test_a_net_with_other_classes(tmp_path, net_weights):
    arrays = dict(net_weights)
    arrays["output.weight"] = arrays["output.weight"][:7]
    arrays["output.bias"] = arrays["output.bias"][:7]
    result = convert(tmp_path, arrays)
    assert result.outputs[0]["shape"] == ["batch", 7]
    assert "mx2onnx.labels" not in metadata(result)
    image = np.random.RandomState(1).uniform(0, 1, (1, 3, 32, 32)).astype("f4")
    expected = run(convert(tmp_path, net_weights).model, {"data": image})[0]
    np.testing.assert_allclose(run(result.model, {"data": image})[0], expected[:, :7], rtol=1e-5)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda a: a.pop("output.bias"), "nearest is '%s': 1 missing, such as \"output.bias\"" % NET),
        (lambda a: a.update(more=a["output.bias"]), "nearest is '%s': 1 too many, such as \"more\"" % NET),
        (
            lambda a: a.update({"features.0.weight": np.zeros((16, 1, 3, 3), "f4")}),
            "nearest is '%s': 1 of another shape, such as \"features.0.weight\"" % NET,
        ),
    ],
)
def test_a_net_that_is_not_known(tmp_path, net_weights, change, message):
    arrays = dict(net_weights)
    change(arrays)
    with pytest.raises(mx2onnx.ModelError) as error:
        convert(tmp_path, arrays)
    assert message in str(error.value)
    assert "net.export('model')" in str(error.value)


def test_a_file_that_fits_several_nets(tmp_path):
    arrays = {key: shape for key, (_, shape) in LAYOUTS["slowfast_4x16_resnet101_kinetics400"].items()}
    path = tmp_path / "weights.params"
    parameter_files.write_list(path, arrays)
    with pytest.raises(
        mx2onnx.UsageError, match="the parameters fit several nets: slowfast_16x8_resnet101_kinetics400"
    ):
        mx2onnx.inspect(str(path))
    found = mx2onnx.inspect(str(path), architecture="slowfast_4x16_resnet101_kinetics400")
    assert found["inputs"][0]["shape"] == ["batch", 3, 36, 224, 224]


def test_what_does_not_go_together(tmp_path, net_weights):
    with pytest.raises(mx2onnx.UsageError, match='there is none called "resnet50v1"\n*.*did you mean'):
        convert(tmp_path, net_weights, architecture="resnet50v1")
    with pytest.raises(mx2onnx.ModelError, match="these are not the parameters of 'resnet50_v1'"):
        convert(tmp_path, net_weights, architecture="resnet50_v1")
    models = pathlib.Path(__file__).resolve().parent.parent / "models"
    with pytest.raises(mx2onnx.UsageError, match="prepare: this is for parameters without a symbol"):
        mx2onnx.convert(models / "digits_cnn-symbol.json", models / "digits_cnn-0000.params", prepare=True)
    layout = LAYOUTS["siamrpn_alexnet_v2_otb15"]
    with pytest.raises(mx2onnx.UsageError, match="how the input of 'siamrpn_alexnet_v2_otb15' is prepared"):
        convert(tmp_path, {key: shape for key, (_, shape) in layout.items()}, prepare=True)


CNN = pathlib.Path(__file__).resolve().parent.parent / "models" / "digits_cnn-symbol.json"


def test_a_symbol_whose_parameters_are_those_of_a_known_net(tmp_path, net_weights):
    """As HybridBlock.export names them, for a net that was made second in its program."""
    names = {key: "cifarresnetv11_" + name for key, (name, _) in LAYOUTS[NET].items()}
    graph = tmp_path / "net-symbol.json"
    graph.write_text(json.dumps(parameter_files.symbol(NET, names)))
    parameter_files.write_list(tmp_path / "weights.params", net_weights)
    image = np.random.RandomState(1).uniform(0, 1, (1, 3, 32, 32)).astype("f4")
    result = mx2onnx.convert(str(graph), str(tmp_path / "weights.params"), inputs={"data": (1, 3, 32, 32)})
    assert "W-parameters-renamed" in [note["id"] for note in result.diagnostics]
    expected = run(convert(tmp_path, net_weights).model, {"data": image})[0]
    np.testing.assert_allclose(run(result.model, {"data": image})[0], expected, rtol=1e-5)


def test_a_symbol_whose_parameters_are_in_another_form(tmp_path):
    """Of a net that is not known: order and shapes would leave room for errors."""
    parameter_files.write_list(tmp_path / "x.params", {"features.0.weight": np.ones((2, 1, 3, 3), "f4")})
    with pytest.raises(mx2onnx.ModelError, match="the file has the names of save_parameters"):
        mx2onnx.convert(str(CNN), str(tmp_path / "x.params"), inputs={"data": (1, 1, 8, 8)})


def test_a_segmentation_net_at_another_size(tmp_path):
    arrays = {key: shape for key, (_, shape) in LAYOUTS["psp_resnet50_ade"].items()}
    result = convert(tmp_path, arrays, inputs={"data": (1, 3, 64, 128)})
    assert result.outputs[0]["shape"] == [1, 150, 64, 128]
    with pytest.raises(mx2onnx.UsageError, match="(?s)cannot take pictures of 100 x 128: .*multiples of 32 will do"):
        convert(tmp_path, arrays, inputs={"data": (1, 3, 100, 128)})


@needs_tool
def test_the_report_of_the_command(tmp_path, net_weights):
    parameter_files.write_list(tmp_path / "x.params", net_weights)
    process = subprocess.run(
        [TOOL, "convert", "x.params", "-o", "x.onnx", "--prepare"], cwd=tmp_path, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == "warning: 'x.params' are the parameters of %s [W-net-recognised]\n" % NET
    assert "  input  data: uint8 (batch, 32, 32, 3)\n" in process.stdout


@needs_tool
def test_the_list():
    nets = mx2onnx.architectures()
    assert {net["name"] for net in nets} == set(LAYOUTS)
    by_name = {net["name"]: net for net in nets}
    assert by_name["resnet50_v1"]["inputs"] == {"data": ["batch", 3, "height", "width"]}
    assert "resnet50_v1-0aee57f9.params" in by_name["resnet50_v1"]["files"]
    assert by_name["resnet50_v1"]["classes"] == 1000
    printed = subprocess.run([TOOL, "architectures"], capture_output=True, text=True).stdout
    assert max(map(len, printed.splitlines())) <= 80
    assert all("  %s" % name in printed for name in by_name)
    as_json = subprocess.run([TOOL, "architectures", "--json"], capture_output=True, text=True).stdout
    assert json.loads(as_json) == nets
