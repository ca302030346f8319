#!/usr/bin/env python3
"""Converts and verifies the graphs of tests/zoo (GluonCV, GluonNLP) against MXNet's recorded outputs; writes docs/zoo.md.

  zoo.py [--only REGEX] [--sample N] [--opset N]... [--jobs N] [--timeout S] [--memory GB] [--resume] [--quick]
         [--plain] [--no-docs]

Each model is converted with its recorded sizes at every opset, and run at opset 17 and at the others of --opset (12, 13 and 28 unless said
otherwise; the first possible one where 12 is not). Where the graph of another opset is the one that ran, and no operator in it is spelled differently between the two, ONNX
Runtime only loads it. Then it is converted with free sizes and run at the second size of MXNet's recording, or, where
there is none, on a batch of two whose first sample is the recorded one. At last it is converted without any description of its inputs, and run
with the recorded ones. With --plain, only that is done, and printed.

Each model runs in a process of its own, within bounds of time and memory; results stream into build/zoo/results.jsonl, from
which the page is written.
"""

import argparse
import hashlib
import json
import multiprocessing
import pathlib
import re
import resource
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "zoo"), str(ROOT / "tests" / "python")]

import mx2onnx  # noqa: E402
import zoo_corpus  # noqa: E402
import zoo_page  # noqa: E402
import zoo_verify as v  # noqa: E402
from zoo_page import ranges  # noqa: E402

RESULTS = ROOT / "build" / "zoo" / "results.jsonl"
PAGE = ROOT / "docs" / "zoo.md"
MAIN = mx2onnx.DEFAULT_OPSET
ALL = range(mx2onnx.FIRST_OPSET, mx2onnx.LAST_OPSET + 1)


def verify(entry, opsets, quick):
    """One model's result: a dict that JSON can hold."""
    row = {
        "corpus": entry.corpus,
        "name": entry.name,
        "family": entry.family,
        "outcome": "match",
        "note": "",
        "error": 0.0,
    }
    row.update(
        {
            "opsets": [],
            "ran": [],
            "loaded": [],
            "sizes": [],
            "fixed": [],
            "moved": 0,
            "unmatched": 0,
            "rows": 0,
            "stages": 0,
            "plain": "",
        }
    )

    def keep(found, what):
        row["error"] = max(row["error"], found["error"])
        for key in ("moved", "unmatched", "rows", "stages"):
            row[key] = max(row[key], found.get(key, 0))
        row["at"] = what

    try:
        symbol, feeds = entry.symbol(), entry.feeds()
        params = entry.params()
    except Exception as e:
        return dict(row, outcome="unreadable", note=v.one_line(e))
    if entry.quantized:
        return verify_quantized(entry, symbol, params, feeds, row)
    forms, refusals = {}, {}
    for opset in [MAIN] + opsets + [o for o in ALL if o not in opsets and o != MAIN]:
        first = not [o for o in row["opsets"] if o < MAIN]
        if quick and opset not in opsets and opset != MAIN and not (first and opset < MAIN):
            continue
        where = "opset %d" % opset
        try:
            model = v.convert(entry, symbol, params, entry.fixed_inputs(), opset).model
        except mx2onnx.Error as e:
            refusals[opset] = v.one_line(e)
            continue
        row["opsets"].append(opset)
        if opset != MAIN and opset not in opsets and not (first and opset < MAIN):
            continue
        try:
            form = v.form_of(model)
            if any(v.same_meaning(f, form, (o, opset)) for o, f in forms.items()):
                v.session(model, optimised=False)
                row["loaded"].append(opset)
            else:
                keep(v.check(entry, symbol, params, feeds, model, opset), where)
                row["ran"].append(opset)
            forms[opset] = form
        except v.Different as e:
            return dict(row, outcome="different", note="%s: %s" % (where, e))
        except Exception as e:
            return dict(row, outcome="ONNX Runtime", note="%s: %s" % (where, v.one_line(e)))
    row["opsets"].sort()
    if not row["opsets"]:
        return dict(row, outcome="refused", note=refusals[MAIN])
    row["sizes"].append("fixed")
    if refusals:
        row["note"] = "opset %s: %s" % (ranges(refusals), refusals[min(refusals)])
    verify_free(entry, symbol, params, feeds, row, keep)
    row["plain"] = verify_plain(entry, symbol, params, feeds)
    if row["stages"] and row["outcome"] == "match":
        row["outcome"] = zoo_page.BEFORE_SORTS
    return row


