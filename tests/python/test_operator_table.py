"""The operator table against MXNet's own registry: every name has a status, the same names are the same operator,
and translated operators declare MXNet's attributes with MXNet's defaults."""

import functools
import json
import math
import pathlib
import re
import sys

import case_model
import mx2onnx
import pytest
from running import ALL_OPSETS
from test_cli import tool

import onnx

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import gen_mxnet_names  # noqa: E402

GROUPS = gen_mxnet_names.groups()


@functools.cache
def table():
    return json.loads(tool("ops", "--json"))["operators"]


def names_of(operator):
    return [operator["name"], *operator["aliases"]]


def test_every_name_has_one_status():
    status = {}
    for operator in table():
        for name in names_of(operator):
            assert name not in status, name
            status[name] = operator["status"]
    assert set(status.values()) == {"translated", "refused"}
    assert {name for group in GROUPS for name in group} - set(status) == set()


def test_the_untranslated_say_why():
    for operator in table():
        if operator["status"] != "translated":
            assert operator["reason"].startswith("'%s' is " % operator["name"]) or operator["reason"].startswith(
                "'%s' " % operator["name"]
            )
            assert operator["kind"]


def test_the_package_has_the_same_table():
    everything = mx2onnx.operators() + mx2onnx.untranslated_operators()
    assert sorted(o["name"] for o in everything) == [o["name"] for o in table()]


def test_aliases_are_those_of_mxnet():
    """An operator has whole groups of names. Those of several groups are one in 2.0, or were renamed."""
    group_of = {name: set(group) for group in GROUPS for name in group}
    later = [
        set(line.split()) for line in gen_mxnet_names.data("2.0.0b1", "operator-names.txt").read_text().splitlines()
    ]
    for operator in table():
        names = set(names_of(operator)) & set(group_of)
        assert all(group_of[name] <= names for name in names), operator["name"]
        if len({re.sub("^_npi?_", "", name) for name in names}) == 1:
            continue  # _np_sum of 1.x is _npi_sum of 2.0
        allowed = {n for group in [*later, *RENAMED] if names & group for n in group}.union(
            group_of[min(names)] if names else ()
        )
        assert names <= allowed | group_of.get(operator["name"], set()), operator["name"]


# Operators of 1.9.1 with their names of 2.0, where no version has both.
RENAMED = [
    {"_contrib_DeformableConvolution", "_npx_deformable_convolution"},
    {"_contrib_ModulatedDeformableConvolution", "_npx_modulated_deformable_convolution"},
]


def reason(name):
    (found,) = [o for o in table() if name in names_of(o)]
    return found["status"], found.get("reason")


def test_no_operator_of_quantised_models_is_left_for_later():
    planned = [o["name"] for o in mx2onnx.untranslated_operators() if o["status"] == "planned"]
    assert [name for name in planned if "quant" in name or name.startswith(("_sg_", "_contrib_intgemm"))] == []


@pytest.mark.parametrize(
    "name,status,words",
    [
        ("sgd_mom_update", "refused", "'sgd_mom_update' is an optimizer step: it has no place in inference"),
        ("_backward_Convolution", "refused", "is the gradient of another operator"),
        ("_npi_add", "planned", "NumPy interface"),
        ("_contrib_quantized_rnn", "refused", "cannot be run by MXNet 1.9.1 on a processor with VNNI"),
        ("_contrib_calibrate_entropy", "refused", "finds the ranges"),
        ("_cvimread", "refused", "images"),
        ("_contrib_dgl_subgraph", "refused", "graph"),
        ("Custom", "refused", "code of the user's program"),
        ("_contrib_MultiBoxTarget", "refused", "makes the targets that a model is trained with"),
        ("fill_element_0index", "refused", "cannot run in a symbol"),
    ],
)
def test_reasons(name, status, words):
    if name == "_npi_add" and reason(name)[0] == "translated":
        pytest.skip("translated by now")
    found, why = reason(name)
    assert found == status and words in why


def symbol_of(op, attrs=None):
    return json.dumps(
        {
            "nodes": [
                {"op": "null", "name": "data", "inputs": []},
                {"op": op, "name": "n", "attrs": attrs or {}, "inputs": [[0, 0, 0]]},
            ],
            "heads": [[1, 0, 0]],
        }
    )


def test_a_conversion_says_the_reason():
    with pytest.raises(mx2onnx.UnsupportedError) as error:
        mx2onnx.convert(symbol_of("sgd_update"))
    assert str(error.value) == (
        "symbol: node 1 'n' (sgd_update): 'sgd_update' is an optimizer step: it has no place in inference"
    )


# Attributes.


