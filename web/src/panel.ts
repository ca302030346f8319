// What the panel says of a node, a block, or the model.
import { button, h, table } from "./dom";
import { bytes, exact, type } from "./format";
import { describeWeight } from "./histogram";
import type { Graph, GraphNode, ModelDocument, OperatorDocument, Value } from "./model";
import { makersOf } from "./model";
import type { Side } from "./side";
import type { Group, Item } from "./tree";

export interface PanelEvents {
  /** Shows a node of this side or of the other one. */
  go(side: Side, item: Item): void;
}

const SIDE_NAMES = { mxnet: "MXNet", onnx: "ONNX" };

function lines(title: string, texts: string[] | undefined, style = ""): HTMLElement | null {
  if (texts === undefined || texts.length === 0) return null;
  const list = h("ul", { class: style });
  for (const text of texts) list.append(h("li", {}, text));
  return h("section", {}, h("h3", {}, title), list);
}

function amounts(of: { parameters: number | null; bytes: number | null; work: number | null }): [string, string][] {
  return [
    ["parameters", of.parameters === 0 ? "none" : exact(of.parameters)],
    ["bytes of them", of.parameters === 0 ? "none" : bytes(of.bytes)],
    ["multiply-adds", exact(of.work)],
  ];
}

export class Panel {
  constructor(
    private readonly place: HTMLElement,
    private readonly document: ModelDocument,
    private readonly sides: Side[],
    private readonly events: PanelEvents,
  ) {}

  show(side: Side | null, item: Item | null): void {
    this.place.replaceChildren();
    this.place.scrollTop = 0;
    if (side === null || item === null) this.showModel();
    else if (item.kind === "group") this.showGroup(side, item);
    else if (item.kind === "node") this.showNode(side, item.index);
    else this.showPort(side, item.value);
  }

  private add(...parts: (Node | null)[]): void {
    for (const part of parts) if (part !== null) this.place.append(part);
  }

  private link(side: Side, index: number): HTMLElement {
    const node = side.graph.nodes[index]!;
    return button(`${node.op} ${node.name}`, "show it", () => this.events.go(side, side.tree.leaves[index]!));
  }

  private links(title: string, side: Side, nodes: number[]): HTMLElement | null {
    if (nodes.length === 0) return null;
    const list = h("ul", { class: "links" });
    for (const index of nodes.slice(0, 200)) list.append(h("li", {}, this.link(side, index)));
    if (nodes.length > 200) list.append(h("li", {}, `and ${nodes.length - 200} more`));
    return h("section", {}, h("h3", {}, title), list);
  }

  private showModel(): void {
    const { document } = this;
    const from =
      document.kind === "onnx"
        ? `an ONNX model${document.producer === "" ? "" : ` of ${document.producer}`}`
        : document.kind === "symbol"
          ? `a graph saved by MXNet ${document.mxnet_version}`
          : "parameters of MXNet, without a graph";
    this.add(h("h2", {}, document.name), h("p", {}, from));
    const rows: [string, string][] = [["opset", String(document.opset)]];
    for (const side of this.sides) rows.push([`${SIDE_NAMES[side.graph.side]} nodes`, exact(side.graph.nodes.length)]);
    rows.push(["weights", `${exact(document.num_parameters)} arrays`]);
    rows.push(["numbers in them", exact(document.parameter_count)], ["bytes of them", bytes(document.parameter_bytes)]);
    const root = this.sides[0]?.tree.root;
    if (root !== undefined) {
      const ones = document.counted_as_one.map((name) => `${name} = 1`).join(", ");
      rows.push(["multiply-adds", exact(root.multiplyAdds) + (ones === "" ? "" : ` for ${ones}`)]);
    }
    if (document.kind === "symbol") rows.push(["converts", document.converts ? "yes" : "no"]);
    this.add(table(rows));
    this.add(lines("What does not convert", document.problems, "bad"), lines("What may be done", document.hints));
    this.showProblems();
    const ports = (title: string, list: ModelDocument["inputs"]) =>
      lines(title, list.map((port) => `${port.name}: ${type(port)}`));
    this.add(ports("Inputs", document.inputs), ports("Outputs", document.outputs));
    this.add(lines("Warnings", document.diagnostics.map((entry) => `${entry.message} [${entry.id}]`)));
    this.add(lines("Metadata", Object.entries(document.metadata).map(([key, value]) => `${key}: ${value}`)));
    if (document.kind === "parameters") {
      this.add(lines("Arrays", document.arrays.map((array) => `${array.name}: ${type(array)}`)));
    }
  }

  private showProblems(): void {
    const side = this.sides[0];
    if (side === undefined) return;
    const bad = side.graph.nodes.flatMap((node, index) => (node.problems === undefined ? [] : [index]));
    this.add(this.links("Where", side, bad));
  }

