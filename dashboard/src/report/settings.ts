/** What a reader may set: light or dark, and the hues of gain and loss. Kept in the browser. */

const THEMES = ["auto", "light", "dark"] as const;
const HUES = ["default", "green-red", "red-green"] as const;

type Setting = "theme" | "hues";

/** Of the address (`#theme=dark`), else of the last visit. */
function stored(name: Setting, allowed: readonly string[]): string {
  const asked = new URLSearchParams(location.hash.slice(1)).get(name);
  const found = asked ?? attempt(() => localStorage.getItem(`quantvista-${name}`));
  return found && allowed.includes(found) ? found : allowed[0]!;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null; // a page opened from a file may have no storage
  }
}

function apply(name: Setting, value: string, neutral: string): void {
  const { dataset } = document.documentElement;
  if (value === neutral) Reflect.deleteProperty(dataset, name);
  else dataset[name] = value;
}

export class Settings {
  private theme = stored("theme", THEMES);
  private hues = stored("hues", HUES);
  onChange: () => void = () => undefined;

  constructor() {
    this.show();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.onChange();
    });
  }

  nextTheme(): void {
    this.theme = next(THEMES, this.theme);
    attempt(() => {
      localStorage.setItem("quantvista-theme", this.theme);
    });
    this.show();
    this.onChange();
  }

  nextHues(): void {
    this.hues = next(HUES, this.hues);
    attempt(() => {
      localStorage.setItem("quantvista-hues", this.hues);
    });
    this.show();
    this.onChange();
  }

  /** Paper is light whatever the screen is. */
  forPaper(paper: boolean): void {
    apply("theme", paper ? "light" : this.theme, "auto");
  }

  private show(): void {
    apply("theme", this.theme, "auto");
    apply("hues", this.hues, "default");
    for (const label of document.querySelectorAll("[data-theme-name]")) label.textContent = this.theme;
  }
}

function next(all: readonly string[], current: string): string {
  return all[(all.indexOf(current) + 1) % all.length]!;
}
