// What stands in a box, and what kind of box it is.
import { count, nameWithin, shape, shorten } from "./format";
import type { Graph } from "./model";
import type { Item } from "./tree";

const MOST_LETTERS = 34;

const KINDS: [RegExp, string][] = [
  [/conv|fullyconnected|dense|gemm|matmul|^_?(np_|npi_)?dot|batch_dot|linalg|rnn|lstm|gru|embedding|interleaved/i, "weighted"],
  [/norm|lrn/i, "norm"],
  [/relu|sigmoid|tanh|softmax|activation|gelu|elu|erf|selu|swish|silu|softsign|softplus|clip|hard/i, "activation"],
  [/pool/i, "pool"],
  [/reshape|transpose|flatten|concat|split|slice|squeeze|expand|pad|tile|stack|swapaxes|gather|take|shape|cast|identity|copy|unsqueeze/i, "form"],
  [/quantize/i, "quant"],
];

/** A word for the colour. */
export function kindOf(graph: Graph, item: Item): string {
  if (item.kind === "group") return "group";
  if (item.kind !== "node") return "port";
  const { op } = graph.nodes[item.index]!;
  return KINDS.find(([pattern]) => pattern.test(op))?.[1] ?? "other";
}

/** The lines of a box, the first of which is its title. */
export function nodeLines(graph: Graph, item: Item): string[] {
  if (item.kind === "group") {
    const lines = [shorten(item.name, MOST_LETTERS), `${item.size} nodes`];
    if (item.parameters !== 0 && item.parameters !== null) lines.push(`${count(item.parameters)} parameters`);
    if (item.multiplyAdds !== 0 && item.multiplyAdds !== null) lines.push(`${count(item.multiplyAdds)} multiply-adds`);
    return lines;
  }
  if (item.kind !== "node") return [shorten(graph.values[item.value]!.name, MOST_LETTERS)];
  const node = graph.nodes[item.index]!;
  const op = node.op.replace(/^_(contrib_|np_|npi_|npx_)?/, "");
  const lines = [shorten(op, MOST_LETTERS), shorten(nameWithin(node.name, node.block), MOST_LETTERS)];
  const weight = node.inputs.find((value) => value >= 0 && graph.values[value]!.kind === "parameter");
  if (weight !== undefined) lines.push(`weight ${shorten(shape(graph.values[weight]!.shape), MOST_LETTERS - 7)}`);
  return lines;
}

/** What a reader of the screen hears. */
export function spoken(graph: Graph, item: Item, isOpen: boolean): string {
  if (item.kind === "group") {
    const problems = item.problems > 0 ? `, ${item.problems} do not convert` : "";
    return `block ${item.name}, ${item.size} nodes, ${isOpen ? "open" : "closed"}${problems}`;
  }
  if (item.kind !== "node") return `${item.kind} ${graph.values[item.value]!.name}`;
  const node = graph.nodes[item.index]!;
  return `${node.op} ${node.name}${node.problems === undefined ? "" : ", does not convert"}`;
}
