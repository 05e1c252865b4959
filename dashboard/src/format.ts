/** Numbers and dates as the whole product writes them: a real minus, thousands set apart, no `inf`. */

export const MISSING = "–";
const MINUS = "\u2212";
const THIN = "\u202f";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** With `digits` decimals and thousands set apart by a comma. */
export function number(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  const [whole, decimals] = text.split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = value < 0 && Number(text) !== 0 ? MINUS : "";
  return `${sign}${grouped}${decimals === undefined ? "" : `.${decimals}`}`;
}

/** A fraction as a percentage. */
export function percent(value: number, digits = 1): string {
  return Number.isFinite(value) ? `${number(value * 100, digits)}${THIN}%` : MISSING;
}

/** A label of a percentage axis, with the decimals that tell it from its neighbour `step` away. */
export function percentTick(value: number, step: number): string {
  const digits = step > 0 ? Math.max(0, Math.ceil(-Math.log10(step * 100) - 1e-9)) : 0;
  return percent(value, Math.min(digits, 6));
}

/** Three significant digits and a suffix: 1.25 M. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  for (const [limit, suffix] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    // A value that would round up to the limit already takes its suffix.
    if (size >= limit * 0.9995) {
      const scaled = value / limit;
      return `${number(scaled, significant(scaled))}${THIN}${suffix}`;
    }
  }
  return number(value, size >= 100 || Number.isInteger(value) ? 0 : significant(value));
}

function significant(value: number): number {
  const size = Math.abs(value);
  return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

/**
 * A label of an axis of money, with the digits that tell it from its neighbour `step` away; all labels
 * up to `largest` are alike.
 */
export function moneyTick(value: number, step: number, largest = Math.abs(value)): string {
  const size = Math.max(Math.abs(value), largest);
  if (size < 999.5 && step > 0) return number(value, digitsFor(step));
  // Three significant digits would hide smaller steps than this.
  const shown = 10 ** (Math.floor(Math.log10(size)) - 2);
  return step === 0 || step >= shown ? shortTick(value) : number(value, digitsFor(step));
}

/** Decimals that a number needs so that steps of this size show. */
export function digitsFor(step: number): number {
  return step > 0 ? Math.min(8, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))) : 0;
}

/** Drops decimals that all labels of an axis share as zeros: 1.00 M, 2.00 M become 1 M, 2 M. */
export function shortTick(value: number): string {
  return short(value).replace(/\.(\d*?)0+(?=\D|$)/, (_, kept: string) => (kept ? `.${kept}` : ""));
}

/** ISO date of seconds UTC. */
export function isoDate(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** ISO date and minute of seconds UTC, without the zone, which the column names. */
export function isoMinute(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** ISO date and second of seconds UTC, with the zone. */
export function isoSecond(seconds: number): string {
  const rounded = new Date(Math.round(seconds * 1000));
  return `${rounded.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `14:30`, or `14:30:05` where seconds count; the day at midnight. */
export function clockName(seconds: number, withSeconds: boolean): string {
  const text = new Date(seconds * 1000).toISOString().slice(11, withSeconds ? 19 : 16);
  return seconds % 86_400 === 0 ? dayName(seconds) : text;
}

/** `Mar 2009`. */
export function monthName(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${MONTHS[date.getUTCMonth()]!} ${date.getUTCFullYear()}`;
}

/** `3 Mar`. */
export function dayName(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]!}`;
}
