import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { notesIn, openStore } from '../open-store.js';
import { startTalking } from './talk.js';

const addNote = "insert into notes (text) values ('x')";

test('a lock held by another process for longer than the deadline gives unavailable, for a transaction and a statement', async () => {
  const db = await openStore({ lockDeadlineMs: 300 });
  await startTalking('hold-lock', [db.location, 'begin immediate']).then((holder) => holder.nextLine());
  const failure = {
    code: 'unavailable',
    message: expect.stringMatching(
      /^The database stayed locked by another process for \d+(\.\d)? s: .*agent_runtime\.db/,
    ),
    hint: expect.stringContaining('agent-runtime doctor'),
  };
  await expect(db.transaction((sql) => sql.run(addNote))).rejects.toMatchObject(failure);
  await expect(db.run(addNote)).rejects.toMatchObject(failure);
  expect(await notesIn(db)).toEqual([]);
});

test.runIf(process.platform === 'linux')('who holds the lock is named, and that it is stopped', async () => {
  const db = await openStore({ lockDeadlineMs: 300 });
  const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
  await holder.nextLine();
  const { pid } = holder.process;
  await expect(db.run(addNote)).rejects.toMatchObject({
    message: expect.stringMatching(new RegExp(`Process ${pid} \\(.*hold-lock.*\\) holds the lock\\.$`)),
  });
  holder.process.kill('SIGSTOP');
  await expect(db.run(addNote)).rejects.toMatchObject({
    message: expect.stringMatching(new RegExp(`Process ${pid} .* holds the lock and is stopped\\.$`)),
    hint: expect.stringContaining(`kill -CONT ${pid}`),
  });
  holder.process.kill('SIGCONT');
  holder.tell('let go');
  await holder.nextLine();
  expect(await db.run(addNote)).toBe(1);
});

test.runIf(process.platform === 'linux')('a holder that is known by another name is called that', async () => {
  const nameProcess = async (_: unknown, pid: number) => `session ${pid} of a client`;
  const db = await openStore({ lockDeadlineMs: 100, nameProcess });
  const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
  await holder.nextLine();
  const { pid } = holder.process;
  await expect(db.run(addNote)).rejects.toMatchObject({
    message: expect.stringContaining(`Process ${pid} (session ${pid} of a client) holds the lock`),
  });
});

test('the wait for a turn is part of the deadline: ten that wait for one lock give up together', async () => {
  const db = await openStore({ lockDeadlineMs: 1_500 });
  await startTalking('hold-lock', [db.location, 'begin immediate']).then((holder) => holder.nextLine());
  const startedAt = performance.now();
  const ends = await Promise.allSettled(Array.from({ length: 10 }, () => db.transaction((sql) => sql.run(addNote))));
  expect(ends.map((end) => end.status)).toEqual(Array.from({ length: 10 }, () => 'rejected'));
  expect(performance.now() - startedAt).toBeLessThan(12_000);
});

test('while it waits for a lock, the event loop is free and reads are answered', async () => {
  const db = await openStore({ lockDeadlineMs: 2_000 });
  await startTalking('hold-lock', [db.location, 'begin immediate']).then((holder) => holder.nextLine());
  const refused = expect(db.transaction((sql) => sql.run(addNote))).rejects.toMatchObject({ code: 'unavailable' });
  let isWaiting = true;
  void refused.then(() => {
    isWaiting = false;
  });
  const lags: number[] = [];
  while (isWaiting) {
    const before = performance.now();
    await db.get('select 1');
    await sleep(1);
    lags.push(performance.now() - before);
  }
  lags.sort((one, other) => one - other);
  expect(lags.length).toBeGreaterThan(10);
  // Most, as a busy machine holds some up: SQLite's own waiting would have held up every one, by seconds.
  expect(lags[Math.floor(lags.length / 2)]).toBeLessThan(100);
});

test('a transaction goes through once the other process lets go', async () => {
  const db = await openStore();
  const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
  await holder.nextLine();
  const waiting = db.transaction((sql) => sql.run(addNote));
  await sleep(100);
  expect(await notesIn(db)).toEqual([]);
  holder.tell('let go');
  expect(await waiting).toBe(1);
});
