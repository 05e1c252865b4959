/** What is painted on the canvas of a panel besides its lines. */

import uPlot from "uplot";
import { nearest } from "./downsample";
import type { PanelSpec } from "./spec";
import { colour } from "./theme";

/** Shade the spans behind everything else. */
export function drawSpans(plot: uPlot, host: Element, spec: PanelSpec): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const span of spec.spans ?? []) {
    const [left, right] = [plot.valToPos(span.from, "x", true), plot.valToPos(span.to, "x", true)];
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.fillStyle = colour(host, "ink-3", 0.09);
    ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
  }
  ctx.restore();
}

/** Number each span just below the lowest point of the first line in it. */
export function nameSpans(plot: uPlot, host: Element, spec: PanelSpec): void {
  if (!spec.spanLabels) return;
  const { ctx, bbox } = plot;
  const { x, lines } = spec;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `650 ${11.5 * ratio}px ${getComputedStyle(host).fontFamily}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 3 * ratio;
  ctx.strokeStyle = colour(host, "bg");
  ctx.fillStyle = colour(host, "ink");
  for (const span of spec.spans ?? []) {
    const left = plot.valToPos(span.at, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    const value = lines[0]!.values[nearest(x, span.at)]!;
    const top = Math.min(plot.valToPos(value, "y", true) + 9 * ratio, bbox.top + bbox.height - 6 * ratio);
    ctx.strokeText(span.text, left, top);
    ctx.fillText(span.text, left, top);
  }
  ctx.restore();
}

/** Set the zero line apart from the grid. */
export function drawZero(plot: uPlot, host: Element, spec: PanelSpec): void {
  const { min, max } = plot.scales["y"]!;
  if (spec.log || min == null || max == null || min > 0 || max < 0) return;
  const { ctx, bbox } = plot;
  const top = Math.round(plot.valToPos(0, "y", true));
  ctx.save();
  ctx.strokeStyle = colour(host, "control");
  ctx.lineWidth = uPlot.pxRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, top);
  ctx.lineTo(bbox.left + bbox.width, top);
  ctx.stroke();
  ctx.restore();
}
