import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again until `look` gives something; throws after `withinMs` with what was awaited. */
export async function eventually<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  withinMs = 15_000,
): Promise<Found> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUpAt) throw new Error(`Still not after ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}
