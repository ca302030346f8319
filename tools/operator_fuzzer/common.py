"""Pieces of the recipes: sizes, and shapes that several of them have."""


def size(rng, low=1, high=5):
    return rng.randint(low, high)


def tuple_text(values):
    return "(" + "".join("%d," % v for v in values) + ")"


def image(rng, channels, dims=2, batch=None):
    return (batch or size(rng, 1, 3), channels) + tuple(size(rng, 4, 8) for _ in range(dims))


def matrices(rng):
    return tuple(size(rng, 1, 3) for _ in range(rng.choice([0, 1, 1, 2])))
