"""Records what MXNet 1.9.1 computes of GluonNLP's nets into tests/known_nets, with weights by its rule.

  record_known_nets.py --scripts DIR [--only REGEX] [--keep DIR]

Set up as tools/trace_nets.py is. Nets have their real sizes, but a vocabulary of their own, so that the file's shapes have to tell it. --keep
also writes what `save_parameters` writes of each, for conversions by hand.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import unittest.mock

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"

import numpy as np  # noqa: E402

import mxnet as mx  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "known_nets"
sys.path.insert(0, str(ROOT))

from rule import constant, weight  # noqa: E402

WORDS = 97
MOST_VALUES = 48
RANDOM = np.random.RandomState(3)


class Case:
    """A net, its inputs by the names of the traced graph, and how it is called with them as arrays."""

    def __init__(self, net, inputs, call=None):
        self.net, self.inputs = net, inputs
        self.call = call or (lambda *arrays: net(*arrays))


def vocabulary(cls=None):
    import gluonnlp

    return (cls or gluonnlp.Vocab)(gluonnlp.data.count_tokens(["w%d" % i for i in range(WORDS)]))


def words(*shape):
    return RANDOM.randint(0, WORDS, shape).astype("f4")


def draw(*shape):
    return RANDOM.uniform(-1, 1, shape).astype("f4")


def lengths(*values):
    return np.float32(values)


def model(name, **options):
    import gluonnlp

    return gluonnlp.model.get_model(name, pretrained=False, **options)[0]


def bert(name, **heads):
    import gluonnlp

    options = {"use_pooler": False, "use_classifier": False, "use_decoder": False}
    options.update(heads)
    net = model(name, dataset_name=None, vocab=vocabulary(gluonnlp.vocab.BERTVocab), **options)
    types = np.float32([[0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 0, 0, 0]])
    inputs = {"data0": words(2, 7), "data1": types, "data2": lengths(7, 4)}
    if heads.get("use_decoder"):
        inputs["data3"] = np.float32([[0, 3, 6], [1, 2, 2]])
    return Case(net, inputs)


def bert_classifier():
    import gluonnlp

    case = bert("bert_12_768_12", use_pooler=True)
    return Case(gluonnlp.model.BERTClassifier(case.net, num_classes=3, dropout=0.1), case.inputs)


def bert_questions():
    from bert.model.qa import BertForQA

    case = bert("bert_12_768_12")
    return Case(BertForQA(case.net), case.inputs)


def roberta():
    net = model("roberta_12_768_12", vocab=vocabulary(), use_decoder=True)
    return Case(net, {"data0": words(2, 7), "data1": lengths(7, 4), "data2": np.float32([[0, 3, 6], [1, 2, 2]])})


def distilbert():
    net = model("distilbert_6_768_12", dataset_name=None, vocab=vocabulary())
    return Case(net, {"data0": words(2, 7), "data1": lengths(7, 4)})


def gpt2():
    import text_generation.model

    net, _ = text_generation.model.get_model("gpt2_117m", vocab=vocabulary(), pretrained=False)
    return Case(net, {"data": words(2, 6)})


def awd_lstm():
    net = model("awd_lstm_lm_600", vocab=vocabulary())
    sizes = [net.state_info(batch_size=2)[i][0]["shape"] for i in range(3)]
    states = [[draw(*size), draw(*size)] for size in sizes]
    inputs = {"data0": words(5, 2)}
    for i, (h, c) in enumerate(states):
        inputs.update({"h%d" % i: h, "c%d" % i: c})
    return Case(net, inputs, lambda data, *s: net(data, [list(s[i : i + 2]) for i in (0, 2, 4)]))


def standard_lstm():
    net = model("standard_lstm_lm_200", vocab=vocabulary())
    inputs = {"data0": words(5, 2), "state0": draw(2, 2, 200), "state1": draw(2, 2, 200)}
    return Case(net, inputs, lambda data, *states: net(data, list(states)))


def big_rnn():
    net = model("big_rnn_lm_2048_512", vocab=vocabulary())
    inputs = {"data0": words(5, 2), "s0": draw(2, 512), "s1": draw(2, 2048)}
    return Case(net, inputs, lambda data, *states: net(data, list(states)))


def elmo():
    net = model("elmo_2x1024_128_2048cnn_1xhighway")
    inputs = {"data": RANDOM.randint(0, 262, (2, 4, 50)).astype("f4")}
    for name in ("s00", "s01", "s10", "s11"):
        inputs.update({name + "0": draw(2, 128), name + "1": draw(2, 1024)})
    return Case(net, inputs, lambda data, *s: net(data, [[list(s[0:2]), list(s[2:4])], [list(s[4:6]), list(s[6:8])]]))


def transformer(part):
    import gluonnlp

    given = vocabulary()
    with unittest.mock.patch("gluonnlp.model.transformer._load_vocab", lambda dataset, vocab, root: vocab):
        net = gluonnlp.model.get_model("transformer_en_de_512", dataset_name="", src_vocab=given, tgt_vocab=given)[0]
    source, target, source_length, target_length = words(2, 6), words(2, 5), lengths(6, 4), lengths(5, 3)

    def decode(memory, length, data):
        return net.decode_seq(data, net.decoder.init_state_from_encoder(memory, length))[0]

    if part == "encoder":
        case = Case(net, {"src": source, "src_len": source_length}, lambda s, n: net.encode(s, valid_length=n)[0])
    elif part == "decoder":
        case = Case(net, {"mem": draw(2, 6, 512), "src_len": source_length, "tgt": target}, decode)
    else:
        inputs = {"src": source, "src_len": source_length, "tgt": target, "tgt_len": target_length}
        case = Case(net, inputs, lambda s, s_length, t, t_length: net(s, t, s_length, t_length)[0])
    case.first = lambda: net(*[mx.nd.array(a) for a in (source, target, source_length, target_length)])
    return case


def xlnet():
    import gluonnlp  # noqa: F401
    from language_model.transformer import model as xlnets

    net = xlnets.get_model("xlnet_cased_l12_h768_a12", vocab=vocabulary(), tokenizer=object(), pretrained=False)[0]
    mask = np.ones((2, 6, 6), "f4")
    mask[1, :, :2] = 0
    types = np.float32([[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1]])
    inputs = {"data0": words(2, 6), "data1": types, "data2": mask}
    return Case(net, inputs, lambda data, types, mask: net(data, types, None, mask)[0])


CASES = {
    "bert_12_768_12|all": lambda: bert("bert_12_768_12", use_pooler=True, use_classifier=True, use_decoder=True),
    "bert_12_768_12|BERTClassifier": bert_classifier,
    "bert_12_768_12|BertForQA": bert_questions,
    "ernie_12_768_12|pooler": lambda: bert("ernie_12_768_12", use_pooler=True),
    "roberta_12_768_12|decoder": roberta,
    "distilbert_6_768_12": distilbert,
    "gpt2_117m": gpt2,
    "awd_lstm_lm_600": awd_lstm,
    "standard_lstm_lm_200": standard_lstm,
    "big_rnn_lm_2048_512": big_rnn,
    "elmo_2x1024_128_2048cnn_1xhighway": elmo,
    "transformer_en_de_512": lambda: transformer("encoder"),
    "transformer_en_de_512|decoder": lambda: transformer("decoder"),
    "transformer_en_de_512|translation": lambda: transformer("translation"),
    "xlnet_cased_l12_h768_a12": xlnet,
}


def flat(value):
    if isinstance(value, (list, tuple)):
        return [entry for part in value for entry in flat(part)]
    return [] if value is None else [value.asnumpy()]


def run(build):
    """The case, its outputs, and which keys are the same array as another."""
    RANDOM.seed(3)
    first = build()
    first.net.initialize()
    getattr(first, "first", lambda: None)()
    first.call(*[mx.nd.array(a) for a in first.inputs.values()])
    mx.nd.waitall()
    shapes = {key: p.shape for key, p in first.net._collect_params_with_prefix().items()}
    # Weights of a net that has run may be in oneDNN's layout, which set_data cannot write.
    RANDOM.seed(3)
    case = build()
    case.net.initialize()
    same, constants = {}, []
    for key, parameter in case.net._collect_params_with_prefix().items():
        if parameter.name in same:
            same[parameter.name].append(key)
            continue
        same[parameter.name] = [key]
        if isinstance(parameter, mx.gluon.Constant):
            value = parameter.data().asnumpy()
            np.testing.assert_allclose(constant(key, value.shape), value, rtol=1e-6, atol=1e-6, err_msg=key)
            constants.append(key)
        else:
            parameter.set_data(mx.nd.array(weight(key, shapes[key])))
    outputs = flat(case.call(*[mx.nd.array(a) for a in case.inputs.values()]))
    keys = [[names, list(shapes[names[0]])] for names in same.values()]
    return case, outputs, keys, constants


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scripts", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    sys.path[:0] = [str(arguments.scripts), str(arguments.scripts / "language_model")]
    for name, build in CASES.items():
        if not re.search(arguments.only, name):
            continue
        case, outputs, keys, constants = run(build)
        file = name.replace("|", "-")
        if arguments.keep:
            case.net.save_parameters(str(arguments.keep / (file + ".params")))
        steps = [max(1, -(-o.size // MOST_VALUES)) for o in outputs]
        facts = {"keys": keys, "inputs": list(case.inputs), "shapes": [o.shape for o in outputs], "steps": steps}
        facts["constants"] = constants
        arrays = {"in%d" % i: a for i, a in enumerate(case.inputs.values())}
        arrays["outputs"] = np.concatenate([o.reshape(-1)[::step] for o, step in zip(outputs, steps)])
        text = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8)
        np.savez_compressed(str(ROOT / (file + ".npz")), facts=text, **arrays)
        print("%-40s %s" % (name, ["%s %.3g" % (o.shape, o.std()) for o in outputs[:4]]), flush=True)


if __name__ == "__main__":
    main()
