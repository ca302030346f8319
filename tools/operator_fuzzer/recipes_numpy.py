"""Recipes of NumPy's operators whose attributes have to fit the shapes."""

from operator_fuzzer.common import size, tuple_text

AXES = ("axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "start_axis")


def fit_axes(rng, operator, attrs, shapes):
    """Makes most of the axes that were drawn ones that the first array has, each once."""
    rank = len(shapes[0]) if shapes and shapes[0] is not None else 0
    for attribute in operator["attributes"]:
        name, expected = attribute["name"], attribute["expected"]
        if name not in AXES or attrs.get(name) in (None, "None") or not rank or rng.random() < 0.1:
            continue
        if expected.startswith("an integer"):
            low = 0 if "at least 0" in expected else -rank
            attrs[name] = str(rng.randint(low, rank - 1))
        elif expected.startswith("a tuple"):
            axes = [a - rank * (rng.random() < 0.3) for a in range(rank)]
            rng.shuffle(axes)
            attrs[name] = tuple_text(axes[: 2 if "tuple of 2" in expected else rng.randint(0, rank)])


def shape_of(rng, least=0, most=4):
    return tuple(0 if rng.random() < 0.03 else size(rng, 1, 4) for _ in range(rng.randint(least, most)))


def broadcasting(rng, shape):
    """A shape that broadcasts with another."""
    part = shape[rng.randint(0, len(shape)) :] if rng.random() < 0.3 else shape
    return tuple(1 if rng.random() < 0.25 else d for d in part)


def moveaxis(rng):
    shape = shape_of(rng, 1, 5)
    count = size(rng, 1, len(shape))
    pick = lambda: [a - len(shape) * (rng.random() < 0.3) for a in rng.sample(range(len(shape)), count)]
    return {"source": tuple_text(pick()), "destination": tuple_text(pick())}, [shape]


def transpose(rng):
    shape = shape_of(rng, 1, 5)
    axes = [a - len(shape) * (rng.random() < 0.3) for a in rng.sample(range(len(shape)), len(shape))]
    return {"axes": rng.choice(["None", tuple_text(axes), tuple_text(axes)])}, [shape]


def pad(rng):
    shape = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 4)))
    mode = rng.choice(["constant", "edge", "reflect", "symmetric", "maximum", "minimum"])
    width = lambda d: rng.randint(0, d - 1 if mode == "reflect" else d)
    pads = tuple((width(d), width(d)) for d in shape)
    attrs = {"pad_width": str(pads), "mode": mode, "constant_value": None, "constant_values": None}
    if mode == "constant" and rng.random() < 0.7:
        attrs["constant_values"] = rng.choice(["1", "-2.5", "0"])
    return attrs, [shape]


def factors(rng, number):
    """Numbers whose product it is."""
    found = []
    while number > 1 and rng.random() < 0.8:
        divisor = rng.choice([d for d in range(2, number + 1) if number % d == 0])
        found.append(divisor)
        number //= divisor
    return [*found, number] if number > 1 or not found else found


def product(shape):
    result = 1
    for d in shape:
        result *= d
    return result


def reshape(rng):
    shape = tuple(size(rng, 1, 4) for _ in range(size(rng, 0, 4)))
    target = factors(rng, product(shape))
    if rng.random() < 0.6:
        target[rng.randrange(len(target))] = -1
    if rng.random() < 0.2:
        target.insert(rng.randint(0, len(target)), 1)
    return {"newshape": tuple_text(target), "order": None}, [shape]


