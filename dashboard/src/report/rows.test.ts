import { describe, expect, it } from "vitest";
import { csv } from "./csv";
import type { Fills } from "./data";
import { filterRows, rowsOf, sortRows, windowOf, type Row } from "./rows";

const FILLS: Fills = {
  total: 3,
  minutes: false,
  seconds: false,
  instruments: ["AAPL.XNAS", "XOM.XNYS"],
  sleeves: ["momentum", "trend"],
  kinds: ["cross", "trade"],
  ts: [1_583_107_200, 86_400, 86_400], // midnights that end the day before
  day: [18_322, 1, 1],
  instrument: [0, 1, 1],
  sleeve: [0, 1, 0],
  kind: [1, 1, 0],
  sell: [0, 1, 0],
  quantity: ["9", "10", "100"],
  price: ["1.5", "1.25", "1"],
  fee: ["0.1", "0", "0"],
  slippage: ["0.2", "0", "0"],
  notional: [13.5, 12.5, 100],
};
const ROWS = rowsOf(FILLS);
const date = (row: Row): string => row.date;

describe("rows of fills", () => {
  it("are unpacked", () => {
    expect(ROWS[1]).toMatchObject({ instrument: "XOM.XNYS", sleeve: "trend", side: "sell", kind: "trade" });
    expect(ROWS.map(date)).toEqual(["2020-03-01", "2020-03-02", "2020-03-03"]);
  });

  it("are found by every word, in any case, and by date", () => {
    expect(filterRows(ROWS, "xom BUY", date)).toEqual([ROWS[2]]);
    expect(filterRows(ROWS, "2020-03-01", date)).toEqual([ROWS[0]]);
    expect(filterRows(ROWS, "  ", date)).toEqual(ROWS);
    expect(filterRows(ROWS, "nothing", date)).toEqual([]);
  });

  it("sort numbers as numbers and keep the order of equals", () => {
    expect(sortRows(ROWS, "quantity", false).map((row) => row.quantity)).toEqual(["9", "10", "100"]);
    expect(sortRows(ROWS, "instrument", true).map((row) => row.ts)).toEqual(
      [ROWS[1], ROWS[2], ROWS[0]].map((row) => row!.ts),
    );
  });
});

describe("windowOf", () => {
  it("covers what is in view and stays inside", () => {
    expect(windowOf(0, 300, 30, 5000)).toEqual({ from: 0, to: 18 });
    expect(windowOf(30_000, 300, 30, 5000)).toEqual({ from: 992, to: 1018 });
    expect(windowOf(1e9, 300, 30, 5000)).toEqual({ from: 5000, to: 5000 });
    expect(windowOf(0, 300, 30, 0)).toEqual({ from: 0, to: 0 });
  });
});

describe("csv", () => {
  it("quotes what needs it", () => {
    expect(csv([["a", 'say "b"'], ["c,d", ""]])).toBe('a,"say ""b"""\r\n"c,d",\r\n');
  });
});
