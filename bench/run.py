#!/usr/bin/env python3
"""Measures `mx2onnx convert`, side by side with `cp` of the same file and, on request, with another commit.

  run.py BUILD_FOLDER [--against REV] [--rounds N] [--json FILE]

All numbers come from one run, the commands taking turns, and the ones to look at are ratios of medians. Peak
private memory is the largest RssAnon that was seen; pages of mapped files belong to the page cache.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

import networks  # noqa: E402


def run(command):
    """(seconds, peak private bytes) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = [0]

    def watch():
        while process.poll() is None:
            try:
                with open("/proc/%d/status" % process.pid) as f:
                    for line in f:
                        if line.startswith("RssAnon"):
                            peak[0] = max(peak[0], int(line.split()[1]) * 1024)
            except (OSError, IndexError):
                return
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    if process.wait() != 0:
        sys.exit("failed: %s" % " ".join(command))
    seconds = time.perf_counter() - start
    watcher.join()
    return seconds, peak[0]


def side_by_side(commands, rounds):
    """{name: (median seconds, peak bytes)} of commands that take turns; each round removes what they wrote."""
    times = {name: [] for name in commands}
    peaks = dict.fromkeys(commands, 0)
    for turn in range(rounds + 1):
        for name, (command, written) in commands.items():
            for path in written:
                if os.path.exists(path):
                    os.remove(path)
            seconds, peak = run(command)
            if turn > 0:  # the first round warms the caches
                times[name].append(seconds)
            peaks[name] = max(peaks[name], peak)
    return {name: (statistics.median(times[name]), peaks[name]) for name in commands}


class Bench:
    def __init__(self, tools, rounds, folder):
        self.tools, self.rounds, self.folder = tools, rounds, folder
        self.results = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def convert(self, tool, symbol, params, out, *options):
        return ([tool, "convert", symbol] + params + ["-o", out, "--quiet"] + list(options), [out])

    def network(self, name, made, largest_changed, inputs=("data:1,3,224,224",)):
        """Conversion of a network against cp of its parameters."""
        text, shapes = made
        symbol, params = self.path(name + "-symbol.json"), self.path(name + ".params")
        pathlib.Path(symbol).write_text(text)
        networks.write_params(params, shapes)
        copied = self.path("copied.params")
        commands = {"cp": (["cp", params, copied], [copied])}
        shape = [part for given in inputs for part in ("--input", given)]
        for label, tool in self.tools.items():
            commands[label] = self.convert(tool, symbol, [params], self.path(label + ".onnx"), *shape)
            commands[label + ", not optimised"] = self.convert(
                tool, symbol, [params], self.path(label + "_plain.onnx"), "--no-optimize", *shape
            )
        measured = side_by_side(commands, self.rounds)
        size = os.path.getsize(params)
        print("%s: %d MB of weights" % (name, size // 10**6))
        for label, (seconds, peak) in measured.items():
            print("  %-28s %5.2f times cp   %4d MB private" % (label, seconds / measured["cp"][0], peak // 10**6))
        self.results[name] = {
            label: {"times_cp": s / measured["cp"][0], "private_mb": p / 1e6} for label, (s, p) in measured.items()
        }
        self.results[name]["largest_changed_mb"] = largest_changed / 1e6
        for path in [params, copied] + [w for _, written in commands.values() for w in written]:
            if os.path.exists(path):
                os.remove(path)

    def chains(self, lengths=(10_000, 100_000)):
        """A chain of many nodes: the cost must be linear in their number."""
        medians = {}
        for length in lengths:
            symbol = self.path("chain%d-symbol.json" % length)
            pathlib.Path(symbol).write_text(networks.chain(length))
            commands = {
                label: self.convert(tool, symbol, [], self.path("chain.onnx"), "--input", "data:N,8")
                for label, tool in self.tools.items()
            }
            medians[length] = side_by_side(commands, self.rounds)
        short, long = lengths
        print("chain of %d nodes against %d" % (long, short))
        self.results["chain"] = {}
        for label in self.tools:
            ratio = medians[long][label][0] / medians[short][label][0]
            print(
                "  %-28s %5.1f times (%d times the nodes); %.2f s, %d MB private"
                % (label, ratio, long // short, medians[long][label][0], medians[long][label][1] // 10**6)
            )
            self.results["chain"][label] = {"ratio": ratio, "seconds": medians[long][label][0]}


def build_revision(revision, folder):
    """The command line tool of another commit."""
    tree = os.path.join(folder, "tree")
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, revision], cwd=ROOT, check=True)
    try:
        build = os.path.join(folder, "build")
        subprocess.run(
            ["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        subprocess.run(["cmake", "--build", build, "--target", "mx2onnx_cli"], check=True, stdout=subprocess.DEVNULL)
        tool = os.path.join(folder, "mx2onnx_" + revision.replace("/", "_"))
        shutil.copy(os.path.join(build, "mx2onnx"), tool)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
    return tool


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--against", metavar="REV", help="another commit, built and measured in the same run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="BERT-large too, for which 6 GB have to be free")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to a file")
    args = parser.parse_args()
    # Not in /tmp, which may be memory: files have to cost what files cost.
    work = ROOT / "build" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        tools = {"mx2onnx": str(pathlib.Path(args.build).resolve() / "mx2onnx")}
        if args.against:
            tools[args.against] = build_revision(args.against, folder)
        bench = Bench(tools, args.rounds, folder)
        bench.network("vgg16", networks.vgg16(), 0)
        bench.network("resnet50", networks.resnet50(), 512 * 512 * 9 * 4)
        if args.large:
            bert = networks.bert(24, 1024, 16, 4096)
            bench.network("bert_large", bert, 4096 * 1024 * 4, ("data:B,T", "segments:B,T"))
        bench.chains()
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(bench.results, indent=1))


if __name__ == "__main__":
    main()
