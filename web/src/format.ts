// Numbers and shapes for people.
import type { Size, Value } from "./model";

const STEPS: [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** "25.6 M"; "?" for what is not known. */
export function count(number: number | null): string {
  if (number === null) return "?";
  for (const [step, unit] of STEPS) {
    if (number >= step) return `${(number / step).toPrecision(3)} ${unit}`;
  }
  return String(number);
}

/** "25,557,032": every digit, where there is room. */
export function exact(number: number | null): string {
  return number === null ? "?" : number.toLocaleString("en-US");
}

export function bytes(number: number | null): string {
  return number === null ? "?" : `${count(number)}${number >= 1000 ? "B" : " B"}`;
}

export function shape(sizes: Size[]): string {
  if (sizes.length === 1 && sizes[0] === "...") return "?";
  return sizes.length === 0 ? "scalar" : sizes.join("×");
}

export function type(value: { dtype: string; shape: Size[] }): string {
  if (value.dtype === "unknown") return shape(value.shape);
  return `${value.dtype} ${shape(value.shape)}`;
}

export function real(number: number | string): string {
  if (typeof number === "string") return number;
  if (Number.isInteger(number) && Math.abs(number) < 1e6) return String(number);
  return String(Number(number.toPrecision(5)));
}

export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) * 0.6);
  return `${text.slice(0, most - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/** What the end of a name says within its block: "conv0_fwd" of "resnetv10_stage1_conv0_fwd" in "stage1". */
export function nameWithin(name: string, block: string[]): string {
  let rest = name;
  for (const part of block) {
    const at = rest.indexOf(part);
    if (at < 0) break;
    const cut = rest.slice(at + part.length).replace(/^[_./:]+/, "");
    if (cut === "") break;
    rest = cut;
  }
  return rest;
}

/** "×3" behind the shape of an edge that stands for several. */
export function edgeLabel(values: Value[]): string {
  const first = values[0];
  if (first === undefined) return "";
  return shape(first.shape) + (values.length > 1 ? ` +${values.length - 1}` : "");
}
