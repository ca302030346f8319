"""Draws random nodes: attributes from the sentences that the operator table has, shapes and element types at random, or
as a recipe says."""

import json
import re

from operator_fuzzer import (
    recipes_arrays,
    recipes_control,
    recipes_images,
    recipes_matrices,
    recipes_numpy,
    recipes_numpy_math,
    recipes_random,
)
from operator_fuzzer.cases import varied

FAMILIES = (recipes_arrays, recipes_images, recipes_matrices, recipes_random, recipes_numpy, recipes_numpy_math)
RECIPES = {name: recipe for family in FAMILIES for name, recipe in family.RECIPES.items()}
DTYPES = ["float32"] * 6 + ["float16", "float64", "int32", "int64", "int8", "uint8", "bool"]
NUMPY = re.compile("^_np[ix]?_")  # names that occur under NumPy's shapes
NUMBERS = ("0", "1", "0.5", "-2", "3", "1e-3", "-0.75", "2.5")
OPTIONAL = (
    "bias",
    "sequence_length",
    "length",
    "data_lengths",
    "label_lengths",
    "state_cell",
    "min_r",
    "max_r",
    "trans",
)


def draw_number(rng, expected):
    bounds = re.search(r"from (-?[\d.e+]+) to (-?[\d.e+]+)", expected)
    least = re.search(r"at least (-?\d+)", expected)
    low = int(float(bounds.group(1))) if bounds else int(least.group(1)) if least else -2
    high = int(min(low + 5, float(bounds.group(2)))) if bounds else max(low + 3, 3)
    return rng.randint(low, high)


def draw_value(rng, expected):
    """A text for an attribute, from the sentence that the operator table has."""
    if expected.endswith(", or None") and rng.random() < 0.25:
        return "None"
    if expected.startswith("a tuple"):
        sizes = re.search(r"tuple of (\d+)(?: to (\d+))?", expected)
        fewest, most = (int(sizes.group(1)), int(sizes.group(2) or sizes.group(1))) if sizes else (0, 4)
        count = rng.randint(fewest, most)
        pick = lambda: (
            "None" if "integers or None" in expected and rng.random() < 0.3 else str(draw_number(rng, expected))
        )
        if "numbers" in expected:
            pick = lambda: rng.choice(["0.5", "1", "0.25", "2"])
        return "(" + "".join(pick() + "," for _ in range(count)) + ")"
    if expected.startswith("an integer"):
        return str(draw_number(rng, expected))
    if expected.startswith("a number"):
        bounds = re.search(r"from (-?[\d.e+]+) to (-?[\d.e+]+)", expected)
        least = re.search(r"at least (-?[\d.e+]+)", expected)
        low, high = map(float, bounds.groups()) if bounds else (float(least.group(1)) if least else -9, 9)
        return rng.choice([t for t in NUMBERS if low <= float(t) <= high])
    if expected.startswith("a boolean"):
        return rng.choice(["True", "False"])
    if expected.startswith("an element type"):
        return rng.choice(DTYPES[5:])
    return rng.choice(re.split(r", | or ", expected.replace(", or None", "")))


def draw_shape(rng, np_shape):
    if np_shape and rng.random() < 0.15:
        return ()
    shape = tuple(rng.randint(1, 5) for _ in range(rng.choice([1, 2, 2, 3, 3, 4, 4, 5])))
    if np_shape and rng.random() < 0.15:
        shape = tuple(0 if rng.random() < 0.3 else d for d in shape)
    return shape


def draw_related(rng, shape, np_shape):
    """Another shape that has to do with the first: the same, one to broadcast, a part, or none at all."""
    kind = rng.random()
    if kind < 0.4:
        return shape
    if kind < 0.65:
        return tuple(1 if rng.random() < 0.4 else d for d in shape)
    if kind < 0.75 and len(shape) > 1:
        return shape[:-1] if rng.random() < 0.5 else shape[:1]
    if kind < 0.85:
        return draw_shape(rng, np_shape)
    return None  # let MXNet infer it


