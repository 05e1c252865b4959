/** The table of fills: filter, sort, export, and only the rows in view in the document. */

import { isoMinute, isoSecond, number } from "../format";
import { csv, download } from "./csv";
import type { Fills } from "./data";
import { COLUMNS, filterRows, rowsOf, sortRows, windowOf, type Column, type Row } from "./rows";

const ROW = 30;

export function mountTrades(root: HTMLElement, fills: Fills, fund: string): void {
  const all = rowsOf(fills);
  const digits = {
    quantity: decimals(fills.quantity),
    price: decimals(fills.price),
    notional: all.every((row) => row.notional < 10_000) ? 2 : 0,
  };
  const date = (row: Row): string => {
    if (fills.seconds) return isoSecond(row.ts).slice(0, -4);
    return fills.minutes ? isoMinute(row.ts) : row.date;
  };
  const part = (name: string): HTMLElement => root.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
  const scroller = part("scroller");
  const body = part("body");
  const filter = part("filter") as HTMLInputElement;
  const count = part("count");
  let column: Column = "ts";
  let descending = true;
  let shown: Row[] = [];
  let drawn = { from: -1, to: -1 };

  const draw = (): void => {
    const view = windowOf(scroller.scrollTop, scroller.clientHeight || 480, ROW, shown.length);
    if (view.from === drawn.from && view.to === drawn.to) return;
    drawn = view;
    const rows = shown.slice(view.from, view.to).map((row) => drawRow(row, date, digits));
    body.replaceChildren(spacer(view.from), ...rows, spacer(shown.length - view.to));
  };
  const refresh = (): void => {
    shown = sortRows(filterRows(all, filter.value, date), column, descending);
    count.textContent =
      shown.length === all.length ? number(all.length) : `${number(shown.length)} of ${number(all.length)}`;
    for (const head of root.querySelectorAll<HTMLElement>("th[data-column]")) {
      const active = head.dataset["column"] === column;
      head.ariaSort = active ? (descending ? "descending" : "ascending") : "none";
    }
    drawn = { from: -1, to: -1 };
    scroller.scrollTop = 0;
    draw();
  };
  for (const head of root.querySelectorAll<HTMLElement>("th[data-column]")) {
    head.querySelector("button")?.addEventListener("click", () => {
      const next = head.dataset["column"] as Column;
      descending = next === column ? !descending : next === "ts";
      column = next;
      refresh();
    });
  }
  filter.addEventListener("input", refresh);
  scroller.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(() => {
    draw();
  }).observe(scroller);
  part("export").addEventListener("click", () => {
    const rows = shown.map((row) =>
      COLUMNS.map((name) => (name === "ts" ? new Date(row.ts * 1000).toISOString() : String(row[name]))),
    );
    download(`${fund}-fills.csv`, csv([COLUMNS, ...rows]));
  });
  refresh();
}

interface Digits {
  quantity: number;
  price: number;
  notional: number;
}

function drawRow(row: Row, date: (row: Row) => string, digits: Digits): HTMLTableRowElement {
  const line = document.createElement("tr");
  const cell = (text: string, name = ""): void => {
    const made = line.insertCell();
    made.textContent = text;
    made.className = name;
  };
  cell(date(row));
  cell(row.sleeve);
  cell(row.instrument);
  cell(row.side, `side ${row.side}`);
  cell(grouped(row.quantity, digits.quantity), "n");
  cell(grouped(row.price, digits.price), "n");
  cell(number(row.notional, digits.notional), "n");
  for (const text of [row.fee, row.slippage]) cell(number(Number(text), 2), "n");
  cell(row.kind, "kind");
  line.cells[0]!.title = `${new Date(row.ts * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return line;
}

/** Most decimals of any text, so that points stand below each other. */
function decimals(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.split(".")[1]?.length ?? 0), 0);
}

/** Thousands set apart in exact decimal text, filled up to `digits` decimals. */
function grouped(text: string, digits: number): string {
  const [whole, part] = text.split(".");
  const head = whole!.replace(/\B(?=(\d{3})+$)/g, ",");
  return digits === 0 ? head : `${head}.${(part ?? "").padEnd(digits, "0")}`;
}

function spacer(rows: number): HTMLTableRowElement {
  const line = document.createElement("tr");
  line.className = "spacer";
  line.ariaHidden = "true";
  const cell = line.insertCell();
  cell.colSpan = COLUMNS.length;
  cell.style.height = `${rows * ROW}px`;
  return line;
}
