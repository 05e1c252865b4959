import { describe, expect, it } from "vitest";
import {
  clockName,
  isoDate,
  isoMinute,
  isoSecond,
  moneyTick,
  number,
  percent,
  percentTick,
  short,
  shortTick,
} from "./format";

const plain = (text: string): string => text.replaceAll("\u202f", " ");

describe("numbers", () => {
  it("have a real minus, thousands set apart and no negative zero", () => {
    expect(number(-1_234_567.891, 2)).toBe("\u22121,234,567.89");
    expect(number(-0.001, 2)).toBe("0.00");
    expect(number(Number.POSITIVE_INFINITY)).toBe("–");
    expect(plain(percent(-0.3472))).toBe("\u221234.7 %");
    expect(percent(Number.NaN)).toBe("–");
  });

  it.each([
    [1_254_000, "1.25 M"],
    [999_600, "1.00 M"],
    [169_283_456, "169 M"],
    [-12_340, "\u221212.3 k"],
    [950, "950"],
    [0, "0"],
    [0.25, "0.25"],
  ])("shorten %d to %s", (value, text) => {
    expect(plain(short(value))).toBe(text);
  });

  it("drop zeros on an axis, but not whole digits", () => {
    expect(["1.00 M", "100 M", "2.50 M"]).toEqual(
      [1e6, 1e8, 2.5e6].map((value) => plain(short(value))),
    );
    expect([1e6, 1e8, 2.5e6, 100].map((value) => plain(shortTick(value)))).toEqual([
      "1 M", "100 M", "2.5 M", "100",
    ]);
  });

  it("write dates in UTC", () => {
    expect(isoDate(1_583_020_799)).toBe("2020-02-29");
    expect(isoMinute(1_583_020_799)).toBe("2020-02-29 23:59");
  });
});

describe("percentTick", () => {
  it("has the decimals that tell a label from the next", () => {
    expect(percentTick(-0.2, 0.2)).toBe("\u221220\u202f%");
    expect(percentTick(-0.005, 0.005)).toBe("\u22120.5\u202f%");
    expect(percentTick(-0.0002, 0.0001)).toBe("\u22120.02\u202f%");
    expect(percentTick(0.1, 0)).toBe("10\u202f%");
  });
});

describe("money on an axis", () => {
  it("has the digits that tell a label from its neighbour", () => {
    expect(moneyTick(99_999.5, 0.5)).toBe("99,999.5");
    expect(moneyTick(-2.5, 0.5)).toBe("\u22122.5");
    expect(moneyTick(100_100, 100)).toBe("100,100");
    expect(moneyTick(0, 0.5)).toBe("0.0");
  });

  it("is short where three digits are enough", () => {
    expect(plain(moneyTick(2_000_000, 1_000_000))).toBe("2 M");
    expect(plain(moneyTick(1_500, 500))).toBe("1.5 k");
    expect(moneyTick(500, 500)).toBe("500");
    expect(plain(moneyTick(12_000, 0))).toBe("12 k");
  });
});

describe("times within a day", () => {
  const at = Date.UTC(2024, 7, 8, 23, 54, 14) / 1000;

  it("have seconds where they count, and the day at midnight", () => {
    expect(isoSecond(at)).toBe("2024-08-08 23:54:14 UTC");
    expect([clockName(at, true), clockName(at, false)]).toEqual(["23:54:14", "23:54"]);
    expect(clockName(Date.UTC(2024, 7, 9) / 1000, false)).toBe("9 Aug");
  });
});
