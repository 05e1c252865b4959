/** Time charts on uPlot, the panels of a `ChartGroup`. */

import uPlot from "uplot";
import { clockName, isoDate, isoSecond, dayName, monthName } from "../format";
import { lowerBound, minMaxIndices, nearest } from "./downsample";
import type { ChartGroup, Panel } from "./group";
import { spreadLabels } from "./labels";
import { drawSpans, drawZero, nameSpans } from "./paint";
import type { LineSpec, PanelSpec } from "./spec";
import { linearTicks, logTicks, timeTicks, type TimeUnit } from "./ticks";
import { colour, mixed } from "./theme";

const NARROW = 560;
const LABEL_WIDTH = 104;

/** One panel: a canvas, a line of readings above it and names at the right edge of its lines. */
export class TimeChart implements Panel {
  private plot: uPlot | null = null;
  private readonly canvas: HTMLElement;
  private readonly reading: HTMLElement;
  private readonly cells: { key: HTMLElement; value: HTMLElement }[] = [];
  private readonly when: HTMLElement;
  private dots: HTMLElement[] = [];
  private names: HTMLElement[] = [];
  private width = 0;
  forcedWidth: number | null = null;

  constructor(
    readonly host: HTMLElement,
    readonly group: ChartGroup,
    readonly spec: PanelSpec,
  ) {
    host.classList.add("chart");
    host.tabIndex = 0;
    this.reading = element("div", "reading", host);
    this.when = element("span", "when", this.reading);
    for (const line of spec.lines) {
      const cell = element("span", "read", this.reading);
      const key = element("i", line.kind === "line" || !line.kind ? "key" : "key block", cell);
      key.style.setProperty("--key", `var(--${line.token})`);
      if (line.first) cell.style.order = "-1";
      if (line.dash) key.classList.add("dashed");
      element("span", "name", cell).textContent = line.label;
      this.cells.push({ key, value: element("b", "value", cell) });
    }
    this.canvas = element("div", "plot", host);
    host.addEventListener("keydown", (event) => {
      this.onKey(event);
    });
    host.addEventListener("mouseleave", () => {
      group.hover(null);
    });
    new ResizeObserver(() => {
      if (Math.abs(this.available() - this.width) >= 1) this.build();
    }).observe(host);
    group.add(this);
    this.build();
  }

  setLog(log: boolean): void {
    this.spec.log = log;
    this.build();
  }

