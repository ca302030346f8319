#!/usr/bin/env python3
"""Builds wheels from a clean clone and installs each into a fresh virtual environment: test_wheels.py [FOLDER].

For every Python from 3.9 to 3.13 that is found (pyenv's and those on the PATH): `pip wheel` of a clone of HEAD, `pip install` of the wheel
without its dependencies into a new environment, then an import, a conversion through the API and one through the installed command. One
Python also gets `pip install .` of the clone itself, and the `verify` extra with a verification. The wheels stay in FOLDER.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSIONS = [(3, minor) for minor in range(9, 14)]
MODEL = [str(ROOT / "tests/models" / name) for name in ("digits_cnn-symbol.json", "digits_cnn-0000.params")]
CHECK = """
import sys, time
start = time.perf_counter()
import mx2onnx
took = time.perf_counter() - start
assert not {"numpy", "onnx", "mxnet"} & set(sys.modules), "the import loads too much"
model = mx2onnx.convert(sys.argv[1], sys.argv[2], inputs={"data": ("batch", 1, 8, 8)}).to_bytes()
assert len(model) > 10000
assert "Convolution" in mx2onnx.get_operator_support()
print("import %.0f ms" % (took * 1000))
"""


def pythons():
    found = {}
    for version in VERSIONS:
        name = "python%d.%d" % version
        candidates = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%d.%d.*/bin/%s" % (*version, name))))
        candidates += [path for path in [shutil.which(name)] if path]
        for path in candidates:
            if subprocess.run([path, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0:
                found[version] = path
                break
    return found


def run(*command, **options):
    process = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if process.returncode != 0:
        sys.exit("%s\n%s%s" % (" ".join(map(str, command)), process.stdout[-2000:], process.stderr[-4000:]))
    return process.stdout.strip()


def fresh(folder, python):
    run(python, "-m", "venv", folder)
    return folder / "bin" / "python"


def check(python, folder, wheel):
    """What the installed package must do."""
    told = run(python, "-c", CHECK, *MODEL, cwd=folder)
    out = folder / "model.onnx"
    run(python.parent / "mx2onnx", "convert", *MODEL, "-q", "-o", out, "--input", "data:batch,1,8,8")
    run(python, "-m", "mx2onnx", "version")
    print("%-60s %s" % (wheel, told), flush=True)
    return out


def main():
    keep = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "build" / "wheels"
    keep.mkdir(parents=True, exist_ok=True)
    found = pythons()
    if not found:
        sys.exit("no Python from 3.9 to 3.13 is here")
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        run("git", "clone", "-q", ROOT, work / "clone")
        # Where `make build` builds too, seen from the sources: ccache then knows most of it already.
        build = work / "clone" / "build" / "wheel"
        environment = dict(os.environ, SKBUILD_BUILD_DIR=str(build))
        if shutil.which("ccache"):
            environment.update(
                CMAKE_CXX_COMPILER_LAUNCHER="ccache", CCACHE_BASEDIR=str(work / "clone"), CCACHE_NOHASHDIR="1"
            )
            # scikit-build-core says g++ where CMake says c++, and ccache tells compilers apart by name.
            environment.setdefault("CXX", shutil.which("c++") or "c++")
        for version, path in found.items():
            start = time.time()
            made = work / ("wheel%d%d" % version)
            builder = fresh(work / ("build%d%d" % version), path)
            run(builder, "-m", "pip", "wheel", "-q", "--no-deps", "-w", made, work / "clone", env=environment)
            shutil.rmtree(build)
            (wheel,) = made.glob("*.whl")
            user = fresh(work / ("user%d%d" % version), path)
            run(user, "-m", "pip", "install", "-q", "--no-deps", wheel)
            out = check(user, work, "%s (%.0f s)" % (wheel.name, time.time() - start))
            shutil.copy(wheel, keep)
        last = max(found)
        run(user, "-m", "pip", "install", "-q", "mx2onnx[verify] @ file://%s" % wheel)
        expected = ROOT / "tests/models/digits_cnn-expected.npz"
        print(run(user.parent / "mx2onnx", "verify", *MODEL, out, "--expect", expected))
        python = fresh(work / "clean", found[last])
        run(python, "-m", "pip", "install", "-q", work / "clone", env=environment)
        check(python, work, "pip install . of a clean clone")


if __name__ == "__main__":
    main()
