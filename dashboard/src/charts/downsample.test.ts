import { describe, expect, it } from "vitest";
import { lowerBound, minMaxIndices, nearest } from "./downsample";

/** Deterministic noise in [0, 1). */
function noise(count: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  });
}

describe("lowerBound and nearest", () => {
  it("find the place of a value among ascending ones", () => {
    expect([0, 1, 2, 5, 9].map((value) => lowerBound([1, 2, 5], value))).toEqual([0, 0, 1, 2, 3]);
    expect([0, 1.4, 1.6, 3.5, 9].map((value) => nearest([1, 2, 5], value))).toEqual([0, 0, 1, 1, 2]);
    expect(nearest([], 3)).toBe(-1);
  });
});

describe("minMaxIndices", () => {
  it("keeps everything where there is little", () => {
    expect(minMaxIndices([noise(10)], 2, 6, 100)).toEqual([2, 3, 4, 5]);
    expect(minMaxIndices([noise(10)], 6, 6, 100)).toEqual([]);
  });

  it("keeps a single spike among a million points", () => {
    const values = noise(1_000_000);
    values[654_321] = 99;
    values[123_456] = -99;
    const chosen = minMaxIndices([values], 0, values.length, 800);
    expect(chosen).toContain(654_321);
    expect(chosen).toContain(123_456);
    expect(chosen.length).toBeLessThanOrEqual(800 * 2 + 2);
  });

  it("keeps the extremes of every bucket of every series, ascending and once", () => {
    const series = [noise(5000, 3), noise(5000, 4)];
    const chosen = minMaxIndices(series, 100, 4900, 50);
    expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
    expect(chosen[0]).toBe(100);
    expect(chosen.at(-1)).toBe(4899);
    for (let bucket = 0; bucket < 50; bucket += 1) {
      const [from, to] = [100 + bucket * 96, 100 + (bucket + 1) * 96];
      const inside = chosen.filter((index) => index >= from && index < to);
      for (const values of series) {
        const all = values.slice(from, to);
        const kept = inside.map((index) => values[index]!);
        expect(Math.max(...kept)).toBe(Math.max(...all));
        expect(Math.min(...kept)).toBe(Math.min(...all));
      }
    }
  });

  it("keeps gaps as gaps", () => {
    const values = noise(5000);
    values.fill(Number.NaN, 2000, 3000);
    const chosen = minMaxIndices([values], 0, 5000, 100);
    expect(chosen.some((index) => index >= 2000 && index < 3000)).toBe(true);
  });
});
