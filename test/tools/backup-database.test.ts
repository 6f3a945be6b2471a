import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { testRuntime } from '../support/test-runtime.js';

async function backup(path?: string) {
  const runtime = await testRuntime();
  const call = runTool(
    findTool('backup_database'),
    { path },
    contextOf(runtime, { holder: 'session:test', project: '' }),
  );
  return {
    directory: join(runtime.config.dataDir, 'backups'),
    call: call as Promise<{ path: string; size_bytes: number }>,
  };
}

it('a name is a new file in the backup directory, and without one the time is its name', async () => {
  const named = await backup('before-merge.db');
  const { path, size_bytes } = await named.call;
  expect(path).toBe(join(named.directory, 'before-merge.db'));
  expect(statSync(path).size).toBe(size_bytes);
  const unnamed = await backup();
  expect((await unnamed.call).path).toMatch(/backups\/agent_runtime-\d{8}T\d+Z-manual\.(db|dump)$/);
});

it.each([
  '/tmp/backup-that-must-not-be.db',
  '../copy.db',
  'deeper/copy.db',
  '.',
  '..',
  '.hidden',
  'a\0b',
  'x'.repeat(300),
])('a path elsewhere is refused, with the command that may write there: %j', async (path) => {
  const { directory, call } = await backup(path);
  await expect(call).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining(`is not the name of a file in the backup directory ${directory}`),
    hint: expect.stringContaining('agent-runtime backup FILE'),
  });
  expect(existsSync(directory) ? readdirSync(directory) : []).toEqual([]);
  expect(existsSync('/tmp/backup-that-must-not-be.db')).toBe(false);
});
