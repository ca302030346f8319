"""Traces the nets of GluonNLP and of Gluon's model zoo into a folder that tools/gen_architectures.py packs.

  trace_nets.py OUTPUT [--scripts DIR] [--only REGEX]

Runs with MXNet 1.9.1 and GluonNLP 0.10.0 on Python 3.8, without weights:

    python3.8 -m venv V; V/bin/pip install mxnet==1.9.1 numpy==1.19.5 packaging
    V/bin/pip install --no-deps gluonnlp==0.10.0

DIR is the folder `scripts` of GluonNLP's repository at v0.10.0, where GPT-2, XLNet and BERT for questions are. Written are graphs.json.xz
(each graph with its parameters called as `save_parameters` calls them), structural.json.xz and nlp_structural.json.xz (keys, names, shapes).

A net is traced by calling it with symbols. Three of GluonNLP ask arrays for their sizes and so cannot be: of BigRNN, XLNet and the
transformer the steps around their blocks are repeated here with operators that find the sizes themselves.
"""

import argparse
import hashlib
import json
import lzma
import os
import pathlib
import re
import sys
import unittest.mock

os.environ["MXNET_SUBGRAPH_BACKEND"] = "NONE"

import mxnet as mx  # noqa: E402

S = mx.sym
WORDS = {
    "bert": 30522,
    "ernie": 18000,
    "roberta": 50265,
    "distilbert": 30522,
    "gpt2": 50257,
    "awd": 33278,
    "standard": 33278,
    "big": 793471,
    "transformer": 36794,
    "xlnet": 32000,
}
"""Of the published weights' vocabularies, by how nets' names begin. Another one is taken from the file's shapes."""


def var(*names):
    return [S.Variable(name) for name in names]


def flat(value):
    if isinstance(value, (list, tuple)):
        return [entry for part in value for entry in flat(part)]
    return [] if value is None else [value]


class Vocabulary:
    """What nets ask of a vocabulary is how large it is."""

    def __init__(self, net):
        self.size = WORDS[net.split("_")[0]]

    def __len__(self):
        return self.size


def bert(name, pooler=False, classifier=False, decoder=False):
    import gluonnlp

    net, _ = gluonnlp.model.get_model(
        name,
        dataset_name=None,
        vocab=Vocabulary(name),
        pretrained=False,
        use_pooler=pooler,
        use_classifier=classifier,
        use_decoder=decoder,
    )
    return net


def bert_parts(name, **parts):
    names = ["data0", "data1", "data2"] + (["data3"] if parts.get("decoder") else [])
    net = bert(name, **parts)
    return net, net(*var(*names))


def fine_tuned(cls, net, inputs, **options):
    """With or without a dropout before the last layer, which the keys count."""
    tuned = cls(net, dropout=0.1, **options)
    return tuned, tuned(*var(*inputs))


def bert_classifier(name):
    import gluonnlp

    return fine_tuned(gluonnlp.model.BERTClassifier, bert(name, pooler=True), ["data0", "data1", "data2"])


def bert_questions(name):
    from bert.model.qa import BertForQA

    net = BertForQA(bert(name))
    return net, net(*var("data0", "data1", "data2"))


def roberta(name, decoder):
    import gluonnlp

    net, _ = gluonnlp.model.get_model(name, vocab=Vocabulary(name), pretrained=False, use_decoder=decoder)
    return net


def roberta_parts(name, decoder):
    net = roberta(name, decoder)
    return net, net(*var(*["data0", "data1"] + (["data2"] if decoder else [])))


def roberta_classifier(name):
    import gluonnlp

    return fine_tuned(gluonnlp.model.RoBERTaClassifier, roberta(name, False), ["data0", "data1"])


def distilbert(name):
    import gluonnlp

    net, _ = gluonnlp.model.get_model(name, dataset_name=None, vocab=Vocabulary(name), pretrained=False)
    return net, net(*var("data0", "data1"))


def gpt2(name):
    import text_generation.model

    net, _ = text_generation.model.get_model(name, vocab=Vocabulary(name), pretrained=False)
    return net, net(*var("data"))


def awd_lstm(name):
    import gluonnlp

    net, _ = gluonnlp.model.get_model(name, vocab=Vocabulary(name), pretrained=False)
    states = [var("h%d" % i, "c%d" % i) for i in range(len(net.encoder))]
    return net, net(*var("data0"), states)


def standard_lstm(name):
    """Its dropout, which does nothing outside of training, is written for arrays alone."""
    import gluonnlp

    net, _ = gluonnlp.model.get_model(name, vocab=Vocabulary(name), pretrained=False, dropout=0)
    return net, net(*var("data0"), var("state0", "state1"))


