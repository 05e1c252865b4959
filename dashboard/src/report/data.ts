/** What the page carries for its charts, and how it is packed. Written by `reporting/_payload.py`. */

/** Little-endian numbers in base64: `f8` as they are, `i2` times `scale`, least value = missing. */
export interface Packed {
  type: "f8" | "i2";
  scale: number;
  data: string;
}

export interface Payload {
  fund: string;
  currency: string;
  /** Dates of the sessions in days since 1970-01-01, each less the one before; half a day is noon. */
  days: number[];
  /** Whether these are times within days. */
  within: boolean;
  labels: { benchmark: string | null; equal_weight: string | null };
  levels: Record<string, Packed>;
  rolling: { window: number; sharpe: Record<string, Packed>; volatility: Record<string, Packed> };
  exposure: Record<string, Packed>;
  profit: Record<string, Packed>;
  years: { year: number[]; turnover: number[]; fees: number[]; slippage: number[] };
  drawdowns: { from: number; to: number; at: number }[];
  fills: Fills;
}

export interface Fills {
  total: number;
  minutes: boolean;
  /** Whether the run is so short that seconds count. */
  seconds: boolean;
  instruments: string[];
  sleeves: string[];
  kinds: string[];
  /** Seconds UTC, each less the one before. */
  ts: number[];
  /** Dates of the sessions in days since 1970-01-01, each less the one before. */
  day: number[];
  instrument: number[];
  sleeve: number[];
  kind: number[];
  sell: number[];
  quantity: string[];
  price: string[];
  fee: string[];
  slippage: string[];
  notional: number[];
}

const MISSING_I2 = -32_768;

export function unpack(packed: Packed): Float64Array {
  const bytes = Uint8Array.from(atob(packed.data), (each) => each.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  if (packed.type === "f8") {
    return Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(k * 8, true));
  }
  return Float64Array.from({ length: bytes.length / 2 }, (_, k) => {
    const value = view.getInt16(k * 2, true);
    return value === MISSING_I2 ? Number.NaN : value / packed.scale;
  });
}

/** Running sums of differences. */
export function undelta(differences: readonly number[]): number[] {
  let sum = 0;
  return differences.map((each) => (sum += each));
}

/** Return of each value against the highest so far. */
export function drawdown(levels: ArrayLike<number>): Float64Array {
  let peak = Number.NEGATIVE_INFINITY;
  return Float64Array.from(levels, (level) => {
    if (Number.isNaN(level)) return Number.NaN;
    peak = Math.max(peak, level);
    return peak > 0 ? level / peak - 1 : 0;
  });
}

const LONG = 5 * 365.25 * 86_400;

/** Whether curves over so many seconds read better on a log scale: long ones, or a range above four. */
export function prefersLog(seconds: number, curves: readonly ArrayLike<number>[]): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const curve of curves) {
    for (const level of Array.from(curve)) {
      if (Number.isNaN(level)) continue;
      low = Math.min(low, level);
      high = Math.max(high, level);
    }
  }
  return low > 0 && (seconds > LONG || high / low > 4);
}
