"""Operators that draw random numbers, against the distributions that MXNet documents; and numeric operators of which MXNet 1.9.1 has no CPU kernel."""

import math

import mx2onnx
import numpy as np
import onnxruntime
import pytest
from networks import SymbolBuilder
from running import check_model, run

# ONNX Runtime has no kernels of RandomUniform and RandomNormal from opset 22 on: draws are hashes of counters there.
OPSETS = (12, mx2onnx.DEFAULT_OPSET, 21, mx2onnx.LAST_OPSET)
COUNT = 4000
# Kolmogorov's bound at a probability of one in 5000. Of a discrete distribution it is wider than that.
KOLMOGOROV = 2.15 / math.sqrt(COUNT)


def convert(op, inputs=None, outputs=1, opset=None, **attrs):
    """The result of converting one operator whose inputs, {name: (shape, dtype)}, are fed."""
    net = SymbolBuilder()
    node = net.node(op, "op", *[net.variable(name) for name in inputs or {}], **attrs)
    heads = [[node[0], i, 0] for i in range(outputs)]
    return mx2onnx.convert(net.json(*heads), inputs=inputs or {}, opset=opset or mx2onnx.DEFAULT_OPSET)


def draw(op, feeds=None, outputs=1, opset=None, free=False, **attrs):
    feeds = feeds or {}

    def shape(name, value):
        return ["%s_%d" % (name, i) for i in range(value.ndim)] if free else value.shape

    inputs = {name: (shape(name, value), value.dtype.name) for name, value in feeds.items()}
    result = convert(op, inputs, outputs, opset, **attrs)
    check_model(result.model)
    assert "W-random-draws-differ" in {d["id"] for d in result.diagnostics}
    # A large seed, as the time is: those of the nodes follow it, and are alike where it is small.
    onnxruntime.set_seed(1234567891)
    found = run(result.model, feeds)
    return found if outputs > 1 else found[0]


def cumulative(density, low, high):
    """The cumulative distribution of a density, by trapezoids."""
    x = np.linspace(low, high, 200001)[1:]
    y = density(x)
    sums = np.concatenate([[0], np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(x))])
    return lambda at: np.interp(at, x, sums)


def of_chances(chance, most=400):
    sums = np.cumsum([chance(k) for k in range(most)])
    return lambda at: np.where(at < 0, 0, sums[np.clip(np.floor(at).astype(int), 0, most - 1)])


def distance(samples, distribution):
    """The largest distance of the samples' distribution from another one."""
    at, counts = np.unique(np.ravel(samples).astype(np.float64), return_counts=True)
    upper = np.cumsum(counts) / counts.sum()
    gap = np.abs(distribution(at) - upper).max()
    if len(at) > COUNT // 2:  # continuous: just below each sample, too
        gap = max(gap, np.abs(distribution(at) - np.concatenate([[0], upper[:-1]])).max())
    return gap


normal_cdf = np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))


def gamma_cdf(alpha, scale):
    # From above 0: substituting x = y^4 takes the pole away.
    f = cumulative(lambda y: 4 * y ** (4 * alpha - 1) * np.exp(-(y**4) - math.lgamma(alpha)), 0, 3.6)
    return lambda x: f((np.maximum(x, 0) / scale) ** 0.25)


def poisson_cdf(rate):
    return of_chances(lambda k: math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)))


def negative_binomial_cdf(k, p):
    return of_chances(
        lambda x: math.exp(
            math.lgamma(x + k) - math.lgamma(x + 1) - math.lgamma(k) + k * math.log(p) + x * math.log(1 - p)
        )
    )


def binomial_cdf(n, p):
    return of_chances(lambda k: math.comb(n, k) * p**k * (1 - p) ** (n - k) if k <= n else 0)


