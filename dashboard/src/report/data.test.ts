import { describe, expect, it } from "vitest";
import { drawdown, prefersLog, undelta, unpack } from "./data";

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

describe("packed series", () => {
  it("come back as 64-bit floats, to the last unit", () => {
    const bytes = new Uint8Array(new Float64Array([169_283_463.52, Number.NaN, -2]).buffer);
    const found = unpack({ type: "f8", scale: 1, data: base64(bytes) });
    expect([...found]).toEqual([169_283_463.52, Number.NaN, -2]);
  });

  it("come back as steps, with gaps", () => {
    const bytes = new Uint8Array(new Int16Array([10_000, -32_768, -5]).buffer);
    expect([...unpack({ type: "i2", scale: 10_000, data: base64(bytes) })]).toEqual([1, Number.NaN, -0.0005]);
  });

  it("sum up differences", () => {
    expect(undelta([7305, 1, 3])).toEqual([7305, 7306, 7309]);
  });
});

describe("drawdown", () => {
  it("is the return against the highest level so far", () => {
    expect([...drawdown([100, 80, Number.NaN, 120, 90])]).toEqual([0, 0.8 - 1, Number.NaN, 0, -0.25]);
  });
});

describe("log scale", () => {
  const year = 365.25 * 86_400;
  it("is for long times and large ranges", () => {
    expect(prefersLog(6 * year, [[100, 110]])).toBe(true);
    expect(prefersLog(year, [[100, Number.NaN, 401]])).toBe(true);
    expect(prefersLog(year, [[100, 110], [100, 400]])).toBe(false);
  });
  it("is not for what has no logarithm", () => {
    expect(prefersLog(6 * year, [[100, 0]])).toBe(false);
  });
});
