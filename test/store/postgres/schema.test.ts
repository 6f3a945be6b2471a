import { describe, expect, test } from 'vitest';
import { migrations } from '../../../src/store/migrate.js';
import type { Database } from '../../../src/store/sql.js';
import { postgresPort } from '../../support/postgres.js';
import { openStore } from '../open-store.js';
import { openPostgresStore } from './open-postgres.js';

/** What SQLite keeps by triggers in a table is a view there. */
const keptHere = ['task_counts', 'job_counts'];

/** What PostgreSQL has of its own: the version and the server's run in tables, and the transaction of an event. */
const own = { tables: ['schema_version', 'server_run'], columns: ['events.tx'], indexes: ['events_by_transaction'] };

const names = async (db: Database, text: string): Promise<string[]> =>
  (await db.all<{ name: string }>(text)).map(({ name }) => name).sort();

const without = (all: readonly string[], left: readonly string[]) => all.filter((name) => !left.includes(name));

describe.runIf(postgresPort)('the schemas of the two engines', () => {
  test('have the same tables, columns, kinds of values, defaults and indexes', async () => {
    const sqlite = await openStore({ steps: migrations });
    const postgres = await openPostgresStore({ steps: migrations });

    const tables = await names(
      sqlite,
      "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
    );
    expect(
      without(
        await names(postgres, "select tablename::text as name from pg_tables where schemaname = 'public'"),
        own.tables,
      ),
    ).toEqual(without(tables, keptHere));

    const columnsHere = await names(
      sqlite,
      `select t.name || '.' || c.name || ' ' || lower(c.type) || case when c."notnull" = 1 or c.pk > 0 then ' not null' else '' end as name
       from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' and t.name not like 'sqlite%'`,
    );
    const columnsThere = await names(
      postgres,
      `select table_name || '.' || column_name || ' ' || case data_type
           when 'bigint' then 'integer' when 'double precision' then 'real' when 'bytea' then 'blob' else data_type end
         || case when is_nullable = 'NO' then ' not null' else '' end as name
       from information_schema.columns join pg_tables on schemaname = table_schema and tablename = table_name
       where table_schema = 'public'`,
    );
    const isOwn = (name: string) =>
      own.tables.some((table) => name.startsWith(`${table}.`)) ||
      own.columns.some((column) => name.startsWith(`${column} `));
    expect(columnsThere.filter((name) => !isOwn(name))).toEqual(
      columnsHere.filter((name) => !keptHere.some((table) => name.startsWith(`${table}.`))),
    );

    const indexes = await names(sqlite, "select name from sqlite_master where type = 'index' and sql is not null");
    const indexesThere = await names(
      postgres,
      `select c.relname::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
         join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public'
         and not exists (select 1 from pg_constraint k where k.conindid = c.oid)`,
    );
    expect(without(indexesThere, own.indexes)).toEqual(indexes);
  });

  test('check as many conditions', async () => {
    const sqlite = await openStore({ steps: migrations });
    const postgres = await openPostgresStore({ steps: migrations });
    const texts = await sqlite.all<{ name: string; sql: string }>(
      "select name, sql from sqlite_master where type = 'table' and name not like 'sqlite%' order by name",
    );
    const here = texts.map(({ name, sql }) => [
      name,
      [...sql.replaceAll(/--[^\n]*/g, '').matchAll(/\bcheck\s*\(/g)].length,
    ]);
    const there = await postgres.all<{ name: string; count: number }>(
      `select t.relname::text as name, count(k.oid) as count from pg_class t
         join pg_namespace n on n.oid = t.relnamespace
         left join pg_constraint k on k.conrelid = t.oid and k.contype = 'c'
       where n.nspname = 'public' and t.relkind = 'r' group by t.relname`,
    );
    expect(
      there
        .filter(({ name }) => !own.tables.includes(name))
        .map(({ name, count }) => [name, count])
        .sort(),
    ).toEqual(here.filter(([name]) => !keptHere.includes(String(name))).sort());
  });
});
