"""Makes the models of tests/walks, as people save them, with MXNet's outputs. Run with MXNet 1.9.1:

    MXNET_SUBGRAPH_BACKEND=NONE python3.8 tests/walks/make_walks.py

keras_cnn, gluonts_mqcnn and rpn_training were made by Keras-MXNet, GluonTS and a script of the RPN's training graph, and
are kept as they are. `golden.npz` has `in/NAME` and `out/I`.
"""

import json
import os
import pathlib

os.environ.setdefault("MXNET_SUBGRAPH_BACKEND", "NONE")

import numpy as np

import mxnet as mx

HERE = pathlib.Path(__file__).resolve().parent


def save(name, symbol, shapes, feeds, labels=(), text=None, cast=None):
    """Saves a checkpoint with seeded weights, and what MXNet computes for the feeds."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    random = np.random.RandomState(len(name))
    known = {k: v.shape for k, v in feeds.items()}
    known.update(shapes)
    args, _, aux = symbol.infer_shape(**known)
    arg_params, aux_params = {}, {}
    for kind, names, found in (("arg", symbol.list_arguments(), args), ("aux", symbol.list_auxiliary_states(), aux)):
        for parameter, shape in zip(names, found):
            if parameter in feeds or parameter in labels:
                continue
            value = random.uniform(-0.5, 0.5, shape)
            if parameter.endswith(("_var", "gamma")):
                value = np.abs(value) + 0.5
            (arg_params if kind == "arg" else aux_params)[parameter] = mx.nd.array(value.astype("float32"))
    if text is None:
        text = symbol.tojson()
    # Old files are read as MXNet reads them.
    (folder / "model-symbol.json").write_text(text)
    loaded = mx.sym.load(str(folder / "model-symbol.json"))
    computed = loaded, dict(arg_params), dict(aux_params)
    if cast is not None:
        # MXNet multiplies no float16 on a CPU: what the float32 net computes is near enough.
        loaded, arg_params, aux_params = cast(loaded, arg_params, aux_params)
        loaded.save(str(folder / "model-symbol.json"), remove_amp_cast=False)
    stored = {"arg:" + k: v for k, v in arg_params.items()}
    stored.update({"aux:" + k: v for k, v in aux_params.items()})
    mx.nd.save(str(folder / "model-0000.params"), stored)

    loaded, arg_params, aux_params = computed
    bound = dict(arg_params)
    for k, v in feeds.items():
        bound[k] = mx.nd.array(v, dtype=v.dtype)
    argument_shapes, _, _ = loaded.infer_shape(**known)
    for k, shape in zip(loaded.list_arguments(), argument_shapes):
        if k not in bound:
            bound[k] = mx.nd.zeros(shape)
    outputs = loaded.bind(mx.cpu(), bound, aux_states=aux_params, grad_req="null").forward(is_train=False)
    golden = {"in/" + k: v for k, v in feeds.items()}
    golden.update({"out/%d" % i: v.asnumpy() for i, v in enumerate(outputs)})
    np.savez_compressed(str(folder / "golden.npz"), **golden)
    print(name, [v.shape for v in outputs], os.path.getsize(str(folder / "model-0000.params")))


def values(*shape):
    return np.random.RandomState(sum(shape)).uniform(-1, 1, shape).astype("float32")


def residual_unit(x, filters, name):
    y = mx.sym.BatchNorm(x, fix_gamma=False, eps=2e-5, name=name + "_bn1")
    y = mx.sym.Convolution(y, num_filter=filters, kernel=(3, 3), pad=(1, 1), no_bias=True, name=name + "_conv1")
    y = mx.sym.BatchNorm(y, fix_gamma=False, eps=2e-5, name=name + "_bn2")
    y = mx.sym.LeakyReLU(y, act_type="prelu", name=name + "_relu1")
    return x + y


def face(train):
    """LResNet of InsightFace, very small: E of an output, and ArcFace's head with its label."""
    x = mx.sym.Variable("data")
    x = (mx.sym.identity(x, name="id") - 127.5) * 0.0078125
    x = mx.sym.Convolution(x, num_filter=4, kernel=(3, 3), stride=(2, 2), pad=(1, 1), no_bias=True, name="conv0")
    x = residual_unit(x, 4, "stage1_unit1")
    x = mx.sym.Dropout(mx.sym.BatchNorm(x, fix_gamma=False, eps=2e-5, name="bn1"), p=0.4)
    x = mx.sym.FullyConnected(x, num_hidden=8, name="pre_fc1")
    embedding = mx.sym.BatchNorm(x, fix_gamma=True, eps=2e-5, name="fc1")
    if not train:
        return embedding
    label = mx.sym.Variable("softmax_label")
    weight = mx.sym.L2Normalization(mx.sym.Variable("fc7_weight", shape=(5, 8)), mode="instance")
    unit = mx.sym.L2Normalization(embedding, mode="instance", name="fc1n") * 64
    fc7 = mx.sym.FullyConnected(unit, weight, num_hidden=5, no_bias=True, name="fc7")
    angle = mx.sym.arccos(mx.sym.pick(fc7, label, axis=1) / 64)
    change = mx.sym.expand_dims(mx.sym.cos(angle + 0.5) * 64 - mx.sym.pick(fc7, label, axis=1), 1)
    onehot = mx.sym.one_hot(label, depth=5, on_value=1.0, off_value=0.0)
    fc7 = fc7 + mx.sym.broadcast_mul(onehot, change)
    head = mx.sym.SoftmaxOutput(fc7, label, name="softmax", normalization="valid")
    return mx.sym.Group([mx.sym.BlockGrad(embedding), head])


