import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeSelf } from '../../src/services/describe-self.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { testRuntime } from '../support/test-runtime.js';

describe.runIf(postgresPort)('a process whose database is on a PostgreSQL server', () => {
  it('names its address without the password, and its size there', async () => {
    const url = newPostgresUrl();
    const named = url.replace('agrt@', 'agrt:secret@');
    const { config, ...runtime } = await testRuntime({ env: { AGENT_RUNTIME_DB_URL: named } });
    const { databasePath, databaseBytes } = await describeSelf({ config, ...runtime });
    expect(databasePath).toContain(new URL(url).pathname.slice(1));
    expect(databasePath).not.toContain('secret');
    expect(databasePath).not.toContain(config.home);
    expect(databaseBytes).toBeGreaterThan(1_000_000);
  });
});

describe('a process whose database is a file', () => {
  it('names it, and its size with the write-ahead log', async () => {
    const runtime = await testRuntime({ env: { AGENT_RUNTIME_DB_URL: '' } });
    await runtime.tasks.create([{ title: 'Bake' }], { holder: null, project: '' });
    const file = runtime.config.dbPath;
    const { databasePath, databaseBytes } = await describeSelf(runtime);
    expect(databasePath).toBe(file);
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    expect(databaseBytes).toBe(statSync(file).size + statSync(`${file}-wal`).size);
  });
});
