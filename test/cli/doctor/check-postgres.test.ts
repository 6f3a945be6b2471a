import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkPostgres } from '../../../src/cli/doctor/check-postgres.js';
import { migrations } from '../../../src/store/migrate.js';
import { openPostgresStore } from '../../store/postgres/open-postgres.js';
import { postgresPort } from '../../support/postgres.js';

describe.runIf(postgresPort)('doctor, of a database on a server', () => {
  test('tells version, schema and clock, and shows no password', async () => {
    const { url } = await openPostgresStore({ steps: migrations });
    const checks = await checkPostgres(url.replace('agrt@', 'agrt:secret@'));
    expect(checks.map(({ name, status }) => [name, status])).toEqual([
      ['server', 'ok'],
      ['version', 'ok'],
      ['schema', 'ok'],
      ['clock', 'ok'],
    ]);
    expect(JSON.stringify(checks)).not.toContain('secret');
  });

  test('tells that one will be created, and creates nothing', async () => {
    const url = `postgres://agrt@127.0.0.1:${postgresPort}/none_${randomUUID().slice(0, 8)}`;
    for (const _ of [1, 2]) {
      const [server] = await checkPostgres(url);
      expect(server).toMatchObject({ status: 'ok', detail: expect.stringContaining('will be created on first use') });
    }
  });

  test('names the way out when the server is not there', async () => {
    const [server] = await checkPostgres('postgres://agrt:secret@127.0.0.1:1/board');
    expect(server).toMatchObject({ status: 'fail', detail: expect.stringContaining('cannot be reached') });
    expect(JSON.stringify(server)).not.toContain('secret');
  });
});