def fields():
    """{operator: {attribute: its description}}, of the first MXNet that has the operator."""
    result = {group[0]: {} for group in GROUPS}
    described = set()
    for version in gen_mxnet_names.VERSIONS:
        rows = [r.split("\t") for r in gen_mxnet_names.data(version, "attributes.tsv").read_text().splitlines()]
        for operator, name, text in rows:
            if operator in result and operator not in described:
                result[operator][name] = text
        names = gen_mxnet_names.data(version, "operator-names.txt").read_text().splitlines()
        described |= {line.split()[0] for line in names}
    return result


CANONICAL = {name: group[0] for group in GROUPS for name in group}


def mxnet_default(text):
    match = re.search(r"default='?(.*?)'?$", text)
    return match.group(1) if match else None


def same_value(ours, theirs):
    """Spelled alike, or the same number or tuple: "1" and "True", "[]" and "()"."""

    def value(text):
        text = text.strip().replace("[", "(").replace("]", ")").replace(" ", "").replace(",)", ")")
        return {"True": "1", "False": "0"}.get(text, text)

    ours, theirs = value(ours), value(theirs)
    if ours == theirs:
        return True
    try:
        return math.isclose(float(ours), float(theirs), rel_tol=1e-6)
    except ValueError:
        return False


def translated():
    return [o for o in mx2onnx.operators() if o["name"] in CANONICAL or set(o["aliases"]) & set(CANONICAL)]


# What MXNet's table has otherwise than its parsers, and what files of other versions have.
ONEDNN = {
    *("num_args", "quantized", "min_calib_range", "max_calib_range", "enable_float_output", "channel_wise_quantize"),
    *("with_bn", "with_act", "with_relu", "with_sum", "with_postsum_act", "with_postsum_relu", "with_eltwise"),
    *("dedup_sum", "heads", "transpose_a", "transpose_b"),
}
OTHERWISE = {
    "Activation": {"act_type"},  # log_sigmoid and mish are names of 2.0
    "Convolution": {"layout"},  # NWC is a name of 2.0
    "Convolution_v1": {"layout"},
    "Deconvolution": {"layout"},
    "Embedding": {"deterministic"},  # of 1.3 and 1.4
    "_contrib_SparseEmbedding": {"deterministic"},
    "Pooling": {"output_size"},  # of 2.0
    "_contrib_quantized_pooling": {"output_size"},
    "_contrib_quantized_conv": {"layout"},
    "_contrib_DeformableConvolution": {"layout"},  # the others are names of layouts of other ranks
    "_contrib_ModulatedDeformableConvolution": {"layout"},
    "_copyto": {"data"},  # an input that the table lists as an attribute
    "_cvcopyMakeBorder": {"src"},
    "_cvimresize": {"src"},
    # In 2.0 the default is None, which is float32.
    **{"_npi_" + name: {"dtype"} for name in "uniform uniform_n normal normal_n gamma bernoulli laplace".split()},
    "_npi_powerd": {"ctx"},  # of 2.0
    "_npi_cholesky": {"lower"},  # as _linalg_potrf
    "_npi_norm": {"ord", "axis", "keepdims", "flag"},  # which the table leaves out
    "_npi_concatenate": {"axis", "dim"},  # the table has the name of 2.0
    "_image_resize": {"size"},  # MXNet 1.9.1 fails without it
    "_linalg_potrf": {"lower"},  # LaCholeskyParam, which the table leaves out
    "_linalg_potri": {"lower"},
    "_ravel_multi_index": {"shape"},  # MXNet 1.9.1 fails without it
    "_sample_unique_zipfian": {"shape"},
    "_unravel_index": {"shape"},
    "all_finite": {"data", "num_arrays"},  # an input; shared with multi_all_finite
    "khatri_rao": {"num_args"},  # key_var_num_args
    "_linspace": {"endpoint", "num", "infer_range", "repeat", "step", "stop"},  # the table has those of _arange
    "add_n": {"num_args"},  # key_var_num_args, which the table leaves out
    "moments": {"axes"},  # MXNet 1.9.1 fails without them
    "smooth_l1": {"is_int", "scalar"},  # the table has the attributes of 1.6
    "_npi_boolean_mask_assign_scalar": {"start_axis"},  # 0 where a file leaves it out
    "_npi_boolean_mask_assign_tensor": {"start_axis"},
    "_npi_pad": {"constant_values"},  # of 2.0
    "_npx_while_loop": {"max_iterations"},  # which 2.0 does not write
    # None, which is the default of 2.0, is the default of 1.9.1.
    **{"_npi_" + name: {"dtype"} for name in ("arange", "blackman", "eye", "hamming", "hanning", "identity", "tri")},
    **{"_npi_" + name: {"dtype"} for name in ("indices", "logspace", "ones", "zeros")},
    **{name: {"dtype"} for name in ("_full", "_ones", "_zeros")},
    # Operators that partitioning makes: MXNet reads their attributes and has them in no table.
    **{name: ONEDNN for name in ("_sg_mkldnn_conv", "_sg_mkldnn_fully_connected", "_sg_mkldnn_selfatt_qk")},
    **{name: ONEDNN for name in ("_sg_mkldnn_selfatt_valatt", "_sg_onednn_batch_dot", "_sg_onednn_conv")},
    **{"_sg_onednn_" + name: ONEDNN for name in ("fully_connected", "selfatt_qk", "selfatt_valatt")},
}


