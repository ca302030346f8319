"""`mx2onnx inspect --html` and `--dot`: one page that needs nothing else, with the numbers of `--json`, whatever names there are."""

import html.parser
import json
import re
import subprocess

import mx2onnx
import numpy as np
import pytest
from test_cli import MODELS, TOOL
from test_inspect import symbol_text

from onnx import load, numpy_helper

pytestmark = pytest.mark.skipif(not TOOL, reason="MX2ONNX does not name the command line tool (make test does)")
CNN = [str(MODELS / "digits_cnn-symbol.json"), str(MODELS / "digits_cnn-0000.params"), "--input", "data:batch,1,8,8"]

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    '"},"x":{"',
    "\u2028\u2029 & <b>\\u003c",
    "@model@",
    "a'b\"c`d${e}",
]


def tool(*arguments):
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60)


class Markup(html.parser.HTMLParser):
    """The elements of a page, and what lies in its scripts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.scripts, self._script = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append([dict(attrs), ""])
            self._script = self.scripts[-1]

    def handle_endtag(self, tag):
        if tag == "script":
            self._script = None

    def handle_data(self, data):
        if self._script is not None:
            self._script[1] += data


def page_of(tmp_path, *arguments):
    page = tmp_path / "model.html"
    process = tool("inspect", *arguments, "--html", str(page))
    assert process.returncode == 0, process.stderr
    return page.read_text(encoding="utf-8")


def model_of(page):
    attributes, text = Markup(page).scripts[0]
    assert attributes == {"type": "application/json", "id": "model"}
    return json.loads(text)


def document(*arguments):
    process = tool("inspect", *arguments, "--graph")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_the_page_has_the_numbers_of_json(tmp_path):
    found = model_of(page_of(tmp_path, *CNN))
    assert found == document(*CNN)
    nodes = found["graphs"][0]["nodes"]
    for key in ("name", "op", "parameters", "parameter_bytes", "multiply_adds"):
        assert [node[key] for node in nodes] == [layer[key] for layer in found["layers"]], key
    assert sum(node["parameters"] for node in nodes) == found["parameter_count"]


def test_the_page_loads_nothing(tmp_path):
    page = page_of(tmp_path, *CNN)
    markup = Markup(page)
    for tag, attributes in markup.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            address = attributes.get(name)
            assert address is None or address == "data:,", (tag, attributes)
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    assert "url(" not in style and "@import" not in style
    policy = next(a["content"] for t, a in markup.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert [attributes.get("type") for attributes, _ in markup.scripts] == ["application/json", "module"]


def test_the_policy_is_that_of_the_script(tmp_path):
    import base64
    import hashlib

    page = page_of(tmp_path, *CNN)
    script = Markup(page).scripts[-1][1]
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    for text in (script, style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert "'sha256-%s'" % digest in page


def test_names_are_no_markup(tmp_path):
    nodes, before = [], "data"
    for name in HOSTILE:
        nodes.append(("relu", name, {"note" + name: name, "__note__": name}, [before]))
        before = name
    path = tmp_path / "hostile-symbol.json"
    path.write_text(symbol_text("data", *nodes), encoding="utf-8")
    page = page_of(tmp_path, str(path), "--input", "data:2,3")
    plain = page_of(tmp_path, *CNN)
    elements = [tag for tag, _ in Markup(page).elements]
    assert elements == [tag for tag, _ in Markup(plain).elements]
    assert [node["name"] for node in model_of(page)["graphs"][0]["nodes"]] == HOSTILE
    # The rest of the page is the same to the letter.
    assert page.split("</script>", 1)[1] == plain.split("</script>", 1)[1]


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "bytes-symbol.json"
    path.write_bytes(
        symbol_text("data", ("relu", "NAME", {}, ["data"])).encode().replace(b"NAME", b"a\xff\xfe\x00b"[:3])
    )
    process = tool("inspect", str(path), "--input", "data:2,3", "--html", str(tmp_path / "x.html"))
    if process.returncode == 0:
        (tmp_path / "x.html").read_text(encoding="utf-8")
    else:
        assert process.returncode in (3, 4), process.stderr
        assert not (tmp_path / "x.html").exists()


def test_what_became_of_each_node():
    found = document(*CNN)
    mxnet, onnx = found["graphs"]
    assert (mxnet["side"], onnx["side"]) == ("mxnet", "onnx")
    by_name = {node["name"]: node for node in mxnet["nodes"]}
    names = [node["name"] for node in onnx["nodes"]]
    became = {name: [names[i] for i in node["counterparts"]] for name, node in by_name.items()}
    # The batch norm lies in the convolution, and the dropout in nothing.
    assert became["digits_conv0_fwd"] == became["digits_batchnorm0_fwd"] == ["digits_conv0_fwd"]
    assert became["digits_dropout0_fwd"] == []
    passes = {name: {(e["pass"], e["what"]) for e in node.get("passes", [])} for name, node in by_name.items()}
    assert ("fold_batch_norm", "changed") in passes["digits_conv0_fwd"]
    assert ("fold_batch_norm", "removed") in passes["digits_batchnorm0_fwd"]
    assert ("remove_identities", "removed") in passes["digits_dropout0_fwd"]
    for i, node in enumerate(onnx["nodes"]):
        for j in node["counterparts"]:
            assert i in mxnet["nodes"][j]["counterparts"]


def test_the_graph_is_whole():
    for graph in document(*CNN)["graphs"]:
        made = {value for node in graph["nodes"] for value in node["outputs"]}
        for node in graph["nodes"]:
            for value in node["inputs"]:
                kind = graph["values"][value]["kind"]
                assert (value in made) == (kind == "inner"), (node["name"], kind)
        assert all(value in made for value in graph["outputs"])
        assert [graph["values"][value]["name"] for value in graph["inputs"]] == ["data"]


def test_statistics_are_those_of_the_weights():
    params = stored_params()
    values = {v["name"]: v for v in document(*CNN)["graphs"][0]["values"] if v["kind"] == "parameter"}
    # A gamma that the node fixes to 1 is not in the model.
    assert set(values) - set(params) <= {"digits_batchnorm0_gamma", "digits_batchnorm1_gamma"}
    for name, value in values.items():
        if name not in params:
            continue
        array, found = params[name].astype(np.float64), value["statistics"]
        assert found["looked_at"] == array.size
        np.testing.assert_allclose(
            [found["minimum"], found["maximum"], found["mean"], found["deviation"]],
            [array.min(), array.max(), array.mean(), array.std()],
            rtol=1e-9,
            atol=1e-12,
        )
        assert found["zeros"] == (array == 0).sum()
        if found["histogram"]:
            expected, _ = np.histogram(array, bins=len(found["histogram"]))
            assert sum(found["histogram"]) == array.size
            # A number on the border of two steps may be in either.
            assert np.abs(np.cumsum(found["histogram"]) - np.cumsum(expected)).max() <= 1


def stored_params():
    result = mx2onnx.convert(*CNN[:2], inputs={"data": ("batch", 1, 8, 8)}, disabled_passes=mx2onnx.pass_names())
    return {i.name: numpy_helper.to_array(i) for i in result.to_onnx().graph.initializer}


def test_what_does_not_convert_is_said_at_its_node(tmp_path):
    path = tmp_path / "bad-symbol.json"
    path.write_text(
        symbol_text("data", ("relu", "a", {}, ["data"]), ("NoSuchOp", "b", {}, ["a"]), ("relu", "c", {}, ["b"]))
    )
    found = document(str(path), "--input", "data:2,3")
    assert not found["converts"]
    (graph,) = found["graphs"]
    problems = {node["name"]: node.get("problems") for node in graph["nodes"]}
    assert problems["a"] is None and problems["c"] is None
    assert "NoSuchOp" in problems["b"][0] or "operator" in problems["b"][0]


def test_an_onnx_file(tmp_path):
    path = tmp_path / "digits.onnx"
    assert tool("convert", *CNN, "-o", str(path), "-q").returncode == 0
    found = model_of(page_of(tmp_path, str(path)))
    (graph,) = found["graphs"]
    (theirs,) = [g for g in document(*CNN)["graphs"] if g["side"] == "onnx"]
    for key in ("name", "op", "attributes", "parameters", "multiply_adds"):
        assert [n[key] for n in graph["nodes"]] == [n[key] for n in theirs["nodes"]], key
    statistics = {v["name"]: v.get("statistics") for v in graph["values"]}
    for value in theirs["values"]:
        if value["kind"] == "parameter":
            assert statistics[value["name"]] == value["statistics"], value["name"]


def test_blocks(tmp_path):
    def blocks(*names):
        nodes, before = [], "data"
        for name in names:
            nodes.append(("relu", name, {}, [before]))
            before = name
        path = tmp_path / "x-symbol.json"
        path.write_text(symbol_text("data", *nodes))
        graph = document(str(path), "--input", "data:2,3")["graphs"][0]
        return ["/".join(node["block"]) for node in graph["nodes"]]

    # Gluon's prefixes; the net itself is no block of the net.
    assert blocks("net0_s1_relu0_fwd", "net0_s1_relu1_fwd", "net0_s2_relu0_fwd", "net0_s2_relu1_fwd") == [
        "s1",
        "s1",
        "s2",
        "s2",
    ]
    # Names that are the other way round make no blocks: conv1 and relu1 are not each in one piece.
    assert blocks("relu1_1", "act1_1", "relu1_2", "act1_2") == ["", "", "", ""]
    # A block that is called twice.
    assert blocks("a_x", "a_y", "b_x", "b_y", "a_z", "a_w") == ["a", "a", "b", "b", "a (2)", "a (2)"]
    # Names that MXNet makes up of operators.
    assert blocks("relu0", "relu1", "relu2", "relu3") == ["", "", "", ""]


def test_dot(tmp_path):
    process = tool("inspect", *CNN, "--dot", "-")
    assert process.returncode == 0, process.stderr
    text = process.stdout
    assert text.startswith("digraph ") and text.endswith("}\n")
    graph = document(*CNN)["graphs"][0]
    assert len(re.findall(r"^ *n\d+ \[label=", text, re.M)) == len(graph["nodes"])
    assert text.count("{") == text.count("}")
    assert 'in0 -> n0 [label="batch×1×8×8"]' in text


def test_dot_of_hostile_names(tmp_path):
    nodes, before = [], "data"
    for name in HOSTILE:
        nodes.append(("relu", name, {}, [before]))
        before = name
    path = tmp_path / "hostile-symbol.json"
    path.write_text(symbol_text("data", *nodes), encoding="utf-8")
    text = tool("inspect", str(path), "--input", "data:2,3", "--dot", "-").stdout
    # Without what is quoted, only Graphviz's own words are left.
    rest = re.sub(r'"(\\.|[^"\\])*"', "", text)
    assert not re.search(r"[<>'`&@]", rest.replace("->", ""))


def test_parameters_alone_are_a_page_without_a_graph(tmp_path):
    found = model_of(page_of(tmp_path, CNN[1]))
    assert found["graphs"] == [] and len(found["arrays"]) == 13
    process = tool("inspect", CNN[1], "--dot", "-")
    assert process.returncode == 2
    assert "there is no graph in the file" in process.stderr


def test_a_page_is_whole_or_not_there(tmp_path):
    page = tmp_path / "x.html"
    page.write_text("before")
    process = tool("inspect", str(tmp_path / "missing-symbol.json"), "--html", str(page))
    assert process.returncode != 0
    assert page.read_text() == "before"


def test_convert_writes_the_page_of_what_it_did(tmp_path):
    page = tmp_path / "half.html"
    process = tool("convert", *CNN, "-o", str(tmp_path / "half.onnx"), "--float16", "--html", str(page))
    assert process.returncode == 0, process.stderr
    found = model_of(page.read_text(encoding="utf-8"))
    onnx = found["graphs"][1]
    names = [node.name for node in load(tmp_path / "half.onnx").graph.node]
    assert [node["name"] for node in onnx["nodes"]] == names
    passes = {e["pass"] for node in found["graphs"][0]["nodes"] for e in node.get("passes", [])}
    assert "float16" in passes
    folder = str(tmp_path / "many") + "/"
    process = tool("convert", *CNN, "-o", folder, "--html", str(page))
    assert process.returncode == 2 and "--html" in process.stderr


def test_python_has_the_same(tmp_path):
    symbol, params, _, _ = CNN
    inputs = {"data": ("batch", 1, 8, 8)}
    assert mx2onnx.inspect(symbol, params, inputs=inputs, graph=True) == document(*CNN)
    mx2onnx.inspect(symbol, params, inputs=inputs, html=tmp_path / "a.html")
    mx2onnx.convert(symbol, params, inputs=inputs, html=tmp_path / "b.html")
    pages = [(tmp_path / name).read_text(encoding="utf-8") for name in ("a.html", "b.html")]
    assert pages[0] == pages[1] == page_of(tmp_path, *CNN)
    assert "graphs" not in mx2onnx.inspect(symbol, params, inputs=inputs)


def test_a_notebook_shows_a_picture(tmp_path):
    inputs = {"data": ("batch", 1, 8, 8)}
    result = mx2onnx.convert(CNN[0], CNN[1], inputs=inputs)
    frame = Markup(result._repr_html_())
    ((tag, attributes),) = [e for e in frame.elements if e[0] == "iframe"]
    assert tag == "iframe" and attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == result.to_html()
    assert [g["side"] for g in model_of(result.to_html())["graphs"]] == ["mxnet", "onnx"]
    # Of what is live, the ONNX graph is there.
    text = (MODELS / "digits_cnn-symbol.json").read_text()
    live = mx2onnx.convert(text, CNN[1], inputs=inputs)
    assert [g["side"] for g in model_of(live.to_html())["graphs"]] == ["onnx"]
    # Files that are gone are no reason to show nothing.
    symbol = tmp_path / "gone-symbol.json"
    symbol.write_text(text)
    gone = mx2onnx.convert(symbol, CNN[1], inputs=inputs)
    symbol.unlink()
    assert gone._repr_html_().endswith("</table>")
