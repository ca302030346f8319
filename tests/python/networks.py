"""Networks written as MXNet symbols without MXNet, with seeded weights: for benchmarks and for tests of size."""

import json
import pathlib
import struct

import numpy as np


class SymbolBuilder:
    """Collects nodes; every method returns an entry [node, output, version]."""

    def __init__(self):
        self.nodes = []
        self.shapes = {}  # parameter name: shape
        self.amp = False  # layers compute in float16, of weights that are cast as MXNet's AMP casts them

    def _add(self, op, name, inputs, attrs):
        self.nodes.append({"op": op, "name": name, "attrs": {k: str(v) for k, v in attrs.items()}, "inputs": inputs})
        return [len(self.nodes) - 1, 0, 0]

    def variable(self, name):
        return self._add("null", name, [], {})

    def parameter(self, name, *shape):
        self.shapes[name] = shape
        return self.variable(name)

    def weight(self, name, *shape):
        """A parameter as a layer takes it."""
        parameter = self.parameter(name, *shape)
        return self.node("amp_cast", name + "_cast", parameter, dtype="float16") if self.amp else parameter

    def node(self, op, name, *inputs, **attrs):
        return self._add(op, name, list(inputs), attrs)

    def conv(self, name, x, channels, filters, kernel, stride=1, pad=0, bias=True, groups=1):
        inputs = [x, self.weight(name + "_weight", filters, channels // groups, kernel, kernel)]
        if bias:
            inputs.append(self.weight(name + "_bias", filters))
        return self.node(
            "Convolution",
            name,
            *inputs,
            kernel=(kernel, kernel),
            num_filter=filters,
            stride=(stride, stride),
            pad=(pad, pad),
            num_group=groups,
            no_bias=not bias,
        )

    def batch_norm(self, name, x, channels):
        stats = [self.parameter("%s_%s" % (name, s), channels) for s in ("gamma", "beta", "moving_mean", "moving_var")]
        return self.node("BatchNorm", name, x, *stats, fix_gamma=False, eps=1e-5)

    def relu(self, name, x):
        return self.node("Activation", name, x, act_type="relu")

    def dense(self, name, x, features, units):
        return self.node(
            "FullyConnected",
            name,
            x,
            self.weight(name + "_weight", units, features),
            self.weight(name + "_bias", units),
            num_hidden=units,
        )

    def json(self, *heads):
        return json.dumps({"nodes": self.nodes, "heads": list(heads), "attrs": {"mxnet_version": ["int", 10901]}})


def vgg16(amp=False):
    """(symbol text, {parameter: shape}) of VGG-16: 553 MB of weights, none of which changes, or which are cast to float16."""
    s = SymbolBuilder()
    s.amp = amp
    x, channels = s.variable("data"), 3
    if amp:
        x = s.node("amp_cast", "data_cast", x, dtype="float16")
    for stage, (count, filters) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for i in range(1, count + 1):
            name = "conv%d_%d" % (stage, i)
            x = s.relu("relu%d_%d" % (stage, i), s.conv(name, x, channels, filters, 3, pad=1))
            channels = filters
        x = s.node("Pooling", "pool%d" % stage, x, kernel=(2, 2), stride=(2, 2), pool_type="max")
    features = 512 * 7 * 7
    for i, units in enumerate((4096, 4096), 6):
        x = s.relu("relu%d" % i, s.dense("fc%d" % i, x, features, units))
        x = s.node("Dropout", "drop%d" % i, x, p=0.5)
        features = units
    x = s.dense("fc8", x, features, 1000)
    if amp:
        x = s.node("amp_cast", "fc8_cast", x, dtype="float32")
    return s.json(s.node("SoftmaxOutput", "prob", x, s.variable("prob_label"))), s.shapes


def resnet50():
    """The same of ResNet-50 v1: 102 MB of weights, in which batch normalisation folds."""
    s = SymbolBuilder()
    x = s.relu("relu0", s.batch_norm("bn0", s.conv("conv0", s.variable("data"), 3, 64, 7, 2, 3, bias=False), 64))
    x = s.node("Pooling", "pool0", x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max")
    channels = 64
    for stage, (units, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for unit in range(units):
            name = "stage%d_unit%d" % (stage, unit)
            stride = 2 if unit == 0 and stage > 1 else 1
            y, inner = x, channels
            for i, (filters, kernel, step, pad) in enumerate(
                ((width, 1, stride, 0), (width, 3, 1, 1), (4 * width, 1, 1, 0))
            ):
                y = s.batch_norm(
                    "%s_bn%d" % (name, i),
                    s.conv("%s_conv%d" % (name, i), y, inner, filters, kernel, step, pad, bias=False),
                    filters,
                )
                inner = filters
                if i < 2:
                    y = s.relu("%s_relu%d" % (name, i), y)
            if unit == 0:
                x = s.batch_norm(
                    name + "_sc_bn", s.conv(name + "_sc", x, channels, 4 * width, 1, stride, bias=False), 4 * width
                )
            channels = 4 * width
            x = s.relu(name + "_relu", s.node("elemwise_add", name + "_add", x, y))
    x = s.node("Pooling", "pool1", x, global_pool=True, pool_type="avg", kernel=(7, 7))
    x = s.dense("fc", s.node("Flatten", "flatten", x), channels, 1000)
    return s.json(s.node("softmax", "prob", x)), s.shapes


def mobilenet_v2():
    """The same of MobileNet v2: 14 MB of weights, in which batch normalisation folds."""
    s = SymbolBuilder()

    def block(name, x, channels, filters, kernel=1, stride=1, groups=1, relu=True):
        conv = s.conv(name, x, channels, filters, kernel, stride, kernel // 2, bias=False, groups=groups)
        y = s.batch_norm(name + "_bn", conv, filters)
        return s.node("clip", name + "_relu6", y, a_min=0, a_max=6) if relu else y

    x, channels = block("conv0", s.variable("data"), 3, 32, 3, 2), 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for stage, (expansion, filters, count, first) in enumerate(stages):
        for i in range(count):
            name, stride, inner = "stage%d_%d" % (stage, i), first if i == 0 else 1, channels * expansion
            y = block(name + "_expand", x, channels, inner)
            y = block(name + "_depth", y, inner, inner, 3, stride, inner)
            y = block(name + "_project", y, inner, filters, relu=False)
            x = s.node("elemwise_add", name + "_add", x, y) if stride == 1 and channels == filters else y
            channels = filters
    x = block("conv_last", x, channels, 1280)
    x = s.node("Pooling", "pool", x, global_pool=True, pool_type="avg", kernel=(1, 1))
    x = s.conv("pred", x, 1280, 1000, 1, bias=False)
    return s.json(s.node("Flatten", "flatten", x)), s.shapes


def bert(layers, units, heads, hidden, vocabulary=30522, length=512):
    """BERT as GluonNLP 0.10 exports it, without valid lengths: the projections of a layer are interleaved in the graph. Inputs:
    `data` and `segments`, of shape (batch, length). (24, 1024, 16, 4096) is BERT-large, (12, 768, 12, 3072) is BERT-base."""
    s = SymbolBuilder()

    def embedding(name, ids, rows):
        weight = s.parameter(name + "_weight", rows, units)
        return s.node("Embedding", name, ids, weight, input_dim=rows, output_dim=units)

    def dense(name, x, features, width, weight=None, bias=None):
        weight = weight or s.parameter(name + "_weight", width, features)
        bias = bias or s.parameter(name + "_bias", width)
        return s.node("FullyConnected", name, x, weight, bias, num_hidden=width, flatten=False)

    def norm(name, x):
        gamma, beta = s.parameter(name + "_gamma", units), s.parameter(name + "_beta", units)
        return s.node("LayerNorm", name, x, gamma, beta, eps=1e-12)

    def attention(name, x):
        weights, biases = [], []
        for part in ("query", "key", "value"):
            weight = s.parameter("%s_%s_weight" % (name, part), units, units)
            bias = s.parameter("%s_%s_bias" % (name, part), units)
            weights.append(s.node("Reshape", "%s_%s_w" % (name, part), weight, shape=(heads, -1, 0), reverse=True))
            biases.append(s.node("Reshape", "%s_%s_b" % (name, part), bias, shape=(heads, -1), reverse=True))
        weight = s.node("Concat", name + "_weights", *weights, dim=-2, num_args=3)
        weight = s.node("Reshape", name + "_weight", weight, shape=(-1, 0), reverse=True)
        bias = s.node("stack", name + "_biases", *biases, axis=1, num_args=3)
        bias = s.node("Reshape", name + "_bias", bias, shape=(-1,))
        qkv = dense(name + "_qkv", x, units, 3 * units, weight, bias)
        y = s.node(
            "softmax",
            name + "_softmax",
            s.node("_contrib_interleaved_matmul_selfatt_qk", name + "_qk", qkv, heads=heads),
        )
        y = s.node("_copy", name + "_dropout", y)
        y = s.node("_contrib_interleaved_matmul_selfatt_valatt", name + "_valatt", qkv, y, heads=heads)
        return dense(name + "_proj", y, units, units)

    x = embedding("word", s.variable("data"), vocabulary)
    x = s.node("elemwise_add", "words_and_segments", x, embedding("segment", s.variable("segments"), 2))
    x = s.node("transpose", "length_first", x, axes=(1, 0, 2))
    at = embedding("position", s.node("_contrib_arange_like", "positions", x, axis=0), length)
    x = norm("norm", s.node("broadcast_add", "with_positions", x, s.node("expand_dims", "position_row", at, axis=1)))
    for i in range(layers):
        name = "layer%d" % i
        x = norm(name + "_attention_norm", s.node("elemwise_add", name + "_sum", attention(name + "_attention", x), x))
        y = dense(name + "_ffn_1", x, units, hidden)
        y = dense(name + "_ffn_2", s.node("LeakyReLU", name + "_gelu", y, act_type="gelu"), hidden, units)
        x = norm(name + "_ffn_norm", s.node("elemwise_add", name + "_ffn_sum", y, x))
    return s.json(s.node("transpose", "batch_first", x, axes=(1, 0, 2))), s.shapes


def dense_layers(count, size, amp=False):
    """Dense layers over the last axis, whose weights ONNX wants transposed, and float16 where AMP casts them: (symbol JSON,
    {parameter: shape})."""
    builder = SymbolBuilder()
    builder.amp = amp
    x = builder.variable("data")
    if amp:
        x = builder.node("amp_cast", "data_cast", x, dtype="float16")
    for i in range(count):
        weight = builder.weight("w%d" % i, size, size)
        x = builder.node("FullyConnected", "fc%d" % i, x, weight, num_hidden=size, no_bias=True, flatten=False)
    return builder.json(x), builder.shapes


def chain(length):
    """A symbol of so many nodes one behind the other, without weights."""
    s = SymbolBuilder()
    x = s.variable("data")
    for i in range(length):
        x = s.node("Activation", "act%d" % i, x, act_type="relu" if i % 2 else "tanh")
    return s.json(x)


def tiny_parameters(count):
    """So many parameters of four numbers, each of which is added."""
    s = SymbolBuilder()
    x = s.variable("data")
    for i in range(count):
        x = s.node("broadcast_add", "add%d" % i, x, s.parameter("p%d" % i, 4))
    return s.json(x), s.shapes


def many_heads(count):
    """A symbol of so many outputs, each of its own node."""
    s = SymbolBuilder()
    x = s.variable("data")
    return s.json(*(s.node("Activation", "act%d" % i, x, act_type="relu") for i in range(count)))


def many_inputs(count):
    """A symbol of so many inputs x0, x1… and outputs."""
    s = SymbolBuilder()
    return s.json(*(s.node("Activation", "act%d" % i, s.variable("x%d" % i), act_type="relu") for i in range(count)))


def write_params(path, shapes, seed=0):
    """Writes a V2 list file of seeded float32 weights, one array at a time."""
    random = np.random.default_rng(seed)
    with open(path, "wb") as f:
        f.write(struct.pack("<QQQ", 0x112, 0, len(shapes)))
        for name, shape in shapes.items():
            f.write(struct.pack("<IiI", 0xF993FAC9, 0, len(shape)) + struct.pack("<%dq" % len(shape), *shape))
            f.write(struct.pack("<iii", 1, 0, 0))
            values = random.random(int(np.prod(shape)), dtype=np.float32)
            low, high = (0.5, 1.5) if name.endswith(("gamma", "var")) else (-0.05, 0.05)
            f.write((values * (high - low) + low).astype(np.float32).tobytes())
        f.write(struct.pack("<Q", len(shapes)))
        for name in shapes:
            kind = "aux:" if "moving_" in name else "arg:"
            f.write(struct.pack("<Q", len(name) + 4) + (kind + name).encode())


def read_list(path):
    """The arrays of a V2 list file of float32, for making variants of it."""
    data, at = pathlib.Path(path).read_bytes(), 24
    count = struct.unpack_from("<Q", data, 16)[0]
    arrays = []
    for _ in range(count):
        rank = struct.unpack_from("<I", data, at + 8)[0]
        shape = struct.unpack_from("<%dq" % rank, data, at + 12)
        at += 12 + 8 * rank + 12
        size = int(np.prod(shape)) * 4
        arrays.append(np.frombuffer(data, "float32", size // 4, at).reshape(shape))
        at += size
    at += 8
    names = []
    for _ in range(count):
        length = struct.unpack_from("<Q", data, at)[0]
        names.append(data[at + 8 : at + 8 + length].decode())
        at += 8 + length
    return dict(zip(names, arrays))
