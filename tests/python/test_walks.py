"""What a person does first, for files as they lie on people's disks: one command, what it prints, and MXNet's numbers.

tests/walks/make_walks.py says where the models come from.
"""

import os
import pathlib
import re
import subprocess
import textwrap
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
import pytest

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
WALKS = pathlib.Path(__file__).resolve().parent.parent / "walks"
KINDS = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int32)": "int32", "tensor(int64)": "int64"}


@dataclass
class Walk:
    folder: str
    printed: str  # all that comes on the terminal, warnings first
    options: list = field(default_factory=list)
    shapes: dict = field(default_factory=dict)  # of inputs that have another than was recorded
    outputs: list = None  # which of MXNet's outputs the model has; None is a value that was not recorded
    rtol: float = 1e-4


CASES = {
    "a model of Keras-MXNet": Walk(
        "keras_cnn",
        """
        out.onnx: opset 17, 11 nodes from 13, 1668 bytes of weights
          input  /conv2d_2_input1: float32 (batch, 2, 10, 10)
          output broadcast_add9_output: float32 (batch, 5)
        """,
    ),
    "a predictor of GluonTS": Walk(
        "gluonts_mqcnn",
        """
        warning: input 'data2' can have 3 or 4 dimensions: (batch, 10, 15) is taken; otherwise say --input data2:SHAPE [W-rank-chosen]
        warning: input 'data3' can have 1 or 2 dimensions: (batch, 1) is taken; otherwise say --input data3:SHAPE [W-rank-chosen]
        out.onnx: opset 17, 50 nodes from 44, 56 kB of weights
          input  data0: float32 (batch, length, 1)
          input  data3: float32 (batch, 1)
          input  data1: float32 (batch, length, channels)
          input  data4: float32 (batch, length, -channels + 4)
          input  data2: float32 (batch, 10, 15)
          output forkingseq2seqpredictionnetwork0_swapaxes0_output: float32 (batch, 3, 5)
        """,  # noqa: E501
        shapes={"data2": (2, 10, 15)},
    ),
    "the same with the shape that the warning asks for": Walk(
        "gluonts_mqcnn",
        """
        warning: input 'data3' can have 1 or 2 dimensions: (batch, 1) is taken; otherwise say --input data3:SHAPE [W-rank-chosen]
        out.onnx: opset 17, 51 nodes from 44, 56 kB of weights
          input  data0: float32 (batch, length, 1)
          input  data3: float32 (batch, 1)
          input  data1: float32 (batch, length, channels)
          input  data4: float32 (batch, length, -channels + 4)
          input  data2: float32 (batch, 10, 5, 3)
          output forkingseq2seqpredictionnetwork0_swapaxes0_output: float32 (batch, 3, 5)
        """,  # noqa: E501
        options=["--input", "data2:batch,10,5,3"],
    ),
    "a face embedding of InsightFace": Walk(
        "insightface",
        """
        warning: sizes 'height' and 'width' can be 7 to 8: 8 is taken; otherwise say --input data:batch,3,HEIGHT,WIDTH [W-size-chosen]
        out.onnx: opset 17, 10 nodes from 13, 3424 bytes of weights
          input  data: float32 (batch, 3, 8, 8)
          output fc1_output: float32 (batch, 8)
        """,  # noqa: E501
    ),
    "the same as it was trained, with ArcFace's label": Walk(
        "arcface_training",
        """
        warning: input 'softmax_label' looks like a label of training: output 'softmax_output' needs it; without it: --outputs blockgrad0_output,fc7_output [W-label-input]
        warning: sizes 'height' and 'width' can be 7 to 8: 8 is taken; otherwise say --input data:batch,3,HEIGHT,WIDTH [W-size-chosen]
        out.onnx: opset 17, 40 nodes from 31, 3584 bytes of weights
          input  data: float32 (batch, 3, 8, 8)
          input  softmax_label: float32 (batch,)
          output blockgrad0_output: float32 (batch, 8)
          output softmax_output: float32 (batch, 5)
        """,  # noqa: E501  (as it is printed)
    ),
    "the face's part of what the warning offers": Walk(
        "arcface_training",
        """
        warning: sizes 'height' and 'width' can be 7 to 8: 8 is taken; otherwise say --input data:batch,3,HEIGHT,WIDTH [W-size-chosen]
        out.onnx: opset 17, 10 nodes from 14, 3424 bytes of weights
          input  data: float32 (batch, 3, 8, 8)
          output blockgrad0_output: float32 (batch, 8)
        """,  # noqa: E501
        options=["--outputs", "blockgrad0_output"],
        outputs=[0],
    ),
    "a checkpoint of Module with a label of its own": Walk(
        "module_regression",
        """
        warning: sizes 'height' and 'width' are known by their product only: a square of 8 is taken; otherwise say --input data:batch,3,HEIGHT,WIDTH [W-size-chosen]
        out.onnx: opset 17, 4 nodes from 6, 2252 bytes of weights
          input  data: float32 (batch, 3, 8, 8)
          output lro_output: float32 (batch, 3)
        """,  # noqa: E501
    ),
    "a model of AMP": Walk(
        "amp_classifier",
        """
        warning: sizes 'height' and 'width' are known by their product only: a square of 8 is taken; otherwise say --input data:batch,3,HEIGHT,WIDTH [W-size-chosen]
        out.onnx: opset 17, 11 nodes from 8, 1158 bytes of weights
          input  data: float32 (batch, 3, 8, 8)
          output prob_output: float32 (batch, 3)
        """,  # noqa: E501
        rtol=1e-2,
    ),
    "Inception-BN as MXNet 0.8 saved it": Walk(
        "inception_bn_0_8",
        """
        warning: sizes 'height' and 'width' are known by their product only: a square of 8 is taken; otherwise say --input data:batch,3,HEIGHT,WIDTH [W-size-chosen]
        out.onnx: opset 17, 12 nodes from 15, 836 bytes of weights
          input  data: float32 (batch, 3, 8, 8)
          output softmax_output: float32 (batch, 6)
        """,  # noqa: E501
    ),
    "a detector": Walk(
        "ssd_deploy",
        """
        out.onnx: opset 17, 119 nodes from 13, 3556 bytes of weights
          input  data: float32 (batch, 3, height, width)
          output detection_output: float32 (batch, 3*((height + 3)//4)*((width + 3)//4), 6)
        """,
    ),
    "a language model with its state": Walk(
        "word_model",
        """
        out.onnx: opset 17, 10 nodes from 9, 2384 bytes of weights
          input  data: float32 (batch, length)
          input  lstm_init_h: float32 (1, batch, 6)
          input  lstm_init_c: float32 (1, batch, 6)
          output softmax_output: float32 (batch*length, 20)
          output blockgrad1_output: float32 (1, batch, 6)
          output blockgrad2_output: float32 (1, batch, 6)
        """,
    ),
    "a reader of lines with its loss": Walk(
        "ctc_training",
        """
        warning: input 'label' looks like a label of training: output 'ctc_output' needs it; without it: --outputs pred_output [W-label-input]
        out.onnx: opset 17, 98 nodes from 6, 100 bytes of weights
          input  data: float32 (batch, length, 4)
          input  label: float32 (batch, label_length)
          output ctc_output: float32 (batch,)
          output pred_output: float32 (batch, length, 5)
        """,  # noqa: E501
    ),
    "a region proposal network as it was trained": Walk(
        "rpn_training",
        """
        out.onnx: opset 17, 6 nodes from 6, 1328 bytes of weights
          input  data: float32 (batch, 3, height, width)
          output rpn_cls_prob_output: float32 (batch, 2, 2*height, width)
          output rpn_bbox_output: float32 (batch, 8, height, width)
        """,
        options=["--outputs", "rpn_cls_prob_output,rpn_bbox_output"],
        outputs=[0, None],
    ),
}


@pytest.mark.parametrize("walk", CASES.values(), ids=CASES)
def test_walk(walk, tmp_path):
    files = [WALKS / walk.folder / "model-symbol.json", WALKS / walk.folder / "model-0000.params"]
    command = [TOOL, "convert", *files, "-o", "out.onnx", *walk.options]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert process.stderr + process.stdout == textwrap.dedent(walk.printed).lstrip("\n")
    assert process.returncode == 0
    check_numbers(walk, str(tmp_path / "out.onnx"))


def check_numbers(walk, path):
    golden = np.load(WALKS / walk.folder / "golden.npz")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {i.name: golden["in/" + i.name].astype(KINDS[i.type]) for i in session.get_inputs()}
    for name, shape in walk.shapes.items():
        feeds[name] = feeds[name].reshape(shape)
    found = session.run(None, feeds)
    count = len([key for key in golden if re.fullmatch(r"out/\d+", key)])
    outputs = range(count) if walk.outputs is None else walk.outputs
    assert len(found) == len(outputs)
    for ours, k in zip(found, outputs):
        if k is None:
            continue
        theirs = golden["out/%d" % k]
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=walk.rtol, atol=walk.rtol * np.abs(theirs).max())
