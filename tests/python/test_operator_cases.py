"""Every operator case of tests/cases, in ONNX Runtime, against what MXNet computed (tests/golden).

Each case runs at the opsets where its spelling changes plus the first and the newest: with fixed sizes, with
every size free, and with the inputs as constants; optimised by us and by ONNX Runtime, and by neither.
"""

import pathlib

import case_model
import mx2onnx
import numpy as np
import pytest
from running import ALL_OPSETS, TEST_ALL, assert_same, check_model, run, telling_opsets

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


class Golden:
    """The recorded outputs of all families, read once."""

    def __init__(self):
        self.families = {}

    def outputs(self, family, case, alt=False):
        if family not in self.families:
            self.families[family] = dict(np.load(GOLDEN / (family + ".npz")))
        prefix = case["name"] + ("/alt" if alt else "")
        arrays = self.families[family]
        count = sum(1 for k in arrays if k.rpartition("/")[0] == prefix)
        assert count, "%s/%s is not recorded: run tools/record_golden.py" % (family, prefix)
        return [arrays["%s/o%d" % (prefix, i)] for i in range(count)]


golden = Golden()
CASES = [(family, case) for family in case_model.family_names() for case in case_model.load_family(family)]


def free_inputs(case, inputs):
    """Every size of every input free; a case may say which ones are not."""
    given = case.get("free") or {}
    return {
        k: (given[k].split(",") if k in given else ["%s_%d" % (k, i) for i in range(v.ndim)], v.dtype.name)
        for k, v in inputs.items()
    }


def fixed_inputs(inputs):
    return {k: (v.shape, v.dtype.name) for k, v in inputs.items()}


def convert_all(symbol, params, inputs, case, **options):
    """{opset: model} of the opsets that can express the case; the others have to refuse it."""
    models = {}
    for opset in ALL_OPSETS:
        if not case.get("first_opset", 0) <= opset <= case.get("last_opset", opset):
            with pytest.raises(mx2onnx.UnsupportedError):
                mx2onnx.convert(symbol, params, inputs=inputs, opset=opset, **options)
        else:
            models[opset] = mx2onnx.convert(symbol, params, inputs=inputs, opset=opset, **options).model
    return models


def third_size(case, symbol, params):
    """Inputs of a third size and the outputs of a model with just that size; None if MXNet would refuse the size."""
    inputs = case_model.third_tensors(case)
    opset = max(mx2onnx.DEFAULT_OPSET, case.get("first_opset", 0))
    opset = min(opset, case.get("last_opset", opset))
    try:
        model = mx2onnx.convert(symbol, params, inputs=fixed_inputs(inputs), opset=opset).model
    except mx2onnx.ModelError:
        return None
    return inputs, run(model, inputs)


@pytest.mark.parametrize("family,case", CASES, ids=["%s/%s" % (f, c["name"]) for f, c in CASES])
def test_case(family, case):
    inputs, params = case_model.case_tensors(case)
    expected = golden.outputs(family, case)
    symbol = case_model.case_symbol(case)
    tolerance = {"rtol": case.get("rtol", 1e-5), "atol": case.get("atol", 1e-6)}

    models = convert_all(symbol, params, fixed_inputs(inputs), case)
    for opset in telling_opsets(models):
        check_model(models[opset])
        assert_same(run(models[opset], inputs), expected, where="opset %d" % opset, **tolerance)
    plain = convert_all(symbol, params, fixed_inputs(inputs), case, optimize=False)
    for opset in telling_opsets(plain):
        assert_same(run(plain[opset], inputs, optimised=False), expected, where="opset %d, plain" % opset, **tolerance)

    if case.get("free") is not False and any(v.ndim for v in inputs.values()):
        free = convert_all(symbol, params, free_inputs(case, inputs), case)
        if "alt" in case:
            alt_inputs, _ = case_model.case_tensors(case, alt=True)
            alt_expected = golden.outputs(family, case, alt=True)
            third = third_size(case, symbol, params) if TEST_ALL else None
        for opset in telling_opsets(free):
            check_model(free[opset])
            assert_same(run(free[opset], inputs), expected, where="opset %d, free sizes" % opset, **tolerance)
            if "alt" in case:
                assert_same(
                    run(free[opset], alt_inputs), alt_expected, where="opset %d, other sizes" % opset, **tolerance
                )
            if "alt" in case and third:
                assert_same(run(free[opset], third[0]), third[1], where="opset %d, third sizes" % opset, **tolerance)

    if case.get("constant") is not False:
        constant = convert_all(symbol, dict(inputs, **params), {}, case)
        for opset in telling_opsets(constant):
            assert_same(run(constant[opset], {}), expected, where="opset %d, constant inputs" % opset, **tolerance)
