// Small graphs for tests.
import type { Graph, GraphNode, Value } from "../src/model";

/** Nodes as [name, block, inputs by name]; the first input is "data", and the last node's output comes out. */
export function graph(...nodes: [string, string, string[]][]): Graph {
  const values: Value[] = [{ name: "data", kind: "input", dtype: "float32", shape: ["N", 3] }];
  const places = new Map([["data", 0]]);
  const made: GraphNode[] = nodes.map(([name, block, inputs]) => {
    const output = values.length;
    values.push({ name: `${name}_output`, kind: "inner", dtype: "float32", shape: ["N", 3] });
    const node: GraphNode = {
      name,
      op: "relu",
      block: block === "" ? [] : block.split("/"),
      inputs: inputs.map((input) => places.get(input)!),
      outputs: [output],
      attributes: {},
      parameters: 1,
      parameter_bytes: 4,
      multiply_adds: 10,
      counterparts: [],
    };
    places.set(name, output);
    return node;
  });
  return { side: "mxnet", nodes: made, values, inputs: [0], outputs: [values.length - 1] };
}

/** Residual units of three nodes each, without blocks. */
export function residual(units: number): Graph {
  const nodes: [string, string, string[]][] = [];
  let before = "data";
  for (let i = 0; i < units; i += 1) {
    nodes.push([`a${i}`, "", [before]], [`b${i}`, "", [`a${i}`]], [`plus${i}`, "", [before, `b${i}`]]);
    before = `plus${i}`;
  }
  return graph(...nodes);
}
