import { describe, expect, test } from 'vitest';
import { eventsAfter, newestEventId, recordEvent } from '../../../src/core/events/events.js';
import { migrations } from '../../../src/store/migrate.js';
import { eventually } from '../../support/eventually.js';
import { postgresPort } from '../../support/postgres.js';
import { openPostgresStore } from './open-postgres.js';

const event = (subjectId: string) => ({ at: 1, subject: 'task', subjectId, type: 'note' }) as const;

describe.runIf(postgresPort)('events of writers that overtake each other', () => {
  test('are all read, each once, in the order of their numbers', async () => {
    const db = await openPostgresStore({ steps: migrations });
    const other = await openPostgresStore({ url: db.url, steps: migrations });
    await db.transaction((sql) => recordEvent(sql, event('before')));
    // Transactions of other databases of the server hold events back too.
    const start = await eventually('it can be read', () => newestEventId(db));
    let goOn: () => void = () => {};
    const slow = db.transaction(
      async (sql) => {
        await recordEvent(sql, event('first'));
        await sql.get('select 1 as one');
        // Its commit waits at the server, as one over a slow line would.
        goOn();
        await sql.get('select pg_sleep(0.5)');
      },
      { beside: true },
    );
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await other.transaction((sql) => recordEvent(sql, event('second')), { beside: true });
    expect(await eventsAfter(other, start, 10)).toEqual([]);
    expect(await newestEventId(other)).toBe(start);
    await slow;
    await eventually('both can be read', async () => (await eventsAfter(other, start, 10)).length > 1);
    const read = await eventsAfter(other, start, 10);
    expect(read.map(({ subjectId }) => subjectId)).toEqual(['first', 'second']);
    expect(await newestEventId(other)).toBe(read.at(-1)?.id);
  });
});
