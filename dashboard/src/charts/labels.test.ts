import { describe, expect, it } from "vitest";
import { spreadLabels } from "./labels";

describe("spreadLabels", () => {
  it("leaves labels alone that have room", () => {
    expect(spreadLabels([10, 50, 90], 15, 0, 100)).toEqual([10, 50, 90]);
  });

  it("moves two that collide apart by the same amount, in order", () => {
    expect(spreadLabels([50, 52], 15, 0, 100)).toEqual([43.5, 58.5]);
    expect(spreadLabels([52, 50], 15, 0, 100)).toEqual([58.5, 43.5]);
  });

  it("keeps the gap and the borders, whatever is wanted", () => {
    for (const wanted of [[0, 0, 0], [100, 99, 98], [3, 97, 4, 96], [50, 50, 50, 50, 50]]) {
      const placed = spreadLabels(wanted, 15, 0, 100);
      const sorted = [...placed].sort((a, b) => a - b);
      sorted.slice(1).forEach((each, k) => {
        expect(each - sorted[k]!).toBeGreaterThanOrEqual(15 - 1e-9);
      });
      expect(sorted[0]).toBeGreaterThanOrEqual(0);
      expect(sorted.at(-1)).toBeLessThanOrEqual(100);
    }
  });

  it("has nothing to do for no label", () => {
    expect(spreadLabels([], 15, 0, 100)).toEqual([]);
  });
});