DISTRIBUTIONS = [
    ("uniform", {"low": -1, "high": 3}, lambda x: np.clip((x + 1) / 4, 0, 1)),
    ("normal", {"loc": 2, "scale": 0.5}, lambda x: normal_cdf((x - 2) / 0.5)),
    ("exponential", {"lam": 4}, lambda x: 1 - np.exp(-4 * x)),
    ("gamma", {"alpha": 9, "beta": 0.5}, gamma_cdf(9, 0.5)),
    ("gamma", {"alpha": 0.4, "beta": 2}, gamma_cdf(0.4, 2)),
    ("poisson", {"lam": 4}, poisson_cdf(4)),
    ("poisson", {"lam": 40}, poisson_cdf(40)),
    ("binomial", {"n": 20, "p": 0.3}, binomial_cdf(20, 0.3)),
    ("binomial", {"n": 100, "p": 0.8}, binomial_cdf(100, 0.8)),
    ("negative_binomial", {"k": 3, "p": 0.4}, negative_binomial_cdf(3, 0.4)),
    ("generalized_negative_binomial", {"mu": 2, "alpha": 0.3}, negative_binomial_cdf(1 / 0.3, 1 / 1.6)),
]
# The names that _sample_ operators have for parameters.
INPUT_NAMES = {"loc": "mu", "scale": "sigma"}
AT_OPSETS = [
    pytest.param(name, p, cdf, opset, id="%s-%s-%d" % (name, "-".join(map(str, p.values())), opset))
    for name, p, cdf in DISTRIBUTIONS
    for opset in (mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET)
]


