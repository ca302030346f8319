"""What a verification needs of a symbol file: its nodes and outputs, and which of its inputs must be whole numbers."""

import json
import os
from collections.abc import Sequence
from typing import Any

from ._api import Path
from ._errors import FormatError


class SymbolFile:
    """What is needed of a symbol file."""

    def __init__(self, path: Path):
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        try:
            self.symbol: dict[str, Any] = json.loads(text)
            self.nodes: list[dict[str, Any]] = self.symbol["nodes"]
            self.names = {node["name"] for node in self.nodes}
            self.heads = [self.nodes[head[0]]["name"] for head in self.symbol["heads"]]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            name = os.fspath(path)
            raise FormatError("%s: this is no symbol file of MXNet" % name, file=name) from error

    def owner(self, output: str) -> str:
        """The node that an output's name is made from: "relu1" for "relu1_output"."""
        while output and output not in self.names:
            output = output.rpartition("_")[0]
        return output

    def are_heads(self, outputs: Sequence[str]) -> bool:
        """True if these are the outputs that the symbol itself has."""
        return [self.owner(output) for output in outputs] == self.heads


# Operators that hand their first input on, so that what is asked of the output is asked of it.
_PASSING = {"Cast", "amp_cast", "_copy", "identity", "BlockGrad", "Reshape", "reshape", "expand_dims", "squeeze", "Flatten",
            "transpose", "SwapAxis", "slice_axis", "_npx_reshape"}  # fmt: skip
_OF_LENGTHS = {"SequenceMask", "SequenceLast", "SequenceReverse", "_npx_sequence_mask"}


def whole_numbers(graph: SymbolFile) -> dict[str, tuple[int, int]]:
    """Inputs that must be whole numbers, with the range (without its end) that they are from: indices into the rows of an
    Embedding, and lengths of sequences, for which 1 and 2 are always right."""
    found = {}

    def source(entry: Sequence[int]) -> str:
        node = graph.nodes[entry[0]]
        while node["op"] in _PASSING and node["inputs"]:
            node = graph.nodes[node["inputs"][0][0]]
        return str(node["name"])

    for node in graph.nodes:
        if node["op"] in ("Embedding", "_npx_embedding"):
            attrs = node.get("attrs") or node.get("attr") or node.get("param") or {}
            found[source(node["inputs"][0])] = (0, int(attrs.get("input_dim", 1)))
        elif node["op"] in _OF_LENGTHS and len(node["inputs"]) > 1:
            found[source(node["inputs"][1])] = (1, 3)
    return found
