// Where everything lies: each open block is laid out by dagre alone, from the inside out, and is then one box of that
// size in the block around it. What does not change is not laid out again.
import { Graph as DagreGraph, layout as dagreLayout } from "@dagrejs/dagre";
import { edgeLabel } from "./format";
import type { Graph } from "./model";
import { nodeLines } from "./nodes";
import type { Group, Item, LevelEdge, Tree } from "./tree";

export interface Point {
  x: number;
  y: number;
}

export interface Box {
  item: Item;
  /** The upper left corner. */
  x: number;
  y: number;
  width: number;
  height: number;
  depth: number;
  isOpen: boolean;
}

export interface Line {
  id: string;
  edge: LevelEdge;
  points: Point[];
  label: string;
  at: Point;
}

export interface Scene {
  width: number;
  height: number;
  /** Outer ones first. */
  boxes: Box[];
  lines: Line[];
}

interface Plan {
  width: number;
  height: number;
  places: { item: Item; x: number; y: number; width: number; height: number; plan: Plan | null }[];
  lines: { edge: LevelEdge; points: Point[]; label: string; at: Point }[];
}

const LINE_HEIGHT = 16;
const LETTER = 6.9;
const HEADER = 30;
const MARGIN = 12;
const PORT = 2;
const FEWEST_LETTERS = 9;
const MANY = 120;

function sizeOf(graph: Graph, item: Item): { width: number; height: number } {
  const lines = nodeLines(graph, item);
  const letters = Math.max(FEWEST_LETTERS, ...lines.map((line) => line.length));
  return { width: letters * LETTER + 24, height: lines.length * LINE_HEIGHT + 14 };
}

export class Layouter {
  private readonly plans = new Map<string, Plan>();

  constructor(private readonly tree: Tree) {}

  scene(open: ReadonlySet<string>): Scene {
    const plan = this.plan(this.tree.root, open);
    const scene: Scene = { width: plan.width, height: plan.height, boxes: [], lines: [] };
    this.place(plan, this.tree.root, { x: 0, y: 0 }, 0, scene);
    return scene;
  }

  private place(plan: Plan, group: Group, origin: Point, depth: number, scene: Scene): void {
    plan.lines.forEach((line, index) => {
      scene.lines.push({
        id: `${group.id}e${index}`,
        edge: line.edge,
        label: line.label,
        points: line.points.map((point) => ({ x: point.x + origin.x, y: point.y + origin.y })),
        at: { x: line.at.x + origin.x, y: line.at.y + origin.y },
      });
    });
    for (const { item, x, y, width, height, plan: inner } of plan.places) {
      const corner = { x: x + origin.x, y: y + origin.y };
      scene.boxes.push({ item, ...corner, width, height, depth, isOpen: inner !== null });
      if (inner !== null) this.place(inner, item as Group, corner, depth + 1, scene);
    }
  }

  /** What the plan of a group depends on: which groups in it are open. */
  private key(group: Group, open: ReadonlySet<string>): string {
    const parts = [group.id];
    const add = (of: Group) => {
      for (const child of of.children) {
        if (child.kind !== "group" || !open.has(child.id)) continue;
        parts.push(child.id);
        add(child);
      }
    };
    add(group);
    return parts.join(" ");
  }

  private plan(group: Group, open: ReadonlySet<string>): Plan {
    const key = this.key(group, open);
    let plan = this.plans.get(key);
    if (plan === undefined) {
      plan = this.make(group, open);
      this.plans.set(key, plan);
    }
    return plan;
  }

