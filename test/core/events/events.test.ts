import { describe, expect, test } from 'vitest';
import { listEvents, recordEvent } from '../../../src/core/events/events.js';
import { isOnPostgres } from '../../support/postgres.js';
import { alice, bob, openBoard } from '../tasks/board.js';

describe('the log', () => {
  test('says who did what to a thing, and when, newest first', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', {}, { ...alice, project: '/a' });
    const created = board.clock.now();
    board.clock.pass(1_000);
    await board.claim(id, bob);
    const events = await listEvents(board.db, { subject: 'task', subjectId: String(id), limit: 10 });
    expect(events).toMatchObject([
      {
        at: created + 1_000,
        subject: 'task',
        subjectId: `${id}`,
        type: 'claimed',
        actor: 'session:bob',
        data: { claim_token: 1, attempt: 1 },
      },
      { at: created, type: 'created', actor: 'session:alice', project: '/a', data: {} },
    ]);
  });

  test('is cut to a kind of thing, a time and a page', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    await board.add('one', { goalId: goal.id });
    board.clock.pass(1_000);
    const later = board.clock.now();
    await board.add('two', { goalId: goal.id });
    const types = async (filter: Omit<Parameters<typeof listEvents>[1], 'limit'>) =>
      (await listEvents(board.db, { limit: 10, ...filter })).map((event) => `${event.subject} ${event.subjectId}`);
    expect(await types({})).toEqual(['task 2', 'task 1', 'goal 1']);
    expect(await types({ subject: 'task' })).toEqual(['task 2', 'task 1']);
    expect(await types({ since: later })).toEqual(['task 2']);
    expect(await types({ beforeId: 3 })).toEqual(['task 1', 'goal 1']);
  });

  test('gives each event once over its pages, while others are added', async () => {
    const board = await openBoard();
    for (let count = 0; count < 10; count++) await board.add(`T${count}`);
    const seen: number[] = [];
    let beforeId: number | undefined;
    do {
      const page = await listEvents(board.db, { subject: 'task', limit: 3, beforeId });
      seen.push(...page.map((event) => event.id));
      beforeId = page.at(-1)?.id;
      await board.add('Meanwhile');
    } while (beforeId !== undefined);
    expect(seen).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test.skipIf(isOnPostgres)('is read along its end, not sorted, however long it is', async () => {
    const board = await openBoard();
    for (const filter of [{}, { subject: 'task' as const }, { subject: 'task' as const, subjectId: '7' }]) {
      const statements: string[] = [];
      const { all } = board.db;
      const spy = Object.assign(Object.create(board.db), {
        all: (text: string, ...values: never[]) => {
          statements.push(text);
          return all(text, ...values);
        },
      });
      await listEvents(spy, { ...filter, limit: 20 });
      const plan = await board.db.all<{ detail: string }>(
        `explain query plan ${statements[0]}`,
        ...Object.values(filter),
        20,
      );
      expect(plan.filter((step) => step.detail.includes('TEMP B-TREE'))).toEqual([]);
    }
  });

  test('keeps an event only if the change that it tells of is kept', async () => {
    const board = await openBoard();
    await expect(
      board.db.transaction(async (sql) => {
        await recordEvent(sql, { at: 1, subject: 'runtime', subjectId: 'x', type: 'cleared' });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await listEvents(board.db, { limit: 10 })).toEqual([]);
  });
});
