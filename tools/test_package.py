#!/usr/bin/env python3
"""The library in programs of somebody else (examples): found by CMake and by pkg-config after installing, and built as a part of
another project from a clone; each as a static and as a shared library. `make test-package` runs it after building both.

test_package.py [--keep]      --keep: leave build/package for looking at it
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "package"
EXAMPLES = ROOT / "examples"
BUILDS = {"static": ROOT / "build" / "release", "shared": ROOT / "build" / "shared"}
MODEL = [ROOT / "tests" / "models" / name for name in ("digits_cnn-symbol.json", "digits_cnn-0000.params")]
INPUT = "data:N,1,8,8"
# What a header promises, and what the language makes of Error and OnnxEmitter.
PUBLIC_NAMESPACE = re.compile(r"^(?:(?:typeinfo(?: name)?|vtable) for )?mx2onnx::(\w+)(::|\(|\[|$)")


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit("%s\n%s%s" % (" ".join(map(str, command)), done.stdout, done.stderr))
    return done.stdout


def check(condition, text):
    if not condition:
        sys.exit("test_package: " + text)


def step(text):
    print("package: " + text, flush=True)


def check_program(program, expected, **environment):
    """The program writes what the tool writes."""
    out = WORK / "out.onnx"
    printed = run(program, *MODEL, out, INPUT, env=dict(os.environ, **environment))
    check(printed == "probabilities_output\n", "%s printed %r" % (program, printed))
    check(out.read_bytes() == expected, "%s wrote another model than the tool" % program)
    out.unlink()


def converted_by(tool):
    out = WORK / "tool.onnx"
    run(tool, "convert", *MODEL, "-o", out, "--input", INPUT, "--quiet")
    return out.read_bytes()


def installed(kind):
    """Installs into a prefix and moves that: nothing may depend on where it was."""
    first, prefix = WORK / (kind + "-first"), WORK / kind
    run("cmake", "--install", BUILDS[kind], "--prefix", first)
    first.rename(prefix)
    return prefix


def check_shared_library(prefix):
    (library,) = prefix.glob("lib*/**/libmx2onnx.so.*.*.*")
    version = re.search(r'kVersion = "(\d+\.\d+)\.\d+"', (ROOT / "include/mx2onnx/version.h").read_text()).group(1)
    check("[libmx2onnx.so.%s]" % version in run("readelf", "-d", library), "the SONAME is not libmx2onnx.so." + version)
    names = set()
    for line in run("nm", "-D", "-C", "--defined-only", library).splitlines():
        symbol = line.split(" ", 2)[2]
        if "mx2onnx" not in symbol:
            continue
        match = PUBLIC_NAMESPACE.match(symbol)
        if match:
            names.add(match.group(1))
        # Templates of the standard library over public types may be seen as well.
        inner = re.findall(r"mx2onnx::(?:onnx|mxnet|passes|\(anonymous)[^,>)]*", symbol)
        check(not inner, "the shared library shows %s" % symbol)
    headers = "".join(path.read_text() for path in (ROOT / "include" / "mx2onnx").glob("*.h"))
    check("convert_to_file" in names and "Error" in names, "the shared library shows too little: %s" % sorted(names))
    unknown = sorted(name for name in names if not re.search(r"MX2ONNX_EXPORT[^;{]*\b%s\b" % name, headers))
    check(not unknown, "the shared library shows what no public header declares: %s" % unknown)


def find_package(kind, prefix, expected):
    build = WORK / (kind + "-find_package")
    run("cmake", "-S", EXAMPLES / "find_package", "-B", build, "-G", "Ninja", "-DCMAKE_PREFIX_PATH=%s" % prefix)
    run("cmake", "--build", build)
    check_program(build / "convert_model", expected)


def pkg_config(kind, prefix, expected):
    (file,) = prefix.glob("lib*/**/mx2onnx.pc")
    out = WORK / (kind + "-pkg_config")
    out.mkdir()
    environment = dict(os.environ, PKG_CONFIG_PATH=str(file.parent))
    run("make", "-C", EXAMPLES / "pkg_config", "OUT=%s" % out, env=environment)
    check_program(out / "convert_model", expected, LD_LIBRARY_PATH=str(file.parent.parent))


def clone():
    """A clone of the repository with what is not committed yet. Its build folders lie where build/release lies here, so that
    ccache knows the objects."""
    path = WORK / "clone"
    run("git", "clone", "--quiet", ROOT, path)
    changes = subprocess.run(["git", "diff", "--binary", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    if changes:
        subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=path, check=True, input=changes)
    for name in run("git", "ls-files", "--others", "--exclude-standard", cwd=ROOT).splitlines():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, path / name)
    return path


def fetch_content(kind, path, expected):
    build = path / "build" / kind
    options = [
        "-DFETCHCONTENT_SOURCE_DIR_MX2ONNX=%s" % path,
        "-DBUILD_SHARED_LIBS=%s" % ("ON" if kind == "shared" else "OFF"),
    ]
    options += ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    environment = dict(os.environ, CCACHE_BASEDIR=str(path), CCACHE_NOHASHDIR="1")
    if shutil.which("ccache"):
        environment["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
    run("cmake", "-S", EXAMPLES / "fetch_content", "-B", build, "-G", "Ninja", *options, env=environment)
    run("cmake", "--build", build, env=environment)
    check_program(build / "convert_model", expected)
    check(not list(build.rglob("mx2onnx_cli*")), "the tool is built inside of another project")
    # The project around it keeps its own settings, and installs what is its own.
    commands = json.loads((build / "compile_commands.json").read_text())
    (own,) = [entry["command"] for entry in commands if entry["file"].endswith("convert_model.cc")]
    foreign = [flag for flag in own.split() if flag.startswith(("-W", "-fvisibility", "-fPIC", "-fsanitize"))]
    check(not foreign, "flags of the library in a project that uses it: %s" % foreign)
    prefix = WORK / (kind + "-others")
    run("cmake", "--install", build, "--prefix", prefix)
    files = sorted(str(file.relative_to(prefix)) for file in prefix.rglob("*") if file.is_file())
    check(files == ["bin/convert_model"], "installed with a project that uses it: %s" % files)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    path = clone()
    for kind in BUILDS:
        prefix = installed(kind)
        expected = converted_by(prefix / "bin" / "mx2onnx")
        if kind == "shared":
            check_shared_library(prefix)
        step("%s, found by CMake" % kind)
        find_package(kind, prefix, expected)
        step("%s, found by pkg-config" % kind)
        pkg_config(kind, prefix, expected)
        step("%s, built as a part of another project" % kind)
        fetch_content(kind, path, expected)
    if not args.keep:
        shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
