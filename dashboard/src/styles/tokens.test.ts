/// <reference types="node" />
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

type Colour = [number, number, number];

const SOURCE = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const SETS = [...SOURCE.matchAll(/(:root[^{]*)\{([^}]*)\}/g)].map(([, selector, body]) => ({
  selector: selector!.trim(),
  tokens: Object.fromEntries(
    [...body!.matchAll(/--([\w-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\)/g)].map(([, name, light, dark]) => [
      name!,
      [light!, dark!] as const,
    ]),
  ),
}));
const BASE = SETS[0]!.tokens;
const HUES = SETS.filter(({ selector }) => selector.includes("data-hues"));

function channels(hex: string): Colour {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Colour;
}

/** Relative luminance and contrast of WCAG 2.2. */
function luminance(colour: Colour): number {
  const [r, g, b] = colour.map((each) => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Colour;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(channels(one)), luminance(channels(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const TEXT = ["ink", "ink-2", "ink-3", "accent"];
/** Names at the ends of lines are text in these colours, on the page. */
const NAMES = ["benchmark", "even", ...Array.from({ length: 8 }, (_, k) => `category-${k + 1}`)];
const MARKS = ["control", "gain", "loss", "alarm", ...NAMES];

describe.each(["light", "dark"].map((name, at) => ({ name, at: at as 0 | 1 })))("$name tokens", ({ at }) => {
  const value = (name: string): string => BASE[name]![at];

  it.each(TEXT.flatMap((ink) => ["bg", "surface", "raised"].map((ground) => [ink, ground])))(
    "%s on %s is readable",
    (ink, ground) => {
      expect(contrast(value(ink), value(ground))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(NAMES)("%s can name a line", (name) => {
    expect(contrast(value(name), value("bg"))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MARKS)("%s is a visible mark", (name) => {
    expect(contrast(value(name), value("bg"))).toBeGreaterThanOrEqual(3);
  });

  it("alarm text is readable", () => {
    expect(contrast(value("alarm-ink"), value("alarm"))).toBeGreaterThanOrEqual(4.5);
  });

  it.each([SETS[0]!, ...HUES])("figures on the strongest heat are readable: $selector", ({ tokens }) => {
    for (const heat of ["heat-gain", "heat-loss"]) {
      expect(contrast(value("ink"), tokens[heat]![at])).toBeGreaterThanOrEqual(4.5);
    }
    for (const mark of ["gain", "loss"]) {
      expect(contrast(tokens[mark]![at], value("bg"))).toBeGreaterThanOrEqual(3);
    }
  });

  it("alarm is told apart from a loss", () => {
    for (const { tokens } of [SETS[0]!, ...HUES]) expect(tokens["loss"]![at]).not.toBe(value("alarm"));
  });
});

describe("style sheets", () => {
  it.each(["page", "charts", "tables", "print"])("%s.css uses tokens, never raw colours", (name) => {
    const text = readFileSync(new URL(`./${name}.css`, import.meta.url), "utf8");
    expect(text.match(/#[0-9a-f]{3,8}\b(?=[;\s,)])/gi) ?? []).toEqual([]);
  });
});
