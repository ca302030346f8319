#!/usr/bin/env python3
"""The second process of the fuzzers: reads models from standard input, each behind its size in 4 bytes, and answers what onnx or
ONNX Runtime has against it, in the same form: nothing if it loads."""

import os
import struct
import sys

import onnxruntime

import onnx


def fault_of(model):
    try:
        onnx.checker.check_model(model)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        return str(error).strip()[:1000] or "an error without a text"
    return ""


def main():
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while True:
        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            return
        answer = fault_of(sys.stdin.buffer.read(struct.unpack("<I", head)[0])).encode()
        answers.write(struct.pack("<I", len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
