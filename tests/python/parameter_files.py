"""Parameter files as MXNet's `save_parameters` writes them, and the nets of data/architectures.bin, read independently of C++."""

import pathlib
import re
import struct
import zlib

import numpy as np

PACKED = pathlib.Path(__file__).resolve().parent.parent.parent / "data" / "architectures.bin"


def write_list(path, arrays):
    """Arrays by name; a shape instead of an array becomes zeros that take no room on the disk."""
    with open(path, "wb") as out:
        out.write(struct.pack("<QQQ", 0x112, 0, len(arrays)))
        for value in arrays.values():
            shape = value.shape if isinstance(value, np.ndarray) else tuple(value)
            out.write(struct.pack("<IiI", 0xF993FAC9, 0, len(shape)) + struct.pack("<%dq" % len(shape), *shape))
            out.write(struct.pack("<iii", 1, 0, 0))
            if isinstance(value, np.ndarray):
                out.write(np.ascontiguousarray(value, np.float32).tobytes())
            else:
                out.seek(4 * int(np.prod(shape, dtype=np.int64)), 1)
        out.write(struct.pack("<Q", len(arrays)))
        for name in arrays:
            out.write(struct.pack("<Q", len(name)) + name.encode())


class _Reader:
    def __init__(self, data, texts=None):
        self.data, self.texts, self.at, self.last = data, texts, 0, {}

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def take(self):
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self):
        return self.texts[self.number()]

    def name(self):
        pattern = self.text()
        last = self.last.setdefault(pattern, [0] * pattern.count("#"))
        for i in range(len(last)):
            coded = self.number()
            last[i] += -(coded >> 1) - 1 if coded & 1 else coded >> 1
        numbers = iter(last)
        return re.sub("#", lambda _: str(next(numbers)), pattern)


def _open():
    packed = PACKED.read_bytes()
    data = zlib.decompress(packed[4:])
    assert len(data) == int.from_bytes(packed[:4], "little")
    reader = _Reader(data)
    reader.texts = [reader.take().decode() for _ in range(reader.number())]
    operators = []
    for _ in range(reader.number()):
        op = reader.text()
        reader.number()  # of subgraphs
        operators.append((op, {reader.text(): reader.text() for _ in range(reader.number())}))
    graphs = [reader.take() for _ in range(reader.number())]
    bodies = [reader.take() for _ in range(reader.number())]
    for _ in range(reader.number()):  # classes
        for _ in range(reader.number()):
            reader.text()
    count = reader.number()
    entries = _Reader(data[reader.at :], reader.texts)
    nets = {}
    for _ in range(count):
        name = entries.text()
        for _ in range(5):
            entries.text()
        nets[name] = [
            entries.number() for _ in range(5)
        ]  # graph, layout, classes, preparation, whether in the old form
        for _ in range(entries.number()):
            entries.name()
    return reader.texts, operators, graphs, bodies, nets


def layouts():
    """The shapes of each net's parameters: {net: {key: (name without prefix, shape)}}, each array once."""
    texts, _, _, bodies, nets = _open()
    result = {}
    for name, (_, layout, _, _, has_old_form) in nets.items():
        body = _Reader(bodies[layout], texts)
        parameters = {}
        for _ in range(body.number()):
            key, short = body.name(), body.name()
            shape = tuple(body.number() for _ in range(body.number()))
            if body.number() == 0:
                parameters[key] = (short if has_old_form else None, shape)
        result[name] = parameters
    return result


def symbol(net, rename):
    """The net's symbol as MXNet's JSON, with other names for its parameters."""
    texts, operators, graphs, _, nets = _open()
    body = _Reader(graphs[nets[net][0]], texts)
    nodes = []
    for index in range(body.number()):
        op, name = body.number(), body.name()
        if op == 0:
            nodes.append({"op": "null", "name": rename.get(name, name), "inputs": []})
            continue
        inputs = []
        for _ in range(body.number()):
            coded = body.number()
            inputs.append([index - (coded >> 1), body.number() if coded & 1 else 0, 0])
        nodes.append({"op": operators[op - 1][0], "name": name, "attrs": operators[op - 1][1], "inputs": inputs})
    heads = [[body.number(), body.number(), 0] for _ in range(body.number())]
    variables = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    attrs = {"mxnet_version": ["int", 10901]}
    return {"nodes": nodes, "arg_nodes": variables, "heads": heads, "attrs": attrs}