@pytest.mark.parametrize("name,parameters,cdf,opset", AT_OPSETS)
def test_distribution(name, parameters, cdf, opset):
    samples = draw("_random_" + name, opset=opset, shape=(COUNT // 2, 2), **parameters)
    assert samples.shape == (COUNT // 2, 2) and samples.dtype == np.float32
    assert distance(samples, cdf) < KOLMOGOROV
    # Another distribution, and numbers that are all alike, do not pass.
    is_whole = (samples == np.round(samples)).all()
    assert distance(samples + 1 if is_whole else samples * 1.15 + 0.06, cdf) > KOLMOGOROV
    assert distance(np.repeat(samples[:20], COUNT // 20), cdf) > KOLMOGOROV


@pytest.mark.parametrize("name,parameters,cdf,opset", AT_OPSETS)
def test_distribution_of_parameters(name, parameters, cdf, opset):
    # Each of the two parameters has samples of its own.
    feeds = {INPUT_NAMES.get(k, k): np.array([v, v], np.float32) for k, v in parameters.items()}
    samples = draw("_sample_" + name, feeds, opset=opset, free=True, shape=(COUNT,), dtype="float64")
    assert samples.shape == (2, COUNT) and samples.dtype == np.float64
    for row in samples:
        assert distance(row, cdf) < KOLMOGOROV
    assert (samples[0] != samples[1]).any()


@pytest.mark.parametrize("before", range(24))
def test_draws_of_a_loop_are_its_own(before):
    # ONNX Runtime seeds a node with its place in its body: none may have the place of another body's.
    net = SymbolBuilder()
    rate = net.variable("lam")
    for i in range(before):
        rate = net.node("_mul_scalar" if i % 2 else "_plus_scalar", "step%d" % i, rate, scalar=1 if i % 2 else 0.125)
    node = net.node("_sample_poisson", "op", rate, shape=(COUNT,), dtype="float64")
    model = mx2onnx.convert(net.json([node[0], 0, 0]), inputs={"lam": ((2,), "float32")}).model
    onnxruntime.set_seed(1234567891)
    feeds = {"lam": np.full(2, 4 - 0.125 * ((before + 1) // 2), np.float32)}
    for row in run(model, feeds)[0]:
        assert distance(row, poisson_cdf(4)) < KOLMOGOROV


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("name", sorted({name for name, *_ in DISTRIBUTIONS}))
def test_shapes_and_dtypes(name, opset):
    assert draw("_random_" + name, opset=opset, shape=(2, 3), dtype="float16").dtype == np.float16
    if name == "binomial":
        return
    like = draw("_random_%s_like" % name, {"data": np.zeros((3, 1, 2), np.float64)}, opset=opset, free=True)
    assert like.shape == (3, 1, 2) and like.dtype == np.float64 and not np.isnan(like).any()


def test_nodes_and_runs_are_independent_with_small_seeds():
    net = SymbolBuilder()
    nodes = [net.node("_random_uniform", "op%d" % i, shape=(COUNT,)) for i in range(3)]
    model = mx2onnx.convert(net.json(*[[n[0], 0, 0] for n in nodes]), opset=mx2onnx.LAST_OPSET).model
    onnxruntime.set_seed(1)
    session = onnxruntime.InferenceSession(model)
    draws = np.concatenate(
        [session.run(None, {}) for _ in range(3)] + [onnxruntime.InferenceSession(model).run(None, {})]
    )
    # Of 4000 numbers a correlation of 0.08 has a chance of one in two million; neighbours count, too.
    shifted = np.roll(draws, 1, axis=1)
    assert np.abs(np.corrcoef(draws) - np.eye(len(draws))).max() < 0.08
    assert np.abs(np.corrcoef(draws, shifted)[: len(draws), len(draws) :]).max() < 0.08
    # All bits are drawn.
    bits = np.round(draws.astype(np.float64) * 2**24).astype(np.int64)
    assert (bits == draws.astype(np.float64) * 2**24).all()
    means = [((bits >> i) & 1).mean() for i in range(24)]
    np.testing.assert_allclose(means, 0.5, atol=0.015)


def test_parameters_differ_by_element():
    feeds = {"mu": np.array([[0, 100]], np.float32), "sigma": np.array([[1, 5]], np.float32)}
    samples = draw("sample_normal", feeds, shape=(COUNT,))
    assert samples.shape == (1, 2, COUNT)
    np.testing.assert_allclose(samples.mean(-1), [[0, 100]], atol=0.4)
    np.testing.assert_allclose(samples.std(-1), [[1, 5]], rtol=0.1)
    rates = np.array([0, 3, 50], np.int32)  # few events and many, of an integer dtype
    samples = draw("_sample_poisson", {"lam": rates}, shape=(COUNT,))
    np.testing.assert_allclose(samples.mean(-1), rates, rtol=0.05)
    np.testing.assert_allclose(samples.var(-1), rates, rtol=0.12)


def test_randint():
    samples = draw("_random_randint", shape=(COUNT,), low=-3, high=4)
    assert samples.dtype == np.int32
    values, counts = np.unique(samples, return_counts=True)
    assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert np.abs(counts / COUNT - 1 / 7).max() < 0.025
    assert draw("_random_randint", shape=(2,), low=5, high=6, dtype="int64").dtype == np.int64


@pytest.mark.parametrize("opset", OPSETS)
def test_multinomial(opset):
    chances = np.array([[0.1, 0.2, 0.7], [0.5, 0, 0.5]], np.float32)
    feeds = {"data": chances}
    number, log = draw("_sample_multinomial", feeds, 2, opset, True, shape=(COUNT,), get_prob=True)
    assert number.shape == log.shape == (2, COUNT) and number.dtype == np.int32 and log.dtype == np.float32
    for row, expected in zip(number, chances):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / COUNT, expected, atol=0.03)
    np.testing.assert_allclose(log, np.log(np.take_along_axis(chances, number.astype(int), 1)), rtol=1e-6)
    assert draw("sample_multinomial", {"data": chances[0]}, opset=opset, dtype="uint8").shape == (1,)
    assert draw("sample_multinomial", {"data": chances[0]}, opset=opset, shape="None").shape == (1,)


# Of NumPy's interface: the names of both parameters, and the distribution.
NUMPY_DISTRIBUTIONS = [
    ("uniform", {"low": -1, "high": 3}, lambda x: np.clip((x + 1) / 4, 0, 1)),
    ("normal", {"loc": 2, "scale": 0.5}, lambda x: normal_cdf((x - 2) / 0.5)),
    ("gamma", {"shape": 0.4, "scale": 2}, gamma_cdf(0.4, 2)),
    ("laplace", {"loc": 1, "scale": 2}, lambda x: 0.5 + np.sign(x - 1) * 0.5 * (1 - np.exp(-abs(x - 1) / 2))),
    ("gumbel", {"loc": 1, "scale": 2}, lambda x: np.exp(-np.exp(-(x - 1) / 2))),
    ("logistic", {"loc": 1, "scale": 2}, lambda x: 1 / (1 + np.exp(-(x - 1) / 2))),
    ("exponential", {"scale": 0.25}, lambda x: 1 - np.exp(-4 * x)),
    ("rayleigh", {"scale": 3}, lambda x: 1 - np.exp(-(x**2) / 18)),
    ("pareto", {"a": 3}, lambda x: 1 - (1 + x) ** -3.0),
    ("weibull", {"a": 1.5}, lambda x: 1 - np.exp(-(x**1.5))),
    ("powerd", {"a": 2}, lambda x: np.clip(x, 0, 1) ** 2),
]


@pytest.mark.parametrize("opset", (mx2onnx.DEFAULT_OPSET, mx2onnx.LAST_OPSET))
@pytest.mark.parametrize("name,parameters,cdf", NUMPY_DISTRIBUTIONS, ids=[d[0] for d in NUMPY_DISTRIBUTIONS])
def test_numpy_distribution(name, parameters, cdf, opset):
    samples = draw("_npi_" + name, opset=opset, size=(COUNT // 2, 2), **parameters)
    assert samples.shape == (COUNT // 2, 2) and samples.dtype == np.float32
    assert distance(samples, cdf) < KOLMOGOROV
    assert distance(samples * 1.15 + 0.06, cdf) > KOLMOGOROV
    # The same of inputs, which broadcast to the size.
    feeds = {"input%d" % (i + 1): np.array([[v], [v]], np.float32) for i, v in enumerate(parameters.values())}
    absent = {k: "None" for k in parameters}
    samples = draw("_npi_" + name, feeds, opset=opset, size=(2, COUNT), **absent)
    assert samples.shape == (2, COUNT)
    for row in samples:
        assert distance(row, cdf) < KOLMOGOROV
    # Without a size, and so many of each.
    assert draw("_npi_" + name, feeds, opset=opset, free=True, **absent).shape == (2, 1)
    assert draw("_npi_" + name, feeds, opset=opset, size="(-2, 3)", **absent).shape == (3, 2, 1)
    if name in ("uniform", "normal"):
        assert draw("_npi_%s_n" % name, feeds, opset=opset, size=(3, 4), **absent).shape == (3, 4, 2, 1)


def test_numpy_parameters_that_make_no_distribution():
    for name, attrs in [("normal", {"loc": 0, "scale": -1}), ("gamma", {"shape": 0, "scale": 1}), ("pareto", {"a": 0})]:
        with pytest.raises(mx2onnx.Error, match="does not exist"):
            convert("_npi_" + name, **attrs)
    with pytest.raises(mx2onnx.Error, match="broadcast to"):
        convert("_npi_normal", {"input1": ((3,), "float32")}, loc="None", scale=1, size=(2, 4))


@pytest.mark.parametrize("opset", OPSETS)
def test_bernoulli(opset):
    common = {"prob": "None", "logit": "None", "is_logit": "False"}
    drawn = draw("_npi_bernoulli", opset=opset, **{**common, "prob": 0.3, "size": (COUNT,), "dtype": "bool"})
    assert drawn.dtype == np.bool_ and abs(drawn.mean() - 0.3) < 0.03
    drawn = draw("_npi_bernoulli", opset=opset, **{**common, "logit": 2, "size": (COUNT,)})
    assert drawn.dtype == np.float32 and abs(drawn.mean() - 1 / (1 + math.exp(-2))) < 0.03
    for is_logit, chances in [("False", [0, 0.3, 1]), ("True", [-40, math.log(0.3 / 0.7), 40])]:
        feeds = {"input1": np.array(chances, np.float32)}
        attrs = {**common, "is_logit": is_logit, "size": (COUNT, 3), "dtype": "int32"}
        np.testing.assert_allclose(draw("_npi_bernoulli", feeds, opset=opset, **attrs).mean(0), [0, 0.3, 1], atol=0.03)


@pytest.mark.parametrize("opset", OPSETS)
def test_choice(opset):
    chosen = draw("_npi_choice", opset=opset, a=5, size=(COUNT // 2, 2))
    assert chosen.shape == (COUNT // 2, 2) and chosen.dtype == np.int64
    np.testing.assert_allclose(np.bincount(chosen.ravel(), minlength=5) / COUNT, 0.2, atol=0.03)
    chances = np.array([0.1, 0, 0.9], np.float32)
    chosen = draw("_npi_choice", {"input1": chances}, opset=opset, a=3, size=(COUNT,), weighted="True")
    np.testing.assert_allclose(np.bincount(chosen, minlength=3) / COUNT, chances, atol=0.03)
    assert sorted(draw("_npi_choice", opset=opset, a=9, size=(9,), replace="False")) == list(range(9))
    of_array = {"input1": np.zeros((2, 4), np.float32), "input2": np.array([0, 0, 1, 0, 1, 1, 0, 0], np.float32) / 3}
    attrs = {"a": "None", "size": (3,), "replace": "False", "weighted": "True"}
    assert sorted(draw("_npi_choice", of_array, opset=opset, **attrs)) == [2, 4, 5]
    assert (
        draw("_npi_choice", {"input1": of_array["input2"]}, opset=opset, free=True, a="None", size="None").shape == ()
    )
    with pytest.raises(mx2onnx.Error, match="not more than there are"):
        convert("_npi_choice", a=3, size=(2, 2), replace="False")


@pytest.mark.parametrize("opset", OPSETS)
def test_numpy_multinomial(opset):
    counts = draw("_npi_multinomial", opset=opset, n=10, pvals=(0.1, 0.2, 0.7), size=(COUNT,))
    assert counts.shape == (COUNT, 3) and counts.dtype == np.int64 and (counts.sum(1) == 10).all()
    np.testing.assert_allclose(counts.mean(0), [1, 2, 7], rtol=0.05)
    np.testing.assert_allclose(counts.var(0), [0.9, 1.6, 2.1], rtol=0.12)
    feeds = {"a": np.array([0.5, 0.5], np.float64)}
    counts = draw("_npi_multinomial", feeds, opset=opset, free=True, n=100, pvals="None", size="None")
    assert counts.shape == (2,) and counts.sum() == 100


@pytest.mark.parametrize("opset", OPSETS)
def test_counts_of_outcomes(opset):
    """The multinomial of MXNet 2.0: another operator than that of 1.x."""
    chances = np.array([[0.1, 0.2, 0.7], [0.5, 0, 0.5]], np.float32)
    feeds = {"n": np.array([10, 100], np.float32), "p": chances}
    net = SymbolBuilder()
    node = net.node("_sample_multinomial", "op", net.variable("n"), net.variable("p"), shape=(COUNT,), dtype="int32")
    inputs = {name: (value.shape, "float32") for name, value in feeds.items()}
    result = mx2onnx.convert(net.json([node[0], 0, 0]), inputs=inputs, opset=opset, mxnet_version="2.0")
    onnxruntime.set_seed(1234567891)
    (counts,) = run(result.model, feeds)
    assert counts.shape == (2, COUNT, 3) and counts.dtype == np.float32
    assert (counts.sum(-1) == feeds["n"][:, None]).all() and (counts >= 0).all()
    expected = feeds["n"][:, None] * chances
    np.testing.assert_allclose(counts.mean(1), expected, rtol=0.05)
    np.testing.assert_allclose(counts.var(1), expected * (1 - chances), rtol=0.12)


def test_categorical():
    chances = np.array([[0.1, 0.2, 0.7]], np.float32)
    number = draw("_npx__random_categorical", {"data": chances}, shape=(COUNT,))
    np.testing.assert_allclose(np.bincount(number[0], minlength=3) / COUNT, chances[0], atol=0.03)


@pytest.mark.parametrize("opset", OPSETS)
def test_multinomial_of_float16(opset):
    chances = np.array([[0.125, 0.25, 0.625]], np.float16)
    number, log = draw("_sample_multinomial", {"data": chances}, 2, opset, True, shape=(COUNT,), get_prob=True)
    np.testing.assert_allclose(np.bincount(number[0], minlength=3) / COUNT, chances[0], atol=0.03)
    assert log.dtype == np.float16 and set(log[0]) == set(np.log(chances[0]))


@pytest.mark.parametrize("opset", OPSETS)
def test_random_crop(opset):
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    inputs = {"data": (image.shape, "uint8")}
    session = convert("_image_random_crop", inputs, opset=opset, width=4, height=3).session()
    places = {(y, x): image[y : y + 3, x : x + 4] for y in range(2) for x in range(3)}
    found = set()
    for _ in range(60):
        (part,) = session.run(None, {"data": image})
        here = {place for place, expected in places.items() if np.array_equal(part, expected)}
        assert here
        found |= here
    assert len(found) > 3
    attrs = {"width": 4, "height": 3, "xrange": "(0.5, 0.5)", "yrange": "(1, 1)"}
    part = draw("_npx__image_random_crop", {"data": np.stack([image, image + 1])}, opset=opset, **attrs)
    assert np.array_equal(part, np.stack([image, image + 1])[:, 2:5, 1:5])
    with pytest.raises(mx2onnx.Error, match="smaller than the part"):
        convert("_image_random_crop", {"data": (image.shape, "uint8")}, width=8, height=3)


def test_shuffle():
    data = np.arange(12, dtype=np.int32).reshape(6, 2)
    shuffled = draw("_shuffle", {"data": data}, free=True)
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, data)) and (shuffled != data).any()


def test_zipfian_classes_are_different_and_mostly_small():
    with pytest.raises(mx2onnx.UnsupportedError, match="tries"):
        convert("_sample_unique_zipfian", outputs=2, range_max=50, shape=(2, 3))
    samples = draw("_sample_unique_zipfian", range_max=50, shape=(COUNT, 3))
    assert samples.dtype == np.int64 and all(len(set(row)) == 3 for row in samples)
    # The first one has the chance that MXNet's rounding of 50^u gives it.
    first = np.bincount(samples[:, 0], minlength=50) / COUNT
    edges = np.log(np.clip(np.arange(51) + 0.5, 1, 50)) / np.log(50)
    np.testing.assert_allclose(first, np.diff(edges), atol=0.03)


@pytest.mark.parametrize("opset", OPSETS)
def test_dropout_always(opset):
    data = np.ones((200, 50), np.float32)
    dropped = draw("Dropout", {"data": data}, opset=opset, free=True, mode="always", p=0.3)
    values, counts = np.unique(dropped, return_counts=True)
    np.testing.assert_allclose(values, [0, 1 / 0.7], rtol=1e-6)
    assert abs(counts[0] / data.size - 0.3) < 0.02
    rows, mask = draw("Dropout", {"data": data}, 2, opset, mode="always", p=0.5, axes=(1,))
    assert mask.shape == (200, 1) and (rows == mask * data).all() and len(np.unique(mask)) == 2


NO_JITTER = {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}
IMAGE = np.random.RandomState(2).uniform(1, 9, (4, 6, 3)).astype(np.float32)


def draw_images(op, count=150, **attrs):
    """The image changed so many times, at the newest opset, where runs draw anew."""
    model = convert(op, {"data": (["h", "w", 3], "float32")}, opset=mx2onnx.LAST_OPSET, **attrs).model
    onnxruntime.set_seed(1234567891)
    session = onnxruntime.InferenceSession(model)
    return np.array([session.run(None, {"data": IMAGE})[0] for _ in range(count)])


@pytest.mark.parametrize("op,axis", [("_image_random_flip_left_right", 1), ("_image_random_flip_top_bottom", 0)])
def test_random_flips(op, axis):
    flipped = np.flip(IMAGE, axis)
    images = draw_images(op)
    are_flipped = [(image == flipped).all() for image in images]
    assert all(f or (image == IMAGE).all() for f, image in zip(are_flipped, images))
    assert 45 < sum(are_flipped) < 105


def test_random_factors():
    factors = (draw_images("_image_random_brightness", min_factor=0.5, max_factor=2) / IMAGE).reshape(150, -1)
    np.testing.assert_allclose(factors, factors[:, :1].repeat(factors.shape[1], 1), rtol=1e-5)
    assert 0.5 <= factors.min() < 0.6 and 1.9 < factors.max() < 2
    light = draw_images("_image_random_lighting", alpha_std=0.1) - IMAGE
    components = [
        [55.46 * -0.5675, 4.794 * 0.7192, 1.148 * 0.4009],
        [55.46 * -0.5808, 4.794 * -0.0045, 1.148 * -0.8140],
    ]
    components.append([55.46 * -0.5836, 4.794 * -0.6948, 1.148 * 0.4203])
    alphas = np.linalg.solve(np.array(components), light[:, 0, 0].T)
    np.testing.assert_allclose(alphas.std(1), 0.1, rtol=0.25)
    np.testing.assert_allclose(light, light[:, :1, :1] + 0 * light, atol=1e-4)


def test_random_color_jitter():
    jitter = lambda **attrs: draw_images("_image_random_color_jitter", **{**NO_JITTER, **attrs})
    factors = jitter(brightness=0.5) / IMAGE
    assert 0.5 <= factors.min() < 0.6 and 1.4 < factors.max() < 1.5
    with_all = jitter(contrast=1e-6, saturation=1e-6, brightness=1e-6, hue=1e-6, count=5)
    np.testing.assert_allclose(with_all, np.broadcast_to(IMAGE, with_all.shape), rtol=1e-4)
    # Of contrast and saturation both orders are drawn: the blue channel's offset tells them apart.
    mean = (IMAGE * [0.299, 0.587, 0.114]).sum(2).mean()
    blue = IMAGE[:, :, 2].ravel()
    are_contrast_first = []
    for image in jitter(contrast=0.5, saturation=0.5):
        product = np.polyfit((IMAGE[:, :, 0] - IMAGE[:, :, 2]).ravel(), (image[:, :, 0] - image[:, :, 2]).ravel(), 1)[0]
        slope, offset = np.polyfit(blue, image[:, :, 2].ravel(), 1)
        contrast = (slope - product) / 0.114 + product
        saturation = product / contrast
        grays = [mean, mean * saturation + 0.114 * (1 - saturation) * blue.mean()]
        grays[0] *= saturation + 0.114 * (1 - saturation)
        found = offset / (1 - contrast)
        are_contrast_first.append(abs(found - grays[0]) < abs(found - grays[1]))
    assert 45 < sum(are_contrast_first) < 105
    with pytest.raises(mx2onnx.UnsupportedError, match="nothing changes"):
        convert("_image_random_color_jitter", {"data": ((4, 6, 3), "float32")}, **NO_JITTER)


def test_what_is_no_distribution_is_refused():
    for op, attrs in [
        ("_random_uniform", {"low": 2, "high": 1}),
        ("_random_normal", {"scale": 0}),
        ("_random_exponential", {"lam": 0}),
        ("_random_negative_binomial", {"p": 0}),
        ("_random_randint", {"low": 3, "high": 3}),
    ]:
        with pytest.raises(mx2onnx.UnsupportedError):
            convert(op, shape=(2,), **attrs)


@pytest.mark.parametrize("shape", [(3, 8), (2, 7), (2, 1, 2, 12)])
@pytest.mark.parametrize("free", [False, True])
def test_fft(shape, free):
    data = np.random.RandomState(1).normal(size=shape).astype(np.float32)
    given = ["n%d" % i for i in range(len(shape))] if free else shape
    for opset in (17, mx2onnx.LAST_OPSET):
        model = convert("_contrib_fft", {"data": (given, "float32")}, opset=opset).model
        check_model(model)
        expected = np.fft.fft(data).astype(np.complex64).view(np.float32)
        np.testing.assert_allclose(run(model, {"data": data})[0], expected, rtol=1e-4, atol=1e-4)
        if shape[-1] % 2 == 0:
            model = convert("_contrib_ifft", {"data": (given, "float32")}, opset=opset).model
            expected = (np.fft.ifft(data.view(np.complex64)) * (shape[-1] // 2)).real
            np.testing.assert_allclose(run(model, {"data": data})[0], expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(mx2onnx.UnsupportedError, match="opset=17"):
        convert("_contrib_fft", {"data": (shape, "float32")}, opset=16)


def test_count_sketch():
    feeds = {
        "data": np.random.RandomState(1).normal(size=(4, 5)).astype(np.float32),
        "h": np.array([[2, 0, 2, 1, 2]], np.float32),
        "s": np.array([[1, -1, -1, 1, 1]], np.float32),
    }
    expected = np.zeros((4, 4), np.float32)
    for i in range(5):
        expected[:, int(feeds["h"][0, i])] += feeds["s"][0, i] * feeds["data"][:, i]
    inputs = {k: (v.shape, "float32") for k, v in feeds.items()}
    (found,) = run(convert("_contrib_count_sketch", inputs, out_dim=4).model, feeds)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_digamma():
    """Of MXNet 2; the edges are as MXNet 2.0.0b1 computed them."""
    edges = np.array([0, -0.0, -1, -1e10, np.inf, -np.inf, np.nan, 1, 2, 0.5, -0.5, -1.5, 10, 1e-30, -1e-30, 1e20])
    at_edges = [np.inf, np.inf, np.inf, np.inf, np.inf, np.inf, np.nan, -0.5772157, 0.42278433, -1.9635108]
    at_edges += [0.036489915, 0.70315677, 2.2517529, -1e30, 1e30, 46.051701]
    x = np.random.RandomState(1).uniform(-6, 20, 3000).astype(np.float32).astype(np.float64)
    steps = np.arange(30)
    shifted = np.where(x > 0, x, 1 - x)
    far = shifted + 30
    y = np.log(far) - 1 / (2 * far) - 1 / (12 * far**2) + 1 / (120 * far**4)
    y -= (1 / (shifted[:, None] + steps)).sum(1)
    y -= np.where(x > 0, 0, np.pi / np.tan(np.pi * x))
    data = np.concatenate([edges, x]).astype(np.float32)
    (found,) = run(convert("digamma", {"data": (data.shape, "float32")}).model, {"data": data})
    np.testing.assert_allclose(found[: len(edges)], at_edges, rtol=2e-5)
    np.testing.assert_allclose(found[len(edges) :], y, rtol=2e-6, atol=1e-6)