def conv_factory(x, filters, kernel, name, stride=(1, 1), pad=(0, 0)):
    x = mx.sym.Convolution(x, num_filter=filters, kernel=kernel, stride=stride, pad=pad, name="conv_" + name)
    return mx.sym.Activation(mx.sym.BatchNorm(x, name="bn_" + name), act_type="relu", name="relu_" + name)


def inception_bn():
    x = conv_factory(mx.sym.Variable("data"), 4, (3, 3), "1", pad=(1, 1))
    left = conv_factory(x, 3, (1, 1), "3a_1x1")
    right = mx.sym.Pooling(x, kernel=(3, 3), stride=(1, 1), pad=(1, 1), pool_type="avg", name="avg_pool_3a_pool")
    x = mx.sym.Concat(left, conv_factory(right, 2, (1, 1), "3a_proj"), name="ch_concat_3a_chconcat")
    x = mx.sym.Pooling(x, kernel=(8, 8), stride=(1, 1), pool_type="avg", name="global_pool")
    x = mx.sym.FullyConnected(mx.sym.Flatten(x, name="flatten"), num_hidden=6, name="fc1")
    return mx.sym.SoftmaxOutput(x, name="softmax")


def as_of_0_8(symbol):
    """The JSON as MXNet 0.8 wrote it: `param` for the operator's attributes, no version, auxiliary states unseen."""
    new = json.loads(symbol.tojson())
    states = set(symbol.list_auxiliary_states())
    place, nodes = {}, []
    for i, node in enumerate(new["nodes"]):
        if node["op"] == "null" and node["name"] in states:
            continue
        place[i] = len(nodes)
        inputs = [entry[:2] for entry in node["inputs"] if entry[0] in place]
        nodes.append(
            {
                "op": node["op"],
                "param": {} if node["op"] == "null" else node.get("attrs", {}),
                "name": node["name"],
                "inputs": [[place[n], k] for n, k in inputs],
                "backward_source_id": -1,
            }
        )
    arguments = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    heads = [[place[entry[0]], entry[1]] for entry in new["heads"]]
    return json.dumps({"nodes": nodes, "arg_nodes": arguments, "heads": heads}, indent=2)


def detector():
    """An SSD of one scale, as its deploy.py makes it."""
    x = mx.sym.Variable("data")
    x = mx.sym.Convolution(x, num_filter=4, kernel=(3, 3), stride=(4, 4), pad=(1, 1), name="conv1")
    x = mx.sym.Activation(x, act_type="relu", name="relu1")
    scores = mx.sym.Convolution(x, num_filter=3 * 3, kernel=(3, 3), pad=(1, 1), name="relu1_cls_pred_conv")
    scores = mx.sym.Reshape(mx.sym.Flatten(mx.sym.transpose(scores, axes=(0, 2, 3, 1))), shape=(0, -1, 3))
    scores = mx.sym.transpose(scores, axes=(0, 2, 1), name="multibox_cls_pred")
    places = mx.sym.Convolution(x, num_filter=3 * 4, kernel=(3, 3), pad=(1, 1), name="relu1_loc_pred_conv")
    places = mx.sym.Flatten(mx.sym.transpose(places, axes=(0, 2, 3, 1)), name="multibox_loc_pred")
    anchors = mx.sym.contrib.MultiBoxPrior(x, sizes=(0.3, 0.5), ratios=(1, 2), name="relu1_anchors")
    probabilities = mx.sym.SoftmaxActivation(scores, mode="channel", name="cls_prob")
    return mx.sym.contrib.MultiBoxDetection(probabilities, places, anchors, nms_threshold=0.5, nms_topk=20,
                                            name="detection")  # fmt: skip


