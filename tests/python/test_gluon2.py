"""Live Gluon 2 blocks, with the MXNet 2 that this very Python has: `convert`, the old `export_model`, `verify` and `record`.

Skips where `import mxnet` finds no MXNet 2, which has no wheels for the Pythons that most of this suite runs in."""

import sys

import mx2onnx
import numpy as np
import pytest
from running import run

mxnet = pytest.importorskip("mxnet", reason="this Python has no MXNet")
if not mxnet.__version__.startswith("2."):
    pytest.skip("this Python's MXNet is not 2.x", allow_module_level=True)
from mxnet.gluon import HybridBlock, nn, rnn  # noqa: E402

from mxnet import npx  # noqa: E402


@pytest.fixture(autouse=True)
def numpy_semantics():
    npx.set_np()
    yield
    npx.reset_np()


class Attention(HybridBlock):
    """Of NumPy's operators alone, recorded by deferred compute."""

    def __init__(self):
        super().__init__()
        self.queries, self.keys = nn.Dense(4, flatten=False), nn.Dense(4, flatten=False)

    def forward(self, x):
        scores = mxnet.np.einsum("bqc,bkc->bqk", self.queries(x), self.keys(x)) / 2
        scores = mxnet.np.where(scores > 0, scores, scores * 0.1)
        weights = npx.softmax(scores, axis=-1)
        mixed = mxnet.np.matmul(weights, x)
        return mxnet.np.concatenate([mixed, mxnet.np.flip(x, axis=1)], axis=-1).mean(axis=1)


def convolutions():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(), nn.Dense(5))
    return net


def recurrent():
    net = nn.HybridSequential()
    net.add(rnn.LSTM(3, layout="NTC", bidirectional=True), nn.LayerNorm(), nn.GELU())
    return net


NETS = {
    "convolutions": (convolutions, (2, 3, 8, 8)),
    "recurrent": (recurrent, (2, 5, 4)),
    "attention": (Attention, (2, 5, 6)),
}


# MXNet records begin states as zeros of the batch that it saw.
FIXED_BY_MXNET = {"recurrent"}


def free_batch(name, x):
    return x.shape if name in FIXED_BY_MXNET else ("batch", *x.shape[1:])


def hybridized(name):
    """The net, its input and its output, after a call that MXNet records."""
    make, shape = NETS[name]
    net = make()
    net.initialize(mxnet.init.Normal(0.5))
    net.hybridize()
    x = mxnet.np.array(np.random.default_rng(0).standard_normal(shape).astype("float32"))
    return net, x.asnumpy(), net(x).asnumpy()


@pytest.mark.parametrize("name", NETS)
def test_convert(name):
    net, x, expected = hybridized(name)
    for shape in (x.shape, free_batch(name, x)):
        result = mx2onnx.convert(net, inputs={"data": shape})
        np.testing.assert_allclose(run(result.model, {"data": x})[0], expected, rtol=1e-4, atol=1e-5)


def test_a_relu_is_a_relu_and_batch_norms_fold():
    import onnx

    net, x, _ = hybridized("convolutions")
    nodes = onnx.load_from_string(mx2onnx.convert(net, inputs={"data": x.shape}).model).graph.node
    assert [n.op_type for n in nodes] == ["Conv", "Relu", "MaxPool", "Flatten", "Gemm"]


@pytest.mark.parametrize("name", NETS)
def test_export_model(name, tmp_path):
    """With the arguments of MXNet 2.0's mx.onnx.export_model: of a block, a symbol with its parameters, and files."""
    net, x, expected = hybridized(name)
    symbol, params = net.export(str(tmp_path / "net"))
    forms = {
        "block": (net, None),
        "files": (symbol, params),
        "symbol": (mxnet.sym.load(symbol), dict(net.collect_params())),
        "arrays": (mxnet.sym.load(symbol), npx.load(params)),
    }
    for form, (sym, given) in forms.items():
        path = str(tmp_path / (form + ".onnx"))
        assert mx2onnx.export_model(sym, given, [x.shape], np.float32, path, run_shape_inference=True) == path
        np.testing.assert_allclose(run(path, {"data": x})[0], expected, rtol=1e-4, atol=1e-5, err_msg=form)
        if name not in FIXED_BY_MXNET:
            free = [(None, *x.shape[1:])]
            mx2onnx.export_model(sym, given, [x.shape], [np.float32], path, dynamic=True, dynamic_input_shapes=free)
            np.testing.assert_allclose(run(path, {"data": x[:1]})[0], expected[:1], rtol=1e-4, atol=1e-5, err_msg=form)


@pytest.mark.parametrize("name", NETS)
def test_verify(name, tmp_path):
    net, x, _ = hybridized(name)
    files = net.export(str(tmp_path / "net"))
    path = tmp_path / "net.onnx"
    mx2onnx.convert(*files, inputs={"data": free_batch(name, x)}, output=path)
    result = mx2onnx.verify(*files, path, mxnet_python=sys.executable)
    assert result.ok, result.table()


@pytest.mark.parametrize("hybridize", [False, True])
def test_a_block_that_has_not_run_is_refused_by_mxnet_in_its_words(hybridize):
    net = nn.HybridSequential()
    net.add(nn.Dense(3))
    net.initialize()
    if hybridize:
        net.hybridize()
    with pytest.raises(RuntimeError, match="first call block.hybridize"):
        mx2onnx.convert(net)
