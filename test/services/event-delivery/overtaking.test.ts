import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { recordEvent } from '../../../src/core/events/events.js';
import { eventually } from '../../support/eventually.js';
import { isOnPostgres, newPostgresUrl, postgresPort } from '../../support/postgres.js';
import { tempDir } from '../../support/temp-dir.js';
import { hooked, nobody } from './hooked.js';
import { startReceiver } from './receiver.js';

it.runIf(postgresPort)('an event that is committed after a later one is delivered, and so before it', async () => {
  const home = tempDir();
  // Where every test is on PostgreSQL, a home has its database.
  const env: Record<string, string> = isOnPostgres ? {} : { AGENT_RUNTIME_DB_URL: newPostgresUrl() };
  const both = { home, env, isPatient: false };
  const [writer, board, receiver] = [await hooked(both), await hooked(both), await startReceiver()];
  await board.add(receiver.url);
  const event = (subjectId: string) => ({ at: 1, subject: 'task', subjectId, type: 'note' }) as const;
  let goOn: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow = writer.db.transaction(
    async (sql) => {
      await recordEvent(sql, event('first'));
      await sql.get('select 1 as one');
      goOn();
      // Its commit waits at the server, as one over a slow line would.
      await sql.get('select pg_sleep(1)');
    },
    { beside: true },
  );
  await begun;
  await board.db.transaction((sql) => recordEvent(sql, event('second')), { beside: true });
  await board.deliver();
  expect(receiver.types()).toEqual([]);
  await slow;
  await board.deliver();
  expect(receiver.received.map(({ subject }) => subject).toSorted()).toEqual(['task:first', 'task:second']);
  const ids = receiver.received.map(({ id }) => Number(id.split('_')[2]));
  expect(await board.eventTargets.find('hook')).toMatchObject({ delivered: 2, cursorId: Math.max(...ids) });
});

it.runIf(postgresPort)(
  'an event that cannot be read yet, because something else is open, is not purged before it is delivered',
  async () => {
    const env: Record<string, string> = isOnPostgres ? {} : { AGENT_RUNTIME_DB_URL: newPostgresUrl() };
    const [board, receiver] = [await hooked({ env, isPatient: false }), await startReceiver()];
    await board.add(receiver.url);
    const other = new pg.Client(board.config.dbUrl);
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('begin; select pg_current_xact_id()');
    await board.note('1');
    board.clock.pass(1);
    await board.maintenance.purge(board.clock.now(), nobody);
    await board.deliver();
    expect(receiver.types()).toEqual([]);
    await other.query('commit');
    await eventually('it is delivered', async () => {
      await board.deliver();
      return receiver.types().length > 0;
    });
    expect(receiver.received.map(({ subject }) => subject)).toEqual(['task:1']);
    expect(await board.eventTargets.find('hook')).toMatchObject({ lost: 0 });
  },
);
