/** Colours for canvases: the tokens of `styles/tokens.css` as the page resolves them now. */

export type Token =
  | "bg"
  | "line"
  | "control"
  | "ink"
  | "ink-2"
  | "ink-3"
  | "accent"
  | "accent-soft"
  | "benchmark"
  | "even"
  | "gain"
  | "loss"
  | `category-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

/** Colour of a token, as `host` has it now, optionally made transparent. */
export function colour(host: Element, token: Token, alpha = 1): string {
  const found = computed(host, `var(--${token})`);
  return alpha === 1 ? found : found.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

/** Colour of a token thinned with the background, opaque. */
export function mixed(host: Element, token: Token, share: number): string {
  return computed(host, `color-mix(in srgb, var(--${token}) ${share * 100}%, var(--bg))`);
}

function computed(host: Element, value: string): string {
  const probe = document.createElement("span");
  probe.style.color = value;
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
