/** Makes the tables that the page was written with sortable, and exports them. */

import { csv, download } from "./csv";

export function enhanceTables(fund: string): void {
  for (const table of document.querySelectorAll<HTMLTableElement>("table[data-sortable]")) sortable(table);
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-export]")) {
    button.addEventListener("click", () => {
      const name = button.dataset["export"]!;
      const table = document.getElementById(name);
      if (table instanceof HTMLTableElement) download(`${fund}-${name}.csv`, csv(cellsOf(table)));
    });
  }
}

/** Exact values where a cell carries them, else its text. */
function valueOf(cell: HTMLTableCellElement): string {
  return cell.dataset["value"] ?? cell.textContent.trim();
}

function cellsOf(table: HTMLTableElement): string[][] {
  return [...table.rows].map((row) => [...row.cells].map(valueOf));
}

function sortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.ariaSort = "none";
    button.addEventListener("click", () => {
      const descending = head.ariaSort !== "descending";
      for (const each of heads) each.ariaSort = "none";
      head.ariaSort = descending ? "descending" : "ascending";
      const rows = [...(body?.rows ?? [])];
      rows.sort((a, b) => compare(valueOf(a.cells[column]!), valueOf(b.cells[column]!)));
      if (descending) rows.reverse();
      body?.append(...rows);
    });
  });
}

function compare(one: string, other: string): number {
  const [a, b] = [Number(one), Number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other) : a - b;
}
