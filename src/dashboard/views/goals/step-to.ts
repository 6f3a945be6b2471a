import { nodeSize, type Point } from './layout.js';

const directions: Readonly<Record<string, Point>> = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 },
};

/** With an arrow key, focuses the next task in its direction: along an edge if there is one, else the nearest. */
export function stepTo(
  event: KeyboardEvent & { currentTarget: HTMLElement },
  edges: readonly (readonly [string, string])[],
  places: ReadonlyMap<string, Point>,
): void {
  const direction = directions[event.key];
  const key =
    event.target instanceof Element ? event.target.closest<HTMLElement>('[data-key]')?.dataset.key : undefined;
  const here = key === undefined ? undefined : places.get(key);
  if (!direction || key === undefined || !here) return;
  event.preventDefault();
  const linked = new Set(edges.flatMap(([from, to]) => (from === key ? [to] : to === key ? [from] : [])));
  let best: { key: string; cost: number } | undefined;
  for (const [other, { x, y }] of places) {
    const dx = x - here.x;
    const dy = y - here.y;
    const along = dx * direction.x + dy * direction.y;
    const across = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    // Up and down stay in the column.
    if (along < 1 || (direction.y !== 0 && across > nodeSize.width / 2)) continue;
    const cost = along + 2 * across - (linked.has(other) ? farAway : 0);
    if (!best || cost < best.cost) best = { key: other, cost };
  }
  if (!best) return;
  event.currentTarget.querySelector<HTMLElement>(`[data-key="${CSS.escape(best.key)}"] :is(a, button)`)?.focus();
}

/** More than any place is from another. */
const farAway = 1e6;
