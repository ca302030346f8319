"""Weights by rule, so that recorded outputs of whole nets need no stored weights. NumPy alone: MXNet's old Pythons read it, too."""

import zlib

import numpy as np

PERIOD = 65521
"""Larger arrays repeat; a prime, so that rows do not."""


def weight(key, shape):
    """The parameter of this key: of a matrix so large that sums over its rows stay about as large as what is summed."""
    size = int(np.prod(shape))
    values = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF).uniform(-1, 1, min(size, PERIOD))
    if key.endswith("gamma"):
        values = 1 + 0.2 * values
    elif len(shape) == 1:
        values = 0.05 * values
    else:
        values = values * np.sqrt(3.0 / np.prod(shape[1:]))
    return np.resize(values.astype("f4"), shape)


def constant(key, shape):
    """What GluonNLP computes for a parameter that is not learned: sines of positions, or their frequencies."""
    count = shape[1] if key.endswith("position_weight") else 2 * shape[1]
    if key.endswith("inv_freq"):
        return np.float32(1 / np.power(10000.0, np.arange(0, count, 2) / count)).reshape(shape)
    angles = np.arange(shape[0]).reshape(-1, 1) / np.power(10000.0, np.arange(count) * 2.0 / count)
    return np.float32(np.where(np.arange(count) % 2, np.cos(angles), np.sin(angles)))
