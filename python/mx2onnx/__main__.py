"""`python -m mx2onnx` and the `mx2onnx` command: the tool's own command line, with `verify` and `record` in Python."""

import signal
import sys
from collections.abc import Callable
from typing import Optional, TextIO

from . import _core


def _verify(arguments: list[str]) -> int:
    import argparse
    import json

    from ._mxnet_values import read_npz
    from ._verify import verify

    def sizes(text: str) -> tuple[str, list[int]]:
        name, _, values = text.partition("=")
        if not name or not values.replace(",", "").isdigit():
            raise argparse.ArgumentTypeError("expected NAME=N,..., got %r" % text)
        return name, [int(value) for value in values.split(",") if value]

    def names(text: str) -> tuple[str, str]:
        old, _, new = text.partition("=")
        if not old or not new:
            raise argparse.ArgumentTypeError("expected OLD=NEW, got %r" % text)
        return old, new

    parser = argparse.ArgumentParser(
        prog="mx2onnx verify",
        usage="mx2onnx verify [OPTIONS] [SYMBOL [PARAMS...]] MODEL",
        description="Compare an ONNX model's numbers, in ONNX Runtime, with MXNet's.",
        epilog="Exit codes: 0 the numbers agree, 2 wrong use, 3 a file cannot be read, 4 a file is malformed, 7 the numbers differ, "
        "8 nothing could be compared.",
    )
    parser.add_argument("files", nargs="+", metavar="[SYMBOL [PARAMS...]] MODEL",
                        help="the *-symbol.json, the parameter files, then the ONNX file; with --expect that alone will do")  # fmt: skip
    parser.add_argument("--expect", metavar="FILE.npz", help="MXNet's numbers, from 'mx2onnx record'")
    parser.add_argument("--mxnet-python", metavar="PATH", help="a Python that has MXNet, if this one has not")
    parser.add_argument("--inputs", metavar="FILE.npz", help="values of the file's inputs instead of random ones")
    parser.add_argument("--size", action="append", default=[], type=sizes, metavar="NAME=N,...",
                        help="values of a free size; each is a case")  # fmt: skip
    parser.add_argument("--rename", action="append", default=[], type=names, metavar="OLD=NEW",
                        help="as in the conversion, for a file that does not say so itself")  # fmt: skip
    parser.add_argument("--rtol", type=float, help="largest difference, of MXNet's value (1e-3; float16 1e-2)")
    parser.add_argument("--atol", type=float, help="and beside that (1e-5 of the output's largest value; float16 1e-3)")
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(arguments)
    if len(args.files) == 1 and not args.expect:
        parser.error("an ONNX file alone can be compared with a recording only: --expect FILE.npz")

    def compare() -> int:
        result = verify(
            args.files[0] if len(args.files) > 1 else None,
            args.files[1:-1],
            args.files[-1],
            expect=args.expect,
            mxnet_python=args.mxnet_python,
            inputs=read_npz(args.inputs) if args.inputs else None,
            sizes=dict(args.size),
            rename=dict(args.rename),
            rtol=args.rtol,
            atol=args.atol,
            seed=args.seed,
        )
        print(json.dumps(result.to_dict(), indent=2) if args.json else _coloured(result.table()))
        return 0 if result.ok else 7

    return _exit_code(compare, args.json)


def _exit_code(work: Callable[[], int], as_json: bool = False) -> int:
    """What `work` returns, or the code of what it raises, which is printed, on standard output as JSON, too, if wanted."""
    import json

    from ._errors import Error, FormatError
    from ._printable import shown_lines
    from ._runtime import CannotCompare

    failure: Exception
    try:
        return work()
    except CannotCompare as error:
        code, kind, failure = 8, "nothing compared", error
    except FormatError as error:
        code, kind, failure = 4, "format", error
    except OSError as error:
        code, kind, failure = 3, "file", error
    except (Error, ValueError) as error:
        code, kind, failure = 2, "usage", error
    except ImportError as error:
        code, kind, failure = 8, "nothing compared", ImportError("%s: pip install 'mx2onnx[verify]'" % error)
    print("mx2onnx: %s" % shown_lines(str(failure)), file=sys.stderr)
    if as_json:
        known = failure if isinstance(failure, Error) else Error(str(failure))
        print(json.dumps({"error": {**known.to_dict(), "code": code, "kind": kind}}, indent=2))
    return code


def _check_written(output: str, recording: str, symbol: str, file: TextIO) -> int:
    """What `convert --verify` does with the file that was written. Without a recording it is run, where ONNX Runtime is.
    What is found goes to `file`. `symbol` is a file, or empty."""
    from importlib.util import find_spec

    def compare() -> int:
        from ._verify import verify

        result = verify(symbol or None, None, output, expect=recording)
        print(_coloured(result.table()), file=file)
        return 0 if result.ok else 7

    def run() -> int:
        from ._run_once import run_once

        print(run_once(output), file=file)
        return 0

    if not recording and find_spec("onnxruntime") is None:
        print("not run: ONNX Runtime is not installed (pip install 'mx2onnx[verify]')", file=file)
        return 0
    return _exit_code(compare if recording else run)


def _coloured(table: str) -> str:
    """The table with its verdicts in colour, if this is a terminal that shows it."""
    import os
    import re

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return table
    table = re.sub(r"^(  ok  |the numbers agree)", "\x1b[32m\\1\x1b[0m", table, flags=re.M)
    return re.sub(r"^(  BAD |NOT COMPARED|THE NUMBERS DIFFER)", "\x1b[1;31m\\1\x1b[0m", table, flags=re.M)


def _record(arguments: list[str]) -> int:
    import os
    import subprocess

    from ._mxnet_values import RECORDER

    python = sys.executable
    if "--mxnet-python" in arguments[:-1]:
        at = arguments.index("--mxnet-python")
        python = arguments[at + 1]
        arguments = arguments[:at] + arguments[at + 2 :]
    if arguments == ["--script"]:
        with open(RECORDER, encoding="utf-8") as file:
            print(file.read(), end="")
        return 0
    # A process of its own: the environment must be set before MXNet is loaded.
    return subprocess.run([python, os.fspath(RECORDER), *arguments]).returncode


def main(arguments: Optional[list[str]] = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["verify"]:
        return _verify(arguments[1:])
    if arguments[:1] == ["record"]:
        return _record(arguments[1:])
    # The converter does not come back to Python before it is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    # Standard output is the JSON document's alone.
    file = sys.stderr if "--json" in arguments else sys.stdout
    return _core.run_command_line(
        ["mx2onnx", *arguments], lambda written, recording, symbol: _check_written(written, recording, symbol, file)
    )


if __name__ == "__main__":
    sys.exit(main())
