"""Objects of a running MXNet, of whichever version, recognised by what they can do: MXNet itself is never imported."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Optional

from ._arrays import plain
from ._errors import UsageError


def is_symbol(value: Any) -> bool:
    """A `mx.sym.Symbol` (also MXNet 2's), which can write itself as JSON."""
    return hasattr(value, "tojson") and hasattr(value, "list_outputs")


def is_block(value: Any) -> bool:
    """A Gluon `HybridBlock`."""
    return hasattr(value, "export") and hasattr(value, "hybridize") and hasattr(value, "collect_params")


def array_of(what: str, value: Any) -> tuple[Any, str]:
    """A plain NumPy array and its element type's name, of an NDArray, a Gluon `Parameter`, or what NumPy takes. TypeError,
    beginning with `what`, for what is no array of numbers."""
    if not hasattr(value, "asnumpy") and hasattr(value, "list_data"):
        value = value.data()
    return plain(what, value.asnumpy() if hasattr(value, "asnumpy") else value)


@contextmanager
def exported(block: Any) -> Iterator[tuple[str, list[str]]]:
    """The files that `HybridBlock.export` writes, for as long as the context lasts."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mx2onnx-") as folder:
        # MXNet itself says so if the block was not hybridized or has not run.
        block.export(os.path.join(folder, "model"))
        files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        symbol = [f for f in files if f.endswith("-symbol.json")]
        yield symbol[0], [f for f in files if f not in symbol]


def symbol_text(symbol: Any) -> Optional[str]:
    """The JSON of a live symbol, or of a text that is JSON already; None for a path."""
    if is_symbol(symbol):
        text: str = symbol.tojson()
        return text
    if isinstance(symbol, str) and symbol.lstrip()[:1] == "{":
        return symbol
    return None


def with_legacy_output_order(text: str) -> str:
    """The symbol with its heads in the order of its nodes and none twice, as the old exporter had them."""
    import json

    symbol = json.loads(text)
    heads = {(head[0], head[1]): head for head in map(list, symbol["heads"])}
    symbol["heads"] = [heads[key] for key in sorted(heads)]
    return json.dumps(symbol)


def parameter_mapping(params: Any) -> Optional[Mapping[str, Any]]:
    """`params` if it is a mapping of names to arrays, or a list of such; Gluon's `ParameterDict` counts."""
    if isinstance(params, Mapping):
        return params
    if hasattr(params, "items") and hasattr(params, "keys"):
        return dict(params.items())
    if isinstance(params, (list, tuple)) and params:
        parts = [parameter_mapping(part) for part in params]
        if all(part is not None for part in parts):
            together: dict[str, Any] = {}
            for name, value in (entry for part in parts for entry in (part or {}).items()):
                if name in together:
                    raise UsageError("params: %r is in two of the mappings" % (name,))
                together[name] = value
            return together
    return None
