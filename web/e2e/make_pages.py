"""Writes the pages that the tests of the browser look at: make_pages.py MX2ONNX FOLDER."""

import json
import lzma
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "tests" / "models"
HOSTILE = ["</script><script>window.hurt = 1</script>", "<img src=x onerror='window.hurt = 1'>", '"><b>', "a & b"]


class Net:
    """A symbol of operators without parameters."""

    def __init__(self):
        self.nodes = [{"op": "null", "name": "data", "inputs": []}]

    def add(self, op, name, *inputs):
        self.nodes.append({"op": op, "name": name, "inputs": [[i, 0, 0] for i in inputs]})
        return len(self.nodes) - 1

    def text(self):
        heads = [[len(self.nodes) - 1, 0, 0]]
        return json.dumps({"nodes": self.nodes, "heads": heads, "attrs": {"mxnet_version": ["int", 10901]}})


def residual(units, name):
    """`units` of four nodes each; `name(unit, what)` names them."""
    net, x = Net(), 0
    for unit in range(units):
        y = net.add("relu", name(unit, "relu0"), x)
        y = net.add("sigmoid", name(unit, "sigmoid0"), y)
        y = net.add("tanh", name(unit, "tanh0"), y)
        x = net.add("elemwise_add", name(unit, "plus0"), x, y)
    return net


def hostile():
    net, x = Net(), 0
    for name in HOSTILE:
        x = net.add("relu", name, x)
    x = net.add("constructor", "__proto__", x)
    return net


def refused():
    net = Net()
    x = net.add("relu", "net0_a_relu0_fwd", 0)
    x = net.add("NoSuchOp", "net0_a_odd0_fwd", x)
    for i in range(3):
        x = net.add("relu", "net0_b_relu%d_fwd" % i, x)
    return net


def main():
    tool, folder = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    nets = {
        "large": residual(1250, lambda unit, what: "net0_stage%d_unit%d_%s_fwd" % (unit // 125, unit, what)),
        "flat": residual(1250, lambda unit, what: "node_%d_%s" % (unit, "rstp"[len(what) % 4])),
        "hostile": hostile(),
        "refused": refused(),
    }
    jobs = {
        "digits": [MODELS / "digits_cnn-symbol.json", MODELS / "digits_cnn-0000.params", "--input", "data:batch,1,8,8"]
    }
    for name, net in nets.items():
        path = folder / (name + "-symbol.json")
        path.write_text(net.text(), encoding="utf-8")
        jobs[name] = [path, "--input", "data:2,16"]
    for name, arguments in jobs.items():
        command = [tool, "inspect", *map(str, arguments), "--html", str(folder / (name + ".html"))]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    # A net of the zoo, with random weights, as a person would come with it.
    path = folder / "resnet18_v1-symbol.json"
    path.write_bytes(lzma.decompress((ROOT / "tests" / "zoo" / "gluon2" / (path.name + ".xz")).read_bytes()))
    command = [tool, "convert", str(path), "--random-weights", "--input", "data:batch,3,224,224", "-q"]
    command += ["-o", str(folder / "resnet.onnx"), "--html", str(folder / "resnet.html")]
    subprocess.run(command, check=True)
    command = [tool, "convert", *map(str, jobs["digits"]), "-o", str(folder / "digits.onnx"), "-q"]
    subprocess.run(command, check=True)
    subprocess.run(
        [tool, "inspect", "digits.onnx", "--html", "onnx.html"], check=True, stdout=subprocess.DEVNULL, cwd=folder
    )


if __name__ == "__main__":
    main()