def big_rnn(name):
    """Its `forward` unrolls the cell for the length of an array: here a loop of any length."""
    import gluonnlp

    net, _ = gluonnlp.model.get_model(name, vocab=Vocabulary(name), pretrained=False)
    encoded, states = S.contrib.foreach(net.encoder, net.embedding(*var("data0")), var("s0", "s1"))
    net.decoder._flatten = False  # instead of steps and batch as one axis, and apart again
    return net, [net.decoder(encoded), states]


def elmo(name):
    import gluonnlp

    net, _ = gluonnlp.model.get_model(name, pretrained=False)
    layers = range(net._num_layers)
    states = [[var("s%d%d0" % (way, i), "s%d%d1" % (way, i)) for i in layers] for way in (0, 1)]
    return net, net(*var("data"), states)


def transformer(name, part):
    """NMTModel: `init_state_from_encoder` asks for the length of the memory."""
    import gluonnlp

    words = Vocabulary(name)
    # It would download the vocabularies of its data set even if it is given others.
    with unittest.mock.patch("gluonnlp.model.transformer._load_vocab", lambda dataset, given, root: given):
        net, _, _ = gluonnlp.model.get_model(name, dataset_name="", src_vocab=words, tgt_vocab=words)
    source_length, target = var("src_len", "tgt")
    if part == "decoder":
        (memory,) = var("mem")
    else:
        (source,) = var("src")
        memory = net.encode(source, valid_length=source_length)[0]
    if part == "encoder":
        return net, memory
    positions = S.contrib.arange_like(memory, axis=1)
    mask = S.broadcast_lesser(S.reshape(positions, shape=(1, -1)), S.reshape(source_length, shape=(-1, 1)))
    target_length = None if part == "decoder" else var("tgt_len")[0]
    return net, net.decode_seq(target, [memory, mask], target_length)[0]


def xlnet(name, decoder):
    """`forward` without a memory, which asks for the length of the sentence."""
    import gluonnlp  # noqa: F401
    from language_model.transformer import model

    net = model.get_model(name, vocab=Vocabulary(name), tokenizer=object(), pretrained=False, use_decoder=decoder)[0]
    data, types, mask = var("data0", "data1", "data2")
    differ = S.broadcast_not_equal(S.expand_dims(types, 2), S.expand_dims(types, 1))
    segments = S.one_hot(differ, 2, 1, 0)
    counted = S.contrib.arange_like(S.concat(data, data, dim=1), axis=1)
    length = S.slice_axis(S.contrib.arange_like(data, axis=1), axis=0, begin=-1, end=None) + 1
    positions = S.broadcast_sub(length, counted)
    return net, net._net(data, segments, mask, positions, None)[0]


def language_nets():
    """{entry: (how to trace it, its arguments)}"""
    nets = {}
    heads = {
        "encoder": {},
        "pooler": {"pooler": True},
        "decoder": {"decoder": True},
        "pooler+classifier": {"pooler": True, "classifier": True},
        "pooler+decoder": {"pooler": True, "decoder": True},
        "all": {"pooler": True, "classifier": True, "decoder": True},
    }
    for name in ("bert_12_768_12", "bert_24_1024_16"):
        for head, parts in heads.items():
            nets["%s|%s" % (name, head)] = (bert_parts, [name], parts)
        nets[name + "|BERTClassifier"] = (bert_classifier, [name], {})
        nets[name + "|BertForQA"] = (bert_questions, [name], {})
    nets["ernie_12_768_12|pooler"] = (bert_parts, ["ernie_12_768_12"], {"pooler": True})
    for name in ("roberta_12_768_12", "roberta_24_1024_16"):
        nets[name + "|encoder"] = (roberta_parts, [name, False], {})
        nets[name + "|decoder"] = (roberta_parts, [name, True], {})
        nets[name + "|RoBERTaClassifier"] = (roberta_classifier, [name], {})
    nets["distilbert_6_768_12"] = (distilbert, ["distilbert_6_768_12"], {})
    for name in ("gpt2_117m", "gpt2_345m"):
        nets[name] = (gpt2, [name], {})
    for name in ("awd_lstm_lm_600", "awd_lstm_lm_1150"):
        nets[name] = (awd_lstm, [name], {})
    for name in ("standard_lstm_lm_200", "standard_lstm_lm_650", "standard_lstm_lm_1500"):
        nets[name] = (standard_lstm, [name], {})
    nets["big_rnn_lm_2048_512"] = (big_rnn, ["big_rnn_lm_2048_512"], {})
    for name in ("2x1024_128_2048cnn_1xhighway", "2x2048_256_2048cnn_1xhighway", "2x4096_512_2048cnn_2xhighway"):
        nets["elmo_" + name] = (elmo, ["elmo_" + name], {})
    nets["transformer_en_de_512"] = (transformer, ["transformer_en_de_512", "encoder"], {})
    nets["transformer_en_de_512|decoder"] = (transformer, ["transformer_en_de_512", "decoder"], {})
    nets["transformer_en_de_512|translation"] = (transformer, ["transformer_en_de_512", "translation"], {})
    for name in ("xlnet_cased_l12_h768_a12", "xlnet_cased_l24_h1024_a16"):
        nets[name] = (xlnet, [name, True], {})
        nets[name + "|encoder"] = (xlnet, [name, False], {})
    return nets