def npx_reshape(rng):
    """Codes for the sizes of the input, one after the other: -2 takes one, -3 leaves out a 1, -4 takes the rest, -5 joins two and -6
    splits one."""
    shape = tuple(size(rng, 1, 4) for _ in range(size(rng, 1, 5)))
    reverse, at, target, inferred = rng.random() < 0.3, 0, [], False
    sizes = shape[::-1] if reverse else shape
    while at < len(sizes):
        kind = rng.random()
        if kind < 0.1:
            target.append(-4)
            at = len(sizes)
        elif kind < 0.3 and at + 1 < len(sizes):
            target.append(-5)
            at += 2
        elif kind < 0.4 and sizes[at] == 1:
            target.append(-3)
            at += 1
        elif kind < 0.55 and not reverse:
            split = rng.choice([d for d in range(1, sizes[at] + 1) if sizes[at] % d == 0])
            target += [-6, *rng.choice([(split, sizes[at] // split), (-1, sizes[at] // split), (split, -1)])]
            at += 1
        elif kind < 0.7 and not inferred:
            target.append(-1)
            inferred, at = True, at + 1
        else:
            target.append(rng.choice([-2, sizes[at]]))
            at += 1
    target = target[::-1] if reverse else target
    return {"newshape": tuple_text(target), "reverse": str(reverse), "order": None}, [shape]


def broadcast_to(rng):
    shape = shape_of(rng, 1, 4)
    return {"shape": tuple_text([-2 if rng.random() < 0.1 else d for d in shape])}, [broadcasting(rng, shape)]


def three_broadcast(rng):
    shape = shape_of(rng, 0, 4)
    kinds = ["bool", "int32", "float32", "int64", "uint8", "float16"]
    shapes = [broadcasting(rng, shape) for _ in range(3)]
    return {}, shapes, {}, {"dtypes": {0: kinds}}


def lists(name, least=1):
    """Arrays of a list."""

    def recipe(rng):
        count, shape = size(rng, 1, 3), shape_of(rng, least, 4)
        axis = rng.randrange(len(shape)) if shape else 0
        joins = name == "axis" and shape
        parts = [shape[:axis] + (size(rng),) + shape[axis + 1 :] if joins else shape for _ in range(count)]
        return {
            "num_args": str(count),
            **({"axis": str(axis - len(shape) * (rng.random() < 0.3))} if joins else {}),
        }, parts

    return recipe


def stack(rng):
    count, shape = size(rng, 1, 3), shape_of(rng, 0, 4)
    return {"num_args": str(count), "axis": str(rng.randint(-len(shape) - 1, len(shape)))}, [shape] * count


def split(rng):
    shape = tuple(size(rng, 2, 6) for _ in range(size(rng, 1, 4)))
    axis = rng.randrange(len(shape))
    attrs = {
        "axis": str(axis - len(shape) * (rng.random() < 0.2)),
        "squeeze_axis": rng.choice(["False", "False", "True"]),
    }
    if rng.random() < 0.5:
        parts = rng.choice([d for d in range(1, shape[axis] + 1) if shape[axis] % d == 0 or rng.random() < 0.1])
        return {**attrs, "sections": str(parts), "indices": "()"}, [shape]
    places = sorted(rng.sample(range(shape[axis] + 1), rng.randint(1, 2)))
    return {**attrs, "sections": "0", "indices": tuple_text([0, *places])}, [shape]


def insert_or_delete(kind):
    """At one place, at those of a slice, or at those of an array."""

    def recipe(rng):
        shape = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 3)))
        axis = rng.choice([None, *range(-len(shape), len(shape))])
        length = product(shape) if axis is None else shape[axis]
        attrs = {"axis": str(axis), "start": None, "stop": None, "step": None, "int_ind": None, "val": None}
        count, bounds = 1, {}
        if kind == "scalar" or (kind == "delete" and rng.random() < 0.3):
            attrs["int_ind"] = str(rng.randint(-length, length - (kind == "delete")))
        elif kind == "slice" or (kind == "delete" and rng.random() < 0.5):
            start, stop = sorted(rng.sample(range(length + 1), 2))
            step = rng.choice([1, 1, 2])
            attrs.update(start=str(start), stop=str(stop), step=str(step))
            count = len(range(start, stop, step))
        else:
            count = size(rng, 1, 3)
            bounds = {1 if kind == "delete" else 2: (0, length - (kind == "delete"), "integers")}
        if kind == "delete":
            return (
                {k: v for k, v in attrs.items() if k != "val"},
                [shape, (count,)] if bounds else [shape],
                bounds,
                {"dtypes": {1: ["int64", "int32"]}},
            )
        flat = axis is None
        values = (count,) if flat else tuple(count if i == axis % len(shape) else d for i, d in enumerate(shape))
        if kind == "scalar" and not flat and rng.random() < 0.5:
            values = tuple(d for i, d in enumerate(shape) if i != axis % len(shape)) or (1,)
        if rng.random() < 0.4:
            attrs["val"] = rng.choice(["1", "2.5", "-3"])
            shapes = [shape]
            bounds = {1: bounds[2]} if bounds else {}
        else:
            shapes = [shape, broadcasting(rng, values) if rng.random() < 0.3 else values]
        places = {len(shapes): ["int64", "int32"]}
        return attrs, shapes + [(count,)] * (kind == "tensor"), bounds, {"dtypes": places if kind == "tensor" else {}}

    return recipe


def by_index(rng):
    """Rows that an array of indices names."""
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 3)))
    return (
        {},
        [data, shape_of(rng, 1, 2)],
        {1: (-data[0], data[0] - 1, "integers")},
        {"dtypes": {1: ["int64", "int32"]}},
    )


