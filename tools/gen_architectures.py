#!/usr/bin/env python3
"""Packs the nets of GluonCV, Gluon's model zoo and GluonNLP into data/architectures.bin, from where src/architectures reads them.

  gen_architectures.py GLUONCV ARCHITECTURES... [-o data/architectures.bin]

GLUONCV is a clone of GluonCV, from whose data sets the names of the classes come. ARCHITECTURES are folders with graphs.json.xz,
structural.json.xz and nlp_structural.json.xz: each net traced by MXNet 1.9.1 with its parameters called as `save_parameters` calls them. What
a later folder says of a net goes before what an earlier one says; tools/trace_nets.py writes one of Gluon's nets and GluonNLP's,
tools/trace_gluoncv.py one of GluonCV's.

The file is the size of what follows unpacked (4 bytes, little-endian) and one zlib stream. Numbers are LEB128, signed ones zigzag. In it, in this order:

  texts        count, then size and bytes of each; a name's digits are taken out of it, "conv#_weight"
  operators    count, then for each: text of its name, number of subgraphs, number of attributes, text pairs
  graphs       count, then for each: bytes that follow, number of nodes, nodes, number of heads, heads
               node: operator + 1 or 0 for a variable, name, and for an operator the number of inputs, and for each 2 * (this node - its
               node) + (1 if an output other than the first follows as a number), and then its subgraphs: bytes that follow, graph
               head: node, output
  layouts      count, then for each: bytes that follow, number of parameters, for each key, full name (without the net's prefix), rank and
               shape, and 1 + number of the parameter that is the same array, 0 if there is none before it
  class lists  count, then for each: count, texts
  entries      count, then for each: texts name, prefix of full names, task, library, file, input; graph, layout, 1 + class list, 1 + preparation,
               whether old files are without the prefix, number of further keys that a file may have, names

A name is a text and, for each # in it, the difference from the number that stood there when the text was last used in the same graph or
layout: nets count upwards, so that most differences repeat.
"""

import argparse
import json
import lzma
import pathlib
import re
import zlib

from architecture_facts import PREPARATIONS, Classes, nlp_inputs, task_of

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Packer:
    def __init__(self):
        self.texts = {}

    def text(self, value):
        return self.texts.setdefault(value, len(self.texts))


class Stream:
    """A run of numbers; names are coded against those before them."""

    def __init__(self, packer):
        self.packer, self.bytes, self.last = packer, bytearray(), {}

    def number(self, value):
        assert value >= 0, value
        while value >= 128:
            self.bytes.append(value & 127 | 128)
            value >>= 7
        self.bytes.append(value)

    def signed(self, value):
        self.number(value * 2 if value >= 0 else -value * 2 - 1)

    def text(self, value):
        self.number(self.packer.text(value))

    def name(self, value):
        assert "#" not in value, value
        # A number with a leading zero would not come back.
        numbers = []

        def take(match):
            numbers.append(int(match.group()))
            return "#"

        template = re.sub(r"(?<![0-9])(0|[1-9][0-9]{0,8})(?![0-9])", take, value)
        before = self.last.get(template, [0] * len(numbers))
        self.text(template)
        for now, then in zip(numbers, before):
            self.signed(now - then)
        self.last[template] = numbers

    def sized(self, body):
        self.number(len(body.bytes))
        self.bytes += body.bytes


def write_graph(packer, operators, graph):
    stream = Stream(packer)
    stream.number(len(graph["nodes"]))
    for index, node in enumerate(graph["nodes"]):
        assert set(node) <= {"op", "name", "inputs", "attrs", "subgraphs"}, node
        if node["op"] == "null":
            assert not node.get("attrs"), node
            stream.number(0)
            stream.name(node["name"])
            continue
        subgraphs = node.get("subgraphs", [])
        key = (node["op"], len(subgraphs), tuple(sorted((node.get("attrs") or {}).items())))
        stream.number(1 + operators.setdefault(key, len(operators)))
        stream.name(node["name"])
        stream.number(len(node["inputs"]))
        for source, output, _ in node["inputs"]:
            assert source < index
            stream.number(2 * (index - source) + (output != 0))
            if output:
                stream.number(output)
        for subgraph in subgraphs:
            stream.sized(write_graph(packer, operators, subgraph))
    stream.number(len(graph["heads"]))
    for node, output, _ in graph["heads"]:
        stream.number(node)
        stream.number(output)
    return stream


def common_prefix(entry):
    """The net's prefix: what old files leave out of the full names."""
    prefixes = set()
    for old, key in (entry.get("legacy") or {}).items():
        if key not in entry["params"]:  # a further key of the file
            continue
        full = entry["params"][key][0]
        if not full.endswith(old):
            return None
        prefixes.add(full[: len(full) - len(old)])
    return prefixes.pop() if len(prefixes) == 1 else None


def write_layout(packer, graph, entry, prefix):
    order = {node["name"]: i for i, node in enumerate(graph["nodes"])}
    stream = Stream(packer)
    params = sorted(entry["params"].items(), key=lambda item: (item[0] not in order, order.get(item[0], 0)))
    stream.number(len(params))
    first = {}
    for index, (key, (full, shape)) in enumerate(params):
        stream.name(key)
        stream.name(full[len(prefix) :] if prefix and full.startswith(prefix) else full)
        stream.number(len(shape))
        for size in shape:
            stream.number(size)
        stream.number(first[full] + 1 if full in first else 0)
        first.setdefault(full, index)
    return stream, [key for key, _ in params if key in order]