def verify_quantized(entry, symbol, params, feeds, row):
    """A net of INT8, at opset 17: how far its numbers are from MXNet's, which round at every layer."""
    try:
        result = v.convert(entry, symbol, params, entry.fixed_inputs(), MAIN)
        found = v.run(result.model, feeds)
    except mx2onnx.Error as e:
        return dict(row, outcome="refused", note=v.one_line(e))
    except Exception as e:
        return dict(row, outcome="ONNX Runtime", note=v.one_line(e))
    far = [v.root_mean_square(f, entry.expected()[i]) for i, f in enumerate(found)]
    note = "differences of the outputs (root mean square, in standard deviations): " + ", ".join(
        "%.2g" % f for f in far
    )
    return dict(row, outcome=zoo_page.ROUNDED, note=note, opsets=[MAIN], ran=[MAIN], sizes=["fixed"])


def verify_plain(entry, symbol, params, feeds):
    """What becomes of the model where nobody describes its inputs: the signature, or why there is none."""
    try:
        result = mx2onnx.convert(symbol, params)
        found = "; ".join("%s (%s)" % (p["name"], ", ".join(map(str, p["shape"]))) for p in result.inputs)
    except mx2onnx.Error as e:
        return "refused: %s" % v.one_line(e)
    # Ids are float32 where nothing says that they are integers, as in MXNet.
    feeds = {p["name"]: feeds[p["name"]].astype(p["dtype"]) for p in result.inputs}
    try:
        v.check(entry, symbol, params, feeds, result.model, result.report["opset"])
    except v.Different as e:
        return "different: %s" % e
    except Exception:
        return "other sizes: %s" % found
    return found


def verify_free(entry, symbol, params, feeds, row, keep):
    if entry.free_inputs() is None:
        return
    opset = MAIN if MAIN in row["opsets"] else row["opsets"][0]
    try:
        result, free, found = v.check_free(entry, symbol, params, feeds, opset)
        keep(found, "free sizes")
        row["fixed"] = [list(pair) for pair in v.fixed_parts(result)]
        row["sizes"] += free
    except mx2onnx.Error as e:
        row.update(outcome="refused with free sizes", note="free sizes: %s" % v.one_line(e))
    except v.Different as e:
        row.update(outcome="different", note="free sizes: %s" % e)
    except Exception as e:
        row.update(outcome="ONNX Runtime", note="free sizes: %s" % v.one_line(e))


def child(entry, args, pipe):
    memory = args.memory << 30
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    start = time.monotonic()
    try:
        row = verify(entry, args.opset, args.quick)
    except BaseException as e:
        row = {
            "corpus": entry.corpus,
            "name": entry.name,
            "family": entry.family,
            "outcome": "failed",
            "note": repr(e)[:300],
        }
    row["seconds"] = round(time.monotonic() - start, 1)
    pipe.send(row)


def run_all(entries, args, out):
    """Yields the rows as they come in."""
    context = multiprocessing.get_context("fork")
    waiting, running = list(entries), []
    while waiting or running:
        while waiting and len(running) < args.jobs:
            entry = waiting.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=child, args=(entry, args, theirs))
            process.start()
            theirs.close()
            running.append((entry, process, ours, time.monotonic()))
        multiprocessing.connection.wait([r[2] for r in running], timeout=0.5)
        for item in list(running):
            entry, process, pipe, start = item
            row = None
            if pipe.poll():
                try:
                    row = pipe.recv()
                except EOFError:
                    process.join()
                    row = {"outcome": "failed", "note": "the process ended with %s" % process.exitcode}
            elif time.monotonic() - start > args.timeout:
                process.kill()
                row = {"outcome": "too long", "note": "more than %d s" % args.timeout}
            if row is None:
                continue
            process.join()
            running.remove(item)
            row = dict({"corpus": entry.corpus, "name": entry.name, "family": entry.family}, **row)
            row.setdefault("seconds", round(time.monotonic() - start, 1))
            row["build"] = args.build
            out.write(json.dumps(row) + "\n")
            out.flush()
            yield row


