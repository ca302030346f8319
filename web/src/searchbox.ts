// The field that searches, and the list under it.
import { h } from "./dom";
import { search } from "./search";
import type { Side } from "./side";

export class SearchBox {
  private readonly list = h("ul", { class: "found", role: "listbox", id: "found" });
  private found: { side: Side; index: number }[] = [];
  private at = -1;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly sides: () => Side[],
    private readonly go: (side: Side, index: number) => void,
  ) {
    input.after(this.list);
    input.addEventListener("input", () => this.update());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => setTimeout(() => this.close(), 200));
    input.addEventListener("focus", () => this.update());
  }

  private close(): void {
    this.list.replaceChildren();
    this.input.setAttribute("aria-expanded", "false");
  }

  private update(): void {
    const sides = this.sides();
    this.found = sides.flatMap((side) => search(side.graph, this.input.value, 50).map((index) => ({ side, index })));
    this.at = -1;
    this.list.replaceChildren();
    for (const { side, index } of this.found) {
      const node = side.graph.nodes[index]!;
      const where = sides.length > 1 ? ` · ${side.graph.side === "mxnet" ? "MXNet" : "ONNX"}` : "";
      const entry = h("li", { role: "option" }, h("b", {}, node.op), ` ${node.name}${where}`);
      entry.addEventListener("pointerdown", () => this.go(side, index));
      this.list.append(entry);
    }
    if (this.found.length === 0 && this.input.value.trim() !== "") this.list.append(h("li", {}, "nothing found"));
    this.input.setAttribute("aria-expanded", String(this.found.length > 0));
  }

  private key(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" || event.key === "Enter" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") {
      this.input.value = "";
      this.close();
      this.input.blur();
    }
    if (step === 0 || this.found.length === 0) return;
    event.preventDefault();
    this.at = (this.at + step + this.found.length) % this.found.length;
    [...this.list.children].forEach((entry, index) => entry.setAttribute("aria-selected", String(index === this.at)));
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
    const { side, index } = this.found[this.at]!;
    this.go(side, index);
  }
}
