import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks until `look` gives something true, and resolves to it; fails with `what` when it never does. The limit is for what
 * never comes: what comes late, on a machine that does much else, is no failure.
 */
export async function eventually<Found>(
  what: string,
  look: () => Found | Promise<Found>,
  withinMs = 120_000,
): Promise<Exclude<NonNullable<Found>, false>> {
  for (const giveUpAt = performance.now() + withinMs; ; await sleep(20)) {
    const found = await look();
    if (found) return found as Exclude<NonNullable<Found>, false>;
    if (performance.now() > giveUpAt) throw new Error(`It never came about within ${withinMs} ms: ${what}.`);
  }
}
