"""Recipes of distributions: densities, and draws, of which shapes and types are compared."""

from operator_fuzzer.common import size


def pdf(bounds, vector=False):
    """The density of samples, several for each of the distributions."""

    def recipe(rng):
        lead = tuple(size(rng, 1, 3) for _ in range(size(rng, 1, 2)))
        samples = lead + (size(rng),)
        last = (size(rng, 1, 3),) if vector else ()
        shapes = [samples + last if vector else samples] + [lead + last] * (len(bounds) - 1)
        real = [rng.choice(["float32", "float32", "float64"])]
        return {}, shapes, dict(enumerate(bounds)), {"dtypes": {i: real for i in range(len(bounds))}}

    return recipe


def samples_like(bounds):
    """Parameters of distributions."""

    def recipe(rng):
        shape = tuple(size(rng, 1, 3) for _ in range(size(rng, 1, 2)))
        real = [rng.choice(["float32", "float32", "float64", "float16"])]
        return {}, [shape] * len(bounds), dict(enumerate(bounds)), {"dtypes": {i: real for i in range(len(bounds))}}

    return recipe


def chances(rng):
    shape = tuple(size(rng, 1, 4) for _ in range(size(rng, 1, 2)))
    return {"dtype": rng.choice([None, "int32", "float32", "int64"])}, [shape], {0: (0.1, 1)}


RECIPES = {
    "_random_pdf_uniform": pdf([(0, 3), (0, 1), (2, 3)]),
    "_random_pdf_normal": pdf([(-3, 3), (-1, 1), (0.2, 2)]),
    "_random_pdf_gamma": pdf([(0.1, 5), (0.3, 4), (0.3, 3)]),
    "_random_pdf_exponential": pdf([(0, 4), (0.2, 3)]),
    "_random_pdf_poisson": pdf([(0, 6, "integers"), (0.3, 5)]),
    "_random_pdf_negative_binomial": pdf([(0, 6, "integers"), (1, 5), (0.1, 0.9)]),
    "_random_pdf_generalized_negative_binomial": pdf([(0, 6, "integers"), (0.3, 5), (0.1, 2)]),
    "_random_pdf_dirichlet": pdf([(0.1, 0.9), (0.3, 3)], vector=True),
    "_sample_uniform": samples_like([(0, 1), (1, 2)]),
    "_sample_normal": samples_like([(-1, 1), (0.2, 2)]),
    "_sample_gamma": samples_like([(0.3, 4), (0.3, 3)]),
    "_sample_exponential": samples_like([(0.2, 3)]),
    "_sample_poisson": samples_like([(0.3, 5)]),
    "_sample_negative_binomial": samples_like([(1, 5, "integers"), (0.1, 0.9)]),
    "_sample_generalized_negative_binomial": samples_like([(0.3, 5), (0.1, 2)]),
    "_sample_multinomial": chances,
    "_random_randint": lambda rng: ({"low": str(size(rng, -5, 0)), "high": str(size(rng, 1, 9)), "ctx": None}, []),
    "_sample_unique_zipfian": lambda rng: ({"range_max": str(size(rng, 50, 99)), "shape": "(2,3)"}, []),
}
