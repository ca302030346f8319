"""Random inputs that a model can take."""

from collections.abc import Mapping, Sequence
from typing import Any

from ._errors import UsageError
from ._preparation import Preparation
from ._runtime import Runtime, dtype_of
from ._symbol_file import SymbolFile, whole_numbers


def random_cases(
    runtime: Runtime,
    graph: SymbolFile,
    preparation: Preparation,
    old_names: Mapping[str, str],
    sizes: Mapping[str, Sequence[int]],
    seed: int,
) -> list[Any]:
    import numpy as np

    choices: dict[str, list[int]] = {name: list(values) for name, values in sizes.items()}
    for entry in runtime.inputs.values():
        if entry.shape and not isinstance(entry.shape[0], int):
            choices.setdefault(str(entry.shape[0]), [1, 2, 5])
    for entry in runtime.inputs.values():
        for key in (str(size) for size in entry.shape if not isinstance(size, int)):
            if key not in choices:
                raise UsageError("input %r has the free size %s: say --size %s=NUMBER" % (entry.name, key, key))
    shown = {str(size) for entry in runtime.inputs.values() for size in entry.shape}
    strange = set(sizes) - shown
    if strange:
        raise UsageError("no input has a free size %s" % ", ".join(sorted(strange)))
    random = np.random.RandomState(seed)
    whole = whole_numbers(graph)
    cases = []
    for number in range(max([len(values) for values in choices.values()], default=1)):
        feeds = {}
        for entry in runtime.inputs.values():
            shape = [s if isinstance(s, int) else choices[str(s)][number % len(choices[str(s)])] for s in entry.shape]
            dtype = dtype_of(entry)
            name = old_names.get(entry.name, entry.name)
            if name == preparation.input:  # an image, of the range that the preparation expects
                image = random.randint(0, 128 if dtype == "int8" else 256, size=shape)
                feeds[entry.name] = image.astype(dtype)
            elif name in whole:
                feeds[entry.name] = random.randint(*whole[name], size=shape).astype(dtype)
            elif dtype.startswith("float"):
                feeds[entry.name] = random.standard_normal(shape).astype(dtype)
            else:
                feeds[entry.name] = random.randint(0, 3, size=shape).astype(dtype)
        cases.append(feeds)
    return cases
