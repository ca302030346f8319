"""Runs in an interpreter that has MXNet and mx2onnx: exports live objects, and saves what MXNet computes of them.

live_objects.py FOLDER      prints the names of what it made
"""

import os
import sys
import warnings

import mx2onnx
import numpy as np

import mxnet as mx

if not mx.__version__.startswith("1.5"):  # 1.5 takes NONE for the name of a backend, and fails
    os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"
folder = sys.argv[1]
X = np.random.RandomState(0).rand(2, 3, 8, 8).astype("float32")


def path(name):
    return os.path.join(folder, name)


def done(name, feeds, out):
    np.savez(path(name + ".npz"), out=out.asnumpy(), **{"in/" + k: v for k, v in feeds.items()})
    print(name)


def symbol():
    data = mx.sym.var("data")
    net = mx.sym.Convolution(data, kernel=(3, 3), num_filter=4, name="conv")
    net = mx.sym.BatchNorm(net, fix_gamma=False, name="bn")
    net = mx.sym.FullyConnected(mx.sym.Activation(net, act_type="relu", name="act"), num_hidden=5, name="fc")
    shapes, _, aux_shapes = net.infer_shape(data=X.shape)
    random = np.random.RandomState(1)
    params = {}
    for names, found in ((net.list_arguments(), shapes), (net.list_auxiliary_states(), aux_shapes)):
        for n, s in zip(names, found):
            if n != "data":
                params[n] = mx.nd.array(random.rand(*s) * 0.5 + 0.1)
    arguments = {n: params[n] for n in net.list_arguments() if n != "data"}
    arguments["data"] = mx.nd.array(X)
    aux = {n: params[n] for n in net.list_auxiliary_states()}
    bind = net._bind if hasattr(net, "_bind") else net.bind
    out = bind(mx.cpu(), arguments, aux_states=aux, grad_req="null").forward(is_train=False)[0]
    marked = {("aux:" if n in aux else "arg:") + n: v for n, v in params.items()}
    return net, params, marked, out


net, params, marked, out = symbol()
mx2onnx.export_model(net, params, [X.shape], np.float32, path("plain.onnx"))
done("plain", {"data": X}, out)
mx2onnx.export_model(net, marked, [X.shape], np.float32, path("marked.onnx"), dynamic=True)
done("marked", {"data": X}, out)
bind_out = out

# A Gluon block, hybridized.
block = mx.gluon.nn.HybridSequential()
block.add(mx.gluon.nn.Conv2D(4, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Activation("relu"), mx.gluon.nn.Dense(3))
block.initialize(mx.init.Xavier())
block.hybridize()
array = mx.np.array(X) if mx.__version__.startswith("2") else mx.nd.array(X)
out = block(array)
mx2onnx.export_model(block, None, [X.shape], np.float32, path("block.onnx"))
done("block", {"data": X}, out)
result = mx2onnx.convert(block, inputs={"data": ("batch", 3, 8, 8)})
assert result.outputs[0]["shape"] == ["batch", 3], result
result.save(path("block_convert.onnx"))
done("block_convert", {"data": X}, out)

# The two dicts of a checkpoint, as a list.
arguments = {n: v for n, v in params.items() if n in net.list_arguments()}
auxiliary = {n: v for n, v in params.items() if n not in arguments}
mx2onnx.export_model(net, [arguments, auxiliary], [X.shape], np.float32, path("two_dicts.onnx"))
done("two_dicts", {"data": X}, bind_out)


# A block of one's own, with two inputs and two outputs. MXNet 2 has `forward` in place of `hybrid_forward`.
class Own(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        self.first, self.second = mx.gluon.nn.Dense(4, activation="relu"), mx.gluon.nn.Dense(2)

    if mx.__version__.startswith("2"):

        def forward(self, a, b):
            return self.second(self.first(a)), self.first(b)

    else:

        def hybrid_forward(self, F, a, b):
            return self.second(self.first(a)), self.first(b)


own = Own()
own.initialize(mx.init.Xavier())
own.hybridize()
B = np.random.RandomState(2).rand(3, 5).astype("float32")
A = np.random.RandomState(3).rand(2, 5).astype("float32")
as_array = mx.np.array if mx.__version__.startswith("2") else mx.nd.array
first, second = own(as_array(A), as_array(B))
names = [port["name"] for port in mx2onnx.inspect(own)["inputs"]]
mx2onnx.export_model(own, None, [A.shape, B.shape], [np.float32, np.float32], path("own.onnx"), dynamic=True)
done("own", dict(zip(names, (A, B))), first)

# A block that has not run says so in MXNet's words.
fresh = mx.gluon.nn.Dense(2)
fresh.initialize()
try:
    mx2onnx.convert(fresh)
except RuntimeError as error:
    assert "hybridize" in str(error), error
else:
    raise AssertionError("a block that was not hybridized must be refused")

# The old places.
mx2onnx.install_into_mxnet()
import mxnet.onnx  # noqa: E402
from mxnet.contrib import onnx as onnx_mxnet  # noqa: E402

assert mx.onnx.export_model is mx2onnx.export_model and "Convolution" in mx.onnx.get_operator_support()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    onnx_mxnet.export_model(net, marked, [X.shape], np.float32, path("old_place.onnx"))
assert any("mx2onnx.export_model" in str(w.message) for w in caught if w.category is DeprecationWarning)
done("old_place", {"data": X}, bind_out)
try:
    onnx_mxnet.import_model("x.onnx")
except mx2onnx.UnsupportedError:
    pass
