"""Numbers at the edges in every attribute of every operator: what is written loads in ONNX Runtime, or nothing is written.

ONNX Runtime checks some attributes only when it makes its kernels, and fuses nodes into others that check more than the
nodes did (a negative epsilon passes in the parts of a LayerNormalization, and not in the whole)."""

import copy
import warnings

import case_model
import mx2onnx
import onnxruntime
import pytest

NUMBERS = ["-1", "0", "-0.0", "1", "nan", "inf", "-inf", "1e38", "-1e38", "1e-45"]
WHOLE = ["-1", "0", "1", "2", "3"]
BUDGET = 1 << 24  # elements of an output: it is the attribute that is tested, and not memory


def first_cases():
    """A case for each operator that has numbers for attributes."""
    fields = {}
    for op in mx2onnx.operators():
        kinds = {a["name"]: WHOLE if "integer" in a["expected"] else NUMBERS for a in op["attributes"]
                 if a["expected"].startswith(("a number", "an integer")) and not a["ignored"]}  # fmt: skip
        if kinds:
            fields.update({name: (op["name"], kinds) for name in [op["name"], *op["aliases"]]})
    found = {}
    for family in case_model.family_names():
        for case in case_model.load_family(family):
            if case.get("op") in fields and "mxnet_version" not in case:
                found.setdefault(fields[case["op"]][0], (family, case, fields[case["op"]][1]))
    return found


CASES = first_cases()


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def with_attribute(case, name, text):
    changed = copy.deepcopy(case)
    changed.setdefault("attrs", {})[name] = text
    return changed


@pytest.mark.parametrize("op", sorted(CASES))
def test_what_is_written_loads(op):
    family, case, kinds = CASES[op]
    for name, texts in kinds.items():
        for text in texts:
            changed = with_attribute(case, name, text)
            inputs, params = case_model.case_tensors(case)
            given = {k: (v.shape, v.dtype.name) for k, v in inputs.items()}
            symbol = case_model.case_symbol(changed)
            for opset in (None, 12, mx2onnx.LAST_OPSET):
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", mx2onnx.ConversionWarning)
                        result = mx2onnx.convert(symbol, params, inputs=given, opset=opset)
                except mx2onnx.InternalError:
                    raise
                except mx2onnx.Error:
                    continue
                sizes = [size for port in result.outputs for size in port["shape"] if isinstance(size, int)]
                if sizes and max(sizes) > BUDGET:
                    continue
                try:
                    session(result.model)
                except Exception as error:
                    pytest.fail("%s/%s: %s=%s, opset %s: %s" % (family, case["name"], name, text, opset, error))
