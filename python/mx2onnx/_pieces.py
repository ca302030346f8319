"""Running a file whose batch is fixed on inputs of another batch, piece by piece."""

from collections.abc import Mapping
from typing import Any, Optional


def _other_batch(runtime: Any, feeds: Mapping[str, Any]) -> Optional[tuple[dict[str, int], int, int]]:
    """The axes of the inputs that are of another size than the file's, that size of the file, and theirs. None if there are
    none, or if more is different than one size."""
    axes: dict[str, int] = {}
    sizes = set()
    for name, entry in runtime.inputs.items():
        value = feeds.get(name)
        if value is None or len(entry.shape) != value.ndim:
            return None
        other = [i for i, size in enumerate(entry.shape) if isinstance(size, int) and size != value.shape[i]]
        if len(other) > 1:
            return None
        for axis in other:
            axes[name] = axis
            sizes.add((entry.shape[axis], value.shape[axis]))
    if len(sizes) != 1:
        return None
    ((batch, count),) = sizes
    return (axes, batch, count) if batch > 0 and count > 0 else None


def _piece(value: Any, axis: int, begin: int, size: int) -> Any:
    """A part of `size` along the axis; behind the end the last element is repeated."""
    import numpy as np

    last = value.shape[axis] - 1
    return np.take(value, [min(i, last) for i in range(begin, begin + size)], axis)


def run(runtime: Any, feeds: Mapping[str, Any], expected: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The file's outputs for these inputs, and the number of pieces that they were fed in: where one size of the inputs is
    fixed in the file and another in the feeds, as many runs as are needed, joined along the axis in which an output differs
    from what is expected of it."""
    import numpy as np

    other = _other_batch(runtime, feeds)
    if other is None:
        return runtime.run(feeds), 1
    axes, batch, count = other
    parts = []
    for begin in range(0, count, batch):
        parts.append(runtime.run({n: _piece(v, axes[n], begin, batch) if n in axes else v for n, v in feeds.items()}))
    outputs = {}
    for name, first in parts[0].items():
        wanted = expected.get(name)
        joined = None
        if wanted is not None and wanted.ndim == first.ndim:
            differing = [i for i in range(first.ndim) if first.shape[i] != wanted.shape[i]]
            # An output may have several elements for each of the batch: heads, or steps.
            if len(differing) == 1 and first.shape[differing[0]] % batch == 0:
                axis, each = differing[0], first.shape[differing[0]] // batch
                joined = np.concatenate([part[name] for part in parts], axis)
                joined = np.take(joined, range(min(count * each, joined.shape[axis])), axis)
        outputs[name] = first if joined is None else joined
    return outputs, len(parts)
