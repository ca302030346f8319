#!/usr/bin/env python3
"""Measures `mx2onnx convert`, side by side with `cp` of the same file and with another commit.

  run.py BUILD_FOLDER [--against REV] [--rounds N] [--only REGEX] [--json FILE]

All numbers come from one run, the commands taking turns, and the ones to look at are ratios of medians: of CPU time (user and
system) and of wall time, which hides a factor of two on a busy disk. Peak private memory is the largest RssAnon that was
seen; pages of mapped files belong to the page cache.

REV is the last commit if there are changes, else the one before. Exits with 1 if a conversion takes over 20 % more CPU or
wall time than at REV, as the median of the rounds, and on a second look, too.
"""

import argparse
import json
import os
import pathlib
import re
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

REGRESSION = 1.2


class Cost:
    """Of a command, round by round; the first one warms the caches."""

    def __init__(self):
        self.cpu, self.wall, self.peak = [], [], 0

    def add(self, cpu, wall, peak):
        self.cpu.append(cpu)
        self.wall.append(wall)
        self.peak = max(self.peak, peak)

    def ratio(self, other, kind):
        """How many times the other's, as the median of the rounds."""
        pairs = zip(getattr(self, kind)[1:], getattr(other, kind)[1:])
        return statistics.median(mine / max(theirs, 1e-9) for mine, theirs in pairs)


def run(command):
    """(CPU seconds, wall seconds, peak private bytes) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, over = [0], threading.Event()

    def watch():
        while not over.is_set():
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
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    over.set()
    watcher.join()
    if process.returncode != 0:
        sys.exit("failed: %s" % " ".join(command))
    return usage.ru_utime + usage.ru_stime, seconds, peak[0]


def remove(paths):
    for path in paths:
        if os.path.exists(path):
            os.remove(path)


def side_by_side(commands, rounds):
    """{name: Cost} of commands that take turns; each round removes what they wrote."""
    costs = {name: Cost() for name in commands}
    for _ in range(rounds + 1):
        for name, (command, written) in commands.items():
            remove(written)
            costs[name].add(*run(command))
    return costs


class Bench:
    def __init__(self, tools, rounds, folder):
        self.tools, self.rounds, self.folder = tools, rounds, folder
        self.results, self.regressions = {}, []

    def path(self, name):
        return os.path.join(self.folder, name)

    def convert(self, tool, symbol, params, out, *options):
        return ([tool, "convert", symbol] + params + ["-o", out, "--quiet"] + list(options), [out, out + ".data"])

    def measure(self, name, commands, unit):
        """Prints a row for each command, in units of one of them; compares the two tools."""
        costs = side_by_side(commands, self.rounds)
        print("  %-34s %9s %9s %9s" % ("times " + unit, "CPU", "wall", "private"))
        for label, cost in costs.items():
            cpu, wall = (cost.ratio(costs[unit], kind) for kind in ("cpu", "wall"))
            print("  %-34s %9.2f %9.2f %6d MB" % (label, cpu, wall, cost.peak // 10**6))
            self.results.setdefault(name, {})[label] = {"cpu": cpu, "wall": wall, "private_mb": cost.peak / 1e6}
        self.compare(name, commands, costs)
        remove([path for _, written in commands.values() for path in written])
        return costs

    def compare(self, name, commands, costs):
        """Notes the conversions that take longer than those of the other tool."""
        ours, *others = self.tools
        for theirs in others:
            for label in [label for label in commands if label.startswith(ours)]:
                twin = theirs + label[len(ours) :]
                for kind in ("cpu", "wall"):
                    if costs[label].ratio(costs[twin], kind) <= REGRESSION:
                        continue
                    again = side_by_side({key: commands[key] for key in (label, twin)}, 2 * self.rounds)
                    ratio = again[label].ratio(again[twin], kind)
                    if ratio > REGRESSION:
                        self.regressions.append(
                            "%s, %s: %.2f times the %s time of %s" % (name, label, ratio, kind, twin)
                        )

    def network(self, name, made, inputs=("data:1,3,224,224",), also=()):
        """Conversion of a network against cp of its parameters, as it is and with each of the options."""
        text, shapes = made
        symbol, params = self.path(name + "-symbol.json"), self.path(name + ".params")
        pathlib.Path(symbol).write_text(text)
        networks.write_params(params, shapes)
        copied = self.path("copied.params")
        commands = {"cp": (["cp", params, copied], [copied])}
        shape = [part for given in inputs for part in ("--input", given)]
        for label, tool in self.tools.items():
            commands[label] = self.convert(tool, symbol, [params], self.path(label + ".onnx"), *shape)
            for option in also:
                out = self.path(label + option + ".onnx")
                commands["%s %s" % (label, option)] = self.convert(tool, symbol, [params], out, option, *shape)
        print("%s: %d MB of weights" % (name, os.path.getsize(params) // 10**6))
        self.measure(name, commands, "cp")
        remove([params])

    def chains(self, lengths=(10_000, 100_000, 1_000_000)):
        """A chain of many nodes: the cost must be linear in their number."""
        costs = {}
        for length in lengths:
            symbol = self.path("chain%d-symbol.json" % length)
            pathlib.Path(symbol).write_text(networks.chain(length))
            commands = {
                label: self.convert(tool, symbol, [], self.path(label + "_chain.onnx"), "--input", "data:N,8")
                for label, tool in self.tools.items()
            }
            print("chain of %d nodes" % length)
            costs[length] = self.measure("chain%d" % length, commands, "mx2onnx")
            remove([symbol])
        for short, long in zip(lengths, lengths[1:]):
            cpu = costs[long]["mx2onnx"].ratio(costs[short]["mx2onnx"], "cpu")
            print("%d nodes take %.1f times the CPU time of %d" % (long, cpu, short))
            self.results["chain%d" % long]["times_shorter"] = cpu

    def regressed(self):
        for line in self.regressions:
            print("slower: " + line)
        return bool(self.regressions)


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


def last_commit():
    """The last one, or, where nothing was changed since, the one before."""
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "src", "include"], cwd=ROOT).returncode
    return "HEAD" if changed else "HEAD~1"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument(
        "--against", metavar="REV", help="the commit that is built and measured in the same run; '' for none"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="REGEX", help="the measurements whose name matches")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to a file")
    args = parser.parse_args()
    against = last_commit() if args.against is None else args.against
    # Not in /tmp, which may be memory: files have to cost what files cost.
    work = ROOT / "build" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        tools = {"mx2onnx": str(pathlib.Path(args.build).resolve() / "mx2onnx")}
        if against:
            tools[against] = build_revision(against, folder)
        bench = Bench(tools, args.rounds, folder)
        measurements = {
            "vgg16": lambda: bench.network("vgg16", networks.vgg16(), also=["--weights-in-place"]),
            "resnet50": lambda: bench.network("resnet50", networks.resnet50(), also=["--no-optimize"]),
            "bert_base": lambda: bench.network(
                "bert_base", networks.bert(12, 768, 12, 3072), ("data:B,T", "segments:B,T")
            ),
            "bert_large": lambda: bench.network(
                "bert_large", networks.bert(24, 1024, 16, 4096), ("data:B,T", "segments:B,T")
            ),
            "chains": bench.chains,
        }
        for name, measure in measurements.items():
            # Six gigabytes have to be free for the largest.
            if re.search(args.only or "^(?!bert_large)", name):
                measure()
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(bench.results, indent=1))
    sys.exit(1 if bench.regressed() else 0)


if __name__ == "__main__":
    main()
