import { describe, expect, it } from "vitest";
import { bytes, count, edgeLabel, exact, nameWithin, real, shape, shorten, type } from "../src/format";
import { kindOf, nodeLines } from "../src/nodes";
import { search } from "../src/search";
import { buildTree } from "../src/tree";
import { graph } from "./graphs";

describe("numbers and shapes", () => {
  it("are said with three digits, or all of them", () => {
    expect([count(0), count(999), count(25557032), count(null)]).toEqual(["0", "999", "25.6 M", "?"]);
    expect([exact(25557032), exact(null)]).toEqual(["25,557,032", "?"]);
    expect([bytes(12), bytes(102_000_000)]).toEqual(["12 B", "102 MB"]);
    expect([real(0.123456789), real("inf"), real(-3)]).toEqual(["0.12346", "inf", "-3"]);
  });
  it("have names for what is free, and ? for what is not known", () => {
    expect([shape(["N", 3]), shape([]), shape(["..."])]).toEqual(["N×3", "scalar", "?"]);
    expect([type({ dtype: "float32", shape: [1] }), type({ dtype: "unknown", shape: ["..."] })]).toEqual(["float32 1", "?"]);
  });
  it("stand for several values at an edge", () => {
    const value = { name: "x", kind: "inner" as const, dtype: "float32", shape: [2, 3] };
    expect([edgeLabel([value]), edgeLabel([value, value]), edgeLabel([])]).toEqual(["2×3", "2×3 +1", ""]);
  });
});

describe("names", () => {
  it("lose what the blocks around them say", () => {
    expect(nameWithin("net0_stage1_conv0_fwd", ["stage1"])).toBe("conv0_fwd");
    expect(nameWithin("stage1", ["stage1"])).toBe("stage1");
    expect(nameWithin("node_12", ["features", "5"])).toBe("node_12");
  });
  it("keep their ends where they are long", () => {
    expect(shorten("a".repeat(40), 10).length).toBe(10);
    expect(shorten("abc", 10)).toBe("abc");
  });
});

describe("search", () => {
  const found = graph(["net_conv0", "", ["data"]], ["net_relu0", "", ["net_conv0"]], ["net_conv1", "", ["net_relu0"]]);
  found.nodes[0]!.op = "Convolution";
  found.nodes[2]!.op = "Convolution";
  it("finds by operator and by name, all words of it", () => {
    expect(search(found, "convolution")).toEqual([0, 2]);
    expect(search(found, "CONV 1")).toEqual([2]);
    expect(search(found, "relu0")).toEqual([1]);
    expect(search(found, "  ")).toEqual([]);
    expect(search(found, "nothing")).toEqual([]);
  });
  it("has kinds and lines for boxes", () => {
    const tree = buildTree(found);
    expect(tree.leaves.map((leaf) => kindOf(found, leaf))).toEqual(["weighted", "activation", "weighted"]);
    expect(nodeLines(found, tree.leaves[0]!)).toEqual(["Convolution", "net_conv0"]);
  });
});
