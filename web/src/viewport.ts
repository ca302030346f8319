// Moving and scaling one layer of an SVG: mouse, wheel, fingers. The SVG is twice as wide and as high as its frame and is
// moved as a whole, which costs no painting; only where its border would be seen, or the scale changes, it is painted anew.
import type { Window } from "./canvas";
import type { Point } from "./arrange";

const SMALLEST = 0.03;
const LARGEST = 3;
const READABLE = 0.9;
const SMALL_TEXT = 0.34;
const EDGE = 24;

export class Viewport {
  private x = 0;
  private y = 0;
  private scale = 1;
  private width = 1;
  private height = 1;
  private waiting = false;
  private touched = false;
  private readonly pointers = new Map<number, Point>();
  private dragged = 0;

  /** Where the layer was when it was painted. */
  private painted: { x: number; y: number; scale: number } | null = null;

  constructor(
    private readonly frame: HTMLElement,
    private readonly svg: SVGSVGElement,
    private readonly layer: SVGGElement,
    private readonly show: (window: Window) => void,
  ) {
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.down(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) {
      svg.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    // Until somebody has moved it, it begins where a page begins.
    new ResizeObserver(() => {
      this.painted = null;
      if (this.touched) this.draw();
      else this.home();
    }).observe(frame);
  }

  /** True if what ends in a click was a movement. */
  get wasDragged(): boolean {
    return this.dragged > 4;
  }

  setSize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.painted = null;
    this.draw();
  }

  private get room(): { width: number; height: number } {
    return { width: this.frame.clientWidth || 1, height: this.frame.clientHeight || 1 };
  }

  fit(): void {
    const { width, height } = this.room;
    this.set(Math.min((width - 2 * EDGE) / this.width, (height - 2 * EDGE) / this.height, READABLE));
    this.x = (width - this.width * this.scale) / 2;
    this.y = (height - this.height * this.scale) / 2;
    this.touched = true;
    this.draw();
  }

  home(): void {
    const { width } = this.room;
    this.set(Math.max(0.5, Math.min((width - EDGE) / this.width, READABLE)));
    this.x = (width - this.width * this.scale) / 2;
    this.y = EDGE / 2;
    this.draw();
  }

  /** A point of the graph that has moved stays where it was on the screen. */
  keep(before: Point, after: Point): void {
    this.x += (before.x - after.x) * this.scale;
    this.y += (before.y - after.y) * this.scale;
    this.touched = true;
    this.draw();
  }

  /** Moves no more than is needed, unless the box is to be in the middle. */
  reveal(box: Window, centre: boolean): void {
    const { width, height } = this.room;
    this.touched = true;
    if (this.scale < SMALL_TEXT) this.set(READABLE);
    const left = box.x * this.scale + this.x;
    const top = box.y * this.scale + this.y;
    const right = left + box.width * this.scale;
    const bottom = top + box.height * this.scale;
    if (left < EDGE || right > width - EDGE || (centre && left > width)) {
      this.x += width / 2 - Math.min((left + right) / 2, left + width / 2);
    }
    if (top < EDGE || bottom > height - EDGE) this.y += height / 2 - Math.min((top + bottom) / 2, top + height / 2);
    this.draw();
  }

  zoomAt(factor: number, at?: Point): void {
    const { width, height } = this.room;
    const point = at ?? { x: width / 2, y: height / 2 };
    const before = this.scale;
    this.set(this.scale * factor);
    this.x = point.x - ((point.x - this.x) * this.scale) / before;
    this.y = point.y - ((point.y - this.y) * this.scale) / before;
    this.touched = true;
    this.draw();
  }

  preparePrint(show: () => void): () => void {
    const { layer, svg } = this;
    layer.removeAttribute("transform");
    svg.style.transform = "";
    layer.classList.remove("far");
    svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    show();
    return () => {
      svg.removeAttribute("viewBox");
      this.painted = null;
      this.draw();
    };
  }

  private set(scale: number): void {
    this.scale = Math.max(SMALLEST, Math.min(LARGEST, scale));
  }

  private draw(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  private paint(): void {
    const { width, height } = this.room;
    const { painted } = this;
    const moved = painted === null ? { x: 0, y: 0 } : { x: this.x - painted.x, y: this.y - painted.y };
    const isNear = Math.abs(moved.x) <= width / 2 && Math.abs(moved.y) <= height / 2;
    if (painted !== null && painted.scale === this.scale && isNear) {
      this.svg.style.transform = `translate(${moved.x}px, ${moved.y}px)`;
      return;
    }
    this.painted = { x: this.x, y: this.y, scale: this.scale };
    this.svg.style.transform = "";
    this.layer.setAttribute("transform", `translate(${this.x + width / 2} ${this.y + height / 2}) scale(${this.scale})`);
    this.layer.classList.toggle("far", this.scale < SMALL_TEXT);
    this.show({
      x: (-this.x - width / 2) / this.scale,
      y: (-this.y - height / 2) / this.scale,
      width: (2 * width) / this.scale,
      height: (2 * height) / this.scale,
    });
  }

  private at(event: MouseEvent): Point {
    const box = this.frame.getBoundingClientRect();
    return { x: event.clientX - box.x, y: event.clientY - box.y };
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      this.zoomAt(Math.exp(-event.deltaY / 200), this.at(event));
      return;
    }
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const [across, down] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
    this.pan(-across * lines, -down * lines);
  }

  private pan(across: number, down: number): void {
    const { width, height } = this.room;
    // Some of the graph stays in sight.
    this.x = Math.max(60 - this.width * this.scale, Math.min(width - 60, this.x + across));
    this.y = Math.max(60 - this.height * this.scale, Math.min(height - 60, this.y + down));
    this.touched = true;
    this.draw();
  }

  private down(event: PointerEvent): void {
    if (event.button > 1) return;
    if (this.pointers.size === 0) this.dragged = 0;
    this.pointers.set(event.pointerId, this.at(event));
  }

  private move(event: PointerEvent): void {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.at(event);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    this.pointers.set(event.pointerId, now);
    this.dragged += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    // Only what is more than a click keeps the pointer: else the click would not be the node's.
    if (this.wasDragged && !this.svg.hasPointerCapture(event.pointerId)) this.svg.setPointerCapture(event.pointerId);
    const other = others[0]?.[1];
    if (other === undefined) {
      this.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.zoomAt(distance(now, other) / distance(before, other), middle);
  }
}
