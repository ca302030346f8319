"""Nodes that MXNet computes when its function is called, and does not bind. 2.0.0b1 registers gradients with another number of inputs for
some (scalar shifts, copysign with a number), and does not write in place where a node asks for that (boolean_mask_assign); 1.9.1's executor gives an empty array where a size depends on values, under NumPy's
shapes."""

import json
import re

CANNOT_BIND = re.compile("Number of inputs to operator _backward|Only WriteInplace is supported")


def computed_by_call(mx, symbol_text, arrays):
    """The outputs of the only node of a symbol, from its variables' arrays; None if MXNet has no function for it."""
    nodes = json.loads(symbol_text)["nodes"]
    node = nodes[-1]
    rooms = {"_npi_": mx.nd.numpy._internal, "_npx_": mx.nd.numpy_extension}
    function = getattr(rooms.get(node["op"][:5]), node["op"][5:], None)
    copied = {i: n["inputs"][0][0] for i, n in enumerate(nodes[:-1]) if n["op"] == "_copy"}
    if function is None or any(n["op"] not in ("null", "_copy") for n in nodes[:-1]):
        return None
    inputs = [arrays[nodes[copied.get(i, i)]["name"]] for i, *_ in node["inputs"]]
    inputs = [mx.np.array(a, dtype=a.dtype) for a in inputs]
    more = {"out": inputs[0]} if "_assign" in node["op"] else {}
    result = function(*inputs, **node.get("attrs", {}), **more)
    return [o.asnumpy() for o in (result if isinstance(result, (list, tuple)) else [result])]
