"""Every refusal for an element type is one that MXNet was asked about (tests/data/refused-types-mxnet-1.9.1.txt): a file that MXNet
runs is not refused without a reason that somebody wrote down."""

import pathlib
import warnings

import case_model
import mx2onnx
import pytest

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "refused-types-mxnet-1.9.1.txt"


def known_refusals():
    known = {}
    for line in DATA.read_text().splitlines():
        if line and not line.startswith("#"):
            op, which, types, *reason = line.split(None, 3)
            known.update({(op, dtype, which): reason for dtype in types.split(",")})
    return known


KNOWN = known_refusals()
CASES = case_model.first_case_of_each_operator()


def test_every_reason_is_given():
    assert not [key for key, reason in KNOWN.items() if "WHY?" in reason]


@pytest.mark.parametrize("op", CASES)
def test_refusals_are_known(op):
    for dtype, which, case in case_model.typed_variants(CASES[op][1]):
        inputs, params = case_model.case_tensors(case)
        given = {name: (value.shape, value.dtype.name) for name, value in inputs.items()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
                mx2onnx.convert(case_model.case_symbol(case), params, inputs=given)
        except mx2onnx.UnsupportedError as error:
            assert (op, dtype, which) in KNOWN, "%s: ask MXNet (tools/record_refusals.py)" % error
        except mx2onnx.InternalError:
            raise
        except mx2onnx.Error:
            pass
