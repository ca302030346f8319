"""`python -m mx2onnx` and the `mx2onnx` command: the tool's own command line, with `verify` and `record` in Python."""

import signal
import sys
from typing import Optional

from . import _core


def _verify(arguments: list[str]) -> int:
    import argparse
    import json

    from ._errors import Error, FormatError
    from ._mxnet_values import read_npz
    from ._runtime import CannotCompare
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
        description="Compare an ONNX model's numbers, in ONNX Runtime, with MXNet's.",
        epilog="Exit codes: 0 the numbers agree, 2 wrong use, 3 a file cannot be read, 4 a file is malformed, 7 the numbers differ, "
        "8 nothing could be compared.",
    )
    parser.add_argument("symbol", help="the *-symbol.json")
    parser.add_argument("files", nargs="+", metavar="PARAMS... MODEL", help="the parameter files, then the ONNX file")
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
    try:
        inputs = read_npz(args.inputs) if args.inputs else None
        result = verify(
            args.symbol,
            args.files[:-1],
            args.files[-1],
            expect=args.expect,
            mxnet_python=args.mxnet_python,
            inputs=inputs,
            sizes=dict(args.size),
            rename=dict(args.rename),
            rtol=args.rtol,
            atol=args.atol,
            seed=args.seed,
        )
    except CannotCompare as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 8
    except FormatError as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 4
    except OSError as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 3
    except (Error, ValueError) as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 2
    except ImportError as error:
        print("mx2onnx: %s: pip install 'mx2onnx[verify]'" % error, file=sys.stderr)
        return 8
    print(json.dumps(result.to_dict(), indent=2) if args.json else _coloured(result.table()))
    return 0 if result.ok else 7


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
    return _core.run_command_line(["mx2onnx", *arguments])


if __name__ == "__main__":
    sys.exit(main())
