"""Draws that vary the cases of tests/cases: other sizes, element types and values, and now and then another attribute. They reach what
chance alone hardly ever finds: attributes and shapes that fit together."""

import collections
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))

import case_model  # noqa: E402


def cases_by_operator(operators):
    """{canonical name: [case, ...]} of the cases that have one operator."""
    canonical = {name: o["name"] for o in operators for name in [o["name"], *o["aliases"]]}
    found = collections.defaultdict(list)
    for family in case_model.family_names():
        for case in case_model.load_family(family):
            if case.get("op") in canonical and case.get("onednn", True):
                found[canonical[case["op"]]].append(case)
    return found


def bounds_of(values, dtype):
    """The values of a case's tensor as the server's bounds."""
    if values.startswith("="):
        return "values", [float(v) for v in values[1:].split(",")]
    if values == "perm":
        return ("permutation",)
    if values:
        low, high = (float(v) for v in values.split(".."))
        return (low, high) if dtype.startswith("float") else (int(low), int(high), "integers")
    return None if dtype.startswith("float") else (0, 1 if dtype == "bool" else 9, "integers")


def varied(rng, case, dtypes):
    """(attributes, shapes, element types, bounds, roles) of a case, the last four by the variables in0, in1, ..."""
    tensors = {**case.get("inputs", {}), **case.get("params", {})}
    parsed = [case_model.parse_tensor(text) for text in tensors.values()]
    names = ["in%d" % i for i in range(len(parsed))]
    sizes = {}
    change = rng.random() < 0.7
    other = lambda d: sizes.setdefault(d, rng.randint(2, 6) if rng.random() < 0.8 else d) if change and d > 1 else d
    shapes = [tuple(other(d) for d in shape) for shape, _, _ in parsed]
    if rng.random() < 0.15:  # one size of one array, to broadcast or to be refused
        i = rng.randrange(len(shapes)) if shapes else None
        if i is not None and shapes[i]:
            at = rng.randrange(len(shapes[i]))
            shapes[i] = shapes[i][:at] + (rng.choice([1, 1, 2, 3]),) + shapes[i][at + 1 :]
    kinds = [dtype for _, dtype, _ in parsed]
    if rng.random() < 0.5 and kinds:
        first, new = kinds[0], rng.choice(dtypes)
        kinds = [new if kind == first else kind for kind in kinds]
        if rng.random() < 0.2:
            kinds[rng.randrange(len(kinds))] = rng.choice(dtypes)
    bounds = {}
    for name, (_, _, values), kind in zip(names, parsed, kinds):
        given = bounds_of(values, kind)
        keeps = not values.startswith("=") or rng.random() < 0.7
        if given and (keeps or not kind.startswith("float")):
            bounds[name] = given
    attrs = {k: str(v) for k, v in case.get("attrs", {}).items()}
    return attrs, dict(zip(names, shapes)), dict(zip(names, kinds)), bounds, dict(zip(names, tensors))