def by_mask(rng):
    data = tuple(size(rng) for _ in range(size(rng, 1, 4)))
    return {}, [data, data[: size(rng, 1, len(data))]], {1: (0, 1, "integers")}, {"dtypes": {1: ["bool"]}}


def advanced_indexing(rng):
    return by_mask(rng) if rng.random() < 0.5 else by_index(rng)


def mask_assign(tensor):
    def recipe(rng):
        data = tuple(size(rng) for _ in range(size(rng, 1, 4)))
        start = rng.randrange(len(data)) if rng.random() < 0.3 else 0
        end = rng.randint(start + 1, len(data))
        # MXNet writes into what another node gives.
        dtypes = {"dtypes": {1: ["bool"]}, "before": {0: ("_copy", {})}}
        shapes = [data, data[start:end]] + ([(1,) if rng.random() < 0.5 else ()] if tensor else [])
        return {"start_axis": str(start)}, shapes, {1: (0, 1, "integers")}, dtypes

    return recipe


def index_update(rng):
    data = tuple(size(rng, 2, 5) for _ in range(size(rng, 1, 3)))
    depth, count = size(rng, 1, len(data)), size(rng, 1, 4)
    values = (count, *data[depth:])
    bounds = {1: (0, min(data) - 1, "integers")}
    shapes = [data, (depth, count), broadcasting(rng, values) if rng.random() < 0.3 else values]
    return {}, shapes, bounds, {"dtypes": {1: ["int64", "int32"]}}


def repeats(rng):
    shape = tuple(size(rng) for _ in range(size(rng, 1, 3)))
    axis = rng.choice([None, *range(len(shape))])
    length = product(shape) if axis is None else shape[axis]
    counts = [size(rng, 0, 2) for _ in range(length if rng.random() < 0.7 else 1)]
    return {"axis": str(axis), "repeats": tuple_text(counts)}, [shape]


def roll(rng):
    shape = shape_of(rng, 1, 4)
    axes = rng.sample(range(len(shape)), size(rng, 1, len(shape)))
    shifts = [size(rng, -6, 6) for _ in axes]
    if rng.random() < 0.3:
        return {"shift": tuple_text(shifts[:1]), "axis": None}, [shape]
    return {"shift": tuple_text(shifts), "axis": tuple_text(axes)}, [shape]


RECIPES = {
    **{name: moveaxis for name in ("_np_moveaxis", "_npi_moveaxis")},
    **{name: transpose for name in ("_np_transpose", "_npi_transpose")},
    **{name: roll for name in ("_np_roll", "_npi_roll")},
    **{name: three_broadcast for name in ("_npi_where", "_npi_where_lscalar", "_npi_where_rscalar")},
    **{"_npi_%sstack" % name: lists("") for name in ("v", "h", "d", "column_")},
    **{name: index_update for name in ("_npx_index_add", "_npx_index_update")},
    "_npi_pad": pad,
    "_np_reshape": reshape,
    "_npx_reshape": npx_reshape,
    "_npi_broadcast_to": broadcast_to,
    "_npi_concatenate": lists("axis"),
    "_npi_stack": stack,
    "_split_v2": split,
    "_npi_insert_scalar": insert_or_delete("scalar"),
    "_npi_insert_slice": insert_or_delete("slice"),
    "_npi_insert_tensor": insert_or_delete("tensor"),
    "_npi_delete": insert_or_delete("delete"),
    "_npi_advanced_indexing": advanced_indexing,
    "_npi_boolean_mask_assign_scalar": mask_assign(False),
    "_npi_boolean_mask_assign_tensor": mask_assign(True),
    "_npi_repeats": repeats,
}
