/** Picks the points that a chart needs, so that no spike vanishes however many there are. */

export type Values = ArrayLike<number>;

/** Index of the first element of ascending `x` that is not below `value`; `x.length` if none. */
export function lowerBound(x: Values, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the element of ascending `x` nearest to `value`; the earlier one of two; -1 if empty. */
export function nearest(x: Values, value: number): number {
  const after = lowerBound(x, value);
  if (after === 0) return x.length > 0 ? 0 : -1;
  if (after === x.length) return x.length - 1;
  return value - x[after - 1]! <= x[after]! - value ? after - 1 : after;
}

/**
 * Indices to draw of `[from, to)`: the first and the last one, and in each of `buckets` equal runs
 * those of the lowest and the highest value of every series. All of them if there are few.
 * Ascending, without repeats; a gap (NaN) in a series keeps an index, so that it is drawn as one.
 */
export function minMaxIndices(
  series: readonly Values[],
  from: number,
  to: number,
  buckets: number,
): number[] {
  const count = to - from;
  if (count <= 0) return [];
  if (count <= buckets * 2 || buckets < 1) return Array.from({ length: count }, (_, k) => from + k);
  const chosen: number[] = [];
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const start = from + Math.floor((bucket * count) / buckets);
    const end = from + Math.floor(((bucket + 1) * count) / buckets);
    const found = new Set<number>();
    if (bucket === 0) found.add(from);
    if (bucket === buckets - 1) found.add(to - 1);
    for (const values of series) for (const index of extremes(values, start, end)) found.add(index);
    chosen.push(...[...found].sort((a, b) => a - b));
  }
  return chosen;
}

function extremes(values: Values, start: number, end: number): number[] {
  let low = -1;
  let high = -1;
  let gap = -1;
  for (let index = start; index < end; index += 1) {
    const value = values[index]!;
    if (Number.isNaN(value)) {
      gap = index;
      continue;
    }
    if (low < 0 || value < values[low]!) low = index;
    if (high < 0 || value > values[high]!) high = index;
  }
  return [low, high, gap].filter((index) => index >= 0);
}
