// How the numbers of a weight lie.
import { element } from "./canvas";
import { h, table } from "./dom";
import { bytes, exact, real, type } from "./format";
import type { Statistics, Value } from "./model";

const WIDTH = 240;
const HEIGHT = 56;

function bars(statistics: Statistics): SVGSVGElement {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "histogram", role: "img" });
  const most = Math.max(...statistics.histogram, 1);
  const step = WIDTH / Math.max(statistics.histogram.length, 1);
  statistics.histogram.forEach((count, index) => {
    const height = (count / most) * HEIGHT;
    svg.append(element("rect", { x: index * step, y: HEIGHT - height, width: Math.max(step - 1, 0.5), height }));
  });
  svg.setAttribute("aria-label", `numbers from ${real(statistics.minimum)} to ${real(statistics.maximum)}`);
  return svg;
}

/** A weight with all that is known of its numbers. */
export function describeWeight(value: Value): HTMLElement {
  const made = h("section", { class: "weight" }, h("h4", {}, value.name));
  const rows: [string, string][] = [["type", type(value)]];
  if (value.bytes !== undefined) rows.push(["size", bytes(value.bytes)]);
  if (value.numbers !== undefined) rows.push(["numbers", value.numbers.map(real).join(", ")]);
  const found = value.statistics;
  if (found !== undefined && value.numbers === undefined) {
    rows.push(["range", `${real(found.minimum)} to ${real(found.maximum)}`]);
    rows.push(["mean", `${real(found.mean)}, deviation ${real(found.deviation)}`]);
    if (found.zeros > 0) rows.push(["zeros", `${real((100 * found.zeros) / found.looked_at)} %`]);
    if (found.not_finite > 0) rows.push(["NaN or infinite", exact(found.not_finite)]);
    const all = value.shape.reduce<number>((product, size) => product * Number(size), 1);
    if (found.looked_at < all) rows.push(["looked at", `${exact(found.looked_at)} of ${exact(all)} numbers`]);
  }
  made.append(table(rows));
  if (found !== undefined && found.histogram.length > 0 && value.numbers === undefined) made.append(bars(found));
  return made;
}
