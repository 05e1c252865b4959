/** The charts of a report: which series go where, in which colour, under which range. */

import { ChartGroup } from "../charts/group";
import type { LineSpec, PanelSpec } from "../charts/spec";
import type { Token } from "../charts/theme";
import { TimeChart } from "../charts/timechart";
import { digitsFor, moneyTick, number, percent, percentTick, short } from "../format";
import { drawdown, prefersLog, undelta, unpack, type Packed, type Payload } from "./data";

const DAY = 86_400;
const CATEGORIES = 8;

export interface Charts {
  group: ChartGroup;
  equity: TimeChart | null;
}

/** Draw every chart that the page has a place for. */
export function drawCharts(payload: Payload): Charts | null {
  const x = Float64Array.from(undelta(payload.days), (day) => day * DAY);
  if (x.length < 2) return null;
  const group = new ChartGroup([x[0]!, x.at(-1)!], payload.within ? (x.at(-1)! - x[0]!) / 200 : undefined);
  const panel = (name: string, spec: Omit<PanelSpec, "x"> & { x?: Float64Array }): TimeChart | null => {
    const host = document.querySelector<HTMLElement>(`[data-chart="${name}"]`);
    return host ? new TimeChart(host, group, { x, within: payload.within, ...spec }) : null;
  };
  const spans = payload.drawdowns.map((each, k) => ({
    from: each.from * DAY,
    to: each.to * DAY,
    at: each.at * DAY,
    text: String(k + 1),
  }));
  const levels = compared(payload, payload.levels);
  const log = prefersLog(x.at(-1)! - x[0]!, levels.map((line) => line.values));
  const money = { format: (value: number) => number(value, digits(levels)), tick: moneyTick };
  const equity = panel("equity", { lines: levels, height: [330, 240], log, spans, ...money });
  // Ours first: what is filled must not cover the lines.
  const falls = compared(payload, levelsOf(payload, ["fund", "benchmark"])).reverse().map((line, k) => ({
    ...line,
    values: drawdown(line.values),
    ...(k === 0 ? { kind: "area" as const, fill: 0.28, width: 1.25 } : { width: 1 }),
  }));
  const shares = Math.max(1, digits(falls.map((line) => ({ values: line.values.map((each) => each * 100) }))));
  panel("drawdown", {
    lines: falls,
    height: [170, 130],
    zero: true,
    spans,
    spanLabels: true,
    format: (value) => percent(value, shares),
    tick: percentTick,
  });
  rollingCharts(payload, panel);
  stacks(payload, panel);
  yearly(payload, panel);
  return { group, equity };
}

/** Decimals with which a hundredth of the range of some lines can be read; none where it is large. */
function digits(lines: readonly { values: Float64Array }[]): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { values } of lines) {
    for (const value of values) {
      if (Number.isNaN(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return high > low ? digitsFor((high - low) / 100) : 0;
}

function levelsOf(payload: Payload, names: string[]): Record<string, Packed> {
  return Object.fromEntries(Object.entries(payload.levels).filter(([name]) => names.includes(name)));
}

type AddPanel = (
  name: string,
  spec: Omit<PanelSpec, "x"> & { x?: Float64Array },
) => TimeChart | null;

/** Ours last, so that it is drawn on top. */
function compared(payload: Payload, packed: Record<string, Packed>): LineSpec[] {
  const looks: [string, string | null, Partial<LineSpec> & { token: Token }][] = [
    ["equal_weight", payload.labels.equal_weight, { token: "even", width: 1.1 }],
    ["benchmark", payload.labels.benchmark, { token: "benchmark", width: 1.25 }],
    ["fund", payload.fund, { token: "accent", width: 1.75, first: true }],
  ];
  return looks
    .filter(([name]) => name in packed)
    .map(([name, label, look]) => ({
      label: label ?? name,
      values: unpack(packed[name]!),
      ...look,
    }));
}

function rollingCharts(payload: Payload, panel: AddPanel): void {
  const { rolling } = payload;
  const lines = compared(payload, rolling.sharpe);
  const ours = lines.at(-1);
  if (!ours) return;
  // One standard error of a ratio over the window, which is a year; Lo (2002) for normal returns.
  const year = Math.sqrt(rolling.window);
  const error = ours.values.map((each) => Math.sqrt((1 + (each / year) ** 2 / 2) / rolling.window) * year);
  const band = {
    low: ours.values.map((each, k) => each - error[k]!),
    high: ours.values.map((each, k) => each + error[k]!),
  };
  panel("rolling-sharpe", {
    lines,
    band,
    height: [200, 160],
    zero: true,
    format: (value) => number(value, 2),
    tick: (value) => number(value, Number.isInteger(value) ? 0 : 1),
  });
  panel("rolling-volatility", {
    lines: compared(payload, rolling.volatility),
    height: [170, 140],
    zero: true,
    format: (value) => percent(value),
    tick: percentTick,
  });
}

function stacks(payload: Payload, panel: AddPanel): void {
  const categories = (packed: Record<string, Packed>): LineSpec[] =>
    Object.entries(packed)
      .slice(0, CATEGORIES)
      .map(([label, each], k) => ({
        label,
        values: unpack(each),
        token: `category-${k + 1}` as Token,
      }));
  panel("exposure", {
    lines: categories(payload.exposure).map((line) => ({ ...line, kind: "area", fill: 0.55 })),
    height: [190, 150],
    zero: true,
    format: (value) => percent(value),
    tick: percentTick,
  });
  const made = categories(payload.profit);
  panel("profit", {
    lines: made,
    height: [220, 170],
    zero: true,
    format: (value) => number(value, digits(made)),
    tick: moneyTick,
  });
}

function yearly(payload: Payload, panel: AddPanel): void {
  const { years } = payload;
  const when = (seconds: number): string => String(new Date(seconds * 1000).getUTCFullYear());
  const shared = {
    x: Float64Array.from(years.year, (year) => Date.UTC(year, 6, 1) / 1000),
    height: [150, 130] as [number, number],
    zero: true,
    pad: 0.55 * 365.25 * DAY,
    when,
  };
  panel("turnover", {
    ...shared,
    lines: [
      { label: "One-way turnover", values: Float64Array.from(years.turnover), token: "accent", kind: "bars" },
    ],
    format: (value) => percent(value, 0),
    tick: percentTick,
  });
  panel("costs", {
    ...shared,
    lines: [
      { label: "Slippage", values: Float64Array.from(years.slippage), token: "category-2", kind: "bars" },
      { label: "Fees", values: Float64Array.from(years.fees), token: "category-1", kind: "bars" },
    ],
    format: (value) => `${number(value, 1)} bp`,
    tick: (value) => short(value),
  });
}