def symbol_of(nodes, num_variables, np_shape, version=10901):
    graph = {
        "nodes": nodes,
        "arg_nodes": list(range(num_variables)),
        "heads": [[len(nodes) - 1, 0, 0]],
        "attrs": {"mxnet_version": ["int", version], **({"is_np_shape": ["int", 1]} if np_shape else {})},
    }
    return json.dumps(graph)


def draw_control(rng, operator, seed, version):
    """A loop or a condition around a drawn subgraph, of plain numbers: the operators inside are drawn on their own."""
    name = operator["name"]
    node, shapes, bounds = recipes_control.RECIPES[name.replace("_npx", "")](rng)
    np_shape = bool(NUMPY.match(name))
    names = ["in%d" % i for i in range(len(shapes))]
    variables = [{"op": "null", "name": name, "inputs": []} for name in names]
    dtype = rng.choice(["float32"] * 4 + ["float64", "int32"])
    return {
        "symbol": symbol_of([*variables, {"name": "op", **node, "op": name}], len(names), np_shape, version),
        "shapes": dict(zip(names, shapes)),
        "dtypes": {name: dtype for name in names},
        "seed": seed,
        "np_shape": np_shape,
        "corners": False,
        "bounds": {**{name: (-2, 2) for name in names}, **{"in%d" % i: b for i, b in bounds.items()}},
        "roles": {name: "data" for name in names},
    }


def draw_attributes(rng, operator):
    attrs = {}
    for attribute in operator["attributes"]:
        required = not attribute["default"]
        if attribute["expected"] and (required or rng.random() < 0.45):
            attrs[attribute["name"]] = draw_value(rng, attribute["expected"])
    return attrs


def request_of(name, attrs, given, request, before=()):
    """The request for a node of variables in0, in1, ...; `given` are entries that other nodes, `before`, make of them."""
    names = list(request["roles"])
    nodes = [{"op": "null", "name": n, "inputs": []} for n in names] + list(before)
    nodes.append({"op": name, "name": "op", "attrs": attrs, "inputs": given or [[i, 0, 0] for i in range(len(names))]})
    version = request.pop("version")
    return {**request, "symbol": symbol_of(nodes, len(names), request["np_shape"], version)}


def draw_from_case(rng, operator, name, seed, with_corners, version, cases):
    """A case of the operator with other sizes, types and values, and now and then with another attribute."""
    case = rng.choice(cases)
    attrs, shapes, dtypes, bounds, roles = varied(rng, case, DTYPES)
    if rng.random() < 0.4 and operator["name"] not in recipes_numpy_math.DISTRIBUTIONS:
        drawn = draw_attributes(rng, operator)
        attrs.update({k: v for k, v in drawn.items() if not k.startswith("num_") and rng.random() < 0.5})
        if rng.random() < 0.8:
            recipes_numpy.fit_axes(rng, operator, attrs, list(shapes.values()))
    _, shapes, dtypes = without_the_unwanted(attrs, list(roles), shapes, dtypes)
    request = {
        "shapes": shapes,
        "dtypes": dtypes,
        "seed": seed,
        "np_shape": bool(case.get("np_shape")) or bool(NUMPY.match(name)),
        "corners": with_corners,
        "bounds": bounds,
        "roles": {k: v for k, v in roles.items() if k in shapes},
        "version": version,
    }
    return request_of(name, attrs, None, request)


def without_the_unwanted(attrs, names, shapes, dtypes):
    """Without the input that an attribute stands for: MXNet does not look at it."""
    if attrs.get("q_scalar") in (None, "None") or len(names) < 2:
        return names, shapes, dtypes
    first = lambda by_name: {k: v for k, v in by_name.items() if k == "in0"}
    return names[:1], first(shapes), first(dtypes)


