import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { buildChild, type Child, startChild } from '../support/child.js';
import { isOnPostgres, newPostgresUrl } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { brokenPromises, createLoadBoard, seededRandom, workerProgram } from './load-board.js';

// A server takes more of the cores, and is shared by all of its tests.
const [processes, tasks] = isOnPostgres ? [8, 800] : [16, 5_000];
const kills = 30;

/** Short, so that the claims of the killed are open again while the test runs; a worker holds one for some milliseconds. */
const leaseSeconds = '1.5';

test('with processes killed at random nothing is lost, nothing is done twice, and every claim is taken back (R2)', async () => {
  const random = seededRandom(7);
  const database = isOnPostgres ? newPostgresUrl() : join(tempDir(), 'board.db');
  const db = await createLoadBoard(database, tasks, random);
  const program = await buildChild(workerProgram);
  let started = 0;
  const start = () => startChild(program, [database, `w${started++}`, leaseSeconds, '3']);
  const all: Child[] = Array.from({ length: processes }, start);
  const living = new Set(all);
  for (const worker of all) void worker.ended.then(() => living.delete(worker));
  await eachIsAtWork(all);

  for (let killed = 0; killed < kills; killed++) {
    await sleep(20 + random() * 80);
    const victim = [...living][Math.floor(random() * living.size)];
    if (!victim) break;
    living.delete(victim);
    victim.process.kill('SIGKILL');
    const next = start();
    all.push(next);
    living.add(next);
    void next.ended.then(() => living.delete(next));
  }
  const ends = await Promise.all(all.map((worker) => worker.ended));

  const faults = ends.filter(({ code, signal, stderr }) => (code !== 0 && signal !== 'SIGKILL') || stderr !== '');
  expect(faults).toEqual([]);
  expect(ends.filter((end) => end.signal === 'SIGKILL').length).toBeGreaterThan(kills / 2);
  expect(await brokenPromises(db)).toEqual([]);
  expect(await db.check()).toBeUndefined();

  // What a worker said was done, before it was killed or not, is done, and by that worker.
  const results = await db.all<{ id: number; result: string }>('select id, result from tasks');
  const doneBy = new Map(results.map(({ id, result }) => [id, result]));
  for (const [index, { stdout }] of ends.entries()) {
    const said = stdout.split('\n').filter((line) => /^\d+$/.test(line));
    for (const id of said) expect(doneBy.get(Number(id))).toBe(`w${index}`);
  }
  const lapsed = await db.get<{ count: number }>("select count(*) as count from events where type = 'lapsed'");
  db.close();
  process.stderr.write(
    `${ends.length - processes} processes killed and replaced, ${lapsed?.count} claims taken back\n`,
  );
  expect(lapsed?.count).toBeGreaterThan(0);
});

/** Resolves when every worker has said that it has done a task. */
async function eachIsAtWork(workers: readonly Child[]): Promise<void> {
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.process.stdout?.once('data', resolve))));
}
