#!/usr/bin/env python3
"""Measures `mx2onnx convert`, side by side with `cp` of the same file and with another commit.

  run.py BUILD_FOLDER [--against REV] [--rounds N] [--only REGEX] [--json FILE] [--table PAGE]

All numbers come from one run, the commands taking turns, and the ones to look at are ratios: of the least CPU time (user and
system) of the rounds, which other programs disturb least, and the median of those of wall time, which hides a factor of two
on a busy disk. Peak private memory is the largest RssAnon that was seen; pages of mapped files belong to the page cache.

REV is the last commit if there are changes, else the one before. Exits with 1 if a conversion takes over 20 % more CPU or
wall time than at REV, and on a second look, too. Wall time counts where nothing else runs: on a machine with more to do than
processors it is printed only.
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
        """How many times the other's: of the least CPU time of all rounds, or the median of the rounds' wall times."""
        if kind == "cpu":
            return min(self.cpu) / max(min(other.cpu), 1e-9)
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


def is_busy():
    """True where programs wait for a processor, so that wall time says little."""
    return os.getloadavg()[0] > os.cpu_count()


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
                for kind in ("cpu",) if is_busy() else ("cpu", "wall"):
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

    def growth(self, what, counts, make, inputs=lambda count: ["data:N,8"]):
        """Of something there are more and more: the cost must be linear in their number. `make` gives a symbol and, where
        there are some, the shapes of its parameters."""
        costs = {}
        for count in counts:
            name = what.replace(" ", "_") + str(count)
            made, params = make(count), []
            symbol, weights = self.path(name + "-symbol.json"), self.path(name + ".params")
            if isinstance(made, tuple):
                networks.write_params(weights, made[1])
                params, made = [weights], made[0]
            pathlib.Path(symbol).write_text(made)
            shapes = [part for given in inputs(count) for part in ("--input", given)]
            commands = {
                label: self.convert(tool, symbol, params, self.path(label + "_grown.onnx"), *shapes)
                for label, tool in self.tools.items()
            }
            read = sum(os.path.getsize(path) for path in [symbol, *params])
            print("%d %s: %.1f MB of files" % (count, what, read / 1e6))
            costs[count] = self.measure(name, commands, "mx2onnx")
            result = self.results[name]["mx2onnx"]
            result["bytes_each"] = costs[count]["mx2onnx"].peak / count
            result["times_file"] = costs[count]["mx2onnx"].peak / read
            remove([symbol, *params])
        for fewer, more in zip(counts, counts[1:]):
            cpu = costs[more]["mx2onnx"].ratio(costs[fewer]["mx2onnx"], "cpu")
            print("%d %s take %.1f times the CPU time of %d" % (more, what, cpu, fewer))
            self.results[what.replace(" ", "_") + str(more)]["mx2onnx"]["times_fewer"] = cpu

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
        cached = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        subprocess.run(
            ["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *cached],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        subprocess.run(["cmake", "--build", build, "--target", "mx2onnx_cli"], check=True, stdout=subprocess.DEVNULL)
        tool = os.path.join(folder, "mx2onnx_" + revision.replace("/", "_"))
        shutil.copy(os.path.join(build, "mx2onnx"), tool)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
    return tool


TABLE = ("<!-- measured by bench/run.py --table -->", "<!-- end -->")

ROWS = {
    "vgg16": "VGG-16, 553 MB of weights as they are",
    "amp_vgg16": "the same for half precision: weights are rounded",
    "resnet50": "ResNet-50, 102 MB, batch normalisation folded into the weights",
    "mobilenet_v2": "MobileNet v2, 14 MB, the same",
    "bert_base": "BERT-base, 436 MB, most of it transposed",
    "bert_large": "BERT-large, 1.3 GB, most of it transposed",
}


def tables(results):
    """What a page says of the results, as Markdown."""
    lines = ["| Model | CPU time, times `cp` | Wall time, times `cp` | Private memory |", "|---|---|---|---|"]
    for name, words in ROWS.items():
        for label, cost in results.get(name, {}).items():
            if label == "mx2onnx" or label.startswith("mx2onnx --"):
                option = label[len("mx2onnx") :].strip()
                row = words + (", `%s`" % option if option else "")
                lines.append("| %s | %.2f | %.2f | %d MB |" % (row, cost["cpu"], cost["wall"], cost["private_mb"]))
    lines += [
        "",
        "| So many | CPU time, times that of the row above | Private memory | Of that for each |",
        "|---|---|---|---|",
    ]
    for name, costs in results.items():
        if "bytes_each" not in costs.get("mx2onnx", {}):
            continue
        cost = costs["mx2onnx"]
        words = re.sub(r"^(\D+?)(\d+)$", lambda m: "%s %s" % (m[2], m[1].replace("_", " ")), name)
        times = "%.1f" % cost["times_fewer"] if "times_fewer" in cost else ""
        lines.append("| %s | %s | %d MB | %.1f kB |" % (words, times, cost["private_mb"], cost["bytes_each"] / 1000))
    return "\n".join(lines)


def write_tables(page, results):
    """Puts the tables where the page wants them."""
    path = pathlib.Path(page)
    before, rest = path.read_text().split(TABLE[0])
    after = rest.split(TABLE[1])[1]
    path.write_text("%s%s\n%s\n%s%s" % (before, TABLE[0], tables(results), TABLE[1], after))


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
    parser.add_argument("--table", metavar="PAGE", help="also write tables into a page of the documentation")
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
            "amp_vgg16": lambda: bench.network("amp_vgg16", networks.vgg16(amp=True)),
            "resnet50": lambda: bench.network("resnet50", networks.resnet50(), also=["--no-optimize"]),
            "mobilenet_v2": lambda: bench.network("mobilenet_v2", networks.mobilenet_v2()),
            "bert_base": lambda: bench.network(
                "bert_base", networks.bert(12, 768, 12, 3072), ("data:B,T", "segments:B,T")
            ),
            "bert_large": lambda: bench.network(
                "bert_large", networks.bert(24, 1024, 16, 4096), ("data:B,T", "segments:B,T")
            ),
            "chains": lambda: bench.growth("nodes", (10_000, 100_000, 1_000_000), networks.chain),
            "tiny": lambda: bench.growth(
                "tiny parameters", (10_000, 100_000), networks.tiny_parameters, lambda _: ["data:N,4"]
            ),
            "heads": lambda: bench.growth("heads", (10_000, 100_000), networks.many_heads),
            "free_sizes": lambda: bench.growth(
                "free sizes",
                (250, 500, 1000),
                networks.many_inputs,
                lambda count: ["x%d:N%d,8" % (i, i) for i in range(count)],
            ),
        }
        for name, measure in measurements.items():
            # Six gigabytes have to be free for the largest.
            if re.search(args.only or "^(?!bert_large)", name):
                measure()
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(bench.results, indent=1))
    if args.table:
        write_tables(args.table, bench.results)
    sys.exit(1 if bench.regressed() else 0)


if __name__ == "__main__":
    main()
