"""Running a file once, to know that ONNX Runtime loads and runs it."""

import time
from typing import Any

from ._runtime import CannotCompare, Runtime, dtype_of

# For free sizes behind the first; the first that all nodes can do with is taken.
_SIZES = (32, 224, 8, 64, 512, 1)


def _feeds(runtime: Any, size: int) -> dict[str, Any]:
    """Numbers from 0 to 1, which are indices of 0 where indices are wanted."""
    import numpy as np

    random = np.random.RandomState(0)
    feeds = {}
    for name, entry in runtime.inputs.items():
        shape = [s if isinstance(s, int) else 1 if i == 0 else size for i, s in enumerate(entry.shape)]
        dtype = dtype_of(entry)
        feeds[name] = (random.uniform(0, 1, shape) if dtype.startswith("float") else np.ones(shape)).astype(dtype)
    return feeds


def run_once(path: str) -> str:
    """Loads and runs the file; what to say of it. CannotCompare if that fails, with ONNX Runtime's words."""
    import numpy as np

    runtime = Runtime(path)
    is_open = any(not isinstance(s, int) for entry in runtime.inputs.values() for s in entry.shape[1:])
    failure = None
    for size in _SIZES if is_open else _SIZES[:1]:
        feeds = _feeds(runtime, size)
        start = time.perf_counter()
        try:
            outputs = runtime.run(feeds)
        except CannotCompare as error:
            failure = failure or error
            continue
        seconds = time.perf_counter() - start
        made = ", ".join("%s %s" % (name, value.shape) for name, value in outputs.items())
        text = "it loads and runs in ONNX Runtime (%.3f s): %s" % (seconds, made)
        infinite = [n for n, v in outputs.items() if v.dtype.kind == "f" and not np.isfinite(v).all()]
        return text + ("\nnot all numbers are finite: " + ", ".join(infinite) if infinite else "")
    assert failure is not None
    raise failure
