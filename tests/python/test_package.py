"""What is installed: find_package(mx2onnx) in a program of somebody else."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from running import assert_same, run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ["MX2ONNX"]).parent if "MX2ONNX" in os.environ else None
pytestmark = pytest.mark.skipif(
    BUILD is None or not shutil.which("cmake"),
    reason="MX2ONNX does not name the tool in its build folder, or there is no cmake",
)


def test_find_package(tmp_path):
    prefix = tmp_path / "prefix"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    assert (prefix / "bin" / "mx2onnx").exists()
    build = tmp_path / "build"
    subprocess.run(
        ["cmake", "-S", ROOT / "examples" / "cmake", "-B", build, "-DCMAKE_PREFIX_PATH=%s" % prefix],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(["cmake", "--build", build], check=True, stdout=subprocess.DEVNULL)
    models = ROOT / "tests" / "models"
    out = tmp_path / "digits.onnx"
    printed = subprocess.run(
        [
            build / "convert_model",
            models / "digits_cnn-symbol.json",
            models / "digits_cnn-0000.params",
            out,
            "data:N,1,8,8",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert printed == "probabilities_output\n"
    expected = np.load(models / "digits_cnn-expected.npz")
    assert_same(run(str(out), {"data": expected["data"]}), [expected["output"]], rtol=1e-4, atol=1e-6)
