/** The script of a report and of a notebook plot: it finds its places in the page and fills them. */

import "../charts/sharp";
import "uplot/dist/uPlot.min.css";
import "../styles/tokens.css";
import "../styles/page.css";
import "../styles/charts.css";
import "../styles/tables.css";
import "../styles/print.css";
import { isoDate, isoSecond } from "../format";
import { drawCharts, type Charts } from "./charts";
import type { Payload } from "./data";
import { bindKeys } from "./keys";
import { Settings } from "./settings";
import { enhanceTables } from "./tables";
import { mountTrades } from "./trades";

const DAY = 86_400;
const PAPER_WIDTH = 690;

function main(): void {
  const text = document.getElementById("payload")?.textContent;
  if (!text) return;
  const payload = JSON.parse(text) as Payload;
  const settings = new Settings();
  const charts = drawCharts(payload);
  settings.onChange = () => {
    charts?.group.rebuild();
  };
  enhanceTables(payload.fund);
  const trades = document.querySelector<HTMLElement>("[data-trades]");
  if (trades) mountTrades(trades, payload.fills, payload.fund);
  if (charts) bindRange(charts, payload.within);
  bindKeys(settings, charts);
  bindSections();
  bindPaper(settings, charts);
}

function bindRange(charts: Charts, within: boolean): void {
  const { group, equity } = charts;
  const label = document.querySelector<HTMLElement>("[data-range]");
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("[data-years]")];
  const scales = [...document.querySelectorAll<HTMLButtonElement>("[data-scale]")];
  const reset = document.querySelector<HTMLButtonElement>("[data-reset]");
  const show = (): void => {
    const [from, to] = group.range;
    if (label) {
      label.textContent = within
        ? `${isoSecond(from).slice(0, -4)} – ${isoSecond(to)}`
        : `${isoDate(from)} – ${isoDate(to)}`;
    }
    if (reset) reset.hidden = !group.zoomed;
    const years = (to - from) / (365.25 * DAY);
    for (const button of buttons) {
      const asked = Number(button.dataset["years"]);
      const active = asked === 0 ? !group.zoomed : group.zoomed && Math.abs(years - asked) < 0.02;
      button.ariaPressed = String(active);
    }
  };
  const showScale = (): void => {
    for (const each of scales) {
      each.ariaPressed = String((each.dataset["scale"] === "log") === Boolean(equity?.spec.log));
    }
  };
  group.onRange = show;
  const length = (group.extent[1] - group.extent[0]) / (365.25 * DAY);
  for (const button of buttons) {
    button.hidden = Number(button.dataset["years"]) > length;
    button.addEventListener("click", () => {
      const years = Number(button.dataset["years"]);
      const end = group.extent[1];
      if (years === 0) group.reset();
      else group.setRange(end - years * 365.25 * DAY, end);
    });
  }
  for (const button of scales) {
    button.addEventListener("click", () => {
      equity?.setLog(button.dataset["scale"] === "log");
      showScale();
    });
  }
  // Of a run that is short, one range and one scale are all that there is to choose.
  for (const each of document.querySelectorAll<HTMLElement>(".toolbar[aria-label] > .buttons")) {
    each.hidden = within;
  }
  reset?.addEventListener("click", () => {
    group.reset();
  });
  for (const row of document.querySelectorAll<HTMLElement>("[data-zoom-from]")) {
    const from = Number(row.dataset["zoomFrom"]) * DAY;
    const to = Number(row.dataset["zoomTo"]) * DAY;
    row.querySelector("button")?.addEventListener("click", () => {
      const margin = Math.max((to - from) * 0.2, within ? 0 : 20 * DAY);
      group.setRange(from - margin, to + margin);
      document.getElementById("equity")?.scrollIntoView();
    });
  }
  show();
  showScale();
}

/** Mark the section in view in the index. */
function bindSections(): void {
  const links = new Map(
    [...document.querySelectorAll<HTMLAnchorElement>(".index a")].map((link) => [link.hash.slice(1), link]),
  );
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "-15% 0px -75% 0px" },
  );
  for (const section of document.querySelectorAll("main section[id]")) seen.observe(section);
}

/** On paper: light, the width of the page, every detail open. */
function bindPaper(settings: Settings, charts: Charts | null): void {
  const prepare = (paper: boolean): void => {
    settings.forPaper(paper);
    for (const each of document.querySelectorAll<HTMLDetailsElement>("details")) {
      if (paper) each.open = true;
    }
    for (const panel of charts?.group.panels ?? []) {
      panel.forcedWidth = paper ? Math.min(PAPER_WIDTH, paperWidth(panel.host)) : null;
    }
    charts?.group.rebuild();
  };
  addEventListener("beforeprint", () => {
    prepare(true);
  });
  addEventListener("afterprint", () => {
    prepare(false);
  });
}

/** Panels that stand side by side on a screen do so on paper. */
function paperWidth(host: HTMLElement): number {
  return host.closest(".pair") ? (PAPER_WIDTH - 24) / 2 : PAPER_WIDTH;
}

main();
