"""The element types that only parameters of MXNet 2 have: a case of each operator is an error, or a model that loads."""

import collections
import pathlib
import sys
import warnings

import mx2onnx
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "cases"), str(ROOT / "fuzz")]

import case_model  # noqa: E402
import load_models  # noqa: E402

TYPES = ("int16", "uint16", "uint32", "uint64")


@pytest.mark.parametrize("dtype", TYPES)
def test_an_error_or_a_model_that_loads(dtype):
    warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
    counts, faults = collections.Counter(), []
    for op, (_, case) in case_model.first_case_of_each_operator().items():
        inputs, params = case_model.case_tensors(case)
        given = {k: (v.shape, dtype if v.dtype.kind in "iuf" else v.dtype.name) for k, v in inputs.items()}
        params = {k: v.astype(dtype) for k, v in params.items()}
        try:
            model = mx2onnx.convert(case_model.case_symbol(case), params, inputs=given).model
        except mx2onnx.InternalError as error:
            faults.append((op, str(error)))
            continue
        except mx2onnx.Error:
            counts["refused"] += 1
            continue
        fault = load_models.fault_of(model)
        counts["fault" if fault else "loads"] += 1
        if fault:
            faults.append((op, fault[:300]))
    assert not faults, "\n".join(map(str, faults))
    assert counts["loads"] > 100 and counts["refused"] > 50, counts
