"""Running ONNX models and comparing with recorded values: shared by the tests."""

import functools
import os

import mx2onnx
import numpy as np
import onnxruntime

import onnx

# Every opset instead of those where something changes, and a third size of free ones.
TEST_ALL = bool(os.environ.get("MX2ONNX_TEST_ALL"))
ALL_OPSETS = range(mx2onnx.FIRST_OPSET, mx2onnx.LAST_OPSET + 1)


def run(model, feeds, optimised=True):
    """The outputs of a model (bytes or path) in ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted = {i.name for i in session.get_inputs()}
    return session.run(None, {k: v for k, v in feeds.items() if k in wanted})


def check_model(model):
    """onnx.checker with full_check, which also infers shapes and compares them with ours."""
    onnx.checker.check_model(model if isinstance(model, bytes) else str(model), full_check=True)


def assert_same(found, expected, rtol=1e-5, atol=1e-6, where=""):
    """Compares lists of arrays in shape, dtype and value."""
    assert len(found) == len(expected), "%s: %d outputs, MXNet %d" % (where, len(found), len(expected))
    for i, (ours, theirs) in enumerate(zip(found, expected)):
        at = "%s output %d" % (where, i)
        assert ours.shape == theirs.shape, "%s: shape %s, MXNet %s" % (at, ours.shape, theirs.shape)
        assert ours.dtype == theirs.dtype, "%s: %s, MXNet %s" % (at, ours.dtype, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True, err_msg=at)


@functools.cache
def spelling_changes(op_type):
    """The opsets at which more than an operator's allowed types changed."""
    versions = sorted(
        (s for s in onnx.defs.get_all_schemas_with_history() if s.domain == "" and s.name == op_type),
        key=lambda s: s.since_version,
    )

    def signature(schema):
        return (
            {n: (a.type, a.required, str(a.default_value)) for n, a in schema.attributes.items()},
            [(f.name, f.option) for f in schema.inputs],
            [(f.name, f.option) for f in schema.outputs],
        )

    return {new.since_version for old, new in zip(versions, versions[1:]) if signature(old) != signature(new)}


def _op_types(graph):
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _op_types(attribute.g)


def telling_opsets(models):
    """Of {opset: model bytes}: the first, the last, and those where the model or the meaning of one of its
    operators changed; all of them if MX2ONNX_TEST_ALL is set (make test-all)."""
    opsets = sorted(models)
    if TEST_ALL:
        return opsets
    telling = {opsets[0], opsets[-1]}
    previous = None
    for opset in opsets:
        proto = onnx.load_from_string(models[opset])
        del proto.opset_import[:]
        proto.ir_version = 0
        text = proto.SerializeToString()
        changed = any(opset in spelling_changes(op) for op in _op_types(proto.graph))
        if changed or (previous is not None and text != previous):
            telling.add(opset)
        previous = text
    return sorted(telling)
