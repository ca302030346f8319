// The page: a model's graphs side by side, and what is known of what is chosen.
import "./style.css";
import { button, byId, h } from "./dom";
import { readModel, type ModelDocument } from "./model";
import { Panel } from "./panel";
import { SearchBox } from "./searchbox";
import { Side } from "./side";
import type { Item } from "./tree";

const WIDE = 1100;
type Shown = "mxnet" | "onnx" | "both";

class Page {
  private readonly sides: Side[] = [];
  private readonly panel: Panel;
  private readonly aside = byId("panel");
  private shown: Shown;

  constructor(document_: ModelDocument) {
    document.title = `${document_.name} · mx2onnx`;
    byId("name").textContent = document_.name;
    const main = byId("sides");
    for (const graph of document_.graphs) {
      const side: Side = new Side(graph, {
        choose: (item) => this.choose(side, item),
        say: (text) => (byId("said").textContent = text),
      });
      this.sides.push(side);
      const title = graph.side === "mxnet" ? "MXNet" : "ONNX";
      main.append(h("section", { class: "side", id: graph.side, "aria-label": title }, side.frame));
    }
    this.panel = new Panel(byId("about"), document_, this.sides, { go: (side, item) => this.go(side, item) });
    this.panel.show(null, null);
    this.shown = this.sides.length > 1 && window.innerWidth >= WIDE ? "both" : (this.sides[0]?.graph.side ?? "mxnet");
    this.addTools();
    this.show(this.shown);
    new SearchBox(
      byId<HTMLInputElement>("search"),
      () => this.visibleSides,
      (side, index) => this.go(side, side.tree.leaves[index]!),
    );
    byId("close").addEventListener("click", () => this.aside.classList.toggle("closed"));
    document.addEventListener("keydown", (event) => this.key(event));
    let undo: (() => void)[] = [];
    window.addEventListener("beforeprint", () => (undo = this.visibleSides.map((side) => side.preparePrint())));
    window.addEventListener("afterprint", () => undo.forEach((one) => one()));
  }

  private get visibleSides(): Side[] {
    return this.sides.filter((side) => this.shown === "both" || this.shown === side.graph.side);
  }

  private addTools(): void {
    const tools = byId("tools");
    const each = (work: (side: Side) => void) => () => this.visibleSides.forEach(work);
    if (this.sides.length > 1) {
      const choice = h("span", { class: "choice", role: "group", "aria-label": "which graph" });
      for (const [which, label] of [["mxnet", "MXNet"], ["both", "Both"], ["onnx", "ONNX"]] as const) {
        const made = button(label, `show ${label}`, () => this.show(which));
        made.dataset["shown"] = which;
        choice.append(made);
      }
      tools.append(choice);
    }
    tools.append(
      button("+", "larger (+)", each((side) => side.zoom(1.25))),
      button("−", "smaller (−)", each((side) => side.zoom(0.8))),
      button("Fit", "the whole graph (0)", each((side) => side.fit())),
      button("Open all", "open all blocks", each((side) => side.openAll())),
      button("Close all", "close all blocks", each((side) => side.closeAll())),
    );
  }

  private show(which: Shown): void {
    this.shown = which;
    document.body.dataset["shown"] = which;
    for (const made of byId("tools").querySelectorAll<HTMLButtonElement>("[data-shown]")) {
      made.setAttribute("aria-pressed", String(made.dataset["shown"] === which));
    }
  }

  private choose(side: Side, item: Item | null): void {
    side.choose(item);
    const other = this.sides.find((one) => one !== side);
    if (other !== undefined) {
      other.choose(null);
      other.mark(item?.kind === "node" ? side.graph.nodes[item.index]!.counterparts : []);
      side.mark([]);
    }
    if (item !== null) this.aside.classList.remove("closed");
    this.panel.show(side, item);
  }

  private go(side: Side, item: Item): void {
    if (!this.visibleSides.includes(side)) this.show(side.graph.side);
    this.choose(side, item);
    side.choose(item, true);
  }

  private key(event: KeyboardEvent): void {
    const inField = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !inField) {
      event.preventDefault();
      byId("search").focus();
    }
    if (event.key === "Escape" && !inField) {
      for (const side of this.sides) side.choose(null);
      this.panel.show(null, null);
    }
  }
}

const model = readModel(byId("model").textContent);
if (model !== null) new Page(model);
