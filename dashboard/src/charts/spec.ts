/** What a panel of a time chart is made of. */

import type { Token } from "./theme";

export interface LineSpec {
  label: string;
  values: Float64Array;
  token: Token;
  kind?: "line" | "area" | "bars";
  width?: number;
  dash?: number[];
  /** Share of the colour in the filling of an area. */
  fill?: number;
  /** Read first, wherever it is drawn. */
  first?: boolean;
}

export interface Span {
  from: number;
  to: number;
  at: number;
  text: string;
}

export interface PanelSpec {
  /** Seconds UTC, ascending. */
  x: Float64Array;
  lines: LineSpec[];
  /** Heights in CSS pixels, wide and narrow. */
  height: [number, number];
  log?: boolean;
  /** Keep zero in view. */
  zero?: boolean;
  format: (value: number) => string;
  /** How the axis names a value, with the distance to the next, and the size of the largest. */
  tick: (value: number, step: number, largest: number) => string;
  /** A band around the first line. */
  band?: { low: Float64Array; high: Float64Array };
  spans?: Span[];
  spanLabels?: boolean;
  /** Whether points lie within days. */
  within?: boolean;
  /** Seconds added to both ends of the range, for what is wider than a point. */
  pad?: number;
  /** How the reading names a point; by default its date. */
  when?: (seconds: number) => string;
}
