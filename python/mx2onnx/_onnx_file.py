"""Just enough of ONNX's protobuf format to look at a file's nodes and to ask for more outputs, without the onnx package."""

import mmap
import os
from collections.abc import Iterator
from typing import NamedTuple, Union

_GRAPH, _NODE, _OUTPUT = 7, 1, 12  # ModelProto.graph, GraphProto.node, GraphProto.output


class Node(NamedTuple):
    name: str
    op_type: str
    inputs: list[str]
    outputs: list[str]


def _varint(data: Union[bytes, memoryview], at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields that have a length; others are passed over."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 2:
            length, at = _varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length
        elif kind == 0:
            _, at = _varint(data, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError("not an ONNX file")


def nodes(path: Union[str, "os.PathLike[str]"]) -> list[Node]:
    """The nodes of the main graph, in the file's order."""
    result = []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for number, graph in _fields(memoryview(mapped.read())):
            if number != _GRAPH:
                continue
            for kind, body in _fields(graph):
                if kind != _NODE:
                    continue
                texts: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: []}
                for field, value in _fields(body):
                    if field in texts:
                        texts[field].append(bytes(value).decode("utf-8", "replace"))
                result.append(Node("".join(texts[3]), "".join(texts[4]), texts[1], texts[2]))
    return result


def _block(number: int, body: bytes) -> bytes:
    length, size = len(body), bytearray()
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    size.append(length)
    return bytes([number << 3 | 2]) + bytes(size) + body


def with_outputs(path: Union[str, "os.PathLike[str]"], names: list[str]) -> bytes:
    """The file with these values as further outputs. Protobuf merges a field that comes twice, so a second `graph`
    with nothing but outputs is enough; their types are left to the runtime's inference."""
    with open(path, "rb") as file:
        data = file.read()
    outputs = b"".join(_block(_OUTPUT, _block(1, name.encode())) for name in names)
    return data + _block(_GRAPH, outputs)
