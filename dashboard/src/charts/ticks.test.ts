import { describe, expect, it } from "vitest";
import { linearTicks, logTicks, timeTicks } from "./ticks";

const at = (iso: string): number => Date.parse(`${iso}T00:00:00Z`) / 1000;
const dates = (seconds: number[]): string[] =>
  seconds.map((each) => new Date(each * 1000).toISOString().slice(0, 10));

describe("linearTicks", () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-0.58, 0, 4, [-0.4, -0.2, 0]],
    [-2.6, 4.8, 4, [-2, 0, 2, 4]],
    [0, 153e6, 4, [0, 50e6, 100e6, 150e6]],
  ])("of %d to %d about %d", (min, max, count, expected) => {
    expect(linearTicks(min, max, count)).toEqual(expected);
  });

  it("are inside, evenly spaced and about as many as asked, whatever the range", () => {
    for (let power = -9; power < 12; power += 1) {
      for (const [low, high] of [[0, 1.7], [-3.3, 9.1], [4.42, 4.61]] as const) {
        const [min, max] = [low * 10 ** power, high * 10 ** power];
        const ticks = linearTicks(min, max, 5);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(9);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(min - Math.abs(min) * 1e-9);
          expect(tick).toBeLessThanOrEqual(max * (1 + 1e-9));
        }
      }
    }
  });

  it("are none where there is no range", () => {
    expect(linearTicks(1, 1, 5)).toEqual([]);
    expect(linearTicks(Number.NaN, 1, 5)).toEqual([]);
  });
});

describe("logTicks", () => {
  it("are 1, 2, 5 where there is room, decades where there is not", () => {
    expect(logTicks(0.9, 60, 10)).toEqual([1, 2, 5, 10, 20, 50]);
    expect(logTicks(0.9e6, 230e6, 4)).toEqual([1e6, 1e7, 1e8]);
    expect(logTicks(1, 1e12, 5)).toEqual([1, 1e3, 1e6, 1e9, 1e12]);
  });

  it("fall back to linear ones in a narrow range", () => {
    expect(logTicks(1.04e6, 1.38e6, 4)).toEqual([1.1e6, 1.2e6, 1.3e6]);
  });

  it("are none at or below zero", () => {
    expect(logTicks(0, 10, 5)).toEqual([]);
  });
});

describe("timeTicks", () => {
  it("are starts of years over decades", () => {
    const ticks = timeTicks(at("1990-01-02"), at("2022-12-28"), 8);
    expect(ticks.unit).toBe("year");
    expect(dates(ticks.at)).toEqual(
      ["1995", "2000", "2005", "2010", "2015", "2020"].map((year) => `${year}-01-01`),
    );
  });

  it("are starts of months over a year", () => {
    const ticks = timeTicks(at("2021-02-10"), at("2022-02-01"), 5);
    expect(ticks.unit).toBe("month");
    expect(dates(ticks.at)).toEqual(["2021-04-01", "2021-07-01", "2021-10-01", "2022-01-01"]);
  });

  it("are days over a week, also in leap years", () => {
    const ticks = timeTicks(at("2020-02-27"), at("2020-03-02"), 8);
    expect(ticks.unit).toBe("day");
    expect(dates(ticks.at)).toEqual([
      "2020-02-27", "2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02",
    ]);
  });

  it("are minutes of a run of minutes, and hours of one of days, where points lie within days", () => {
    const start = at("2020-02-27");
    const minutes = timeTicks(start + 10, start + 660, 11, true);
    expect(minutes.unit).toBe("minute");
    expect(minutes.at.map((each) => each - start)).toEqual(Array.from({ length: 12 }, (_, k) => k * 60).slice(1));
    expect(timeTicks(start, start + 20, 11, true).unit).toBe("second");
    expect(timeTicks(start, start + 3 * 86_400, 6, true).at.map((each) => each - start)).toEqual(
      Array.from({ length: 7 }, (_, k) => k * 43_200),
    );
    expect(timeTicks(start + 10, start + 660, 11).unit).toBe("day");
  });
});