def draw(rng, operator, seed, with_corners, name=None, version=10901, cases=()):
    """A request for MXNet: a node of the operator, by one of its names, as a file of this version of MXNet has it."""
    if operator["name"].replace("_npx", "") in recipes_control.RECIPES:
        return draw_control(rng, operator, seed, version)
    numpy = name and NUMPY.match(name)
    name = name or rng.choice([operator["name"]] * 5 + operator["aliases"])
    if cases and rng.random() < 0.5:
        return draw_from_case(rng, operator, name, seed, with_corners, version, cases)
    attrs = draw_attributes(rng, operator)
    names = [n.rstrip("…") for n in operator["inputs"]]
    for count in ("num_args", "num_inputs", "num_arrays", "num_outputs"):
        if count in attrs and (count != "num_outputs" or operator["name"] == "amp_multicast"):
            attrs[count] = str(rng.randint(1, 3))
            names = ["%s%d" % (names[0] if names else "data", i) for i in range(int(attrs[count]))]
    optional = [n for n in names if n in OPTIONAL]
    if optional and rng.random() < 0.5:
        names = [n for n in names if n not in optional]
        if "bias" in optional:
            attrs["no_bias"] = "True"
    np_shape = rng.random() < (0.97 if numpy else 0.15)
    first = draw_shape(rng, np_shape)
    dtype = rng.choice(DTYPES)
    shapes, dtypes = {}, {}
    recipe = RECIPES.get(operator["name"])
    fitting, bounds, more_of = None, {}, {}
    if recipe and (rng.random() < 0.85 or operator["name"] in recipes_numpy_math.DISTRIBUTIONS):
        more, fitting, *given = recipe(rng)
        bounds = {"in%d" % i: b for i, b in given[0].items()} if given else {}
        more_of = given[1] if len(given) > 1 else {}
        attrs.update(more)
        np_shape = np_shape and more_of.get("np_shape", True)
        if len(fitting) > len(names) or (names and names[0] not in [n.rstrip("…") for n in operator["inputs"]]):
            names = ["data%d" % i for i in range(len(fitting))]
        names = names[: len(fitting)]
    alike = (0.97 if fitting else 0.8) if not numpy else 0.9 if fitting else 0.65
    for i in range(len(names)):
        shape = fitting[i] if fitting else first if i == 0 else draw_related(rng, first, np_shape)
        if shape is not None:
            shapes["in%d" % i] = shape
            dtypes["in%d" % i] = dtype if i == 0 or rng.random() < alike else rng.choice(DTYPES)
            choice = more_of.get("dtypes", {}).get(i)
            dtypes["in%d" % i] = rng.choice(choice) if choice else dtypes["in%d" % i]
    names, shapes, dtypes = without_the_unwanted(attrs, names, shapes, dtypes)
    if numpy and not fitting:
        recipes_numpy.fit_axes(rng, operator, attrs, list(shapes.values()))
    attrs = {k: v for k, v in attrs.items() if v is not None}
    if not names and "shape" in attrs and rng.random() < 0.8:
        attrs["shape"] = str(tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3))))
    before, entries = [], [[i, 0, 0] for i in range(len(names))]
    for i, (op, op_attrs) in more_of.get("before", {}).items():
        entries[i] = [len(names) + len(before), 0, 0]
        before.append({"op": op, "name": "before%d" % i, "attrs": op_attrs, "inputs": [[i, 0, 0]]})
    request = {
        "shapes": shapes,
        "dtypes": dtypes,
        "seed": seed,
        "np_shape": np_shape,
        "corners": with_corners,
        "bounds": bounds,
        "roles": {"in%d" % i: name for i, name in enumerate(names)},
        "version": version,
    }
    return request_of(name, attrs, entries, request, before)


def resized(rng, request):
    """The request with other sizes: equal ones stay equal, and 1 stays 1. Indices that were drawn for a size stay within."""
    sizes = {}
    bounded = any("integers" in b for b in request["bounds"].values())
    other = lambda d: d if d < 2 else sizes.setdefault(d, rng.randint(d if bounded else 2, max(d + 1, 6)))
    return {**request, "shapes": {k: tuple(other(d) for d in v) for k, v in request["shapes"].items()}}
