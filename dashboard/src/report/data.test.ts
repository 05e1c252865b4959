import { describe, expect, it } from "vitest";
import { drawdown, undelta, unpack } from "./data";

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

describe("packed series", () => {
  it("come back as 32-bit floats", () => {
    const bytes = new Uint8Array(new Float32Array([1.5, Number.NaN, -2]).buffer);
    expect([...unpack({ type: "f4", scale: 1, data: base64(bytes) })]).toEqual([1.5, Number.NaN, -2]);
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
