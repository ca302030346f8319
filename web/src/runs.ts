// Blocks with too much in them are cut into runs of nodes, where the fewest values go across: in a residual network
// that is between two of its units, whether they have names or not.
import { makersOf, type Graph } from "./model";
import type { Group, Item } from "./tree";

const MOST_CHILDREN = 60;
const FEWEST = 16;
const MOST = 40;

type MakeGroup = (id: string, name: string, parent: Group) => Group;

/** The first and the last node of what is in an item. */
function span(item: Item): [number, number] {
  if (item.kind === "node") return [item.index, item.index];
  if (item.kind !== "group") return [0, 0];
  let first = Infinity;
  let last = -1;
  for (const child of item.children) {
    const [a, b] = span(child);
    first = Math.min(first, a);
    last = Math.max(last, b);
  }
  return [first, last];
}

function nodesIn(item: Item, visit: (index: number) => void): void {
  if (item.kind === "node") visit(item.index);
  if (item.kind === "group") for (const child of item.children) nodesIn(child, visit);
}

/** For each gap behind a child, how many values that children before it make are used behind it. */
export function crossings(graph: Graph, children: Item[], makers: Int32Array): number[] {
  const place = new Map<number, number>();
  children.forEach((child, at) => nodesIn(child, (index) => place.set(index, at)));
  const last = new Map<number, number>();
  for (const [index, at] of place) {
    for (const value of graph.nodes[index]!.inputs) {
      if (value >= 0 && makers[value]! >= 0) last.set(value, Math.max(last.get(value) ?? 0, at));
    }
  }
  const changes = new Array<number>(children.length + 1).fill(0);
  for (const [value, end] of last) {
    const begin = place.get(makers[value]!);
    if (begin === undefined || begin >= end) continue;
    changes[begin]! += 1;
    changes[end]! -= 1;
  }
  let open = 0;
  return children.map((_, at) => (open += changes[at]!));
}

/** Where the runs of `length` children end. */
export function cutPoints(gaps: number[]): number[] {
  const ends: number[] = [];
  let begin = 0;
  while (gaps.length - begin > MOST) {
    let best = begin + FEWEST;
    for (let at = best; at < begin + MOST; at += 1) if (gaps[at - 1]! < gaps[best - 1]!) best = at;
    ends.push(best);
    begin = best;
  }
  ends.push(gaps.length);
  return ends;
}

export function cutIntoRuns(graph: Graph, root: Group, makeGroup: MakeGroup): void {
  const makers = makersOf(graph);
  let made = 0;
  const cut = (group: Group) => {
    for (const child of group.children) if (child.kind === "group") cut(child);
    while (group.children.length > MOST_CHILDREN) {
      const children = group.children
        .map((child) => ({ child, first: span(child)[0] }))
        .sort((a, b) => a.first - b.first)
        .map(({ child }) => child);
      const ends = cutPoints(crossings(graph, children, makers));
      let begin = 0;
      group.children = ends.map((end, number) => {
        const run = makeGroup(`r${(made += 1)}`, `part ${number + 1} of ${ends.length}`, group);
        run.children = children.slice(begin, end);
        for (const child of run.children) child.parent = run;
        begin = end;
        return run;
      });
    }
  };
  cut(root);
}
