import { describe, expect, it } from "vitest";
import { isoDate, isoMinute, number, percent, percentTick, short, shortTick } from "./format";

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
