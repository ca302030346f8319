// The document that the page shows, as `mx2onnx inspect --json` prints it (include/mx2onnx/picture.h says what its
// members mean). Every text in it comes from a file and is hostile: it becomes text of the page and never markup.

export interface Statistics {
  looked_at: number;
  zeros: number;
  not_finite: number;
  minimum: number | string;
  maximum: number | string;
  mean: number | string;
  deviation: number | string;
  histogram: number[];
}

export type Size = number | string;

export interface Value {
  name: string;
  kind: "inner" | "input" | "parameter" | "constant";
  dtype: string;
  shape: Size[];
  bytes?: number;
  statistics?: Statistics;
  numbers?: (number | string)[];
}

export interface PassEvent {
  pass: string;
  what: "changed" | "made" | "removed";
  node: string;
}

export interface GraphNode {
  name: string;
  op: string;
  domain?: string;
  block: string[];
  inputs: number[];
  outputs: number[];
  attributes: Record<string, string>;
  parameters: number | null;
  parameter_bytes: number | null;
  multiply_adds: number | null;
  counterparts: number[];
  problems?: string[];
  warnings?: string[];
  passes?: PassEvent[];
}

export interface Graph {
  side: "mxnet" | "onnx";
  nodes: GraphNode[];
  values: Value[];
  inputs: number[];
  outputs: number[];
}

export interface OperatorDocument {
  name: string;
  summary: string;
  attributes: { name: string; expected: string; default: string; help: string }[];
  notes: string[];
}

export interface Port {
  name: string;
  dtype: string;
  shape: Size[];
}

export interface ModelDocument {
  kind: "symbol" | "parameters" | "onnx";
  name: string;
  mxnet_version: string;
  producer: string;
  opset: number;
  converts: boolean;
  inputs: Port[];
  outputs: Port[];
  counted_as_one: string[];
  arrays: { name: string; dtype: string; shape: number[]; bytes: number }[];
  num_parameters: number;
  parameter_count: number;
  parameter_bytes: number;
  problems: string[];
  hints: string[];
  diagnostics: { id: string; node: string; message: string }[];
  metadata: Record<string, string>;
  graphs: Graph[];
  documentation: Record<string, OperatorDocument>;
}

export function readModel(text: string | null): ModelDocument | null {
  return JSON.parse(text ?? "null") as ModelDocument | null;
}

/** Of each value, the node that makes it; -1 for inputs and weights. */
export function makersOf(graph: Graph): Int32Array {
  const makers = new Int32Array(graph.values.length).fill(-1);
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) if (output >= 0) makers[output] = index;
  });
  return makers;
}
