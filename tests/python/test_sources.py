"""Whatever lies on the disk as the first argument: prefixes, folders, archives, and what is no model at all."""

import gzip
import io
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import tarfile
import zipfile

import mx2onnx
import networks
import numpy as np
import pytest
import watching
from running import assert_same, run

import onnx

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
SYMBOL = (MODELS / "digits_cnn-symbol.json").read_bytes()
PARAMS = (MODELS / "digits_cnn-0000.params").read_bytes()
ARRAYS = networks.read_list(MODELS / "digits_cnn-0000.params")
INPUT = ["--input", "data:batch,1,8,8"]
SIGNATURE = {"inputs": [{"data_name": "data", "data_shape": [0, 1, 8, 8]}], "input_type": "image/jpeg"}
LABELS = "\n".join("n%04d digit %d" % (i, i) for i in range(10)) + "\n"
PAIR = {"net-symbol.json": SYMBOL, "net-0000.params": PARAMS}
REPORT = [
    "{out}: opset 17, 9 nodes from 12, 149 kB of weights",
    "  input  data: float32 (batch, 1, 8, 8)",
    "  output probabilities_output: float32 (batch, 10)",
]
DAMAGED = "hint: the file is damaged, or an interrupted download: fetch it again"


@pytest.fixture(scope="module", autouse=True)
def report_of_the_plain_pair(tmp_path_factory):
    """The report of the two files named one by one, which all other ways must give, too."""
    out = tmp_path_factory.mktemp("plain") / "out.onnx"
    files = [str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params")]
    printed = subprocess.run([TOOL, "convert", *files, "-o", str(out), *INPUT], capture_output=True, text=True).stdout
    REPORT[:] = printed.replace(str(out), "{out}").splitlines()


def write_folder(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def write_tar(path, files, mode="w:gz", form=tarfile.PAX_FORMAT):
    with tarfile.open(path, mode, format=form) as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            content = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_zip(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def tool(folder, *arguments, environment=None):
    """(exit code, lines of standard output, lines of standard error) in the folder."""
    process = subprocess.run(
        [TOOL, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, env=environment
    )
    return process.returncode, process.stdout.splitlines(), process.stderr.splitlines()


def check_converts(folder, *arguments, warnings=(), inputs=INPUT):
    """Converts, with exactly these warnings and the report of the plain pair, and the numbers of MXNet."""
    before = sorted(os.listdir(folder))
    code, printed, errors = tool(folder, "convert", *arguments, "-o", "out.onnx", *inputs)
    assert errors == list(warnings)
    assert code == 0
    assert printed == [line.replace("{out}", "out.onnx") for line in REPORT]
    assert sorted(os.listdir(folder)) == sorted([*before, "out.onnx"])
    expected = np.load(MODELS / "digits_cnn-expected.npz")
    found = run(str(folder / "out.onnx"), {"data": expected["data"]})
    assert_same(found, [expected["output"]], rtol=1e-4, atol=1e-6)
    return onnx.load(folder / "out.onnx")


def check_fails(folder, code, lines, *arguments):
    """Fails with exactly these lines; nothing is printed, nothing is left behind."""
    before = sorted(os.listdir(folder))
    (folder / "tmp").mkdir(exist_ok=True)
    environment = dict(os.environ, TMPDIR=str(folder / "tmp"))
    found = tool(folder, "convert", *arguments, "-o", "out.onnx", environment=environment)
    assert found[2] == lines
    assert found[:2] == (code, [])
    assert os.listdir(folder / "tmp") == []
    assert sorted(set(os.listdir(folder)) - {"tmp"}) == sorted(set(before) - {"tmp"})


# What is a model.


def test_prefix(tmp_path):
    write_folder(tmp_path, PAIR)
    check_converts(tmp_path, "net")


def test_prefix_with_a_folder_and_an_epoch(tmp_path):
    write_folder(
        tmp_path, {"run/net-symbol.json": SYMBOL, "run/net-0007.params": PARAMS, "run/net-0012.params": b"later"}
    )
    check_converts(tmp_path, "run/net", "--epoch", "7")


def test_newest_epoch_is_taken_and_said(tmp_path):
    write_folder(tmp_path, {"net-symbol.json": SYMBOL, "net-0012.params": PARAMS})
    write_folder(tmp_path, {"net-%04d.params" % epoch: b"earlier" for epoch in (3, 7)})
    warning = "warning: epoch 12 is taken, the newest; there are also 3, 7 (another with --epoch) [W-epoch-chosen]"
    check_converts(tmp_path, "net", warnings=[warning])
    os.remove(tmp_path / "out.onnx")
    check_converts(tmp_path, ".", warnings=[warning])


def test_symbol_and_an_epoch(tmp_path):
    write_folder(tmp_path, {"net-symbol.json": SYMBOL, "net-0003.params": PARAMS, "net-0012.params": b"later"})
    check_converts(tmp_path, "net-symbol.json", "--epoch", "3")


def test_folder(tmp_path):
    write_folder(tmp_path, {"model/" + name: content for name, content in PAIR.items()})
    write_folder(tmp_path, {"model/notes.txt": "x", "model/net-0000.states": b"\x80\x03}q\x00."})
    check_converts(tmp_path, "model")


def test_folder_with_other_names(tmp_path):
    write_folder(tmp_path, {"m/symbol.json": SYMBOL, "m/model.params": PARAMS, "m/hyperparameters.json": "{}"})
    check_converts(tmp_path, "m")


def test_sagemaker_archive(tmp_path):
    shapes = json.dumps([{"name": "data", "shape": [4, 1, 8, 8]}])
    files = {"model_algo-1-symbol.json": SYMBOL, "model_algo-1-0000.params": PARAMS, "model-shapes.json": shapes}
    write_tar(tmp_path / "model.tar.gz", files)
    # What the user says counts.
    check_converts(tmp_path, "model.tar.gz")
    code, printed, errors = tool(tmp_path, "convert", "model.tar.gz", "-o", "out.onnx")
    assert (code, errors) == (0, [])
    assert printed[1] == "  input  data: float32 (4, 1, 8, 8)"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar(tmp_path, form):
    # The name needs the prefix of ustar, GNU's long names, or a pax record.
    folder = "/".join(["a_folder_with_a_long_name"] * 6)
    write_tar(tmp_path / "model.tar", {folder + "/" + name: content for name, content in PAIR.items()}, "w", form)
    check_converts(tmp_path, "model.tar")


def test_tar_with_links_within(tmp_path):
    files = {
        "net-symbol.json": SYMBOL,
        "best/net-0005.bin": PARAMS,
        "net-0005.params": link("net-0005.params", "./best/../best/net-0005.bin"),
    }
    write_tar(tmp_path / "model.tar.gz", files)
    check_converts(tmp_path, "model.tar.gz")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_djl_zip(tmp_path, method):
    files = {"cnn/" + name: content for name, content in PAIR.items()}
    write_zip(tmp_path / "cnn.zip", {**files, "cnn/synset.txt": LABELS, "__MACOSX/cnn/._net-symbol.json": b"x"}, method)
    model = check_converts(tmp_path, "cnn.zip")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata["mx2onnx.labels"]) == LABELS.splitlines()
    assert metadata["source"] == "net-symbol.json"


@pytest.mark.parametrize("name", ["digits.mar", "digits.model"])
def test_model_server_archive(tmp_path, name):
    files = {**PAIR, "signature.json": json.dumps(SIGNATURE), "synset.txt": LABELS, "MAR-INF/MANIFEST.json": "{}"}
    write_zip(tmp_path / name, files)
    model = check_converts(tmp_path, name, inputs=[])
    assert any(entry.key == "mx2onnx.labels" for entry in model.metadata_props)


def test_signature_of_another_model(tmp_path):
    signature = {"inputs": [{"data_name": "image", "data_shape": [1, 3, 4, 4]}]}
    write_zip(tmp_path / "digits.mar", {**PAIR, "signature.json": json.dumps(signature)})
    warning = 'warning: the archive describes an input "image" that the model does not have [W-input-ignored]'
    check_converts(tmp_path, "digits.mar", warnings=[warning])


def test_gzipped_files(tmp_path):
    write_folder(tmp_path, {name + ".gz": gzip.compress(content) for name, content in PAIR.items()})
    check_converts(tmp_path, "net-symbol.json.gz", "net-0000.params.gz")
    os.remove(tmp_path / "out.onnx")
    check_converts(tmp_path, "net")


def test_compressed_npz(tmp_path):
    np.savez_compressed(tmp_path / "net.npz", **ARRAYS)
    write_folder(tmp_path, {"net-symbol.json": SYMBOL})
    check_converts(tmp_path, "net-symbol.json", "net.npz")
    os.remove(tmp_path / "out.onnx")
    check_converts(tmp_path, "net")


def test_swapped(tmp_path):
    write_folder(tmp_path, PAIR)
    warning = "warning: 'net-symbol.json' is the symbol, 'net-0000.params' the parameters [W-files-swapped]"
    check_converts(tmp_path, "net-0000.params", "net-symbol.json", warnings=[warning])


def test_parameters_beside_their_symbol(tmp_path):
    write_folder(tmp_path, PAIR)
    warning = "warning: the symbol 'net-symbol.json' beside it is taken [W-symbol-found]"
    check_converts(tmp_path, "net-0000.params", warnings=[warning])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_other_encodings(tmp_path, encoding):
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    write_folder(tmp_path, {**PAIR, "net-symbol.json": mark + SYMBOL.decode().encode(encoding)})
    check_converts(tmp_path, "net-symbol.json", "net-0000.params")


def test_python(tmp_path):
    write_tar(tmp_path / "model.tar.gz", {**PAIR, "net-0004.params": PARAMS, "signature.json": json.dumps(SIGNATURE)})
    with pytest.warns(mx2onnx.ConversionWarning, match="epoch 4 is taken, the newest; .*another with epoch"):
        result = mx2onnx.convert(tmp_path / "model.tar.gz")
    assert result.inputs == [{"name": "data", "dtype": "float32", "shape": ["batch", 1, 8, 8]}]
    assert [d["id"] for d in result.diagnostics] == ["W-epoch-chosen"]
    assert mx2onnx.convert(tmp_path / "model.tar.gz", epoch=0).diagnostics == []
    found = mx2onnx.inspect(str(tmp_path / "model.tar.gz"))
    assert found["missing_parameters"] == [] and found["num_parameters"] > 0
    assert found["arguments"][0] == "data"
    with pytest.raises(mx2onnx.UsageError, match="no parameters of epoch 9"):
        mx2onnx.convert(tmp_path / "model.tar.gz", epoch=9)
    with pytest.raises(mx2onnx.UsageError, match="more than 1000 when unpacked"):
        mx2onnx.convert(tmp_path / "model.tar.gz", unpack_limit=1000)


# What is none, or not quite.

OTHERS = {
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "the pointer of a Git LFS file, not the file itself",
        "hint: fetch the file with: git lfs pull",
    ),
    "html": (
        b"\n<!DOCTYPE html>\n<html lang=en>",
        "a web page (HTML)",
        "hint: a download brought the page and not the file: take the link of the file itself",
    ),
    "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x051.7.0", "an ONNX file", "hint: it is converted already"),
    "h5": (
        b"\x89HDF\r\n\x1a\n" + bytes(16),
        "an HDF5 file, as Keras saves models (.h5)",
        "hint: models of Keras with the MXNet backend: keras.models.save_mxnet_model writes the two files that are needed",
    ),
    "states": (
        pickle.dumps({0: "momentum"}, 2),
        "the state of an optimizer (a trainer's .states)",
        "hint: the weights are in the .params file that was saved beside it",
    ),
    "pkl": (
        pickle.dumps({0: "momentum"}, 4),
        "a pickle of Python",
        "hint: a trainer's states, or a model of another framework; MXNet's weights are in .params files",
    ),
    "tar.xz": (b"\xfd7zXZ\0\0", "compressed with xz", "hint: unpack it and name what is in it"),
    "xml": (
        b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "an XML document",
        "hint: where it was downloaded, it may be the store's refusal: it can be read as text",
    ),
}


@pytest.mark.parametrize("ending", OTHERS)
def test_what_is_something_else(tmp_path, ending):
    content, what, hint = OTHERS[ending]
    name = "net." + ending
    write_folder(tmp_path, {name: content, **PAIR})
    check_fails(tmp_path, 4, ["%s: expected a model of MXNet, found %s" % (name, what), hint], name)
    lines = ["%s: expected a parameter file of MXNet, found %s" % (name, what), hint]
    check_fails(tmp_path, 4, lines, "net-symbol.json", name)


@pytest.mark.parametrize(
    "url, hint",
    [
        ("https://example.org/net-symbol.json", "curl -LO 'https://example.org/net-symbol.json'"),
        ("s3://bucket/model.tar.gz", "aws s3 cp 's3://bucket/model.tar.gz' ."),
    ],
)
def test_url(tmp_path, url, hint):
    check_fails(tmp_path, 2, [url + ": this is a URL, and nothing is fetched from the network", "hint: " + hint], url)


def test_truncated_downloads(tmp_path):
    write_tar(tmp_path / "model.tar.gz", PAIR)
    whole = (tmp_path / "model.tar.gz").read_bytes()
    (tmp_path / "model.tar.gz").write_bytes(whole[: len(whole) // 2])
    check_fails(tmp_path, 4, ["model.tar.gz: the compressed data ends too early", DAMAGED], "model.tar.gz")
    write_zip(tmp_path / "model.zip", PAIR)
    whole = (tmp_path / "model.zip").read_bytes()
    (tmp_path / "model.zip").write_bytes(whole[: len(whole) // 2])
    lines = [
        "model.zip: expected the directory of a zip archive at the end of the file, found none",
        "hint: the file may be truncated",
    ]
    check_fails(tmp_path, 4, lines, "model.zip")
    write_tar(tmp_path / "model.tar", PAIR, "w")
    whole = (tmp_path / "model.tar").read_bytes()
    (tmp_path / "model.tar").write_bytes(whole[: len(whole) // 2])
    code, _, errors = tool(tmp_path, "convert", "model.tar", "-o", "out.onnx")
    assert code == 4 and errors[0].startswith("model.tar: offset ") and '"net-0000.params": expected' in errors[0]
    assert errors[1] == "hint: the file may be an interrupted download"


def test_damaged_archives(tmp_path):
    # One bit of a weight: gzip's and zip's CRC-32 find it.
    content = gzip.compress(bytes(1000) + PARAMS, 0)
    damaged = bytearray(content)
    damaged[700] ^= 1
    write_folder(tmp_path, {"net-symbol.json": SYMBOL, "net.params.gz": bytes(damaged)})
    lines = ["net.params.gz: the compressed data is damaged (incorrect data check)", DAMAGED]
    check_fails(tmp_path, 4, lines, "net-symbol.json", "net.params.gz")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        write_zip(tmp_path / "net.mar", PAIR, method)
        damaged = bytearray((tmp_path / "net.mar").read_bytes())
        # The last entry's checksum, at both of its places.
        damaged[damaged.rfind(b"PK\x01\x02") + 16] ^= 1
        damaged[damaged.rfind(b"PK\x03\x04") + 14] ^= 1
        (tmp_path / "net.mar").write_bytes(bytes(damaged))
        code, _, errors = tool(tmp_path, "convert", "net.mar", "-o", "out.onnx")
        assert code == 4
        assert errors[0].startswith("net.mar/net-0000.params: CRC-32: expected ")


def test_damaged_and_encrypted_npz(tmp_path):
    write_folder(tmp_path, {"net-symbol.json": SYMBOL})
    np.savez(tmp_path / "net.npz", **ARRAYS)
    good = (tmp_path / "net.npz").read_bytes()
    damaged = bytearray(good)
    damaged[good.index(b"\x93NUMPY") + 200] ^= 1
    (tmp_path / "net.npz").write_bytes(bytes(damaged))
    code, _, errors = tool(tmp_path, "convert", "net-symbol.json", "net.npz", "-o", "out.onnx")
    assert code == 4 and ".npy: CRC-32: expected " in errors[0]
    encrypted = bytearray(good)
    encrypted[good.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "net.npz").write_bytes(bytes(encrypted))
    code, _, errors = tool(tmp_path, "convert", "net-symbol.json", "net.npz", "-o", "out.onnx")
    assert code == 4 and errors[0].endswith('.npy" is encrypted')
    assert errors[1] == "hint: unpack the archive with its password first"


def test_several_models(tmp_path):
    other = {"other-symbol.json": SYMBOL, "other-0000.params": PARAMS}
    write_folder(tmp_path, {"zoo/" + name: content for name, content in {**PAIR, **other}.items()})
    lines = [
        "zoo: the folder has 2 models: 'net-symbol.json' and 'other-symbol.json'",
        "hint: name one by the beginning of its files: 'zoo/net'",
    ]
    check_fails(tmp_path, 5, lines, "zoo")
    write_tar(tmp_path / "zoo.tar.gz", {**PAIR, **other})
    lines = [
        "zoo.tar.gz: the archive has 2 models: 'net-symbol.json' and 'other-symbol.json'",
        "hint: unpack the archive and name one of them",
    ]
    check_fails(tmp_path, 5, lines, "zoo.tar.gz")


def test_wrong_epoch(tmp_path):
    write_folder(tmp_path, {"m/net-symbol.json": SYMBOL, "m/net-0003.params": PARAMS, "m/net-0012.params": PARAMS})
    lines = ["m: there are no parameters of epoch 7 for 'net-symbol.json'", "hint: there are those of 3 or 12"]
    check_fails(tmp_path, 2, lines, "m", "--epoch", "7")
    write_tar(tmp_path / "m.tgz", {"net-symbol.json": SYMBOL, "net-0003.params": PARAMS})
    lines = ["m.tgz: there are no parameters of epoch 7 for 'net-symbol.json'", "hint: there are those of 3"]
    check_fails(tmp_path, 2, lines, "m.tgz", "--epoch", "7")
    lines = [
        "m/net-symbol.json: an epoch is chosen among files, and these are named already",
        "hint: name the folder, or the beginning of the files' names, or leave out --epoch",
    ]
    check_fails(tmp_path, 2, lines, "m/net-symbol.json", "m/net-0003.params", "--epoch", "3")


def test_no_model(tmp_path):
    (tmp_path / "empty").mkdir()
    hint = "hint: a model is a *-symbol.json with its *.params"
    check_fails(tmp_path, 5, ["empty: the folder has no files", hint], "empty")
    write_zip(tmp_path / "notes.zip", {"readme.md": "x", "data.csv": "y"})
    lines = ["notes.zip: the archive has no model of MXNet, but 'data.csv' and 'readme.md'", hint]
    check_fails(tmp_path, 5, lines, "notes.zip")
    no_net = ": these are parameters without a symbol, and of no net that is known"
    make = "hint: where the network is at hand: net.hybridize(), net(x), net.export('model') writes a symbol and parameters"
    write_zip(tmp_path / "half.zip", {"net-0000.params": PARAMS})
    check_fails(tmp_path, 5, ["half.zip/net-0000.params" + no_net, make], "half.zip")
    write_folder(tmp_path, {"lone.params": PARAMS})
    check_fails(tmp_path, 5, ["lone.params" + no_net, make], "lone.params")
    write_zip(tmp_path / "two.zip", {"a-0000.params": PARAMS, "b-0000.params": PARAMS})
    lines = [
        "two.zip: the archive has the parameters of several models ('a-0000.params' and 'b-0000.params'), and no symbol "
        "(*-symbol.json)",
        "hint: unpack the archive and name one of them",
    ]
    check_fails(tmp_path, 5, lines, "two.zip")


def test_nested_archives(tmp_path):
    # As SageMaker's linear learner has it: one archive in another, under a name that says nothing.
    write_zip(tmp_path / "inner", {"mx-mod-symbol.json": SYMBOL, "mx-mod-0000.params": PARAMS})
    inner = (tmp_path / "inner").read_bytes()
    write_tar(tmp_path / "model.tar.gz", {"model_algo-1": inner})
    warning = "warning: the archive 'model_algo-1' in it is taken [W-archive-chosen]"
    check_converts(tmp_path, "model.tar.gz", warnings=[warning])
    os.remove(tmp_path / "out.onnx")
    write_tar(tmp_path / "outer.tar.gz", {"model.tar.gz": (tmp_path / "model.tar.gz").read_bytes()})
    lines = [
        "outer.tar.gz/model.tar.gz: the archive has no model, but archives in it: 'model_algo-1'",
        "hint: unpack it and name the one that is meant",
    ]
    check_fails(tmp_path, 5, lines, "outer.tar.gz")
    write_folder(tmp_path, {"folder/a.tar.gz": inner, "folder/b.zip": inner})
    lines = [
        "folder: the folder has no model, but archives in it: 'a.tar.gz' and 'b.zip'",
        "hint: name the one that is meant: 'folder/a.tar.gz'",
    ]
    check_fails(tmp_path, 5, lines, "folder")


@pytest.mark.parametrize(
    "name", ["/tmp/net-symbol.json", "../net-symbol.json", "a/../../net-symbol.json", "a\x1b[31m.json"]
)
def test_names_that_lead_out(tmp_path, name):
    shown = name.replace("\x1b", "\\x1b")
    line = 'm.%s: entry "' + shown + '": expected a name within the archive'
    write_tar(tmp_path / "m.tar", {**PAIR, name: b"{}"}, "w")
    check_fails(tmp_path, 4, [line % "tar"], "m.tar")
    write_zip(tmp_path / "m.zip", {**PAIR, name: b"{}"})
    check_fails(tmp_path, 4, [line % "zip"], "m.zip")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "missing.params"])
def test_links_that_lead_out(tmp_path, target):
    lines = [
        "m.%s: entry 'net-0000.params' is a link to \"" + target + '", which is not in the archive',
        "hint: pack the file itself (tar --dereference)",
    ]
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        write_tar(tmp_path / "m.tar", {"net-symbol.json": SYMBOL, "net": link("net-0000.params", target, kind)}, "w")
        check_fails(tmp_path, 4, [lines[0] % "tar", lines[1]], "m.tar")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("net-symbol.json", SYMBOL)
        info = zipfile.ZipInfo("net-0000.params")
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        archive.writestr(info, target)
    check_fails(tmp_path, 4, [lines[0] % "zip", lines[1]], "m.zip")


def test_links_in_a_circle(tmp_path):
    files = {"net-symbol.json": SYMBOL, "a": link("net-0000.params", "b"), "b": link("b", "net-0000.params")}
    write_tar(tmp_path / "m.tar", files, "w")
    check_fails(tmp_path, 4, ["m.tar: entry 'net-0000.params' is a link to links without an end"], "m.tar")


# Sizes.


def peak_of(folder, *arguments):
    """(exit code, peak of private memory) of the tool."""
    return watching.peak_of([TOOL, *arguments], cwd=folder, stderr=subprocess.DEVNULL)


def test_bombs(tmp_path):
    zeros = bytes(80 << 20)
    bomb = gzip.compress(zeros, 9)
    packed = len(bomb) + len(SYMBOL)  # of all files together
    write_folder(tmp_path, {**PAIR, "bomb.params.gz": bomb})
    hint = "hint: if the file can be trusted, allow more with --unpack-limit"
    lines = ["bomb.params.gz: %d bytes would become more than 67108864 when unpacked" % packed, hint]
    check_fails(tmp_path, 2, lines, "net-symbol.json", "bomb.params.gz")
    assert peak_of(tmp_path, "convert", "net-symbol.json", "bomb.params.gz", "-o", "out.onnx")[1] < 40e6
    write_zip(tmp_path / "bomb.mar", {"net-symbol.json": SYMBOL, "net-0000.params": zeros})
    size = os.path.getsize(tmp_path / "bomb.mar")
    lines = [
        "bomb.mar/net-0000.params: %d bytes would become more than 67108864 when unpacked" % size,
        hint,
    ]
    check_fails(tmp_path, 2, lines, "bomb.mar")
    # A limit of the user's own is one that can be lower, too.
    write_tar(tmp_path / "m.tar.gz", PAIR)
    check_converts(tmp_path, "m.tar.gz", "--unpack-limit", "1MB")
    size = os.path.getsize(tmp_path / "m.tar.gz")
    lines = ["m.tar.gz: %d bytes would become more than 1000 when unpacked" % size, hint]
    os.remove(tmp_path / "out.onnx")
    check_fails(tmp_path, 2, lines, "m.tar.gz", "--unpack-limit", "1000")


def test_memory_does_not_grow_with_an_archive(tmp_path):
    text, shapes = networks.resnet50()
    networks.write_params(str(tmp_path / "net-0000.params"), shapes)
    (tmp_path / "net-symbol.json").write_text(text)
    assert os.path.getsize(tmp_path / "net-0000.params") > 100e6
    with tarfile.open(tmp_path / "net.tar.gz", "w:gz", compresslevel=1) as archive:
        for name in ("net-0000.params", "net-symbol.json"):
            archive.add(tmp_path / name, name)
    with zipfile.ZipFile(tmp_path / "net.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("net-0000.params", "net-symbol.json"):
            archive.write(tmp_path / name, name)
    for name in ("net.tar.gz", "net.zip"):
        code, peak = peak_of(
            tmp_path, "convert", name, "-o", name + ".onnx", "--input", "data:1,3,224,224", "--unpack-limit", "1GB"
        )
        assert code == 0
        assert peak < 40e6
    assert (tmp_path / "net.zip.onnx").read_bytes() == (tmp_path / "net.tar.gz.onnx").read_bytes()


# Where it goes.


def test_standard_output(tmp_path):
    write_folder(tmp_path, PAIR)
    check_converts(tmp_path, "net")
    command = [TOOL, "convert", "net", "-o", "-", *INPUT]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert process.stdout == (tmp_path / "out.onnx").read_bytes()
    assert process.stderr.decode().splitlines() == [line.replace("{out}", "standard output") for line in REPORT]
    process = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True)
    assert process.stdout == (tmp_path / "out.onnx").read_bytes()
    assert json.loads(process.stderr)["opset"] == 17
    process = subprocess.run([*command[:3], "--outputs", "nothing"] + command[3:], cwd=tmp_path, capture_output=True)
    assert process.stdout == b"" and process.returncode == 2
    if pathlib.Path("/dev/full").exists():
        with open("/dev/full", "wb") as full:
            process = subprocess.run([*command, "-q"], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE)
        assert process.returncode == 3
        assert process.stderr == b"standard output: cannot be written: No space left on device\n"


def test_several_into_a_folder(tmp_path):
    write_folder(tmp_path, {"net-symbol.json": SYMBOL, "net-0000.params": PARAMS, "b/broken-symbol.json": "{"})
    write_tar(tmp_path / "packed.tar.gz", PAIR)
    write_folder(tmp_path, {"folder/" + name: content for name, content in PAIR.items()})
    arguments = ["net-symbol.json", "net-0000.params", "packed.tar.gz", "folder/"]
    code, printed, errors = tool(tmp_path, "convert", *arguments, "-o", "onnx/", "--jobs", "3", *INPUT)
    assert (code, errors) == (0, [])
    nodes, weights = REPORT[0].split()[3], " ".join(REPORT[0].split()[7:9])
    row = "%%-6s     17  %6s  %9s" % (nodes, weights)
    assert printed == ["model   opset   nodes    weights", *(row % name for name in ("net", "packed", "folder"))]
    made = sorted(os.listdir(tmp_path / "onnx"))
    assert made == ["folder.onnx", "net.onnx", "packed.onnx"]
    assert len({(tmp_path / "onnx" / name).read_bytes() for name in made}) == 1
    # A symbol alone has its parameters beside it; the exit code is the worst one's.
    arguments = ["net-symbol.json", "missing", "b/broken-symbol.json"]
    code, printed, errors = tool(tmp_path, "convert", *arguments, "-o", "more/", *INPUT)
    assert code == 4
    assert printed == [
        "model    opset   nodes    weights",
        "net         17  %6s  %9s" % (nodes, weights),
        "missing  failed (3): cannot be read or written",
        "broken   failed (4): malformed file",
    ]
    assert errors == [
        "missing: cannot be read: No such file or directory",
        "b/broken-symbol.json: line 1, column 2: the JSON text ends too early",
        "mx2onnx: 2 of 3 models were not converted",
    ]
    assert os.listdir(tmp_path / "more") == ["net.onnx"]
    code, printed, more_errors = tool(tmp_path, "convert", *arguments, "-o", "more/", "--json", *INPUT)
    assert (code, more_errors) == (4, errors)
    reports = json.loads("\n".join(printed))
    assert [report.get("output") for report in reports] == ["more/net.onnx", None, None]
    assert [report["error"]["code"] for report in reports[1:]] == [3, 4]


def test_two_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_tar(tmp_path / folder / "model.tar.gz", PAIR)
    code, _, errors = tool(tmp_path, "convert", "a/model.tar.gz", "b/model.tar.gz", "-o", "out/")
    assert code == 2
    assert errors == [
        "out/model.onnx: 'a/model.tar.gz' and 'b/model.tar.gz' would both become this file",
        "hint: convert them into two folders",
    ]
    assert not (tmp_path / "out").exists()


def test_the_output_is_no_member_of_the_folder(tmp_path):
    write_folder(tmp_path, PAIR)
    before = (tmp_path / "net-0000.params").read_bytes()
    code, _, errors = tool(tmp_path, "convert", ".", "-o", "net-0000.params", *INPUT)
    assert (code, errors) == (2, ["net-0000.params: the output is also an input"])
    assert (tmp_path / "net-0000.params").read_bytes() == before


def test_inspect(tmp_path):
    write_folder(tmp_path, {**PAIR, "net-0002.params": PARAMS})
    code, printed, errors = tool(tmp_path, "inspect", "net")
    assert (code, errors) == (0, [])
    assert printed[0] == "net: a graph saved by MXNet 1.9.1"
    at = printed.index("warnings of a conversion")
    assert printed[at + 1] == "  epoch 2 is taken, the newest; there are also 0 (another with --epoch) [W-epoch-chosen]"
    shutil.copytree(tmp_path, tmp_path / "copy")
    assert tool(tmp_path, "inspect", "copy")[1][1:-1] == printed[1:-1]
    command = tool(tmp_path, "inspect", "copy/", "--epoch", "0")[1][-1]
    assert command == "converts to opset 17: mx2onnx convert copy/ -o copy.onnx --epoch 0"
    # Of parameters alone their arrays are shown, also compressed ones.
    np.savez_compressed(tmp_path / "only.npz", **ARRAYS)
    assert "only.npz: parameters of MXNet, without a graph: " in tool(tmp_path, "inspect", "only.npz")[1][0]