  build(): void {
    this.plot?.destroy();
    this.width = this.available();
    if (this.width < 50) return;
    this.plot = new uPlot(this.options(), this.data(...this.group.range), this.canvas);
    const over = this.plot.over;
    this.dots = this.spec.lines.map((line) => {
      const dot = element("i", "dot", over);
      dot.style.background = `var(--${line.token})`;
      return dot;
    });
    this.names = this.spec.lines.map((line) => {
      const name = element("span", "end", this.plot!.root);
      name.textContent = line.label;
      name.style.color = `var(--${line.token})`;
      return name;
    });
    over.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse") this.pointAt(event.clientX);
    });
    this.hover(null);
  }

  show(low: number, high: number): void {
    if (!this.plot) return;
    this.plot.batch(() => {
      this.plot!.setData(this.data(low, high), false);
      const [min, max] = this.padded(low, high);
      this.plot!.setScale("x", { min, max });
    });
    this.hover(null);
  }

  /** Show the readings at `at`, or at the end of the range. */
  hover(at: number | null): void {
    const { x, lines, format } = this.spec;
    const index = at === null ? this.lastShown() : nearest(x, at);
    const seconds = x[index];
    if (seconds === undefined || !this.plot) return;
    const name = this.spec.when ?? (this.spec.within ? isoSecond : isoDate);
    this.when.textContent = name(seconds);
    this.reading.classList.toggle("live", at !== null);
    lines.forEach((line, k) => {
      const value = line.values[index]!;
      this.cells[k]!.value.textContent = format(value);
      const left = this.plot!.valToPos(seconds, "x");
      const visible = at !== null && Number.isFinite(value) && line.kind !== "bars";
      const dot = this.dots[k]!;
      dot.style.display = visible && left >= 0 && left <= this.plot!.over.clientWidth ? "" : "none";
      if (visible) {
        dot.style.transform = `translate(${left}px, ${this.plot!.valToPos(this.stacked(k, index), "y")}px)`;
      }
    });
    const left = at === null ? -10 : this.plot.valToPos(seconds, "x");
    this.plot.setCursor({ left, top: at === null ? -10 : 0 }, false);
  }

  // -- private ------------------------------------------------------------------------------
  private available(): number {
    return this.forcedWidth ?? this.host.clientWidth;
  }

  private get narrow(): boolean {
    return this.width < NARROW;
  }

  /** Areas are drawn on top of each other, so that their heights add up. */
  private stacked(k: number, index: number): number {
    const { lines } = this.spec;
    if (lines[k]!.kind === undefined || lines[k]!.kind === "line") return lines[k]!.values[index]!;
    let sum = 0;
    for (let j = k; j < lines.length; j += 1) {
      const value = lines[j]!.kind === lines[k]!.kind ? lines[j]!.values[index]! : 0;
      sum += Number.isFinite(value) ? value : 0;
    }
    return sum;
  }

  private lastShown(): number {
    return Math.max(0, lowerBound(this.spec.x, this.group.range[1] + 1) - 1);
  }

  private padded(low: number, high: number): [number, number] {
    const pad = this.spec.pad ?? 0;
    return [low - pad, high + pad];
  }

  private data(low: number, high: number): uPlot.AlignedData {
    const { x, lines, band } = this.spec;
    const [first, last] = this.padded(low, high);
    const from = Math.max(0, lowerBound(x, first) - 1);
    const to = Math.min(x.length, lowerBound(x, last + 1) + 1);
    const all = [...lines.map((line) => line.values), ...(band ? [band.low, band.high] : [])];
    const chosen = minMaxIndices(all, from, to, Math.max(200, Math.round(this.width)));
    const value = (found: number): number | null => (Number.isFinite(found) ? found : null);
    const columns = lines.map((line, k) =>
      chosen.map((index) => value(line.kind ? this.stacked(k, index) : line.values[index]!)),
    );
    if (band) {
      columns.push(chosen.map((index) => value(band.high[index]!)));
      columns.push(chosen.map((index) => value(band.low[index]!)));
    }
    return [chosen.map((index) => x[index]!), ...columns] as uPlot.AlignedData;
  }

  private options(): uPlot.Options {
    const { spec, host } = this;
    const { lines } = spec;
    const ink = colour(host, "ink-3");
    const grid = { stroke: colour(host, "line"), width: 1 };
    const font = `12px ${getComputedStyle(host).fontFamily}`;
    // The last date is centred on its tick, so half of it may stand beyond the last point.
    const right = (): number => (this.bare ? (this.timeUnit() === "year" ? 18 : 38) : LABEL_WIDTH);
    const hidden = { stroke: "transparent", points: { show: false } };
    return {
      width: this.width,
      height: spec.height[this.narrow ? 1 : 0],
      padding: [10, right, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => this.padded(...this.group.range) },
        y: { distr: spec.log ? 3 : 1, range: (_, low, high) => this.yRange(low, high) },
      },
      series: [
        {},
        ...lines.map((line) => this.series(line)),
        ...(spec.band ? [hidden, hidden] : []),
      ],
      ...(spec.band
        ? {
            bands: [
              {
                series: [lines.length + 1, lines.length + 2] as uPlot.Band.Bounds,
                fill: colour(host, "accent", 0.13),
              },
            ],
          }
        : {}),
      axes: [
        {
          stroke: ink,
          grid: { show: false },
          ticks: { ...grid, size: 5 },
          font,
          size: 30,
          splits: (_, __, min, max) => timeTicks(min, max, this.timeCount, this.spec.within).at,
          values: (_, at) => this.timeLabels(at),
        },
        {
          stroke: ink,
          grid,
          ticks: { show: false },
          font,
          size: this.axisWidth(),
          gap: 8,
          splits: (_, __, min, max) => {
            const height = spec.height[this.narrow ? 1 : 0] - 40;
            return spec.log ? logTicks(min, max, height / 26) : linearTicks(min, max, height / 44);
          },
          values: (_, at) => this.valueLabels(at),
        },
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        bind: {
          dblclick: () => () => {
            this.group.reset();
            return null;
          },
        },
      },
      hooks: {
        setCursor: [
          (plot) => {
            const left = plot.cursor.left ?? -1;
            this.group.hover(left < 0 ? null : plot.posToVal(left, "x"));
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 6) return;
            const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            this.group.setRange(from, to);
          },
        ],
        drawClear: [
          (plot) => {
            drawSpans(plot, host, spec);
            drawZero(plot, host, spec);
          },
        ],
        draw: [
          (plot) => {
            nameSpans(plot, host, spec);
            this.placeNames(plot);
          },
        ],
      },
    };
  }

  private series(line: LineSpec): uPlot.Series {
    const stroke = colour(this.host, line.token);
    const base: uPlot.Series = {
      stroke,
      width: line.width ?? 1.5,
      points: { show: false },
      ...(line.dash ? { dash: line.dash } : {}),
    };
    if (line.kind === "bars") {
      const paths = uPlot.paths.bars!({ size: [0.62, 26, 1], radius: 0.08 });
      return { ...base, width: 0, fill: stroke, paths };
    }
    if (line.kind === "area") {
      return { ...base, width: 1, fill: mixed(this.host, line.token, line.fill ?? 0.7), fillTo: 0 };
    }
    return base;
  }

  private yRange(low: number | null, high: number | null): [number, number] {
    if (low === null || high === null) return this.spec.log ? [0.1, 1] : [0, 1];
    if (this.spec.log) {
      const margin = Math.max((high / low) ** 0.05, 1.005);
      return [low / margin, high * margin];
    }
    const [from, to] = this.spec.zero ? [Math.min(low, 0), Math.max(high, 0)] : [low, high];
    const margin = (to - from || Math.abs(to) || 1) * (this.spec.spanLabels ? 0.13 : 0.07);
    return [this.spec.zero && from === 0 ? 0 : from - margin, this.spec.zero && to === 0 ? 0 : to + margin];
  }

  private valueLabels(at: readonly number[]): string[] {
    const step = at.length > 1 ? at[1]! - at[0]! : 0;
    const largest = Math.max(...at.map(Math.abs));
    return at.map((each) => this.spec.tick(each, step, largest));
  }

  /** Room for the longest label of the axis of values. */
  private axisWidth(): number {
    const least = this.narrow ? 46 : 58;
    if (!this.spec.within) return least;
    const known = this.spec.lines.flatMap((line) => Array.from(line.values)).filter(Number.isFinite);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const length = Math.max(...[low, high].map((each) => this.valueLabels([each, each + (high - low) / 5])[0]!.length));
    return Math.max(least, length * 7 + 14);
  }

  /** Without names at the right edge. */
  private get bare(): boolean {
    return this.narrow || this.spec.lines.length < 2;
  }

  /** How many dates have room beside each other, the first one with its year. */
  private get timeCount(): number {
    return Math.max(1, (this.width - 60 - (this.bare ? 38 : LABEL_WIDTH)) / 70);
  }

  private timeUnit(): TimeUnit {
    return timeTicks(...this.group.range, this.timeCount, this.spec.within).unit;
  }

  private timeLabels(at: number[]): string[] {
    const unit = this.timeUnit();
    if (unit === "minute" || unit === "second") {
      return at.map((seconds) => clockName(seconds, unit === "second"));
    }
    return at.map((seconds, k) => {
      const date = new Date(seconds * 1000);
      if (unit === "year") return String(date.getUTCFullYear());
      const fresh = k === 0 || new Date(at[k - 1]! * 1000).getUTCFullYear() !== date.getUTCFullYear();
      if (unit === "month") return fresh ? monthName(seconds) : monthName(seconds).slice(0, 3);
      return fresh ? `${dayName(seconds)} ${date.getUTCFullYear()}` : dayName(seconds);
    });
  }

  private placeNames(plot: uPlot): void {
    const end = this.lastShown();
    const width = plot.over.clientWidth;
    const top = plot.over.offsetTop;
    const { lines } = this.spec;
    const shown =
      this.bare ? [] : lines.map((line, k) => ({ line, k }));
    const wanted = shown.map(({ line, k }) => {
      const value = line.values[end]!;
      if (!Number.isFinite(value)) return Number.NaN;
      const upper = plot.valToPos(this.stacked(k, end), "y");
      const filled = line.kind === "area" || line.kind === "bars";
      return filled ? (upper + plot.valToPos(this.stacked(k, end) - value, "y")) / 2 : upper;
    });
    const real = wanted.filter((each) => Number.isFinite(each));
    const placed = spreadLabels(real, 15, 4, Math.max(4, plot.over.clientHeight - 4));
    for (const name of this.names) name.style.display = "none";
    shown
      .filter((_, j) => Number.isFinite(wanted[j]!))
      .forEach(({ k }, j) => {
        const name = this.names[k]!;
        name.style.display = "";
        name.style.left = `${plot.over.offsetLeft + width + 8}px`;
        name.style.top = `${top + placed[j]!}px`;
      });
  }

  private pointAt(clientX: number): void {
    const over = this.plot?.over;
    if (!over) return;
    const left = clientX - over.getBoundingClientRect().left;
    if (left >= 0 && left <= over.clientWidth) this.group.hover(this.plot!.posToVal(left, "x"));
  }

  private onKey(event: KeyboardEvent): void {
    const actions: Record<string, () => void> = {
      ArrowLeft: () => {
        this.group.step(this.spec.x, event.shiftKey ? -21 : -1);
      },
      ArrowRight: () => {
        this.group.step(this.spec.x, event.shiftKey ? 21 : 1);
      },
      "+": () => {
        this.group.zoom(0.5);
      },
      "-": () => {
        this.group.zoom(2);
      },
      "0": () => {
        this.group.reset();
      },
      Escape: () => {
        this.group.hover(null);
      },
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }
}

function element(tag: string, name: string, parent: HTMLElement): HTMLElement {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}