def language_model():
    """A word model of Module: ids and a state go in, probabilities and the state come out."""
    ids, state, cell = (mx.sym.Variable(n) for n in ("data", "lstm_init_h", "lstm_init_c"))
    x = mx.sym.Embedding(ids, input_dim=20, output_dim=6, name="embed")
    x = mx.sym.swapaxes(x, dim1=0, dim2=1)
    out = mx.sym.RNN(x, mx.sym.Variable("lstm_parameters", shape=(336,)), state, cell, state_size=6, num_layers=1, mode="lstm",
                     state_outputs=True, name="lstm")  # fmt: skip
    x = mx.sym.Reshape(mx.sym.swapaxes(out[0], dim1=0, dim2=1), shape=(-1, 6))
    x = mx.sym.FullyConnected(x, num_hidden=20, name="pred")
    head = mx.sym.SoftmaxOutput(x, mx.sym.Reshape(mx.sym.Variable("softmax_label"), shape=(-1,)), name="softmax")
    return mx.sym.Group([head, mx.sym.BlockGrad(out[1]), mx.sym.BlockGrad(out[2])])


def small_cnn(head):
    x = mx.sym.Convolution(mx.sym.Variable("data"), num_filter=4, kernel=(3, 3), name="conv0")
    x = mx.sym.Activation(mx.sym.BatchNorm(x, name="bn0", fix_gamma=False), act_type="relu", name="relu0")
    x = mx.sym.FullyConnected(mx.sym.Flatten(x), num_hidden=3, name="fc0")
    return head(x)


def in_half(symbol, arg_params, aux_params):
    from mxnet.contrib import amp

    return amp.convert_model(symbol, arg_params, aux_params, target_dtype="float16", cast_optional_params=True)


def ctc_net():
    x = mx.sym.Variable("data")
    x = mx.sym.FullyConnected(x, num_hidden=5, flatten=False, name="fc")
    loss = mx.sym.MakeLoss(mx.sym.CTCLoss(mx.sym.swapaxes(x, dim1=0, dim2=1), mx.sym.Variable("label")), name="ctc")
    return mx.sym.Group([loss, mx.sym.BlockGrad(mx.sym.softmax(x, axis=2), name="pred")])


image = values(2, 3, 8, 8)
save("insightface", face(False), {}, {"data": image * 127 + 127})
save(
    "arcface_training",
    face(True),
    {"softmax_label": (2,)},
    {"data": image * 127 + 127, "softmax_label": np.float32([1, 4])},
)
save("inception_bn_0_8", inception_bn(), {}, {"data": image}, ["softmax_label"], text=as_of_0_8(inception_bn()))
save("ssd_deploy", detector(), {}, {"data": values(1, 3, 16, 16)})
save(
    "word_model",
    language_model(),
    {"softmax_label": (2, 5)},
    {
        "data": np.random.RandomState(1).randint(0, 20, (2, 5)).astype("float32"),
        "lstm_init_h": np.zeros((1, 2, 6), "float32"),
        "lstm_init_c": np.zeros((1, 2, 6), "float32"),
    },
    ["softmax_label"],
)
save("module_regression", small_cnn(lambda x: mx.sym.LinearRegressionOutput(x, mx.sym.Variable("lin_reg_label"), name="lro")),
     {}, {"data": image}, ["lin_reg_label"])  # fmt: skip
save("amp_classifier", small_cnn(lambda x: mx.sym.softmax(x, name="prob")), {}, {"data": image}, cast=in_half)
save("ctc_training", ctc_net(), {}, {"data": values(2, 6, 4), "label": np.float32([[1, 2], [3, 0]])})
