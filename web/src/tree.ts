// The graph as a tree of blocks: what is open shows what is in it, and what is closed is one box.
import { makersOf, type Graph } from "./model";
import { cutIntoRuns } from "./runs";

export interface Leaf {
  kind: "node";
  id: string;
  /** Index in the graph's nodes. */
  index: number;
  parent: Group;
}

/** A value that is fed, or one that comes out. */
export interface Port {
  kind: "input" | "output";
  id: string;
  value: number;
  parent: Group;
}

export interface Group {
  kind: "group";
  id: string;
  name: string;
  parent: Group | null;
  children: Item[];
  /** Nodes in it, however deep. */
  size: number;
  parameters: number | null;
  parameterBytes: number | null;
  multiplyAdds: number | null;
  problems: number;
  edges: LevelEdge[];
}

export type Item = Leaf | Port | Group;

/** Between two children of a group; null stands for the outside, above it or below it. */
export interface LevelEdge {
  from: Item | null;
  to: Item | null;
  values: number[];
}

export interface Tree {
  graph: Graph;
  root: Group;
  leaves: Leaf[];
  groups: Group[];
  items: Map<string, Item>;
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function makeGroup(id: string, name: string, parent: Group | null): Group {
  return {
    kind: "group",
    id,
    name,
    parent,
    children: [],
    size: 0,
    parameters: 0,
    parameterBytes: 0,
    multiplyAdds: 0,
    problems: 0,
    edges: [],
  };
}

/** The outermost first, without the item itself. */
export function ancestors(item: Item): Group[] {
  const path: Group[] = [];
  for (let group = item.parent; group !== null; group = group.parent) path.unshift(group);
  return path;
}

export function buildTree(graph: Graph): Tree {
  const root = makeGroup("g", "", null);
  const leaves: Leaf[] = [];
  const blocks = new Map<string, Group>();
  graph.nodes.forEach((node, index) => {
    let group = root;
    let path = "";
    for (const name of node.block) {
      // A name may have any letter in it but this one means nothing to anybody.
      path += `\u0000${name}`;
      let next = blocks.get(path);
      if (next === undefined) {
        next = makeGroup(`g${blocks.size}`, name, group);
        blocks.set(path, next);
        group.children.push(next);
      }
      group = next;
    }
    const leaf: Leaf = { kind: "node", id: `n${index}`, index, parent: group };
    leaves.push(leaf);
    group.children.push(leaf);
  });
  unwrapSingles(root);
  cutIntoRuns(graph, root, makeGroup);
  const tree: Tree = { graph, root, leaves, groups: [], items: new Map() };
  addPorts(tree);
  count(tree, root);
  connect(tree);
  return tree;
}

/** A block of one node is no block. */
function unwrapSingles(group: Group): void {
  group.children = group.children.map((child) => {
    if (child.kind !== "group") return child;
    unwrapSingles(child);
    const only = child.children[0];
    if (child.children.length !== 1 || only === undefined) return child;
    only.parent = group;
    return only;
  });
}

function addPorts(tree: Tree): void {
  const { graph, root } = tree;
  const inputs: Item[] = graph.inputs.map((value) => ({ kind: "input", id: `i${value}`, value, parent: root }));
  const outputs: Item[] = [...new Set(graph.outputs)].map((value) => ({
    kind: "output",
    id: `o${value}`,
    value,
    parent: root,
  }));
  root.children = [...inputs, ...root.children, ...outputs];
}

function count(tree: Tree, group: Group): void {
  tree.groups.push(group);
  tree.items.set(group.id, group);
  for (const child of group.children) {
    if (child.kind === "group") {
      count(tree, child);
      group.size += child.size;
      group.parameters = plus(group.parameters, child.parameters);
      group.parameterBytes = plus(group.parameterBytes, child.parameterBytes);
      group.multiplyAdds = plus(group.multiplyAdds, child.multiplyAdds);
      group.problems += child.problems;
      continue;
    }
    tree.items.set(child.id, child);
    if (child.kind !== "node") continue;
    const node = tree.graph.nodes[child.index]!;
    group.size += 1;
    group.parameters = plus(group.parameters, node.parameters);
    group.parameterBytes = plus(group.parameterBytes, node.parameter_bytes);
    group.multiplyAdds = plus(group.multiplyAdds, node.multiply_adds);
    group.problems += node.problems === undefined ? 0 : 1;
  }
}

/** Gives each group the edges between its children, and from and to the outside. */
function connect(tree: Tree): void {
  const { graph, leaves } = tree;
  const makers = makersOf(graph);
  const known = new Map<Group, Map<string, LevelEdge>>();
  const add = (group: Group, from: Item | null, to: Item | null, value: number) => {
    let edges = known.get(group);
    if (edges === undefined) known.set(group, (edges = new Map()));
    const key = `${from?.id ?? ""} ${to?.id ?? ""}`;
    const edge = edges.get(key);
    if (edge === undefined) {
      const made = { from, to, values: [value] };
      edges.set(key, made);
      group.edges.push(made);
    } else if (!edge.values.includes(value)) {
      edge.values.push(value);
    }
  };
  const link = (from: Item, to: Item, value: number) => {
    const above = [...ancestors(from), from];
    const below = [...ancestors(to), to];
    let common = 0;
    while (above[common + 1] === below[common + 1]) common += 1;
    add(above[common] as Group, above[common + 1]!, below[common + 1]!, value);
    for (let i = common + 1; i + 1 < above.length; i += 1) add(above[i] as Group, above[i + 1]!, null, value);
    for (let i = common + 1; i + 1 < below.length; i += 1) add(below[i] as Group, null, below[i + 1]!, value);
  };
  const source = (value: number): Item | undefined =>
    makers[value]! >= 0 ? leaves[makers[value]!] : tree.items.get(`i${value}`);
  graph.nodes.forEach((node, index) => {
    for (const value of new Set(node.inputs)) {
      const from = value < 0 ? undefined : source(value);
      if (from !== undefined && from !== leaves[index]) link(from, leaves[index]!, value);
    }
  });
  for (const value of new Set(graph.outputs)) {
    const from = source(value);
    if (from !== undefined) link(from, tree.items.get(`o${value}`)!, value);
  }
}

/** Groups to open at first: from the outside in, while there is not too much to look at. */
export function openAtFirst(tree: Tree, most = 48): Set<string> {
  const open = new Set<string>([tree.root.id]);
  let shown = tree.root.children.length;
  let queue = tree.root.children;
  while (queue.length > 0) {
    const next: Item[] = [];
    // The small ones first: they tell most for the room that they take.
    const groups = queue.filter((item) => item.kind === "group").sort((a, b) => a.children.length - b.children.length);
    for (const group of groups) {
      if (shown + group.children.length > most) continue;
      shown += group.children.length;
      open.add(group.id);
      next.push(...group.children);
    }
    queue = next;
  }
  return open;
}
