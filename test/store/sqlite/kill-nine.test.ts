import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildChild, startChild } from '../../support/child.js';
import { openStore, type Store } from '../open-store.js';

const rounds = 12;
const writers = 4;

/** A fixed sequence of numbers from 0 to 1 (mulberry32), so that a failure can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs a writer for so long after its first commit, kills it, and resolves to the last number that it acknowledged. */
async function writeAndKill(program: string, file: string, writer: string, ms: number): Promise<number> {
  const child = startChild(program, [file, writer]);
  await new Promise((resolve) => child.process.stdout?.once('data', resolve));
  await sleep(ms);
  child.process.kill('SIGKILL');
  const { signal, stdout, stderr } = await child.ended;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  return Number(stdout.split('\n').at(-2));
}

/** How many notes of each writer there are, whether without a gap, as `writer: count`. */
async function notesByWriter(db: Store): Promise<Map<string, number>> {
  const rows = await db.all<{ writer: string; count: number; last: number }>(`
    select substr(text, 1, instr(text, ' ') - 1) as writer, count(*) as count,
      max(cast(substr(text, instr(text, ' ') + 1) as integer)) as last
    from notes group by 1`);
  expect(rows.filter(({ count, last }) => count !== last)).toEqual([]);
  return new Map(rows.map(({ writer, count }) => [writer, count]));
}

test('writers killed at random lose no acknowledged commit, keep none in part, and leave a sound file', async () => {
  const program = await buildChild(fileURLToPath(new URL('children/write-until-killed.ts', import.meta.url)));
  const random = seeded(20261120);
  const acknowledged = new Map<string, number>();
  const { location } = await openStore().then((db) => {
    db.close();
    return db;
  });
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: writers }, async (_, index) => {
        const writer = `${round}-${index}`;
        acknowledged.set(writer, await writeAndKill(program, location, writer, random() * 120));
      }),
    );
    const db = await openStore({ file: location });
    const found = await notesByWriter(db);
    const lost = [...acknowledged].filter(([writer, last]) => (found.get(writer) ?? 0) < last);
    expect(lost).toEqual([]);
    // A commit may have been done and its word cut off: never more than one a writer.
    const unannounced = [...acknowledged].filter(([writer, last]) => (found.get(writer) ?? 0) > last + 1);
    expect(unannounced).toEqual([]);
    const total = [...found.values()].reduce((sum, count) => sum + count, 0);
    expect(await db.all('select value from counters order by name')).toEqual([{ value: total }, { value: -total }]);
    expect(await db.check()).toBeUndefined();
    expect(await db.all('select * from pragma_integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    db.close();
  }
  expect([...acknowledged.values()].reduce((sum, last) => sum + last, 0)).toBeGreaterThan(1_000);
});
