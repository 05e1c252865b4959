/** Moves labels apart along one axis, each as little as needed. */

/**
 * Positions for labels that want to be at `wanted`, at least `gap` apart and inside `[low, high]`
 * (as far as they fit), in the order of `wanted`.
 */
export function spreadLabels(
  wanted: readonly number[],
  gap: number,
  low: number,
  high: number,
): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const found = new Array<number>(wanted.length).fill(0);
  // Blocks of labels that touch, each centred on the mean of what its labels want.
  let blocks: { members: number[]; centre: number }[] = [];
  for (const index of order) {
    blocks.push({ members: [index], centre: clamp(wanted[index]!, low, high) });
    for (let last = blocks.at(-1)!; blocks.length > 1; last = blocks.at(-1)!) {
      const before = blocks.at(-2)!;
      const needed = ((before.members.length + last.members.length) * gap) / 2;
      if (last.centre - before.centre >= needed - 1e-9) break;
      const members = [...before.members, ...last.members];
      const mean = members.reduce((sum, each) => sum + wanted[each]!, 0) / members.length;
      const half = ((members.length - 1) * gap) / 2;
      blocks = [...blocks.slice(0, -2), { members, centre: clamp(mean, low + half, high - half) }];
    }
  }
  for (const { members, centre } of blocks) {
    members.forEach((index, k) => {
      found[index] = centre + (k - (members.length - 1) / 2) * gap;
    });
  }
  return found;
}

function clamp(value: number, low: number, high: number): number {
  return high < low ? (low + high) / 2 : Math.min(Math.max(value, low), high);
}
