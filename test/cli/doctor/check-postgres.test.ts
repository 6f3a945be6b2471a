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
      ['backup tools', 'ok'],
      ['clock', 'ok'],
      ['sessions', 'ok'],
      ['runners', 'ok'],
    ]);
    expect(JSON.stringify(checks)).not.toContain('secret');
  });

  test('names what works for it, on other hosts too, and schedules that nothing fires', async () => {
    const { url, run } = await openPostgresStore({ steps: migrations });
    await run(
      `insert into schedules (id, name, project, kind, request, timezone, missed, overlap, status, next_at, created_at, updated_at)
       values ('s1', 'nightly', '', 'job', '{}', 'UTC', 'skip', 'skip', 'active', 1764547200000, 1, 1)`,
    );
    const found = async (name: string) => (await checkPostgres(url)).find((check) => check.name === name);
    expect(await found('schedules')).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/1 active.*nothing lives/s),
      fix: expect.stringContaining('agent-runtime worker'),
    });
    await run(
      `insert into queue_workers (id, state, host_id, boot_id, pid_namespace, pid, process_started, provides, calls, processes, started_at, heartbeat_at, heartbeat_tick)
       values ('w1', 'running', 'another-host', 'b', 'n', 7, '1', '[]', 1, 1, 1, 1, 1)`,
    );
    expect(await found('workers')).toMatchObject({ detail: expect.stringContaining('1 on other hosts') });
    expect(await found('schedules')).toMatchObject({ status: 'ok' });
  });

  test('tells a schema of the future, which no program of now opens, and an unfinished move', async () => {
    const newer = { version: 99, name: 'of the future', up: () => {} };
    const { url, run } = await openPostgresStore({ steps: [...migrations, newer] });
    const schema = async () => (await checkPostgres(url)).find(({ name }) => name === 'schema');
    expect(await schema()).toMatchObject({ status: 'fail', detail: 'version 99 is of a newer program' });
    await expect(openPostgresStore({ url, steps: migrations })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('has schema version 99'),
      hint: expect.stringContaining('npm install'),
    });
    await run('update schema_version set version = 2147483647');
    expect(await schema()).toMatchObject({ status: 'fail', detail: expect.stringContaining('agent-runtime migrate') });
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
