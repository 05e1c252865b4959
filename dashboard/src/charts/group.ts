/** Panels that share one range and one hover. */

import { nearest } from "./downsample";

export interface Panel {
  readonly host: HTMLElement;
  /** Width in CSS pixels instead of that of the place it has. */
  forcedWidth: number | null;
  build(): void;
  show(low: number, high: number): void;
  hover(at: number | null): void;
}

/** One range and one hover for all its panels. */
export class ChartGroup {
  readonly panels: Panel[] = [];
  range: [number, number];
  onRange: (zoomed: boolean) => void = () => undefined;
  private hovered: number | null = null;

  /** `least` is the shortest range in seconds that can be zoomed to. */
  constructor(
    readonly extent: [number, number],
    private readonly least = 5 * 86_400,
  ) {
    this.range = [...extent];
  }

  add(panel: Panel): void {
    this.panels.push(panel);
  }

  get zoomed(): boolean {
    return this.range[0] > this.extent[0] || this.range[1] < this.extent[1];
  }

  setRange(from: number, to: number): void {
    const least = Math.min(this.least, this.extent[1] - this.extent[0]);
    const low = Math.max(this.extent[0], Math.min(from, this.extent[1] - least));
    const high = Math.min(this.extent[1], Math.max(to, low + least));
    this.range = [low, high];
    for (const panel of this.panels) panel.show(low, high);
    this.onRange(this.zoomed);
  }

  reset(): void {
    this.setRange(...this.extent);
  }

  zoom(factor: number): void {
    const [low, high] = this.range;
    const centre = this.hovered ?? (low + high) / 2;
    this.setRange(centre - (centre - low) * factor, centre + (high - centre) * factor);
  }

  hover(at: number | null): void {
    this.hovered = at;
    for (const panel of this.panels) panel.hover(at);
  }

  step(x: Float64Array, by: number): void {
    const from = this.hovered ?? this.range[1];
    const index = Math.min(Math.max(nearest(x, from) + by, 0), x.length - 1);
    this.hover(x[index]!);
  }

  rebuild(): void {
    for (const panel of this.panels) panel.build();
  }
}
