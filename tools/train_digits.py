#!/usr/bin/env python
"""Trains the small models of tests/models with MXNet and records what MXNet gives for some digits.

Runs on Python 3.8 with mxnet==1.9.1 numpy==1.19.5 scikit-learn==0.24.2. The data are scikit-learn's 1,797
handwritten digits of 8 by 8 pixels (UCI ML hand-written digits, public).

- digits_cnn: Gluon, convolutions with batch normalisation, dropout, a dense layer; softmax on top
- digits_lstm: the Module API, an LSTM over the rows, unrolled, with a SoftmaxOutput head and its label

For each: NAME-symbol.json, NAME-0000.params and NAME-expected.npz with `data` (16 digits that training did not
see), `label` (what they are), `output` (MXNet's probabilities).

  train_digits.py            writes all of them
"""

import os
import random

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"

import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

import mxnet as mx  # noqa: E402
from mxnet import autograd, gluon  # noqa: E402

MODELS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "models")
NUM_SHOWN = 16


def load_data():
    """(images in [0, 1], labels) for training, and the same for testing, in a fixed random order."""
    digits = load_digits()
    order = np.random.RandomState(0).permutation(len(digits.target))
    images = (digits.images[order] / 16).astype("float32")
    labels = digits.target[order].astype("float32")
    return (images[:1500], labels[:1500]), (images[1500:], labels[1500:])


def seed_everything():
    random.seed(0)
    np.random.seed(0)
    mx.random.seed(0)


def save_expected(name, data, labels, output):
    accuracy = float((output.argmax(1) == labels).mean())
    print("%s: %.1f %% of %d digits right" % (name, 100 * accuracy, len(labels)))
    np.savez_compressed(
        os.path.join(MODELS, name + "-expected.npz"),
        data=data[:NUM_SHOWN],
        label=labels[:NUM_SHOWN].astype("int64"),
        output=output[:NUM_SHOWN],
    )


def train_cnn(train, test):
    net = gluon.nn.HybridSequential(prefix="digits_")
    with net.name_scope():
        net.add(
            gluon.nn.Conv2D(16, 3, padding=1, use_bias=False),
            gluon.nn.BatchNorm(),
            gluon.nn.Activation("relu"),
            gluon.nn.MaxPool2D(2),
            gluon.nn.Conv2D(32, 3, padding=1),
            gluon.nn.BatchNorm(scale=False),
            gluon.nn.LeakyReLU(0.1),
            gluon.nn.AvgPool2D(2),
            gluon.nn.Flatten(),
            gluon.nn.Dropout(0.3),
            gluon.nn.Dense(10),
        )
    net.initialize(mx.init.Xavier())
    net.hybridize()
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 3e-3})
    images, labels = train[0][:, None], train[1]
    for _epoch in range(12):
        order = np.random.permutation(len(labels))
        for start in range(0, len(labels), 50):
            batch = order[start : start + 50]
            with autograd.record():
                value = loss(net(mx.nd.array(images[batch])), mx.nd.array(labels[batch]))
            value.backward()
            trainer.step(len(batch))
    # The exported model ends in probabilities.
    symbol = mx.sym.softmax(net(mx.sym.Variable("data")), name="probabilities")
    params = {p.name: p for p in net.collect_params().values()}
    arrays = {}
    for kind, names in (("arg", symbol.list_arguments()), ("aux", symbol.list_auxiliary_states())):
        arrays.update({"%s:%s" % (kind, n): params[n].data() for n in names if n != "data"})
    symbol.save(os.path.join(MODELS, "digits_cnn-symbol.json"))
    mx.nd.save(os.path.join(MODELS, "digits_cnn-0000.params"), arrays)
    data = test[0][:, None]
    save_expected("digits_cnn", data, test[1], mx.nd.softmax(net(mx.nd.array(data))).asnumpy())


def train_lstm(train, test):
    def build(batch):
        cell = mx.rnn.SequentialRNNCell()
        cell.add(mx.rnn.LSTMCell(24, prefix="lstm_"))
        outputs, _ = cell.unroll(8, mx.sym.Variable("data"), layout="NTC", merge_outputs=False)
        scores = mx.sym.FullyConnected(outputs[-1], num_hidden=10, name="fc")
        return mx.sym.SoftmaxOutput(scores, name="softmax")

    module = mx.mod.Module(build(50))
    iterator = mx.io.NDArrayIter(train[0], train[1], 50, shuffle=True)
    module.fit(
        iterator, num_epoch=40, optimizer="adam", optimizer_params={"learning_rate": 0.01}, initializer=mx.init.Xavier()
    )
    module.save_checkpoint(os.path.join(MODELS, "digits_lstm"), 0)
    output = module.predict(mx.io.NDArrayIter(test[0], test[1], 50)).asnumpy()
    save_expected("digits_lstm", test[0], test[1], output)


def main():
    os.makedirs(MODELS, exist_ok=True)
    train, test = load_data()
    for trainer in (train_cnn, train_lstm):
        seed_everything()
        trainer(train, test)


if __name__ == "__main__":
    main()
