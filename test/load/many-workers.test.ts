import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildChild, startChild } from '../support/child.js';
import { isOnPostgres, newPostgresUrl } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { brokenPromises, createLoadBoard, seededRandom, workerProgram } from './load-board.js';
import type { WorkReport } from './work-board.js';

// A server takes more of the cores, and is shared by all of its tests.
const [processes, tasks] = isOnPostgres ? [8, 800] : [16, 5_000];

test(`${processes} processes do ${tasks} tasks with dependencies, each exactly once and in order, and none sees a lock (R1)`, async () => {
  const database = isOnPostgres ? newPostgresUrl() : join(tempDir(), 'board.db');
  const db = await createLoadBoard(database, tasks, seededRandom(1));
  const program = await buildChild(workerProgram);
  const startedAt = performance.now();
  const workers = Array.from({ length: processes }, (_, index) =>
    startChild(program, [database, `w${index}`, '60', '0']),
  );
  const ends = await Promise.all(workers.map((worker) => worker.ended));
  const seconds = (performance.now() - startedAt) / 1000;

  expect(ends.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
    Array.from({ length: processes }, () => ({ code: 0, stderr: '' })),
  );
  expect(await brokenPromises(db)).toEqual([]);
  expect(await db.check()).toBeUndefined();
  const reports = ends.map(({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as WorkReport);
  const claims = await db.get<{ count: number }>("select count(*) as count from events where type = 'claimed'");
  expect(claims?.count).toBe(tasks);
  expect(reports.reduce((sum, report) => sum + report.completed, 0)).toBe(tasks);
  expect(reports.map((report) => report.lost)).toEqual(reports.map(() => 0));
  db.close();
  tell(reports, seconds);
});

/** Figures for people, not promises: they depend on what else the machine does. */
function tell(reports: readonly WorkReport[], seconds: number): void {
  const waits = reports.flatMap((report) => report.claimMs).sort((a, b) => a - b);
  const at = (share: number) => waits[Math.floor((waits.length - 1) * share)]?.toFixed(1);
  const done = reports.map((report) => report.completed);
  process.stderr.write(
    `${Math.round(tasks / seconds)} tasks/s claimed and completed by ${processes} processes, starts included; ` +
      `claim p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms; ` +
      `${Math.min(...done)} to ${Math.max(...done)} tasks a process\n`,
  );
}
