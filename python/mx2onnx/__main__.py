"""`python -m mx2onnx` and the `mx2onnx` command: the tool's own command line, with `verify` and `record` in Python."""

import signal
import sys
from typing import Optional

from . import _core


def _verify(arguments: list[str]) -> int:
    import argparse
    import json

    from ._errors import Error
    from ._verify import CannotCompare, verify

    parser = argparse.ArgumentParser(
        prog="mx2onnx verify",
        description="Compare an ONNX model's numbers, in ONNX Runtime, with MXNet's.",
        epilog="Exit codes: 0 the numbers agree, 2 wrong use, 3 a file cannot be read, 7 the numbers differ, "
        "8 nothing could be compared.",
    )
    parser.add_argument("symbol", help="the *-symbol.json")
    parser.add_argument("files", nargs="+", metavar="PARAMS... MODEL", help="the parameter files, then the ONNX file")
    parser.add_argument("--expect", metavar="FILE.npz", help="MXNet's numbers, from 'mx2onnx record'")
    parser.add_argument("--mxnet-python", metavar="PATH", help="a Python that has MXNet, if this one has not")
    parser.add_argument("--inputs", metavar="FILE.npz", help="values of the inputs instead of random ones")
    parser.add_argument("--size", action="append", default=[], metavar="NAME=N,...",
                        help="values of a free size; each is a case")  # fmt: skip
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="as in the conversion")
    parser.add_argument("--rtol", type=float)
    parser.add_argument("--atol", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(arguments)
    try:
        inputs = None
        if args.inputs:
            import numpy

            inputs = dict(numpy.load(args.inputs))
        result = verify(
            args.symbol,
            args.files[:-1],
            args.files[-1],
            expect=args.expect,
            mxnet_python=args.mxnet_python,
            inputs=inputs,
            sizes={t.partition("=")[0]: [int(v) for v in t.partition("=")[2].split(",")] for t in args.size},
            rename=dict(text.partition("=")[::2] for text in args.rename),
            rtol=args.rtol,
            atol=args.atol,
            seed=args.seed,
        )
    except CannotCompare as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 8
    except OSError as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 3
    except (Error, ValueError) as error:
        print("mx2onnx: %s" % error, file=sys.stderr)
        return 2
    except ImportError as error:
        print("mx2onnx: %s: pip install 'mx2onnx[verify]'" % error, file=sys.stderr)
        return 8
    print(json.dumps(result.to_dict(), indent=2) if args.json else result.table())
    return 0 if result.ok else 7


def _record(arguments: list[str]) -> int:
    import os
    import subprocess

    from ._verify import RECORDER

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
