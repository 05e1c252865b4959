/** Tick positions that a person would have chosen. */

const DAY = 86_400;

/** Round positions inside `[min, max]`, about `count`, on multiples of 1, 2 or 5 × 10ⁿ. */
export function linearTicks(min: number, max: number, count: number): number[] {
  if (!(max > min) || count < 1) return [];
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  // The step nearest on a log scale: the borders are the geometric means of its neighbours.
  const step = (lead < Math.SQRT2 ? 1 : lead < Math.sqrt(10) ? 2 : lead < Math.sqrt(50) ? 5 : 10) * power;
  const ticks: number[] = [];
  const last = Math.floor(max / step + 1e-9);
  for (let k = Math.ceil(min / step - 1e-9); k <= last; k += 1) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

/**
 * Positions for a log axis inside `[min, max]`: 1, 2, 5 × 10ⁿ if they are at most `count`, else 1 × 10ⁿ,
 * else every so many decades. Linear ones where the range is too narrow to hold two of these.
 */
export function logTicks(min: number, max: number, count: number): number[] {
  if (!(min > 0) || !(max > min) || count < 1) return [];
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const inside = (value: number): boolean => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9);
  const decades = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  const at = (parts: readonly number[]): number[] =>
    decades
      .flatMap((decade) => parts.map((part) => Number((part * 10 ** decade).toPrecision(12))))
      .filter(inside);
  const fine = at([1, 2, 5]);
  if (fine.length < 2) return linearTicks(min, max, count).filter(inside);
  if (fine.length <= count) return fine;
  const coarse = at([1]);
  const stride = Math.ceil(coarse.length / count);
  return coarse.length >= 2 ? coarse.filter((_, k) => k % stride === 0) : fine.slice(0, count);
}

export type TimeUnit = "year" | "month" | "day" | "minute" | "second";

export interface TimeTicks {
  unit: TimeUnit;
  /** Seconds UTC. */
  at: number[];
}

const WITHIN = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];

/**
 * Starts of years, months or days inside `[min, max]` (seconds UTC), at most `count`; where points lie
 * `within` days, of parts of a day too.
 */
export function timeTicks(min: number, max: number, count: number, within = false): TimeTicks {
  if (!(max > min) || count < 1) return { unit: "day", at: [] };
  const part = within ? WITHIN.find((each) => (max - min) / each <= count) : undefined;
  if (part !== undefined) {
    const at = range(Math.ceil(min / part), Math.floor(max / part), 1, (k) => k * part);
    return { unit: part < 60 ? "second" : "minute", at };
  }
  const days = (max - min) / DAY;
  for (const stride of [1, 2, 3, 7, 14]) {
    if (days / stride <= count) {
      const first = Math.ceil(min / DAY / stride) * stride;
      return { unit: "day", at: range(first, Math.floor(max / DAY), stride, (day) => day * DAY) };
    }
  }
  for (const stride of [1, 2, 3, 6]) {
    if (days / 30.44 / stride <= count) return { unit: "month", at: months(min, max, stride) };
  }
  let stride = 1;
  for (const each of [1, 2, 5, 10, 20, 50, 100]) {
    stride = each;
    if (days / 365.25 / each <= count) break;
  }
  return { unit: "year", at: months(min, max, stride * 12) };
}

function months(min: number, max: number, stride: number): number[] {
  const monthOf = (seconds: number): number => {
    const date = new Date(seconds * 1000);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  };
  const toSeconds = (month: number): number => Date.UTC(Math.floor(month / 12), month % 12) / 1000;
  const first = Math.ceil(monthOf(min) / stride) * stride;
  return range(first, monthOf(max), stride, toSeconds).filter((at) => at >= min && at <= max);
}

function range(first: number, last: number, step: number, map: (value: number) => number): number[] {
  const found: number[] = [];
  for (let value = first; value <= last; value += step) found.push(map(value));
  return found;
}
