#!/usr/bin/env python3
"""Builds the packages from a clean clone and installs each into a fresh virtual environment: test_wheels.py [FOLDER].

For every Python from 3.9 to 3.13 that is found (pyenv's and those on the PATH): a wheel by `pip wheel` of a clone of HEAD, unless one of
an older Python fits (stable ABI from 3.12 on); `pip install` of it without dependencies into a new environment; there an import, a
conversion through the API and one through the installed command. The oldest and the newest also get the `verify` extra and a verification.
Then the sdist: built, looked into, installed; and `pip install .` of the clone itself. The wheels and the sdist stay in FOLDER.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSIONS = [(3, minor) for minor in range(9, 14)]
MODEL = [str(ROOT / "tests/models" / name) for name in ("digits_cnn-symbol.json", "digits_cnn-0000.params")]
MOST_IMPORT_MS = 100
MOST_SDIST_BYTES = 3_000_000
MOST_COMPILED = 30
CHECK = """
import sys, time
start = time.perf_counter()
import mx2onnx
print("%.1f" % ((time.perf_counter() - start) * 1000))
assert not {"numpy", "onnx", "mxnet"} & set(sys.modules), "the import loads too much"
model = mx2onnx.convert(sys.argv[1], sys.argv[2], inputs={"data": ("batch", 1, 8, 8)}).to_bytes()
assert len(model) > 10000
assert "Convolution" in mx2onnx.get_operator_support()
assert mx2onnx.export_model(*sys.argv[1:3], [(1, 1, 8, 8)], "float32", "exported.onnx") == "exported.onnx"
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


def check(python, folder, what):
    """What the installed package must do."""
    # The best of three: the first has no byte code yet, and the machine may be busy.
    took = min(float(run(python, "-c", CHECK, *MODEL, cwd=folder)) for _ in range(3))
    assert took < MOST_IMPORT_MS, "%s: the import takes %.0f ms" % (what, took)
    command = python.parent / "mx2onnx"
    run(command, "convert", *MODEL, "-q", "-o", folder / "model.onnx", "--input", "data:batch,1,8,8")
    assert run(command, "version") == run(python, "-m", "mx2onnx", "version")
    print("%-78s import %3.0f ms" % (what, took), flush=True)


def check_verify(python, folder, package):
    run(python, "-m", "pip", "install", "-q", "mx2onnx[verify] @ file://%s" % package)
    expected = ROOT / "tests/models/digits_cnn-expected.npz"
    told = run(python.parent / "mx2onnx", "verify", *MODEL, folder / "model.onnx", "--expect", expected)
    print("  with its verify extra: %s" % told.splitlines()[-1], flush=True)


def check_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        needs = [line for line in archive.read(name).decode().splitlines() if line.startswith("Requires-Dist")]
        modules = [n for n in archive.namelist() if n.startswith("mx2onnx/_core") and n.endswith(".so")]
        strange = [n for n in archive.namelist() if not n.startswith(("mx2onnx/", name[: name.index("/")]))]
    assert all("extra == 'verify'" in n.replace('"', "'") for n in needs), "%s needs %s" % (wheel.name, needs)
    assert not strange, "%s has %s" % (wheel.name, strange)
    assert len(modules) == 1, "%s has %s" % (wheel.name, modules)


def check_sdist(sdist):
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    for needed in ("LICENSE", "README.md", "CMakeLists.txt", "pyproject.toml", "include/mx2onnx/convert.h"):
        assert needed in names, "%s is not in %s" % (needed, sdist.name)
    assert sdist.stat().st_size < MOST_SDIST_BYTES, "%s has %d bytes" % (sdist.name, sdist.stat().st_size)


class Watch:
    """Time, and how many files the compiler, not ccache, has compiled."""

    def __init__(self, log):
        self.log, self.start = log, time.time()
        self.before = self._misses()

    def _misses(self):
        return self.log.read_text().splitlines().count("cache_miss") if self.log.exists() else 0

    def note(self, most):
        text, count = "%.0f s" % (time.time() - self.start), self._misses() - self.before
        assert count <= most, "%d files were compiled; the library should come from ccache" % count
        return "%s, %d files compiled" % (text, count) if self.log.exists() else text + " without ccache"


def main():
    keep = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "build" / "wheels"
    keep.mkdir(parents=True, exist_ok=True)
    found = pythons()
    if not found:
        sys.exit("no Python from 3.9 to 3.13 is here")
    os.environ.pop("PYTHONPATH", None)  # what is installed counts
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        run("git", "clone", "-q", ROOT, work / "clone")
        # Where `make build` builds too, seen from the sources: ccache then knows most of it already. pip unpacks the
        # sdist in TMPDIR.
        build, log = work / "clone" / "build" / "wheel", work / "ccache.log"
        environment = dict(os.environ, SKBUILD_BUILD_DIR="build/wheel", TMPDIR=str(work))
        if shutil.which("ccache"):
            environment.update(
                CMAKE_CXX_COMPILER_LAUNCHER="ccache",
                CCACHE_BASEDIR=str(work),
                CCACHE_NOHASHDIR="1",
                CCACHE_STATSLOG=str(log),
            )
            # scikit-build-core says g++ where CMake says c++, and ccache tells compilers apart by name.
            environment.setdefault("CXX", shutil.which("c++") or "c++")
        stable = None  # a wheel that later Pythons take too
        for version, path in found.items():
            watch = Watch(log)
            if stable is None:
                made = work / ("wheel%d%d" % version)
                builder = fresh(work / ("build%d%d" % version), path)
                run(builder, "-m", "pip", "wheel", "-q", "--no-deps", "-w", made, work / "clone", env=environment)
                shutil.rmtree(build)
                (wheel,) = made.glob("*.whl")
                check_metadata(wheel)
                shutil.copy(wheel, keep)
                # The first may compile the library; of the others the module is new, and nanobind's part of it.
                note = watch.note(1000 if version == min(found) else MOST_COMPILED)
            else:
                wheel, note = stable, "the same wheel"
            user = fresh(work / ("user%d%d" % version), path)
            run(user, "-m", "pip", "install", "-q", "--no-deps", wheel)
            check(user, work, "Python %d.%d: %s (%s)" % (*version, wheel.name, note))
            if version in (min(found), max(found)):
                check_verify(user, work, wheel)
            if "-abi3-" in wheel.name:
                stable = wheel
        python = fresh(work / "clean", found[max(found)])
        run(python, "-m", "pip", "install", "-q", "build")
        run(python, "-m", "build", "-q", "--sdist", "-o", work, work / "clone", env=environment)
        (sdist,) = work.glob("*.tar.gz")
        check_sdist(sdist)
        shutil.copy(sdist, keep)
        for what, package in (
            ("%s (%d kB)" % (sdist.name, sdist.stat().st_size / 1000), sdist),
            ("pip install . of a clean clone", work / "clone"),
        ):
            watch = Watch(log)
            run(python, "-m", "pip", "install", "-q", "--force-reinstall", package, env=environment)
            check(python, work, "%s (%s)" % (what, watch.note(MOST_COMPILED)))


if __name__ == "__main__":
    main()
