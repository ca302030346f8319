"""GluonNLP's nets at their real sizes, from files of parameters alone, against what MXNet computed (tools/record_known_nets.py).

The files are made here, of weights by the rule that MXNet's were made by; their vocabulary is none that the data of the nets knows.
"""

import json
import pathlib
import sys

import mx2onnx
import numpy as np
import parameter_files
import pytest
from running import assert_same, run

ROOT = pathlib.Path(__file__).resolve().parent.parent / "known_nets"
sys.path.insert(0, str(ROOT))

from rule import constant, weight  # noqa: E402

CASES = sorted(path.stem for path in ROOT.glob("*.npz"))


class Recorded:
    def __init__(self, case):
        stored = np.load(ROOT / (case + ".npz"))
        facts = json.loads(stored["facts"].tobytes())
        self.keys, self.constants = facts["keys"], facts["constants"]
        self.inputs = {name: stored["in%d" % i] for i, name in enumerate(facts["inputs"])}
        self.shapes, self.steps = [tuple(shape) for shape in facts["shapes"]], facts["steps"]
        sizes = [len(range(0, int(np.prod(shape)), step)) for shape, step in zip(self.shapes, self.steps)]
        self.outputs = np.split(stored["outputs"], np.cumsum(sizes)[:-1])

    def write(self, path, name=lambda keys: keys[0]):
        """A file with one key of each array."""
        make = lambda key: constant if key in self.constants else weight
        arrays = {name(keys): make(keys[0])(keys[0], tuple(shape)) for keys, shape in self.keys}
        parameter_files.write_list(path, arrays)

    def compare(self, model):
        found = run(model, self.inputs)
        assert [array.shape for array in found] == self.shapes
        values = [array.reshape(-1)[::step] for array, step in zip(found, self.steps)]
        assert_same(values, self.outputs, rtol=1e-4, atol=1e-5)


def test_all_families_are_here():
    assert {case.split("_")[0] for case in CASES} == {
        "awd",
        "bert",
        "big",
        "distilbert",
        "elmo",
        "ernie",
        "gpt2",
        "roberta",
        "standard",
        "transformer",
        "xlnet",
    }


@pytest.mark.parametrize("case", CASES)
def test_a_net_of_gluonnlp(tmp_path, case):
    recorded = Recorded(case)
    recorded.write(tmp_path / "x.params")
    net = "nlp/" + case.replace("-", "|")
    # Parts of a net that have the parameters of the whole are chosen by name, all others are told from the file.
    is_part = net in ("nlp/transformer_en_de_512|decoder", "nlp/transformer_en_de_512|translation")
    result = mx2onnx.convert(
        str(tmp_path / "x.params"), output=tmp_path / "x.onnx", architecture=net if is_part else None
    )
    assert "the parameters of %s" % net in result.diagnostics[0]["message"]
    (tmp_path / "x.params").unlink()
    recorded.compare(str(tmp_path / "x.onnx"))


def test_an_array_may_have_any_of_its_keys(tmp_path):
    recorded = Recorded("awd_lstm_lm_600")
    assert max(len(keys) for keys, _ in recorded.keys) == 2
    recorded.write(tmp_path / "x.params", lambda keys: keys[-1])
    recorded.compare(mx2onnx.convert(str(tmp_path / "x.params")).model)


def test_a_net_that_is_named_may_lack_the_rest_of_the_file(tmp_path):
    """As `ignore_extra` of GluonNLP: an encoder from weights that have heads, with a vocabulary of their own."""
    recorded = Recorded("bert_12_768_12-all")
    recorded.write(tmp_path / "x.params")
    with pytest.raises(mx2onnx.ModelError, match=r"these are not the parameters of 'nlp/roberta_12_768_12\|encoder'"):
        mx2onnx.convert(str(tmp_path / "x.params"), architecture="nlp/roberta_12_768_12|encoder")
    wanted = "nlp/bert_12_768_12|pooler"
    mx2onnx.convert(str(tmp_path / "x.params"), output=tmp_path / "x.onnx", architecture=wanted)
    (tmp_path / "x.params").unlink()
    # The encoding and the pooled output come first, whatever heads there are.
    for member in ("shapes", "steps", "outputs"):
        setattr(recorded, member, getattr(recorded, member)[:2])
    recorded.compare(str(tmp_path / "x.onnx"))
