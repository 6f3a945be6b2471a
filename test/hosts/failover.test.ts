import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPostgresStore } from '../store/postgres/open-postgres.js';
import { eventually } from '../support/eventually.js';
import { postgresPort } from '../support/postgres.js';
import { type PostgresServer, postgresBinaries, startPostgres, startStandby } from '../support/postgres-server.js';
import { expectWholeBoard, loadBoard } from './board-load.js';
import { cuttingProxy } from './cutting-proxy.js';
import { hostNamed } from './host.js';

const addressOf = (ports: readonly number[]): string =>
  `postgres://agrt@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/board`;

async function query<Row extends object>(port: number, text: string): Promise<Row[]> {
  const client = new pg.Client(addressOf([port]).replace(/board$/, 'postgres'));
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A primary and a standby that follows it; with `isSynchronous` a commit is acknowledged only when both have it. */
async function twoServers({ isSynchronous }: { isSynchronous: boolean }) {
  const binaries = postgresBinaries() ?? '';
  const primary = await startPostgres(binaries, { isSafe: true });
  onTestFinished(() => primary.stop());
  const standby = await startStandby(binaries, primary, { isSafe: true });
  onTestFinished(() => standby.stop());
  if (isSynchronous) {
    await query(primary.port, "alter system set synchronous_standby_names = '*'");
    await query(primary.port, 'select pg_reload_conf()');
    await eventually('the standby is waited for', async () => {
      const [row] = await query<{ state: string }>(primary.port, 'select sync_state as state from pg_stat_replication');
      return row?.state === 'sync';
    });
  }
  return { primary, standby };
}

/** Resolves when the standby has all that the primary has written until now. */
async function followed(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [written] = await query<{ place: string }>(primary.port, 'select pg_current_wal_lsn()::text as place');
  await eventually('the standby has followed', async () => {
    const text = `select pg_last_wal_replay_lsn() >= '${written?.place}' as "hasAll"`;
    const [row] = await query<{ hasAll: boolean }>(standby.port, text);
    return row?.hasAll;
  });
}

const promote = async ({ port }: PostgresServer): Promise<void> => {
  await query(port, "alter system set synchronous_standby_names = ''");
  await query(port, 'select pg_reload_conf()');
  await query(port, 'select pg_promote()');
};

describe.runIf(postgresPort)('a primary that is killed', () => {
  it('is followed by its standby: what was acknowledged is there, once, and the sessions find it by themselves', async () => {
    const { primary, standby } = await twoServers({ isSynchronous: true });
    const url = addressOf([primary.port, standby.port]);
    const sessions = await Promise.all(['a', 'b'].map((name) => hostNamed(name, { url }).session()));
    const load = loadBoard(sessions);
    await eventually('there is load', () => load.done.length > 20);
    await primary.stop('KILL');
    await eventually('calls say that there is no primary', () => load.refused.length > 0);
    expect(load.refused[0]).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`127.0.0.1:${primary.port},127.0.0.1:${standby.port}`),
      hint: expect.stringMatching(/repeat the call/),
    });
    const before = load.done.length;
    await promote(standby);
    await eventually('work goes on', () => load.done.length > before + 20);
    await load.end();
    await expectWholeBoard(addressOf([standby.port]), load);
  });

  it('had committed what its standby has not heard of: it is done again, or nobody is told that it is there', async () => {
    const { primary, standby } = await twoServers({ isSynchronous: false });
    const [again, unsure] = [await storeThrough(primary, 'again'), await storeThrough(primary, 'unsure')];
    await followed(primary, standby);
    await query(standby.port, "alter system set primary_conninfo = ''");
    await query(standby.port, 'select pg_reload_conf()');
    await eventually('the standby hears no more', async () => {
      const followers = await query(primary.port, 'select 1 from pg_stat_replication');
      return followers.length === 0;
    });
    const [first, second] = [await again.loseCommit(), await unsure.loseCommit()];
    await primary.stop('KILL');
    await promote(standby);

    again.restore(standby);
    await first.changing;
    expect(await again.value()).toBe(1);

    await eventually('the id of the second is given to another transaction', async () => {
      const [row] = await query<{ id: string }>(standby.port, 'select pg_current_xact_id()::text as id');
      return Number(row?.id) >= second.xid;
    });
    unsure.restore(standby);
    await expect(second.changing).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('whether it was is not known'),
      hint: expect.stringContaining('Look at what you changed'),
    });
    expect(await unsure.value()).toBe(0);
  });
});

/** A store of its own on a server, whose line can lose a commit and all that comes after it. */
async function storeThrough({ port }: PostgresServer, name: string) {
  const proxy = await cuttingProxy(port);
  // So that the proxy sees the words of each statement.
  const url = `${addressOf([proxy.port]).replace('board', name)}?prepare=off`;
  const db = await openPostgresStore({ url, deadlineMs: 60_000 });
  return {
    restore: (server: PostgresServer) => proxy.restore(server.port),
    async value() {
      return (await db.get<{ value: number }>("select value from counters where name = 'a'"))?.value;
    },
    async loseCommit() {
      proxy.cutAtCommit('answer', { alsoInterrupts: true });
      let xid = 0;
      const changing = db.transaction(async (sql) => {
        await sql.run("update counters set value = value + 1 where name = 'a'");
        const row = await sql.get<{ xid: string }>('select cast(pg_current_xact_id() as text) as xid');
        if (xid === 0) xid = Number(row?.xid);
      });
      changing.catch(() => {});
      await eventually('the commit has got no answer', () => proxy.cuts() === 1);
      return { changing, xid };
    },
  };
}
