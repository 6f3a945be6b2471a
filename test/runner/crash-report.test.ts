import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { systemProcesses } from '../../src/runner/identity.js';
import { createSpawner } from '../../src/runner/spawn.js';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';
import { background } from './fixtures/background.js';

it('the report of a runner that ran out of memory is for its owner alone', async () => {
  const directory = tempDir();
  const entry = join(directory, 'greedy.mjs');
  writeFileSync(entry, 'const all = []; for (;;) all.push(new Array(1_000).fill({}));');
  const logs = join(directory, 'logs');
  const env = { PATH: process.env.PATH ?? '' };
  const spawner = createSpawner({
    processes: systemProcesses(systemClock().bootId),
    entry,
    logFile: join(logs, 'runner.log'),
    env,
    heapMb: 32,
  });
  const before = process.umask(0o022);
  await spawner.spawnRunner('r1').finally(() => process.umask(before));
  const report = join(logs, 'r1.json');
  await eventually(
    'the report is written',
    () => existsSync(report) && /"event":.*out of memory/i.test(readFileSync(report, 'utf8')),
  );
  expect(statSync(report).mode & 0o777).toBe(0o600);
});

it('a runner that ends as it should leaves no report', async () => {
  const runtime = await background();
  await runtime.ended(await runtime.ask('Hello'));
  await runtime.idle();
  const logs = join(runtime.config.dataDir, 'logs');
  await eventually('there is no report', () => !readdirSync(logs).some((name) => name.endsWith('.json')));
});
