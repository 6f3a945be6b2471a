import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bringUp, lockSchema, markVersion } from '../../../src/store/postgres/migrate.js';
import { eventually } from '../../support/eventually.js';
import { newPostgresUrl, postgresPort } from '../../support/postgres.js';
import { testTables } from '../test-tables.js';
import { openPostgresStore } from './open-postgres.js';

describe.runIf(postgresPort)('a process that opens a new database', () => {
  test('while another one makes the tables waits for them, and knows them for ours', async () => {
    const url = newPostgresUrl();
    await (await openPostgresStore({ url, steps: [] })).close();
    const first = new pg.Client(url);
    await first.connect();
    onTestFinished(() => first.end());
    await first.query('drop table if exists schema_version');
    await first.query('begin');
    await lockSchema(first);
    const second = openPostgresStore({ url, steps: [testTables] });
    await eventually('the second one waits', async () => {
      const { rows } = await first.query(
        `select 1 from pg_locks join pg_database d on d.oid = database
         where locktype = 'advisory' and not granted and datname = current_database()`,
      );
      return rows.length > 0;
    });
    await bringUp(first, 0, [testTables]);
    await markVersion(first, testTables.version);
    await first.query('commit');
    expect(await (await second).all('select version from schema_version')).toEqual([{ version: testTables.version }]);
  });
});
