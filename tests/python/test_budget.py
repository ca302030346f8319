"""A small file does no great damage: what a number in it makes of it is bounded by the file's size, and the error says so.

Growth is measured by ratios and sizes, never by seconds.
"""

import json
import os
import resource
import struct
import subprocess

import parameter_files
import pytest

TOOL = os.environ.get("MX2ONNX")
pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
HINT = "hint: if the file can be trusted, allow more with --unpack-limit\n"


def variable(name):
    return {"op": "null", "name": name, "inputs": []}


def graph(nodes, heads=None, **more):
    arguments = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    return {"nodes": nodes, "arg_nodes": arguments, "heads": heads or [[len(nodes) - 1, 0, 0]], **more}


def one_node(op, attrs, inputs):
    nodes = [variable(name) for name in inputs]
    nodes.append({"op": op, "name": "op", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(len(inputs))]})
    return graph(nodes)


def convert(folder, symbol, *arguments, memory=None):
    """(exit code, standard error, processor seconds), with at most so many bytes of memory."""
    path = folder / "m-symbol.json"
    path.write_text(symbol if isinstance(symbol, str) else json.dumps(symbol))
    limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) if memory else None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [TOOL, "convert", str(path), "-o", str(folder / "m.onnx"), "-q", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=limit,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return process.returncode, process.stderr.replace(str(folder), "{dir}"), seconds


def nested_foreach(depth):
    nodes = [variable("x")]
    if depth == 0:
        nodes.append({"op": "relu", "name": "relu", "inputs": [[0, 0, 0]]})
        return graph(nodes)
    attrs = {"num_args": "2", "num_outputs": "1", "num_out_data": "1"}
    attrs.update({"in_data_locs": "[0]", "in_state_locs": "[]", "remain_locs": "[]"})
    loop = {"op": "_foreach", "name": "f%d" % depth, "attrs": attrs, "inputs": [[0, 0, 0]]}
    return graph([variable("x"), dict(loop, subgraphs=[nested_foreach(depth - 1)])])


def nested_while(depth):
    """Conditions within conditions, each of which ONNX has twice: before the loop and in it."""
    nodes = [variable("x")]
    if depth == 0:
        nodes.append({"op": "_lesser_scalar", "name": "less", "attrs": {"scalar": "3"}, "inputs": [[0, 0, 0]]})
        return graph(nodes)
    attrs = {"num_args": "3", "num_outputs": "1", "num_out_data": "0", "max_iterations": "2"}
    attrs.update({"cond_input_locs": "[0]", "func_input_locs": "[0]", "func_var_locs": "[0]"})
    step = graph(
        [variable("x"), {"op": "_plus_scalar", "name": "add", "attrs": {"scalar": "1"}, "inputs": [[0, 0, 0]]}]
    )
    loop = {"op": "_while_loop", "name": "w%d" % depth, "attrs": attrs, "inputs": [[0, 0, 0]]}
    return graph([variable("x"), dict(loop, subgraphs=[nested_while(depth - 1), step])])


def test_nested_loops_cost_as_much_as_they_are_long(tmp_path):
    seconds = {}
    for depth in (7, 14):
        code, text, seconds[depth] = convert(tmp_path, nested_foreach(depth), "--input", "x:" + ",".join("2" * 15))
        assert (code, text) == (0, "")
    # Twice the file; the cost used to be 2^7 times as high.
    assert seconds[14] < 16 * seconds[7]


def test_a_result_that_doubles_with_each_level_meets_the_budget(tmp_path):
    assert convert(tmp_path, nested_while(3), "--input", "x:1")[:2] == (0, "")
    code, text, _ = convert(tmp_path, nested_while(15), "--input", "x:1", "--unpack-limit", "1MB")
    assert code == 2
    assert text.endswith("bytes that were read would become more than 1000000\n" + HINT)


ROIS = ["data:2,2,5,6", "rois:5,6"]


@pytest.mark.parametrize(
    "op, attrs, inputs",
    [
        ("_contrib_RROIAlign", {"pooled_size": "(2, 2147483647)", "spatial_scale": "1"}, ROIS),
        ("_contrib_ROIAlign", {"pooled_size": "(70000, 70000)", "spatial_scale": "1", "position_sensitive": "1"}, ["data:2,4900000000,5,6", "rois:5,5"]),
        ("im2col", {"kernel": "(2, 2)", "pad": "(1, 2147483648)"}, ["data:1,1,7,8"]),
        ("im2col", {"kernel": "(5000000, 1)", "pad": "(5000000, 0)"}, ["data:1,1,7,8"]),
        ("col2im", {"kernel": "(2, 2)", "output_size": "(300000000, 2)"}, ["data:1,4,299999999"]),
        ("_contrib_DeformableConvolution", {"kernel": "(4500000, 1)", "pad": "(4500000, 0)", "num_filter": "1", "no_bias": "1"}, ["data:1,1,5,6", "offset:1,9000000,4500006,6", "weight:1,1,4500000,1"]),
        ("_contrib_AdaptiveAvgPooling2D", {"output_size": "(32768, 2)"}, ["data:1,1,1000000,4"]),
        ("_contrib_MultiBoxPrior", {"sizes": "(0.5,)"}, ["data:1,1,100000,100000"]),
        ("_cvcopyMakeBorder", {"top": "1", "bot": "1", "left": "1", "right": "1", "type": "2"}, ["src:1000000000,3,3"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_constants_that_grow_with_a_number(tmp_path, op, attrs, inputs):
    symbol = one_node(op, attrs, [text.split(":")[0] for text in inputs])
    arguments = [word for text in inputs for word in ("--input", text)]
    code, text, _ = convert(tmp_path, symbol, *arguments, memory=1 << 30)
    assert code == 2, text
    assert "'op' (%s): " % op in text and text.endswith("would become more than 67108864\n" + HINT)
    assert not (tmp_path / "m.onnx").exists()


def csr(rows, columns):
    """A file of one sparse array, which has one element."""
    header = struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<Ii", 0xF993FAC9, 2) + struct.pack("<iq", 1, 1)
    header += struct.pack("<iqq", 2, rows, columns) + struct.pack("<iii", 1, 0, 0)
    header += struct.pack("<iiq", 6, 1, rows + 1) + struct.pack("<iiq", 6, 1, 1)
    data = struct.pack("<f", 3) + struct.pack("<%dq" % (rows + 1), *([0] + [1] * rows)) + struct.pack("<q", 0)
    return header + data + struct.pack("<QQ", 1, 10) + b"arg:weight"


def test_a_sparse_array_that_is_small_only_in_its_file(tmp_path):
    symbol = one_node("FullyConnected", {"num_hidden": "4", "no_bias": "1"}, ["data", "weight"])
    params = tmp_path / "m.params"
    params.write_bytes(csr(4, 10**9))
    arguments = [str(params), "--input", "data:1,1000000000"]
    read = len(json.dumps(symbol)) + params.stat().st_size
    code, text, _ = convert(tmp_path, symbol, *arguments)
    assert code == 2
    assert text == "{dir}/m.params: %d bytes that were read would become more than 67108864\n" % read + HINT
    params.write_bytes(csr(4, 10**6))
    assert convert(tmp_path, symbol, str(params), "--input", "data:1,1000000")[:2] == (0, "")
    assert convert(tmp_path, symbol, *arguments, "--unpack-limit", "15MB")[0] == 2
    assert (tmp_path / "m.onnx").stat().st_size > 16 * 10**6


def test_a_message_says_how_much_more_there_is(tmp_path):
    nodes = [variable("x")]
    nodes += [{"op": "own_%d" % i, "name": "n%d" % i, "inputs": [[i, 0, 0]]} for i in range(5000)]
    code, text, _ = convert(tmp_path, graph(nodes), "--input", "x:2")
    assert code == 6
    assert text.count("\n") < 60 and "\n  and 4950 more\n" in text


def test_more_free_sizes_than_can_be_determined(tmp_path):
    nodes = [variable("x%d" % i) for i in range(300)]
    for i in range(1, 300):
        left = 0 if i == 1 else len(nodes) - 1
        nodes.append({"op": "elemwise_add", "name": "add%d" % i, "inputs": [[left, 0, 0], [i, 0, 0]]})
    arguments = [word for i in range(300) for word in ("--input", "x%d:N%d,3" % (i, i))]
    code, text, _ = convert(tmp_path, graph(nodes), *arguments)
    assert code == 5
    assert "more than 256 of the sizes that are left free are determined by the model\nhint: give sizes" in text


def test_a_symbol_that_no_model_has_is_not_read(tmp_path):
    path = tmp_path / "huge-symbol.json"
    with open(path, "wb") as file:
        file.write(b'{"nodes": [')
        file.truncate(100 << 30)
    process = subprocess.run(
        [TOOL, "convert", str(path), "-o", str(tmp_path / "o.onnx")], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 4
    assert (
        process.stderr
        == "%s: expected a symbol of MXNet, of at most 268435456 bytes, found 107374182400 bytes\n" % path
    )


def test_memory_that_is_not_there_is_an_error_about_the_file(tmp_path):
    nodes = [variable("x")] + [{"op": "relu", "name": "r%d" % i, "inputs": [[i, 0, 0]]} for i in range(200_000)]
    code, text, _ = convert(tmp_path, graph(nodes), "--input", "x:2", memory=100 << 20)
    assert (code, text) == (3, "{dir}/m-symbol.json: takes more memory than there is\n")
    assert sorted(os.listdir(tmp_path)) == ["m-symbol.json"]


def test_a_parameter_that_many_nodes_use_is_not_many(tmp_path):
    """The bytes written are bounded by those that were read, also where each node wants a weight in its own layout."""
    size = 1000
    nodes = [variable("x"), variable("w")]
    for i in range(300):
        nodes.append({"op": "transpose", "name": "t%d" % i, "inputs": [[1, 0, 0]]})
        nodes.append({"op": "dot", "name": "d%d" % i, "inputs": [[0, 0, 0], [len(nodes) - 1, 0, 0]]})
    heads = [[i, 0, 0] for i, node in enumerate(nodes) if node["op"] == "dot"]
    parameter_files.write_list(tmp_path / "m.params", {"arg:w": (size, size)})
    code, text, _ = convert(tmp_path, graph(nodes, heads), str(tmp_path / "m.params"), "--input", "x:1,%d" % size)
    assert code in (0, 2), text
    if code == 0:
        assert (tmp_path / "m.onnx").stat().st_size < 100 * 4 * size * size
