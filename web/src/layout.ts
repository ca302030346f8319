// Where everything lies: each open block is arranged alone, from the inside out, and is then one box of that
// size in the block around it. What does not change is not laid out again.
import { ABOVE, arrange, BELOW, type Point } from "./arrange";
import { edgeLabel } from "./format";
import type { Graph } from "./model";
import { nodeLines } from "./nodes";
import type { Group, Item, LevelEdge, Tree } from "./tree";

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
const SMALL_LETTER = 5.6;
const HEADER = 30;
const MARGIN = 12;
const FEWEST_LETTERS = 9;

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
    const plans = group.children.map((child) =>
      child.kind === "group" && open.has(child.id) ? this.plan(child, open) : null,
    );
    const index = new Map<Item | null, number>(group.children.map((child, at) => [child, at]));
    const labels = group.edges.map((edge) => edgeLabel(edge.values.map((value) => graph.values[value]!)));
    const sizes = group.children.map((child, at) => {
      const { width, height } = plans[at] ?? sizeOf(graph, child);
      return { width: Math.ceil(width), height: Math.ceil(height) };
    });
    const arrangement = arrange({
      boxes: sizes,
      edges: group.edges.map((edge, at) => ({
        from: edge.from === null ? ABOVE : index.get(edge.from)!,
        to: edge.to === null ? BELOW : index.get(edge.to)!,
        labelWidth: Math.ceil(labels[at]!.length * SMALL_LETTER) + 6,
      })),
    });
    const isRoot = group.parent === null;
    const header = isRoot ? MARGIN : HEADER;
    const title = isRoot ? 0 : (group.name.length + 6) * LETTER;
    const width = Math.max(arrangement.width + 2 * MARGIN, title);
    const height = arrangement.height + header + MARGIN;
    const left = (width - arrangement.width) / 2;
    const shift = (point: Point): Point => ({ x: point.x + left, y: point.y + header });
    const places = group.children.map((item, at) => {
      const { x, y } = arrangement.boxes[at]!;
      const size = sizes[at]!;
      return { item, ...shift({ x: x - size.width / 2, y: y - size.height / 2 }), ...size, plan: plans[at]! };
    });
    const lines = group.edges.map((edge, at) => {
      const laid = arrangement.edges[at]!;
      const points = laid.points.slice(1, -1).map(shift);
      // Edges leave below the middle of a box and come in above it; those of the outside go through the door.
      if (edge.from === null) {
        points.unshift({ x: width / 2, y: 0 }, shift({ x: arrangement.above!.x, y: 0 }));
      } else {
        const box = places[index.get(edge.from)!]!;
        points.unshift({ x: box.x + box.width / 2, y: box.y + box.height });
      }
      if (edge.to === null) {
        points.push(shift({ x: arrangement.below!.x, y: arrangement.height }), { x: width / 2, y: height });
      } else {
        const box = places[index.get(edge.to)!]!;
        points.push({ x: box.x + box.width / 2, y: box.y });
      }
      return { edge, points, label: labels[at]!, at: shift(laid.label) };
    });
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
