#!/usr/bin/env python3
"""Checks who includes whom: the layers of the design, heavy headers in one folder each, file sizes, and where cases lie.

`ir` uses `base`; `mxnet` and `onnx` use `ir` and do not know each other; `source` and `architectures` use `mxnet`; `ops` uses
`mxnet` and `onnx`; `infer` uses `ops`;
`passes` use `onnx` and `ir` only, and so does `lint`; `convert` uses all of these; `picture` looks at what `convert` made; `cli` and `python` use the public headers alone (and two headers of
`base`, the one spell checker and words of a shell), and `python` has the command line in it.

Inside of `ops`: `record` is the mechanism, `expressions` are the ONNX expressions that fields share, and every other folder is a
field of operator families. A field uses itself, `expressions` and `record`. The cases of a family lie where its file does:
tests/cases/nn/conv.json is of src/ops/nn/conv.cc, and what MXNet computed of them in tests/golden/nn/conv.npz.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {
    "base": {"base"},
    "ir": {"ir", "base"},
    "mxnet": {"mxnet", "ir", "base"},
    "onnx": {"onnx", "ir", "base"},
    "ops": {"ops", "mxnet", "onnx", "ir", "base"},
    "infer": {"infer", "ops", "mxnet", "ir", "base"},
    "passes": {"passes", "onnx", "ir", "base"},
    "lint": {"lint", "onnx", "ir", "base"},
    "source": {"source", "mxnet", "ir", "base"},
    "architectures": {"architectures", "mxnet", "ir", "base"},
    "convert": {"convert", "infer", "ops", "passes", "lint", "source", "architectures", "mxnet", "onnx", "ir", "base"},
    "picture": {"picture", "convert", "infer", "ops", "mxnet", "onnx", "ir", "base"},
    "cli": {"cli"},
    "python": {"cli"},
}
# Inside of ops: what a folder may use beside itself. A folder that is not named here is a field of operator families.
OPS_ALLOWED = {"record": set(), "expressions": {"record"}}
OPS_FIELD = {"record", "expressions"}
# Heavy headers, and the one folder that may include them.
HEAVY = {
    "nlohmann/": "base",
    "xxhash.h": "base",
    "CLI/": "cli",
    "zlib.h": "base",
    "nanobind/": "python",
    "protozero/": "onnx",
}
# The input specification is a public type that the MXNet side parses.
PUBLIC_FROM_BELOW = {"mxnet": {"mx2onnx/convert.h"}, "base": {"mx2onnx/error.h", "mx2onnx/printable.h"}}
# Headers of lower layers that need nothing of the library, whose shared form shows the public functions alone.
HEADERS_ALONE = {"cli": {"base/nearest.h", "base/shell_word.h"}}
MOST_LINES = 400
# Files of cases that are not those of one source file: bfloat16 is an element type of many families, and np_legacy has their
# operators under NumPy's shapes.
CASES_OF_MANY = {"tensor/bfloat16", "tensor/np_legacy"}


def ops_problem(folder, include):
    """What is wrong with a file of ops/FOLDER that includes "ops/…"; None if nothing is."""
    used = include.split("/")[1]
    if used == folder or used in OPS_ALLOWED.get(folder, OPS_FIELD):
        return None
    return "ops/%s must not include %s: what two fields need belongs into ops/expressions" % (folder, include)


def long_files():
    """What is longer than a file may be. A test may be as long as it has cases."""
    paths = [p for p in (ROOT / "src").rglob("*") if p.suffix in (".h", ".cc") and not p.name.endswith("_test.cc")]
    paths += [p for folder in ("python", "tools") for p in (ROOT / folder).rglob("*.py")]
    for path in sorted(paths):
        lines = path.read_text().count("\n")
        if lines > MOST_LINES:
            yield "%s: %d lines, more than %d" % (path.relative_to(ROOT), lines, MOST_LINES)


def misplaced_cases():
    for path in sorted((ROOT / "tests/cases").glob("*/*.json")):
        family = path.relative_to(ROOT / "tests/cases").with_suffix("").as_posix()
        if family not in CASES_OF_MANY and not (ROOT / "src/ops" / (family + ".cc")).exists():
            yield "tests/cases/%s.json: there is no src/ops/%s.cc" % (family, family)
        if not (ROOT / "tests/golden" / (family + ".npz")).exists():
            yield "tests/cases/%s.json: there is no tests/golden/%s.npz" % (family, family)


def main():
    problems = [*long_files(), *misplaced_cases()]
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        layer = path.relative_to(ROOT / "src").parts[0]
        text = path.read_text()
        where = path.relative_to(ROOT)
        is_test = path.name.endswith("_test.cc")
        for include in re.findall(r'#include [<"]([^>"]+)[>"]', text):
            top = include.split("/")[0]
            if (
                top in ALLOWED
                and top not in ALLOWED[layer]
                and include not in HEADERS_ALONE.get(layer, ())
                and not is_test
            ):
                problems.append("%s: %s must not include %s" % (where, layer, include))
            if top == "ops" and layer == "ops" and path.parent.name != "ops" and not is_test:
                problem = ops_problem(path.parent.name, include)
                if problem:
                    problems.append("%s: %s" % (where, problem))
            if top == "mx2onnx" and layer in ("base", "ir", "mxnet", "onnx", "passes", "infer", "ops"):
                if include not in PUBLIC_FROM_BELOW.get(layer, set()) and not is_test:
                    problems.append("%s: %s must not include the public header %s" % (where, layer, include))
            for heavy, home in HEAVY.items():
                if include.startswith(heavy) and layer != home:
                    problems.append("%s: %s is for %s only" % (where, include, home))
    for path in sorted((ROOT / "src/ops").iterdir()):
        if path.is_file() and path.name not in ("families.cc", "fields.h"):
            problems.append("%s: src/ops holds folders, families.cc and fields.h" % path.relative_to(ROOT))
    listed = (ROOT / "src/ops/families.cc").read_text()
    for path in sorted((ROOT / "src/ops").glob("*/*.cc")):
        for name in re.findall(r"^void (register_\w+)\(Registry&", path.read_text(), re.M):
            field = "".join(word.capitalize() for word in path.parent.name.split("_"))
            families = re.search(r"k%s\[\] = \{(.*?)\};" % field, listed, re.S)
            if families is None or name not in re.findall(r"register_\w+", families.group(1)):
                problems.append("%s: %s is not in its field's list of families" % (path.relative_to(ROOT), name))
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
