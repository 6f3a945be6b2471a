import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { runnerEntry } from '../../support/paths.js';
import { tempDir } from '../../support/temp-dir.js';
import { homeWithModules, plainAgent } from './workshop.js';

it('a runner whose directory was removed before it began does not wait for a thread that cannot start', async () => {
  const home = homeWithModules({ 'one.mjs': plainAgent('one', 'return 1;') });
  const runner = spawn('/bin/sh', ['-c', 'rmdir "$PWD" && exec "$0" "$@"', process.execPath, runnerEntry, 'r1'], {
    cwd: tempDir(),
    env: { HOME: home, PATH: '/usr/bin:/bin' },
  });
  let said = '';
  runner.stderr.on('data', (piece) => {
    said += piece;
  });
  const [code] = await once(runner, 'exit');
  expect([code, said]).toEqual([1, expect.stringContaining('uv_cwd')]);
});