  private showGroup(side: Side, group: Group): void {
    this.add(h("h2", {}, group.name === "" ? "the model" : group.name), h("p", {}, `a block of ${group.size} nodes`));
    const isOpen = side.open.has(group.id);
    if (group.parent !== null) {
      this.add(button(isOpen ? "Close" : "Open", "Enter", () => {
        side.toggle(group);
        this.show(side, group);
      }));
    }
    this.add(table(amounts({ parameters: group.parameters, bytes: group.parameterBytes, work: group.multiplyAdds })));
    const operators = new Map<string, number>();
    const twins = new Set<number>();
    const visit = (item: Item) => {
      if (item.kind === "group") item.children.forEach(visit);
      if (item.kind !== "node") return;
      const node = side.graph.nodes[item.index]!;
      operators.set(node.op, (operators.get(node.op) ?? 0) + 1);
      node.counterparts.forEach((twin) => twins.add(twin));
    };
    visit(group);
    const sorted = [...operators].sort((a, b) => b[1] - a[1]);
    this.add(lines("Operators", sorted.map(([op, number]) => `${number} ${op}`)));
    const other = this.sides.find((one) => one !== side);
    if (other !== undefined && twins.size > 0) {
      this.add(h("p", {}, `${twins.size} nodes of the ${SIDE_NAMES[other.graph.side]} graph`));
    }
  }

  private showPort(side: Side, index: number): void {
    const value = side.graph.values[index]!;
    this.add(h("h2", {}, value.name), h("p", {}, type(value)));
    const users = side.graph.nodes.flatMap((node, at) => (node.inputs.includes(index) ? [at] : []));
    this.add(this.links("Used by", side, users));
  }

  private showNode(side: Side, index: number): void {
    const node = side.graph.nodes[index]!;
    this.add(h("h2", {}, node.op), h("p", { class: "name" }, node.name));
    if (node.domain !== undefined) this.add(h("p", {}, `of the domain ${node.domain}`));
    this.add(lines("Does not convert", node.problems, "bad"), lines("Warnings", node.warnings));
    this.showAttributes(node);
    this.showValues(side.graph, node);
    const [parameters, work] = [node.parameters, node.multiply_adds];
    if (parameters !== 0 || work !== 0) {
      this.add(h("section", {}, table(amounts({ parameters, bytes: node.parameter_bytes, work }))));
    }
    this.showOtherSide(side, node);
    for (const input of node.inputs) {
      const value = side.graph.values[input];
      if (value !== undefined && (value.kind === "parameter" || value.kind === "constant")) {
        this.add(describeWeight(value));
      }
    }
    this.showNeighbours(side, node);
    const { documentation } = this.document;
    if (side.graph.side === "mxnet" && Object.hasOwn(documentation, node.op)) {
      this.showDocumentation(documentation[node.op]!);
    }
  }

  private showAttributes(node: GraphNode): void {
    const rows = Object.entries(node.attributes);
    if (rows.length > 0) this.add(h("section", {}, h("h3", {}, "Attributes"), table(rows)));
  }

  private showValues(graph: Graph, node: GraphNode): void {
    const list = (title: string, indices: number[]) => {
      const values = indices.map((index) => graph.values[index]).filter((value): value is Value => value !== undefined);
      return lines(title, values.map((value) => `${value.name}: ${type(value)}`));
    };
    this.add(list("Inputs", node.inputs), list("Outputs", node.outputs));
  }

  private showOtherSide(side: Side, node: GraphNode): void {
    const other = this.sides.find((one) => one !== side);
    if (other === undefined) return;
    const isSource = side.graph.side === "mxnet";
    this.add(this.links(isSource ? "Became" : "Made of", other, node.counterparts));
    if (isSource && node.counterparts.length === 0) {
      this.add(h("p", {}, "Nothing of it is left in the ONNX graph."));
    }
    // A pass may have changed a node many times; people want to know that it has.
    const events = [node, ...(isSource ? [] : node.counterparts.map((index) => other.graph.nodes[index]!))]
      .flatMap((one) => one.passes ?? [])
      .filter((event) => isSource || event.node === node.name);
    const texts = new Set(events.map((event) => `${event.pass} ${event.what} ${event.node}`));
    this.add(lines("Passes", [...texts]));
  }

  private showNeighbours(side: Side, node: GraphNode): void {
    const makers = makersOf(side.graph);
    const before = node.inputs.flatMap((value) => (value >= 0 && makers[value]! >= 0 ? [makers[value]!] : []));
    const outputs = new Set(node.outputs.filter((value) => value >= 0));
    const after = side.graph.nodes.flatMap((other, at) => (other.inputs.some((value) => outputs.has(value)) ? [at] : []));
    this.add(this.links("Before it", side, [...new Set(before)]), this.links("After it", side, after));
  }

  private showDocumentation(found: OperatorDocument): void {
    this.add(h("section", {}, h("h3", {}, `About ${found.name}`), h("p", {}, found.summary)));
    const rows = found.attributes
      .filter((attribute) => attribute.expected !== "")
      .map((attribute): [string, string] => {
        const otherwise = attribute.default === "" ? "required" : `${attribute.default} unless given`;
        return [attribute.name, [attribute.help, attribute.expected, otherwise].filter((text) => text !== "").join("; ")];
      });
    if (rows.length > 0) {
      this.add(h("details", {}, h("summary", {}, "Its attributes"), table(rows)));
    }
    this.add(lines("Limits", found.notes));
  }
}