def gluon_names():
    """Gluon has no list of its nets but the one in a message."""
    try:
        mx.gluon.model_zoo.vision.get_model("?")
    except ValueError as error:
        return re.findall(r"^\t(\S+)$", str(error), re.MULTILINE)
    raise AssertionError("Gluon has a net called '?'")


def keys_of(net):
    """{full name: keys of `save_parameters`} and the parameters by their full names."""
    keys, parameters = {}, {}
    for key, parameter in net._collect_params_with_prefix().items():
        keys.setdefault(parameter.name, []).append(key)
        parameters[parameter.name] = parameter
        if re.search(r"classifier\.1\.(weight|bias)$", key) and len(net.classifier) == 2:
            keys[parameter.name].append(key.replace("classifier.1.", "classifier.0."))
    return keys, parameters


def renamed(graph, keys):
    """The graph with its parameters called by their first keys, and nothing in it that nobody reads."""
    nodes = []
    for node in graph["nodes"]:
        new = {"op": node["op"], "name": keys.get(node["name"], [node["name"]])[0], "inputs": node["inputs"]}
        attrs = {k: v for k, v in (node.get("attrs") or {}).items() if not k.startswith("__")}
        if node["op"] == "null":
            attrs = {}
        if attrs:
            new["attrs"] = attrs
        if node.get("subgraphs"):
            new["subgraphs"] = [renamed(part, keys) for part in node["subgraphs"]]
        nodes.append(new)
    return {"nodes": nodes, "arg_nodes": graph["arg_nodes"], "heads": graph["heads"]}


def describe(net, outputs, shapes):
    symbol = S.Group(flat(outputs))
    keys, parameters = keys_of(net)
    graph = renamed(json.loads(symbol.tojson()), keys)
    # A size that Gluon learns from the first input is 0, and means any, unless one says otherwise.
    shape_of = {name: shapes.get(name, parameter.shape) for name, parameter in parameters.items()}
    # One of no shape at all is in no graph, and never gets an array.
    sizes = {name: list(shape) for name, shape in shape_of.items() if shape is not None}
    params = {key: [name, sizes[name]] for name, its_keys in keys.items() if name in sizes for key in its_keys}
    inputs = [n for n in symbol.list_inputs() if n not in parameters]
    return graph, params, inputs


def published(name):
    """{file: sha1} of the weights that GluonNLP has of this net."""
    from mxnet.gluon.model_zoo import model_store

    start = name.split("|")[0] + "_"
    found = {k: v for k, v in model_store._model_sha1.items() if k.startswith(start)}
    return {"%s-%s.params" % (k, v[:8]): v for k, v in sorted(found.items())}


class Folder:
    def __init__(self):
        self.graphs, self.names = {}, {}
        self.entries = {"structural": {}, "nlp_structural": {}}

    def add(self, file, entry, graph_name, net, outputs, facts, shapes=()):
        graph, params, inputs = describe(net, outputs, dict(shapes))
        text = json.dumps(graph, sort_keys=True)
        identity = hashlib.sha1(text.encode()).hexdigest()[:16]
        self.graphs[identity] = graph
        self.names[graph_name] = identity
        self.entries[file][entry] = dict(facts, params=params, inputs=inputs)
        print("%-40s %5d nodes %4d keys %s" % (graph_name, len(graph["nodes"]), len(params), inputs), flush=True)

    def write(self, path):
        path.mkdir(parents=True, exist_ok=True)
        files = dict(self.entries, graphs={"graphs": self.graphs, "names": self.names})
        for name, value in files.items():
            with lzma.open(str(path / (name + ".json.xz")), "wt") as out:
                json.dump(value, out, sort_keys=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--scripts", type=pathlib.Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if arguments.scripts:
        sys.path[:0] = [str(arguments.scripts), str(arguments.scripts / "language_model")]
    folder = Folder()
    for name, (trace, positional, named) in language_nets().items():
        if re.search(arguments.only, "nlp/" + name):
            # Gluon counts the blocks of a program; a net's names are those it has as the first of one.
            with mx.name.NameManager():
                net, outputs = trace(*positional, **named)
            facts = {"files": published(name), "only_in_file": [], "constants": [], "class": type(net).__name__}
            folder.add("nlp_structural", name, "nlp/" + name, net, outputs, facts)
    for name in gluon_names():
        if re.search(arguments.only, "mxnet/" + name):
            with mx.name.NameManager():
                net = mx.gluon.model_zoo.vision.get_model(name, pretrained=False)
                outputs = net(*var("data"))
            folder.add("structural", "mxnet/" + name, "mxnet/" + name, net, outputs, {})
    folder.write(arguments.output)


if __name__ == "__main__":
    main()
