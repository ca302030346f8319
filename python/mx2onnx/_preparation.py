"""What an ONNX file says of itself in its metadata, and the preparation of images that it does."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ._errors import FormatError
from ._runtime import CannotCompare


def from_metadata(metadata: Mapping[str, str], key: str, members: Sequence[str] = ()) -> dict[str, Any]:
    if key not in metadata:
        return {}
    try:
        found = json.loads(metadata[key])
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(member not in found for member in members):
        raise FormatError("the file's metadata %r is not as mx2onnx writes it" % key)
    return found


class Preparation:
    """The preparation of an image that the file does itself (`--mean` and the like), read from its metadata: MXNet gets
    the prepared image, the file the image."""

    def __init__(self, metadata: Mapping[str, str]):
        self.steps = from_metadata(
            metadata, "mx2onnx.preprocessing", ("input", "layout", "scale", "mean", "std", "dtype")
        )
        self.input: Optional[str] = self.steps.get("input")  # MXNet's name

    def _per_channel(self, name: str, rank: int) -> Any:
        import numpy as np

        values = np.array(self.steps[name] or [0.0 if name == "mean" else 1.0], self.steps["dtype"])
        return values if values.size == 1 else values.reshape([-1] + [1] * (rank - 2))

    def _scale(self) -> list[Any]:
        import numpy as np

        times, _, over = self.steps["scale"].partition("/")
        return [np.array(float(text or 1), self.steps["dtype"]) for text in (times, over)]

    def prepared(self, image: Any) -> Any:
        """What MXNet takes, in the converter's order of operations, in MXNet's element type."""
        x = image.transpose(0, 3, 1, 2) if self.steps["layout"] == "nhwc" else image
        times, over = self._scale()
        x = x.astype(self.steps["dtype"]) * times / over
        return (x - self._per_channel("mean", x.ndim)) / self._per_channel("std", x.ndim)

    def image(self, prepared: Any, dtype: str) -> Any:
        """The image that was prepared to this. CannotCompare if no image of this type can have been."""
        import numpy as np

        times, over = (value.astype("float64") for value in self._scale())
        x = prepared.astype("float64") * self._per_channel("std", prepared.ndim)
        x = (x + self._per_channel("mean", prepared.ndim)) * over / times
        if self.steps["layout"] == "nhwc":
            x = x.transpose(0, 2, 3, 1)
        if dtype.startswith("float"):
            return x.astype(dtype)
        limits, rounded = np.iinfo(dtype), np.rint(x)
        if not (np.abs(x - rounded) < 0.01).all() or rounded.min() < limits.min or rounded.max() > limits.max:
            raise CannotCompare(
                "the file takes %s images, and the recorded values of %r are not made from such: record MXNet with prepared "
                "images (--inputs), or verify a file that was converted without the preparation" % (dtype, self.input)
            )
        return rounded.astype(dtype)
