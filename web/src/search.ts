// Finding nodes by name, operator or block.
import type { Graph } from "./model";

export interface Found {
  index: number;
  score: number;
}

/** Nodes that have all words of the query, the best first: operators, then the ends of names, then the rest. */
export function search(graph: Graph, query: string, most = 100): number[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [];
  const found: Found[] = [];
  graph.nodes.forEach((node, index) => {
    const op = node.op.toLowerCase();
    const name = node.name.toLowerCase();
    let score = 0;
    for (const word of words) {
      if (op === word) score += 4;
      else if (name === word) score += 5;
      else if (op.includes(word)) score += 2;
      else if (name.includes(word)) score += name.endsWith(word) ? 2 : 1;
      else return;
    }
    found.push({ index, score });
  });
  found.sort((a, b) => b.score - a.score || a.index - b.index);
  return found.slice(0, most).map(({ index }) => index);
}