  private make(group: Group, open: ReadonlySet<string>): Plan {
    const { graph } = this.tree;
    const isRoot = group.parent === null;
    const dagre = new DagreGraph({ multigraph: true });
    const ranker = group.children.length > MANY ? "longest-path" : "network-simplex";
    dagre.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 34, edgesep: 14, ranker });
    const plans = new Map<string, Plan>();
    for (const child of group.children) {
      const inner = child.kind === "group" && open.has(child.id) ? this.plan(child, open) : null;
      if (inner !== null) plans.set(child.id, inner);
      const size = inner ?? sizeOf(graph, child);
      dagre.setNode(child.id, { width: size.width, height: size.height });
    }
    const top = group.edges.some((edge) => edge.from === null);
    const bottom = group.edges.some((edge) => edge.to === null);
    if (top) dagre.setNode("above", { width: PORT, height: PORT });
    if (bottom) dagre.setNode("below", { width: PORT, height: PORT });
    const above = new Set<string>();
    const below = new Set<string>();
    group.edges.forEach((edge, index) => {
      const from = edge.from?.id ?? "above";
      const to = edge.to?.id ?? "below";
      above.add(to);
      below.add(from);
      const label = edgeLabel(edge.values.map((value) => graph.values[value]!));
      dagre.setEdge(from, to, { width: label.length * 5.6 + 6, height: 14, labelpos: "c", index, label }, `${index}`);
    });
    // The doors are at the border, whatever has no edges.
    for (const child of group.children) {
      if (top && !above.has(child.id)) dagre.setEdge("above", child.id, { weight: 0 }, "door");
      if (bottom && !below.has(child.id)) dagre.setEdge(child.id, "below", { weight: 0 }, "door");
    }
    dagreLayout(dagre);
    return this.read(group, dagre, plans, isRoot);
  }

  private read(group: Group, dagre: DagreGraph, plans: Map<string, Plan>, isRoot: boolean): Plan {
    const header = isRoot ? MARGIN : HEADER;
    const title = isRoot ? 0 : (group.name.length + 18) * LETTER;
    const inner = dagre.graph() as { width?: number; height?: number };
    const innerWidth = Math.max(inner.width ?? 0, 1);
    const width = Math.max(innerWidth + 2 * MARGIN, title);
    const height = Math.max(inner.height ?? 0, 1) + header + MARGIN;
    const left = (width - innerWidth) / 2;
    const shift = (point: Point): Point => ({ x: point.x + left, y: point.y + header });
    const centre = (id: string) => dagre.node(id) as Point & { width: number; height: number };
    const places = group.children.map((item) => {
      const box = centre(item.id);
      const at = shift({ x: box.x - box.width / 2, y: box.y - box.height / 2 });
      return { item, ...at, width: box.width, height: box.height, plan: plans.get(item.id) ?? null };
    });
    const lines: Plan["lines"] = [];
    for (const id of dagre.edges()) {
      const laid = dagre.edge(id) as { points: Point[]; index?: number; label?: string; x?: number; y?: number };
      if (laid.index === undefined) continue;
      const edge = group.edges[laid.index]!;
      const points = laid.points.map(shift);
      // Edges leave below the middle of a box and come in above it.
      const from = centre(edge.from?.id ?? "above");
      const to = centre(edge.to?.id ?? "below");
      points[0] = edge.from === null ? { x: width / 2, y: 0 } : shift({ x: from.x, y: from.y + from.height / 2 });
      points[points.length - 1] =
        edge.to === null ? { x: width / 2, y: height } : shift({ x: to.x, y: to.y - to.height / 2 });
      if (edge.from === null) points.splice(1, 0, shift({ x: from.x, y: 0 }));
      if (edge.to === null) points.splice(points.length - 1, 0, { x: shift(to).x, y: height - MARGIN });
      lines.push({ edge, points, label: laid.label ?? "", at: shift({ x: laid.x ?? 0, y: laid.y ?? 0 }) });
    }
    return { width, height, places, lines };
  }
}

/** A smooth path of SVG from top to bottom through the points. */
export function path(points: Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const round = (number: number) => Math.round(number * 10) / 10;
  let text = `M${round(first.x)} ${round(first.y)}`;
  let last = first;
  for (const point of rest) {
    const middle = round((last.y + point.y) / 2);
    text += `C${round(last.x)} ${middle} ${round(point.x)} ${middle} ${round(point.x)} ${round(point.y)}`;
    last = point;
  }
  return text;
}
