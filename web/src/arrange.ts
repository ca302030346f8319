// One level of the graph as boxes and edges without names, arranged by dagre. Networks repeat themselves: what has the
// same sizes and edges is arranged once.
import { Graph as DagreGraph, layout as dagreLayout } from "@dagrejs/dagre";

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Places of boxes; ABOVE and BELOW are the doors to the outside. */
export const ABOVE = -1;
export const BELOW = -2;

export interface Level {
  boxes: Size[];
  edges: { from: number; to: number; labelWidth: number }[];
}

export interface Arrangement extends Size {
  /** The middle of each box. */
  boxes: Point[];
  edges: { points: Point[]; label: Point }[];
  above: Point | null;
  below: Point | null;
}

const DOOR = 2;
const MANY = 120;
const LABEL_HEIGHT = 14;

const known = new Map<string, Arrangement>();

export function arrange(level: Level): Arrangement {
  const key = JSON.stringify(level);
  let found = known.get(key);
  if (found === undefined) {
    found = compute(level);
    known.set(key, found);
  }
  return found;
}

function compute(level: Level): Arrangement {
  const dagre = new DagreGraph({ multigraph: true });
  const ranker = level.boxes.length > MANY ? "longest-path" : "network-simplex";
  dagre.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 34, edgesep: 14, ranker });
  const targets = new Set(level.edges.map((edge) => edge.to));
  const sources = new Set(level.edges.map((edge) => edge.from));
  const [above, below] = [sources.has(ABOVE), targets.has(BELOW)];
  if (above) dagre.setNode(String(ABOVE), { width: DOOR, height: DOOR });
  if (below) dagre.setNode(String(BELOW), { width: DOOR, height: DOOR });
  level.boxes.forEach((size, index) => dagre.setNode(String(index), { ...size }));
  level.edges.forEach((edge, index) => {
    const label = { width: edge.labelWidth, height: LABEL_HEIGHT, labelpos: "c" };
    dagre.setEdge(String(edge.from), String(edge.to), label, String(index));
  });
  // The doors are at the border, also of what has no edges from there. An edge for each box would be too many: dagre
  // lays a place in each rank that one passes.
  level.boxes.forEach((_, index) => {
    if (above && !targets.has(index)) dagre.setEdge(String(ABOVE), String(index), { weight: 0 }, "door");
    if (below && !sources.has(index)) dagre.setEdge(String(index), String(BELOW), { weight: 0 }, "door");
  });
  dagreLayout(dagre);
  const size = dagre.graph() as Partial<Size>;
  const middle = (index: number): Point => {
    const { x, y } = dagre.node(String(index)) as Point;
    return { x, y };
  };
  return {
    width: Math.max(size.width ?? 0, 1),
    height: Math.max(size.height ?? 0, 1),
    boxes: level.boxes.map((_, index) => middle(index)),
    edges: level.edges.map((edge, index) => {
      const laid = dagre.edge({ v: String(edge.from), w: String(edge.to), name: String(index) }) as Partial<Point> & {
        points: Point[];
      };
      return { points: laid.points, label: { x: laid.x ?? 0, y: laid.y ?? 0 } };
    }),
    above: above ? middle(ABOVE) : null,
    below: below ? middle(BELOW) : null,
  };
}
