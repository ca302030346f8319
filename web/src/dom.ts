// Elements of the page. Texts become text nodes: whatever a model has for names is shown and never run.

type Child = Node | string | null;

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

export function button(label: string, title: string, click: () => void): HTMLButtonElement {
  const made = h("button", { type: "button", title }, label);
  made.addEventListener("click", click);
  return made;
}

/** A table of two columns. */
export function table(rows: [string, Child][]): HTMLElement {
  const made = h("dl");
  for (const [name, value] of rows) made.append(h("dt", {}, name), h("dd", {}, value));
  return made;
}

export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found as T;
}
