/** Which rows of a long table are wanted, in which order, and which of them are in view. */

import { isoDate } from "../format";
import { undelta, type Fills } from "./data";

const DAY = 86_400;

export const COLUMNS = [
  "ts",
  "sleeve",
  "instrument",
  "side",
  "quantity",
  "price",
  "notional",
  "fee",
  "slippage",
  "kind",
] as const;
export type Column = (typeof COLUMNS)[number];

export interface Row {
  ts: number;
  /** ISO date of the session. */
  date: string;
  sleeve: string;
  instrument: string;
  side: "buy" | "sell";
  quantity: string;
  price: string;
  notional: number;
  fee: string;
  slippage: string;
  kind: string;
}

export function rowsOf(fills: Fills): Row[] {
  const days = undelta(fills.day);
  return undelta(fills.ts).map((ts, k) => ({
    ts,
    date: isoDate(days[k]! * DAY),
    sleeve: fills.sleeves[fills.sleeve[k]!]!,
    instrument: fills.instruments[fills.instrument[k]!]!,
    side: fills.sell[k] ? "sell" : "buy",
    quantity: fills.quantity[k]!,
    price: fills.price[k]!,
    notional: fills.notional[k]!,
    fee: fills.fee[k]!,
    slippage: fills.slippage[k]!,
    kind: fills.kinds[fills.kind[k]!]!,
  }));
}

const NUMERIC: ReadonlySet<Column> = new Set(["ts", "quantity", "price", "notional", "fee", "slippage"]);

export function isNumeric(column: Column): boolean {
  return NUMERIC.has(column);
}

/** Rows in which every word of `query` occurs in some text column or in the date as shown, in any case. */
export function filterRows(rows: readonly Row[], query: string, date: (row: Row) => string): Row[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...rows];
  return rows.filter((row) => {
    const text = `${date(row)} ${row.sleeve} ${row.instrument} ${row.side} ${row.kind}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** A sorted copy; equal rows keep their order. */
export function sortRows(rows: readonly Row[], column: Column, descending: boolean): Row[] {
  const sign = descending ? -1 : 1;
  const key = (row: Row): number | string => (isNumeric(column) ? Number(row[column]) : row[column]);
  return [...rows].sort((a, b) => {
    const [one, other] = [key(a), key(b)];
    return one < other ? -sign : one > other ? sign : 0;
  });
}

/** The run of rows to draw for a scroll position, with some to spare on both sides. */
export function windowOf(
  scroll: number,
  height: number,
  rowHeight: number,
  count: number,
): { from: number; to: number } {
  const spare = 8;
  const from = Math.max(0, Math.min(count, Math.floor(scroll / rowHeight) - spare));
  const to = Math.min(count, Math.ceil((scroll + height) / rowHeight) + spare);
  return { from, to: Math.max(from, to) };
}
