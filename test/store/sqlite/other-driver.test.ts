import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fetchNodeOfOtherDriver } from '../../support/other-node.js';
import { projectRoot } from '../../support/paths.js';
import { openStore } from '../open-store.js';
import { startTalking, startTogether } from './talk.js';

const otherNode = fetchNodeOfOtherDriver();
const minutes = 60_000;

/** What only many processes show, they show with both drivers above; `hazards` reads the source, a move is of two engines. */
const elsewhere = ['other-driver', 'kill-nine', 'first-start', 'waiting-for-locks', 'hazards', 'move'];

test.runIf(otherNode)('processes with two drivers on one file lose no write and do no damage', async () => {
  const db = await openStore();
  const times = 150;
  const nodes = [process.execPath, otherNode, process.execPath, otherNode];
  const children = await Promise.all(
    nodes.map((node) => startTalking('increment', [db.location, String(times)], {}, node)),
  );
  const drivers = await startTogether(children);
  expect(drivers.map((line) => line.replace('ready with ', '')).sort()).toEqual([
    '@photostructure/sqlite',
    '@photostructure/sqlite',
    'better-sqlite3',
    'better-sqlite3',
  ]);
  const ends = await Promise.all(children.map(({ ended }) => ended));
  expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(nodes.map(() => [0, '']));
  expect(await db.get("select value from counters where name = 'a'")).toEqual({ value: nodes.length * times });
  expect(await db.check()).toBeUndefined();
});

test.runIf(otherNode)(
  'the tests of the store pass on a Node with another driver',
  async () => {
    const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
    const names = [...elsewhere.map((name) => `**/${name}.test.ts`), 'test/store/postgres/**'];
    const left = names.flatMap((name) => ['--exclude', name]);
    // The processes are children of their tests; one worker costs no start of another for each file.
    const args = ['run', '--config', '.config/vitest.ts', '--maxWorkers=1', '--no-isolate', ...left];
    // The outer run's variables would make a worker of it.
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(otherNode ?? '', [vitest, ...args, 'test/store'], {
      cwd: projectRoot,
      env: { PATH, HOME, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, output).toBe(0);
    expect(output).toMatch(/Tests +\d{3} passed/);
  },
  10 * minutes,
);
