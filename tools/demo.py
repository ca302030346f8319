#!/usr/bin/env python3
"""The demonstration behind `make demo`: a real trained MXNet model becomes ONNX and gives MXNet's numbers.

demo.py PATH_OF_MX2ONNX
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime

MODELS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "models"
SHADES = " .:-=+*#%@"
LARGEST_DIFFERENCE = 1e-5


def picture(image):
    return ["".join(SHADES[int(v * 9 + 0.5)] * 2 for v in row) for row in image]


def show(images, predicted, confidence, recorded):
    """The digits side by side, with what ONNX Runtime and MXNet make of them."""
    for start in range(0, len(images), 4):
        columns = range(start, min(start + 4, len(images)))
        rows = [picture(images[i]) for i in columns]
        for line in zip(*rows):
            print("  " + "   ".join(line))
        print(
            "  "
            + "   ".join(
                ("onnx %d (%.0f %%) mxnet %d" % (predicted[i], confidence[i] * 100, recorded[i])).ljust(16)
                for i in columns
            )
        )
        print()


def main():
    tool = sys.argv[1]
    expected = np.load(MODELS / "digits_cnn-expected.npz")
    with tempfile.TemporaryDirectory() as folder:
        onnx_path = folder + "/digits_cnn.onnx"
        command = [
            tool,
            "convert",
            "tests/models/digits_cnn-symbol.json",
            "tests/models/digits_cnn-0000.params",
            "-o",
            onnx_path,
            "--input",
            "data:batch,1,8,8",
        ]
        print("$ " + " ".join(["mx2onnx"] + command[1:]), flush=True)
        subprocess.run(command, check=True, cwd=MODELS.parent.parent)
        session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
        output = session.run(None, {"data": expected["data"]})[0]
    print()
    show(expected["data"][:, 0], output.argmax(1), output.max(1), expected["output"].argmax(1))
    right = int((output.argmax(1) == expected["label"]).sum())
    difference = float(np.abs(output - expected["output"]).max())
    print("%d of %d digits right; largest difference to MXNet's probabilities: %.2g" % (right, len(output), difference))
    if difference > LARGEST_DIFFERENCE:
        sys.exit("that is more than %g: something is wrong" % LARGEST_DIFFERENCE)


if __name__ == "__main__":
    main()
