"""The corpora of tests/zoo: graphs that MXNet exported, weights by a rule, and sampled outputs of MXNet.

`Entry` is one model: its symbol, parameters, inputs and recorded outputs. README.md says what the files hold. Needs numpy
only, and runs on Python 3.8 too, where tools/record_zoo.py uses it beside MXNet.
"""

import io
import json
import lzma
import pathlib
import zlib

import numpy as np

ZOO = pathlib.Path(__file__).resolve().parent
CORPORA = ("gluoncv", "gluonnlp")


def draw(name, shape, dtype="float32", var_scale=1.0, gain=1.0):
    """The parameter of this name: the same numbers on every machine."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith(("running_var", "moving_var")):
        values = random.uniform(0.8, 1.2, shape) * var_scale
    elif name.endswith("gamma"):
        values = random.uniform(0.8, 1.2, shape)
    elif name.endswith(("running_mean", "moving_mean", "beta", "bias")):
        values = random.normal(0, 0.05, shape)
    elif len(shape) >= 2:
        values = random.normal(0, gain * np.sqrt(2 / max(1, np.prod(shape[1:]))), shape)
    elif name.endswith(("rnn_param", "parameters")):
        values = random.uniform(-0.3, 0.3, shape)
    else:
        values = random.uniform(0.1, 0.4, shape)
    return np.asarray(values, dtype)


def sample(array, step):
    """The values of an output that are recorded."""
    return np.asarray(array).reshape(-1)[::step]


class Entry:
    def __init__(self, corpus, name, meta):
        self.corpus, self.name, self.meta = corpus, name, meta
        self.folder = ZOO / corpus
        self._golden = None

    def __repr__(self):
        return "%s/%s" % (self.corpus, self.name)

    @property
    def family(self):
        return self.meta["family"]

    @property
    def size(self):
        """The number of values of all parameters."""
        return sum(int(np.prod(shape)) for shape in self.meta["params"].values())

    @property
    def quantized(self):
        return self.name.endswith("_int8")

    @property
    def alt(self):
        """Whether MXNet's outputs at a second size of the inputs are recorded."""
        return "alt" in self.meta

    def symbol(self):
        """The text of the symbol's JSON."""
        path = self.folder / "graphs" / (self.name + "-symbol.json.xz")
        return lzma.decompress(path.read_bytes()).decode()

    def constants(self):
        """Parameters that no rule makes, such as anchors."""
        return {
            name: np.load(io.BytesIO(lzma.decompress((self.folder / "constants" / (digest + ".npy.xz")).read_bytes())))
            for name, digest in self.meta["constants"].items()
        }

    def params(self):
        """{name: array}, all parameters; the states of BatchNorm are among them."""
        dtypes = self.meta.get("dtypes", {})
        scale, gain = self.meta["var_scale"], self.meta["gain"]
        params = {n: draw(n, tuple(s), dtypes.get(n, "float32"), scale, gain) for n, s in self.meta["params"].items()}
        params.update(self.constants())
        return params

    def golden(self):
        if self._golden is None:
            with np.load(self.folder / "golden" / (self.name + ".npz")) as stored:
                self._golden = {key: stored[key] for key in stored.files}
        return self._golden

    def feeds(self, alt=False):
        """{name: array}, the inputs of the first or the second recording."""
        feeds = {}
        for name, spec in self.meta["inputs"].items():
            key = ("alt/in/" if alt else "in/") + name
            if key in self.golden():
                feeds[name] = self.golden()[key]
            else:
                rule = spec["rule"]
                shape = self.meta["alt"]["inputs"][name] if alt else spec["shape"]
                random = np.random.RandomState(rule["seed"])
                feeds[name] = random.uniform(rule["low"], rule["high"], shape).astype(spec["dtype"])
        return feeds

    def expected(self, alt=False):
        """[(shape, dtype, step, every step-th value)] of MXNet's outputs."""
        outputs = self.meta["alt"]["outputs"] if alt else self.meta["outputs"]
        return [
            (
                tuple(out["shape"]),
                self.meta["outputs"][i]["dtype"],
                out["step"],
                self.golden()["alt/o%d" % i if alt else "o%d" % i],
            )
            for i, out in enumerate(outputs)
        ]

    def fixed_inputs(self):
        """The inputs as mx2onnx takes them, all sizes numbers."""
        return {n: (tuple(s["shape"]), s["dtype"]) for n, s in self.meta["inputs"].items()}

    def free_inputs(self):
        """The inputs with the names of free sizes where the model has them; None where it has none."""
        inputs, free = {}, False
        for name, spec in self.meta["inputs"].items():
            axes = spec.get("axes") or [None] * len(spec["shape"])
            free = free or any(axes)
            inputs[name] = (tuple(a or n for a, n in zip(axes, spec["shape"])), spec["dtype"])
        return inputs if free else None


def load(corpus):
    """{name: Entry}"""
    meta = json.loads(lzma.decompress((ZOO / corpus / "meta.json.xz").read_bytes()))
    return {name: Entry(corpus, name, meta[name]) for name in sorted(meta)}


def save_meta(corpus, meta):
    """Writes {name: meta} (for the recorder)."""
    text = json.dumps({name: meta[name] for name in sorted(meta)}).encode()
    (ZOO / corpus / "meta.json.xz").write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