def load(folders):
    """Graphs by the names of nets, and what is known of them, GluonCV's and Gluon's, and GluonNLP's."""
    graphs, entries = {}, ({}, {})
    for folder in folders:
        files = ("graphs", "structural", "nlp_structural")
        traced, *facts = (json.loads(lzma.open(folder / (name + ".json.xz")).read()) for name in files)
        graphs.update({name: traced["graphs"][key] for name, key in traced["names"].items()})
        for known, said in zip(entries, facts):
            for net, what in said.items():
                known.setdefault(net, {}).update(what)
    return (graphs, *entries)


def pack(clone, folders):
    graphs, vision, language = load(folders)
    packer, operators, classes = Packer(), {}, Classes(clone)
    graph_ids, graph_streams, layouts, layout_streams, class_lists = {}, [], {}, [], {}
    entries = Stream(packer)
    left_out = []
    items = [(name, name, entry, False) for name, entry in vision.items()]
    items += [("nlp/" + name, "nlp/" + name, entry, True) for name, entry in language.items()]
    # Nets that are alike beside each other: a stream finds repetitions in its last 32 kB only. Of equal ones GluonCV's is the first.
    items.sort(key=lambda item: (item[3], item[0].split("/")[-1], item[0].startswith("mxnet/")))
    count = 0
    for name, graph_name, entry, is_language in items:
        graph = graphs.get(graph_name)
        if graph is None:
            left_out.append((name, "not traced"))
            continue
        graph_id = json.dumps(graph, sort_keys=True)
        variables = {node["name"] for node in graph["nodes"] if node["op"] == "null"}
        if any(shape is None for _, shape in entry["params"].values()):
            left_out.append((name, "shapes are not known"))
            continue
        inputs = sorted(variables - set(entry["params"]))
        missing = [key for key in inputs if "." in key]
        if missing:
            left_out.append((name, "no parameter %s" % missing[0]))
            continue
        if graph_id not in graph_ids:
            graph_ids[graph_id] = len(graph_streams)
            graph_streams.append(write_graph(packer, operators, graph))
        prefix = common_prefix(entry)
        stream, _ = write_layout(packer, graph, entry, prefix)
        key = bytes(stream.bytes)
        if key not in layouts:
            layouts[key] = len(layout_streams)
            layout_streams.append(stream)
        if is_language:
            task, spec, labels, preparation = "language", nlp_inputs(name, inputs), None, None
            files, library = " ".join(sorted(entry["files"])), "gluonnlp"
        else:
            task, spec, labels, preparation = task_of(name)
            files, library = entry.get("file") or "", entry["source"]
            files = " ".join([files] + sorted(old[0] for old in entry.get("older") or []))
        if labels is not None and labels not in Classes.FILES and labels != "cifar10":
            labels = None
        if labels and labels not in class_lists:
            class_lists[labels] = (len(class_lists), classes.read(labels))
        for value in (name, prefix or "", task, library, files.strip(), spec):
            entries.text(value)
        entries.number(graph_ids[graph_id])
        entries.number(layouts[key])
        entries.number(class_lists[labels][0] + 1 if labels else 0)
        entries.number(PREPARATIONS.index(preparation) + 1 if preparation else 0)
        entries.number(1 if entry.get("legacy") and prefix is not None else 0)
        further = (
            [name for name, _ in entry.get("only_in_file", [])] if not is_language else list(entry["only_in_file"])
        )
        entries.number(len(further))
        for name in further:
            entries.name(name)
        count += 1

    out = Stream(packer)
    out.number(len(operators))
    for op, subgraphs, attrs in operators:
        out.text(op)
        out.number(subgraphs)
        out.number(len(attrs))
        for key, value in attrs:
            out.text(key)
            out.text(value)
    for streams in (graph_streams, layout_streams):
        out.number(len(streams))
        for stream in streams:
            out.sized(stream)
    out.number(len(class_lists))
    for _, names in sorted(class_lists.values()):
        out.number(len(names))
        for name in names:
            out.text(name)
    out.number(count)
    head = Stream(packer)
    head.number(len(packer.texts))
    for text in packer.texts:
        data = text.encode()
        head.number(len(data))
        head.bytes += data
    return (
        bytes(head.bytes + out.bytes + entries.bytes),
        count,
        left_out,
        (len(head.bytes), len(out.bytes), len(entries.bytes)),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gluoncv")
    parser.add_argument("architectures", type=pathlib.Path, nargs="+")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "data" / "architectures.bin")
    arguments = parser.parse_args()
    data, count, left_out, parts = pack(arguments.gluoncv, arguments.architectures)
    packed = zlib.compress(data, 9)
    arguments.output.write_bytes(len(data).to_bytes(4, "little") + packed)
    print("%s: %d nets, %d bytes, %d unpacked %s" % (arguments.output, count, len(packed), len(data), parts))
    for name, why in left_out:
        print("left out: %s: %s" % (name, why))


if __name__ == "__main__":
    main()
