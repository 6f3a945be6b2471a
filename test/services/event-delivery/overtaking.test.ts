import { expect, it } from 'vitest';
import { recordEvent } from '../../../src/core/events/events.js';
import { isOnPostgres, newPostgresUrl, postgresPort } from '../../support/postgres.js';
import { tempDir } from '../../support/temp-dir.js';
import { hooked } from './hooked.js';
import { startReceiver } from './receiver.js';

it.runIf(postgresPort)('an event that is committed after a later one is delivered, and so before it', async () => {
  const home = tempDir();
  // Where every test is on PostgreSQL, a home has its database.
  const env: Record<string, string> = isOnPostgres ? {} : { AGENT_RUNTIME_DB_URL: newPostgresUrl() };
  const both = { home, env };
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