def differences(operator, theirs):
    for name, text in all_differences(operator, theirs):
        if name not in OTHERWISE.get(operator["name"], ()):
            yield "%s %s" % (name, text)


def all_differences(operator, theirs):
    ours = {a["name"]: a for a in operator["attributes"]}
    for name in theirs.keys() - ours.keys():
        yield name, "is missing; MXNet: %s" % theirs[name]
    for name in ours.keys() - theirs.keys():
        yield name, "is none of MXNet's"
    for name in ours.keys() & theirs.keys():
        attribute, text = ours[name], theirs[name]
        if attribute["ignored"]:
            continue
        default = mxnet_default(text)
        if attribute["required"] != (default is None):
            yield name, "is required: %s; MXNet: %s" % (attribute["required"], text)
        elif default is not None and not same_value(attribute["default"], default):
            yield name, "has the default %s; MXNet: %s" % (attribute["default"], text)
        names = re.match(r"\{(.*?)\}", text)
        if names:
            wanted = {n.strip().strip("'") for n in names.group(1).split(",")}
            known = set(re.split(r", or | or |, ", attribute["expected"]))
            if "element type" not in attribute["expected"] and known != wanted:
                yield name, "takes %s; MXNet: %s" % (attribute["expected"], text)


@pytest.mark.parametrize("operator", translated(), ids=lambda o: o["name"])
def test_attributes_are_those_of_mxnet(operator):
    canonical = next(CANONICAL[n] for n in names_of(operator) if n in CANONICAL)
    assert sorted(differences(operator, fields()[canonical])) == []


# What an opset cannot express.


def limits(opset):
    table = json.loads(tool("ops", "--json", "--opset", str(opset)))["operators"]
    return {name: o.get("limits", []) for o in table for name in names_of(o)}


def test_limits_of_an_opset():
    (whole,) = limits(12)["_contrib_fft"]
    assert whole["attribute"] == "" and "17" in whole["hint"]
    assert limits(17)["_contrib_fft"] == []
    (value,) = limits(12)["Cast"]
    assert value["attribute"] == "dtype=bfloat16" and "13" in value["hint"]
    assert "not at opset 12: dtype=bfloat16" in tool("ops", "--opset", "12")


def test_limits_agree_with_the_cases():
    """An operator with a case that some opset refuses is in that opset's table."""
    found = {opset: limits(opset) for opset in ALL_OPSETS}
    for family in case_model.family_names():
        for case in case_model.load_family(family):
            first = case.get("first_opset", ALL_OPSETS[0])
            last = case.get("last_opset", ALL_OPSETS[-1])
            if "limit" in case:
                continue
            ops = [case["op"]] if "op" in case else [node["op"] for node in case["nodes"]]
            for opset in ALL_OPSETS:
                if not first <= opset <= last:
                    assert any(found[opset][op] for op in ops), (family, case["name"], opset)


@pytest.mark.parametrize("opset", ALL_OPSETS)
def test_ir_version(opset):
    """The IR version is the one of the first ONNX release with the opset."""
    model = onnx.load_from_string(mx2onnx.convert(symbol_of("relu"), inputs={"data": (1,)}, opset=opset).model)
    releases = [row for row in onnx.helper.VERSION_TABLE if row[2] == opset]
    wanted = min(row[1] for row in releases) if releases else model.ir_version
    assert model.opset_import[0].version == opset
    # The onnx package has IR 7 for opset 12, whose first release had it as well.
    assert model.ir_version == wanted, releases


@pytest.mark.parametrize(
    "op", ["max", "min", "argmax", "argmin", "argmax_channel", "topk", "sort", "argsort", "softmax", "log_softmax"]
)
def test_reports_say_what_nan_does(op):
    nodes = [{"op": "null", "name": "data", "inputs": []}, {"op": op, "name": "op", "inputs": [[0, 0, 0]]}]
    symbol = json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]]})
    report = mx2onnx.convert(symbol, inputs={"data": (2, 3)}).report
    (notes,) = [entry["notes"] for entry in report["notes"] if entry["op"] == op]
    assert any("NaN" in note for note in notes)
