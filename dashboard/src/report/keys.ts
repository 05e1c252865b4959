/** Keys that work anywhere in the page; `?` lists them. */

import type { Charts } from "./charts";
import type { Settings } from "./settings";

export function bindKeys(settings: Settings, charts: Charts | null): void {
  const dialog = document.querySelector<HTMLDialogElement>("#keys");
  const click = (selector: string): void => {
    document.querySelector<HTMLElement>(selector)?.click();
  };
  const help = (): void => {
    if (dialog?.open) dialog.close();
    else dialog?.showModal();
  };
  const move = (by: number): void => {
    const sections = [...document.querySelectorAll<HTMLElement>("main section[id]")];
    const passed = sections.filter((each) => each.getBoundingClientRect().top < 90).length - 1;
    const target = sections[Math.min(Math.max(passed + by, 0), sections.length - 1)];
    target?.scrollIntoView();
  };
  const actions: Record<string, () => void> = {
    "?": help,
    t: () => {
      settings.nextTheme();
    },
    c: () => {
      settings.nextHues();
    },
    l: () => {
      click('[data-scale][aria-pressed="false"]');
    },
    "0": () => charts?.group.reset(),
    "+": () => charts?.group.zoom(0.5),
    "-": () => charts?.group.zoom(2),
    "/": () => document.querySelector<HTMLElement>('[data-part="filter"]')?.focus(),
    j: () => {
      move(1);
    },
    k: () => {
      move(-1);
    },
  };
  addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const typing = target.matches("input, textarea, select");
    if (event.key === "Escape" && typing) target.blur();
    if (typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll("[data-action=help]")) button.addEventListener("click", help);
  for (const button of document.querySelectorAll("[data-action=theme]")) {
    button.addEventListener("click", () => {
      settings.nextTheme();
    });
  }
  for (const button of document.querySelectorAll("[data-action=hues]")) {
    button.addEventListener("click", () => {
      settings.nextHues();
    });
  }
}
