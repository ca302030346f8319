// One graph on the page: what of it is open, what is chosen, and moving about in it.
import { Canvas, element, type Window } from "./canvas";
import { h } from "./dom";
import { Layouter, type Box, type Scene } from "./layout";
import type { Graph } from "./model";
import { spoken } from "./nodes";
import { ancestors, buildTree, openAtFirst, type Item, type Tree } from "./tree";
import { Viewport } from "./viewport";

export interface SideEvents {
  choose(item: Item | null): void;
  say(text: string): void;
}

export class Side {
  readonly tree: Tree;
  readonly frame = h("div", { class: "frame" });
  private readonly svg = element("svg", { tabindex: 0, role: "application", "aria-roledescription": "graph" });
  readonly open: Set<string>;
  private readonly layouter: Layouter;
  private readonly canvas: Canvas;
  private readonly viewport: Viewport;
  private scene: Scene = { width: 1, height: 1, boxes: [], lines: [] };
  private readonly boxes = new Map<string, Box>();
  chosen: Item | null = null;
  private twins = new Set<string>();

  constructor(
    readonly graph: Graph,
    private readonly events: SideEvents,
  ) {
    this.tree = buildTree(graph);
    this.open = openAtFirst(this.tree);
    this.layouter = new Layouter(this.tree);
    this.canvas = new Canvas(graph, (box) => this.classes(box));
    this.svg.setAttribute("aria-label", graph.side === "mxnet" ? "the MXNet graph" : "the ONNX graph");
    const arrow = element("marker", {
      id: `arrow-${graph.side}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
    });
    arrow.append(element("path", { d: "M0 0L8 4L0 8z" }));
    const defs = element("defs");
    defs.append(arrow);
    this.svg.append(defs, this.canvas.layer);
    this.frame.append(this.svg);
    this.viewport = new Viewport(this.frame, this.svg, this.canvas.layer, (window) => this.canvas.show(window));
    this.layOut();
    this.svg.addEventListener("click", (event) => this.click(event));
    this.svg.addEventListener("dblclick", (event) => {
      const item = this.itemAt(event);
      if (item?.kind === "group") this.toggle(item);
    });
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  private classes(box: Box): string {
    const { item } = box;
    const classes: string[] = [];
    if (item === this.chosen) classes.push("chosen");
    if (this.twins.has(item.id)) classes.push("twin");
    if (item.kind === "group" && item.problems > 0) classes.push("bad");
    if (item.kind === "node") {
      const node = this.graph.nodes[item.index]!;
      if (node.problems !== undefined) classes.push("bad");
      if (node.warnings !== undefined) classes.push("warned");
    }
    return classes.join(" ");
  }

  /** Lays out anew; `stay` keeps its place on the screen. */
  private layOut(stay?: Item): void {
    const before = stay === undefined ? undefined : this.boxes.get(stay.id);
    this.scene = this.layouter.scene(this.open);
    this.boxes.clear();
    for (const box of this.scene.boxes) this.boxes.set(box.item.id, box);
    this.canvas.setScene(this.scene);
    const after = stay === undefined ? undefined : this.boxes.get(stay.id);
    this.viewport.setSize(this.scene.width, this.scene.height);
    if (before !== undefined && after !== undefined) {
      this.viewport.keep(
        { x: before.x + before.width / 2, y: before.y },
        { x: after.x + after.width / 2, y: after.y },
      );
    }
  }

  fit(): void {
    this.viewport.fit();
  }

  /** Begins at the top, at a size that can be read. */
  home(): void {
    this.viewport.home();
  }

  zoom(factor: number): void {
    this.viewport.zoomAt(factor);
  }

  toggle(item: Item): void {
    if (item.kind !== "group" || item.parent === null) return;
    if (!this.open.delete(item.id)) this.open.add(item.id);
    this.layOut(item);
    this.events.say(spoken(this.graph, item, this.open.has(item.id)));
  }

  openAll(): void {
    for (const group of this.tree.groups) this.open.add(group.id);
    this.layOut();
    this.viewport.home();
  }

  closeAll(): void {
    this.open.clear();
    this.open.add(this.tree.root.id);
    this.layOut();
    this.viewport.home();
  }

  /** The item, or the closed block that it is in. */
  visible(item: Item): Item {
    for (const group of ancestors(item)) if (!this.open.has(group.id)) return group;
    return item;
  }

  choose(item: Item | null, centre = false): void {
    this.chosen = item;
    if (item !== null) {
      const closed = ancestors(item).filter((group) => !this.open.has(group.id));
      for (const group of closed) this.open.add(group.id);
      if (closed.length > 0) this.layOut();
      const box = this.boxes.get(item.id);
      if (box !== undefined) this.viewport.reveal(box, centre);
      this.events.say(spoken(this.graph, item, this.open.has(item.id)));
    }
    this.canvas.refresh();
  }

  /** Marks what the node that is chosen on the other side became, without opening anything. */
  mark(nodes: number[]): void {
    const items = nodes.map((index) => this.visible(this.tree.leaves[index]!));
    this.twins = new Set(items.map((item) => item.id));
    const first = items[0] === undefined ? undefined : this.boxes.get(items[0].id);
    if (first !== undefined) this.viewport.reveal(first, true);
    this.canvas.refresh();
  }

  private itemAt(event: Event): Item | null {
    const found = (event.target as Element).closest<SVGElement>("[data-id]");
    return found === null ? null : (this.tree.items.get(found.dataset["id"]!) ?? null);
  }

  private click(event: MouseEvent): void {
    if (this.viewport.wasDragged) return;
    const item = this.itemAt(event);
    const onTitle = item?.kind === "group" && (event.target as Element).classList.contains("title");
    if (item !== null && onTitle) this.toggle(item);
    this.events.choose(item);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, () => void> = {
      ArrowDown: () => this.step("after"),
      ArrowUp: () => this.step("before"),
      ArrowLeft: () => this.beside(-1),
      ArrowRight: () => this.beside(1),
      Enter: () => (this.chosen !== null ? this.toggle(this.chosen) : this.step("after")),
      " ": () => (this.chosen !== null ? this.toggle(this.chosen) : undefined),
      Backspace: () => this.chosen?.parent?.parent && this.events.choose(this.chosen.parent),
      "+": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      "0": () => this.fit(),
      Home: () => this.home(),
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    step();
  }

  /** Along an edge; from an open block into it. */
  private step(direction: "after" | "before"): void {
    const from = this.chosen;
    const first = this.scene.boxes[0]?.item;
    if (from === null) {
      if (first !== undefined) this.events.choose(first);
      return;
    }
    if (from.kind === "group" && direction === "after" && this.open.has(from.id)) {
      this.events.choose(from.children[0] ?? null);
      return;
    }
    for (let item: Item = from; item.parent !== null; item = item.parent) {
      const edges = item.parent.edges;
      const next = edges.find((edge) => (direction === "after" ? edge.from : edge.to) === item);
      const found = direction === "after" ? next?.to : next?.from;
      if (next !== undefined && found !== undefined && found !== null) {
        this.events.choose(this.doorOf(found, direction, next.values));
        return;
      }
    }
  }

  /** What is in an open block where these values come in, or go out. */
  private doorOf(item: Item, direction: "after" | "before", values: number[]): Item {
    let found = item;
    while (found.kind === "group" && this.open.has(found.id)) {
      const inner = found.edges.find((edge) => {
        const outside = direction === "after" ? edge.from : edge.to;
        return outside === null && edge.values.some((value) => values.includes(value));
      });
      const next = direction === "after" ? inner?.to : inner?.from;
      if (next === undefined || next === null) break;
      found = next;
    }
    return found;
  }

  private beside(direction: -1 | 1): void {
    if (this.chosen === null) return;
    const at = this.boxes.get(this.chosen.id);
    if (at === undefined) return;
    let best: Box | null = null;
    for (const box of this.boxes.values()) {
      const distance = (box.x + box.width / 2 - at.x - at.width / 2) * direction;
      if (box.item.parent !== this.chosen.parent || distance <= 1) continue;
      const cost = (b: Box) => Math.abs(b.x - at.x) + 3 * Math.abs(b.y - at.y);
      if (best === null || cost(box) < cost(best)) best = box;
    }
    if (best !== null) this.events.choose(best.item);
  }

  /** Shows all of it, as large as a sheet of paper allows; gives back how to undo that. */
  preparePrint(): () => void {
    const all: Window = { x: 0, y: 0, width: this.scene.width, height: this.scene.height };
    return this.viewport.preparePrint(() => this.canvas.show(all));
  }
}
