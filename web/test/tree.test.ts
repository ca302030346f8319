import { describe, expect, it } from "vitest";
import { makersOf } from "../src/model";
import { crossings, cutPoints } from "../src/runs";
import { ancestors, buildTree, openAtFirst, type Group, type Item } from "../src/tree";
import { graph, residual } from "./graphs";

function names(tree: ReturnType<typeof buildTree>, items: Item[]): string[] {
  return items.map((item) => {
    if (item.kind === "group") return `${item.name}/`;
    return item.kind === "node" ? tree.graph.nodes[item.index]!.name : item.kind;
  });
}

function leavesOf(group: Group): number[] {
  return group.children.flatMap((child) =>
    child.kind === "group" ? leavesOf(child) : child.kind === "node" ? [child.index] : [],
  );
}

describe("the tree of blocks", () => {
  const tree = buildTree(
    graph(
      ["a", "s1", ["data"]],
      ["b", "s1/u1", ["a"]],
      ["c", "s1/u1", ["b"]],
      ["d", "s2", ["c", "a"]],
      ["e", "", ["d"]],
      ["f", "", ["e", "b"]],
    ),
  );
  const block = tree.root.children.find((child): child is Group => child.kind === "group")!;

  it("has blocks with what is in them, and no block of one node", () => {
    expect(names(tree, tree.root.children)).toEqual(["input", "s1/", "d", "e", "f", "output"]);
    expect(names(tree, block.children)).toEqual(["a", "u1/"]);
  });

  it("counts what is in a block", () => {
    expect([block.size, block.parameters, block.multiplyAdds]).toEqual([3, 3, 30]);
    expect([tree.root.size, tree.root.parameterBytes]).toEqual([6, 24]);
  });

  it("lifts edges to each level, with doors to the outside", () => {
    const edges = (group: Group) =>
      group.edges.map(({ from, to }) => [from, to].map((item) => (item === null ? "-" : names(tree, [item])[0])).join(">"));
    expect(edges(tree.root)).toEqual(["input>s1/", "s1/>d", "d>e", "e>f", "s1/>f", "f>output"]);
    expect(edges(block).sort()).toEqual(["->a", "a>-", "a>u1/", "u1/>-"]);
    const unit = block.children[1] as Group;
    expect(edges(unit).sort()).toEqual(["->b", "b>-", "b>c", "c>-"]);
  });

  it("counts what is not known as not known", () => {
    const unknown = graph(["a", "s", ["data"]], ["b", "s", ["a"]], ["c", "", ["b"]]);
    unknown.nodes[0]!.multiply_adds = null;
    const [, group] = buildTree(unknown).root.children;
    expect((group as Group).multiplyAdds).toBeNull();
  });

  it("opens small blocks first, and not too many", () => {
    expect([...openAtFirst(tree)].length).toBe(3);
    expect([...openAtFirst(tree, 6)]).toEqual([tree.root.id]);
  });

  it("knows names that are no names of properties", () => {
    const odd = buildTree(graph(["__proto__", "__proto__/x", ["data"]], ["constructor", "__proto__/x", ["__proto__"]]));
    expect(odd.root.size).toBe(2);
  });
});

describe("runs", () => {
  it("are cut where the fewest values go across", () => {
    const tree = residual(3);
    const built = buildTree(tree);
    const nodes = built.root.children.filter((child) => child.kind === "node");
    // a, b: the unit's input goes across, too; plus: only its output.
    expect(crossings(tree, nodes, makersOf(tree))).toEqual([1, 1, 1, 2, 2, 1, 2, 2, 0]);
  });

  it("end at such places and are neither short nor long", () => {
    const gaps = Array.from({ length: 300 }, (_, at) => (at % 3 === 2 ? 1 : 2));
    let begin = 0;
    for (const end of cutPoints(gaps)) {
      expect(end - begin).toBeLessThanOrEqual(40);
      if (end < gaps.length) expect(gaps[end - 1]).toBe(1);
      begin = end;
    }
    expect(begin).toBe(300);
  });

  it("keep every node of a long graph, in order, with few children to a block", () => {
    const tree = buildTree(residual(1500));
    expect(leavesOf(tree.root)).toEqual(Array.from({ length: 4500 }, (_, at) => at));
    for (const group of tree.groups) expect(group.children.length).toBeLessThanOrEqual(62);
    for (const leaf of tree.leaves) expect(ancestors(leaf)[0]).toBe(tree.root);
    for (const leaf of tree.leaves) expect(leaf.parent.children).toContain(leaf);
  });
});