def print_plain(entries):
    """Prints what plain conversion makes of each model; 1 if any gives other numbers than MXNet."""
    counts = {}
    for entry in entries:
        if entry.quantized:
            continue
        text = verify_plain(entry, entry.symbol(), entry.params(), entry.feeds())
        kind = text.partition(":")[0] if text.startswith(("refused", "different", "other sizes")) else "match"
        counts[kind] = counts.get(kind, 0) + 1
        print("%-48s %s" % (entry.name, text), flush=True)
    print("; ".join("%d %s" % (n, kind) for kind, n in sorted(counts.items())))
    return 1 if "different" in counts else 0


def read_results():
    rows = {}
    if RESULTS.exists():
        for line in RESULTS.read_text().splitlines():
            row = json.loads(line)
            rows[(row["corpus"], row["name"])] = row
    return rows


def line_of(row):
    return "%-24s %-44s %8s  %-7s %-16s %5.1fs %s" % (
        row["outcome"],
        row["name"],
        "%.1e" % row["error"] if row["outcome"] in zoo_page.GOOD else "",
        ranges(row.get("opsets", [])),
        " ".join(row.get("sizes", [])),
        row["seconds"],
        row["note"],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="REGEX", help="those whose corpus/name matches")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="N of them, always the same")
    parser.add_argument("--opset", type=int, action="append", help="also run at this opset (12, 13, 28)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=600, help="seconds for each model")
    parser.add_argument("--memory", type=int, default=16, help="GB of addresses for each model")
    parser.add_argument("--resume", action="store_true", help="leave out what this build has verified already")
    parser.add_argument("--quick", action="store_true", help="convert only at the opsets that are run")
    parser.add_argument(
        "--plain", action="store_true", help="only convert without describing inputs; writes no results"
    )
    parser.add_argument("--no-docs", action="store_true", help="do not write docs/zoo.md")
    args = parser.parse_args()
    args.opset = args.opset or [12, 13, mx2onnx.LAST_OPSET]
    args.build = hashlib.sha256(pathlib.Path(mx2onnx._core.__file__).read_bytes()).hexdigest()[:16]

    entries = [e for corpus in zoo_corpus.CORPORA for e in zoo_corpus.load(corpus).values()]
    family = {(e.corpus, e.name): e.family for e in entries}
    # The small ones first: most of what there is to see comes soon.
    entries = sorted((e for e in entries if re.search(args.only, repr(e))), key=lambda e: e.size)
    if args.sample:
        entries = sorted(entries, key=lambda e: hashlib.sha1(e.name.encode()).hexdigest())[: args.sample]
    if args.resume:
        done = {key for key, row in read_results().items() if row["build"] == args.build}
        entries = [e for e in entries if (e.corpus, e.name) not in done]

    if args.plain:
        sys.exit(print_plain(entries))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    counts = {}
    with open(RESULTS, "a") as out:
        for row in run_all(entries, args, out):
            counts[row["outcome"]] = counts.get(row["outcome"], 0) + 1
            print(line_of(row), flush=True)
    print("; ".join("%d %s" % (n, outcome) for outcome, n in sorted(counts.items())) or "nothing to do")
    if not args.no_docs:
        rows = read_results()
        missing = {"outcome": "not run", "note": "", "error": 0.0, "seconds": 0.0}
        page = [
            rows.get(key) or dict(missing, corpus=key[0], name=key[1], family=family[key]) for key in sorted(family)
        ]
        PAGE.write_text(zoo_page.page(page))
        print("written: %s" % PAGE.relative_to(ROOT))
    sys.exit(1 if any(o not in (*zoo_page.GOOD, zoo_page.ROUNDED, "refused") for o in counts) else 0)


if __name__ == "__main__":
    main()
