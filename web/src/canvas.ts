// Draws a scene as SVG: only what is near to what is seen is in the page, so that large graphs move as small ones do.
import { path, type Box, type Line, type Scene } from "./layout";
import type { Graph } from "./model";
import { kindOf, nodeLines } from "./nodes";

const SVG = "http://www.w3.org/2000/svg";

export interface Window {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function element<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number> = {},
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function text(content: string, attributes: Record<string, string | number>): SVGTextElement {
  const made = element("text", attributes);
  made.textContent = content;
  return made;
}

function overlaps(a: Window, b: Window): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function bounds(line: Line): Window {
  const xs = line.points.map((point) => point.x);
  const ys = line.points.map((point) => point.y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x + 1, height: Math.max(...ys) - y + 1 };
}

export class Canvas {
  readonly layer = element("g");
  private readonly blocks = element("g");
  private readonly edges = element("g");
  private readonly nodes = element("g");
  private scene: Scene = { width: 0, height: 0, boxes: [], lines: [] };
  private lineBounds: Window[] = [];
  private readonly drawn = new Map<string, SVGElement>();

  constructor(
    private readonly graph: Graph,
    private readonly decorate: (box: Box) => string,
  ) {
    this.layer.append(this.blocks, this.edges, this.nodes);
  }

  setScene(scene: Scene): void {
    this.scene = scene;
    this.lineBounds = scene.lines.map(bounds);
    for (const drawn of this.drawn.values()) drawn.remove();
    this.drawn.clear();
  }

  /** Puts into the page what is in the window, and nothing else. */
  show(window: Window): void {
    const wanted = new Set<string>();
    for (const box of this.scene.boxes) {
      if (!overlaps(box, window)) continue;
      wanted.add(box.item.id);
      if (!this.drawn.has(box.item.id)) this.drawBox(box);
    }
    this.scene.lines.forEach((line, index) => {
      if (!overlaps(this.lineBounds[index]!, window)) return;
      wanted.add(line.id);
      if (!this.drawn.has(line.id)) this.drawLine(line);
    });
    for (const [id, drawn] of this.drawn) {
      if (wanted.has(id)) continue;
      drawn.remove();
      this.drawn.delete(id);
    }
  }

  /** After what `decorate` says has changed. */
  refresh(): void {
    for (const box of this.scene.boxes) {
      const drawn = this.drawn.get(box.item.id);
      if (drawn !== undefined) drawn.setAttribute("class", this.classes(box));
    }
  }

  private classes(box: Box): string {
    const open = box.isOpen ? " open" : "";
    return `box ${kindOf(this.graph, box.item)}${open} ${this.decorate(box)}`;
  }

  private drawBox(box: Box): void {
    const group = element("g", { class: this.classes(box), transform: `translate(${box.x} ${box.y})` });
    group.dataset["id"] = box.item.id;
    const radius = box.item.kind === "input" || box.item.kind === "output" ? box.height / 2 : 6;
    group.append(element("rect", { width: box.width, height: box.height, rx: radius }));
    if (box.isOpen && box.item.kind === "group") {
      group.append(text(`− ${box.item.name}`, { x: 10, y: 19, class: "title" }));
    } else {
      const lines = nodeLines(this.graph, box.item);
      const first = box.item.kind === "group" ? `+ ${lines[0] ?? ""}` : (lines[0] ?? "");
      lines.forEach((line, index) => {
        const at = { x: box.width / 2, y: 20 + 16 * index, class: index === 0 ? "title middle" : "middle" };
        group.append(text(index === 0 ? first : line, at));
      });
    }
    (box.isOpen ? this.blocks : this.nodes).append(group);
    this.drawn.set(box.item.id, group);
  }

  private drawLine(line: Line): void {
    const group = element("g", { class: "edge" });
    group.append(element("path", { d: path(line.points), "marker-end": line.edge.to === null ? "" : `url(#arrow-${this.graph.side})` }));
    if (line.label !== "") group.append(text(line.label, { x: line.at.x, y: line.at.y + 4, class: "label middle" }));
    this.edges.append(group);
    this.drawn.set(line.id, group);
  }
}
