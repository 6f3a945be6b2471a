import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

it('a session that found no database at its beginning begins as soon as one can be opened', async () => {
  const home = tempDir();
  const blocker = join(home, 'state');
  writeFileSync(blocker, 'a file in the place of the directory');
  const dbPath = join(blocker, 'runtime.db');
  const server = startRawServer({ home, env: { AGENT_RUNTIME_DB_PATH: dbPath } });
  await server.initialize();
  await eventually('the first try', () => server.stderr().includes('the session could not begin'));
  rmSync(blocker);
  mkdirSync(blocker);
  const looking = await testRuntime({ env: { AGENT_RUNTIME_DB_PATH: dbPath } });
  const names = () => looking.db.all('select client_name, ended_at from sessions');
  await eventually('the session row', async () => (await names()).length > 0);
  expect(await names()).toEqual([{ client_name: 'raw', ended_at: null }]);
});

it('a client that says twice that it is initialized has one session, and nothing is logged', async () => {
  const home = tempDir();
  const server = startRawServer({ home });
  await server.initialize();
  server.notify('notifications/initialized');
  const call = () => server.request('tools/call', { name: 'claim_worker_slot', arguments: {} });
  expect((await call()).result.structuredContent).toMatchObject({ slot: 1 });
  const { result } = await server.request('tools/call', {
    name: 'get_events',
    arguments: { subject: 'session', limit: 10 },
  });
  expect(result.structuredContent.events).toHaveLength(1);
  expect(server.stderr()).toBe('');
});
