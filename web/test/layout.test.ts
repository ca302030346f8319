import { describe, expect, it } from "vitest";
import { Layouter, path, type Box, type Scene } from "../src/layout";
import { buildTree, type Tree } from "../src/tree";
import { graph, residual } from "./graphs";

const SMALL: [string, string, string[]][] = [
  ["a", "s1", ["data"]],
  ["b", "s1/u1", ["a"]],
  ["c", "s1/u1", ["b", "a"]],
  ["d", "s1", ["c"]],
  ["e", "", ["d", "a"]],
];

function everything(tree: Tree): Scene {
  return new Layouter(tree).scene(new Set(tree.groups.map((group) => group.id)));
}

function check(tree: Tree, scene: Scene): void {
  const boxes = new Map<string, Box>(scene.boxes.map((box) => [box.item.id, box]));
  for (const box of scene.boxes) {
    const outer = box.item.parent === null ? undefined : boxes.get(box.item.parent.id);
    const [left, top, right, bottom] =
      outer === undefined
        ? [0, 0, scene.width, scene.height]
        : [outer.x, outer.y, outer.x + outer.width, outer.y + outer.height];
    expect(box.x).toBeGreaterThanOrEqual(left - 0.01);
    expect(box.y).toBeGreaterThanOrEqual(top - 0.01);
    expect(box.x + box.width).toBeLessThanOrEqual(right + 0.01);
    expect(box.y + box.height).toBeLessThanOrEqual(bottom + 0.01);
  }
  for (const group of tree.groups) {
    const inner = group.children.flatMap((child) => boxes.get(child.id) ?? []);
    inner.forEach((a, at) => {
      for (const b of inner.slice(at + 1)) {
        const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart, `${a.item.id} and ${b.item.id}`).toBe(true);
      }
    });
  }
  for (const line of scene.lines) {
    line.points.slice(1).forEach((point, at) => expect(point.y).toBeGreaterThanOrEqual(line.points[at]!.y - 0.01));
  }
}

describe("the layout", () => {
  it("puts boxes into their blocks, none over another, with edges that go down", () => {
    const tree = buildTree(graph(...SMALL));
    const scene = everything(tree);
    check(tree, scene);
    expect(scene.boxes.length).toBe(2 + 5 + 2);
  });

  it("shows of a closed block one box", () => {
    const tree = buildTree(graph(...SMALL));
    const scene = new Layouter(tree).scene(new Set([tree.root.id]));
    check(tree, scene);
    expect(scene.boxes.map((box) => box.item.kind)).toEqual(["input", "group", "node", "output"]);
  });

  it("is the same again when a block was closed and opened", () => {
    const tree = buildTree(graph(...SMALL));
    const layouter = new Layouter(tree);
    const all = new Set(tree.groups.map((group) => group.id));
    const first = layouter.scene(all);
    layouter.scene(new Set([tree.root.id]));
    expect(layouter.scene(all)).toEqual(first);
  });

  it("takes long graphs, and graphs that go in a circle", () => {
    const long = buildTree(residual(200));
    check(long, everything(long));
    const circle = graph(["a", "", ["data"]], ["b", "", ["a"]]);
    circle.nodes[0]!.inputs.push(circle.nodes[1]!.outputs[0]!);
    expect(everything(buildTree(circle)).boxes.length).toBe(4);
  });

  it("takes a graph of nothing", () => {
    const scene = everything(buildTree({ side: "onnx", nodes: [], values: [], inputs: [], outputs: [] }));
    expect(scene.boxes).toEqual([]);
  });
});

describe("paths", () => {
  it("go from the first point to the last", () => {
    expect(path([{ x: 0, y: 0 }, { x: 10, y: 20 }])).toBe("M0 0C0 10 10 10 10 20");
    expect(path([])).toBe("");
  });
});
