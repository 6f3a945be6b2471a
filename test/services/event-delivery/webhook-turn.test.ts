import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { readAttention } from '../../../src/core/attention/attention.js';
import { longestHoldMs } from '../../../src/core/event-targets/undelivered.js';
import { countStatements } from '../../support/count-statements.js';
import { movingClock } from '../../support/moving-clock.js';
import { hooked, nobody, secret } from './hooked.js';
import { startReceiver } from './receiver.js';

const dayMs = 86_400_000;

describe('the events of a board', () => {
  it('arrive as they were recorded, signed so that the reference library takes them', async () => {
    // The library takes no message of another hour.
    const [board, receiver] = [await hooked({ clock: movingClock(Date.now()) }), await startReceiver()];
    const { id } = await board.add(receiver.url);
    const [task] = await board.tasks.create([{ title: 'Write' }], nobody);
    await board.deliver();
    const sent = receiver.received.find(({ type }) => type === 'task.created');
    expect(sent?.headers['webhook-timestamp']).toBe(String(Math.floor(board.clock.now() / 1000)));
    const message = new Webhook(secret).verify(sent?.body ?? '', sent?.headers ?? {});
    const at = new Date(board.clock.now()).toISOString();
    expect(message).toEqual({
      type: 'task.created',
      timestamp: at,
      data: {
        id: expect.any(Number),
        at,
        subject: 'task',
        subject_id: String(task?.id),
        type: 'created',
        project: '',
        actor: null,
        data: expect.any(Object),
      },
    });
    const { data } = message as { data: { id: number } };
    expect(sent?.id).toBe(`msg_${id}_${data.id}`);
    expect(sent?.headers['content-type']).toBe('application/json');
  });

  it('are signed with the old secret too for a day after it was changed', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    await board.eventTargets.rotate('hook', `whsec_${Buffer.alloc(32, 7).toString('base64')}`);
    await board.note('1');
    await board.deliver();
    board.clock.pass(dayMs + 1);
    await board.note('2');
    await board.deliver();
    const signatures = receiver.received.map(({ headers }) => headers['webhook-signature']?.split(' ').length);
    expect(signatures).toEqual([2, 1]);
  });

  it('are chosen by kind, project and goal', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    const goal = await board.goals.create({ name: 'Ship', description: '' }, nobody);
    const tasks = await board.tasks.create([{ title: 'In it', goalId: goal.id }, { title: 'Beside' }], nobody);
    const [inside, beside] = tasks.map(({ id }) => String(id));
    await board.add(receiver.url, { name: 'kinds', events: ['task.comp*', '*.failed'] });
    await board.add(receiver.url, { name: 'project', project: '/work/here' });
    await board.add(receiver.url, { name: 'goal', goalId: goal.id, events: ['task.note', 'goal.*'] });
    await board.note(inside ?? '');
    await board.note(beside ?? '');
    await board.record({ subject: 'task', subjectId: beside ?? '', type: 'completed' });
    await board.record({
      subject: 'job',
      subjectId: 'j',
      type: 'failed',
      actor: { holder: null, project: '/work/here' },
    });
    const arrived = async (name: string) => {
      receiver.received.length = 0;
      await board.deliver(name);
      return receiver.received.map(({ type, subject }) => `${type} ${subject}`);
    };
    expect(await arrived('kinds')).toEqual([`task.completed task:${beside}`, 'job.failed job:j']);
    expect(await arrived('project')).toEqual(['job.failed job:j']);
    expect(await arrived('goal')).toEqual([`task.note task:${inside}`]);
  });

  it('arrive in order by what they are about, several at once', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    for (let round = 0; round < 10; round++) for (const subject of ['1', '2', '3']) await board.note(subject);
    receiver.answer = async () => new Promise((resolve) => setImmediate(resolve));
    await board.deliver();
    for (const subject of ['task:1', 'task:2', 'task:3']) {
      const ids = receiver.received.filter((one) => one.subject === subject).map(({ id }) => Number(id.split('_')[2]));
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      expect(ids).toHaveLength(10);
    }
    expect(receiver.mostAtOnce()).toBeLessThanOrEqual(3);
  });

  it('whose data are too long come without them, and say so', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    await board.record({ subject: 'task', subjectId: '1', type: 'note', data: { note: 'x'.repeat(300_000) } });
    await board.deliver();
    expect(JSON.parse(receiver.received[0]?.body ?? '').data).toMatchObject({ data: {}, is_cut: true });
  });
});

describe('a message that is not taken', () => {
  it('is tried ten times in three days, then it is dead until it is sent again', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    receiver.answer = (_, response) => void response.writeHead(500);
    await board.note('1');
    const startedAt = board.clock.now();
    await board.deliver();
    for (let tries = 1; tries < 10; tries++) {
      const [failed] = await board.eventTargets.failed('hook', 10);
      expect(failed).toMatchObject({ status: 'waiting', attempts: tries, lastError: 'it answered 500' });
      board.clock.pass((failed?.nextAt ?? 0) - board.clock.now());
      // It is taken to be down by now and may be asked a little later.
      board.clock.pass((await board.eventTargets.find('hook')).pausedUntil === null ? 0 : 300_000);
      await board.deliver();
    }
    expect(receiver.received).toHaveLength(10);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    expect(board.clock.now() - startedAt).toBeGreaterThan(3 * dayMs);
    expect(await board.eventTargets.failed('hook', 10)).toMatchObject([{ status: 'dead', attempts: 10 }]);
    board.clock.pass(dayMs);
    await board.deliver();
    expect(receiver.received).toHaveLength(10);
    receiver.answer = () => {};
    expect(await board.eventTargets.resend({ name: 'hook' })).toBe(1);
    await board.deliver();
    expect(receiver.received).toHaveLength(11);
    expect(await board.eventTargets.failed(undefined, 10)).toEqual([]);
  });

  it('does not keep the others waiting', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    receiver.answer = ({ subject }, response) => void (subject === 'task:2' && response.writeHead(400));
    for (const subject of ['1', '2', '3', '2', '1']) await board.note(subject);
    await board.deliver();
    expect(await board.eventTargets.find('hook')).toMatchObject({ delivered: 3, status: 'active' });
    expect(await board.eventTargets.failed('hook', 10)).toHaveLength(2);
  });

  it('says when to come again, and gets nothing before', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    receiver.answer = (_, response) => void response.writeHead(429, { 'retry-after': '600' });
    for (const subject of ['1', '1', '1']) await board.note(subject);
    await board.deliver();
    expect(receiver.received).toHaveLength(1);
    receiver.answer = () => {};
    board.clock.pass(599_000);
    await board.deliver();
    expect(receiver.received).toHaveLength(1);
    board.clock.pass(1_000);
    await board.deliver();
    expect(receiver.received).toHaveLength(4);
  });
});

describe('a receiver that is down', () => {
  it('is asked with one message at a time, and gets all when it is back', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    await receiver.close();
    for (let event = 0; event < 40; event++) await board.note('1');
    await board.deliver();
    expect(await board.eventTargets.failed('hook', 100)).toHaveLength(5);
    const { failures, pausedUntil, lastError } = await board.eventTargets.find('hook');
    expect({ failures, lastError }).toEqual({ failures: 5, lastError: 'the connection failed (ECONNREFUSED)' });
    expect(pausedUntil).toBeGreaterThan(board.clock.now());
    const back = await startReceiver(receiver.port);
    board.clock.pass(300_000);
    await board.deliver();
    expect(back.received).toHaveLength(40);
    expect(new Set(back.received.map(({ id }) => id)).size).toBe(40);
    expect(await board.eventTargets.find('hook')).toMatchObject({ failures: 0, failingSince: null, pausedUntil: null });
  });

  it('needs a person while it is, and is put out of use after five days', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    await receiver.close();
    for (let event = 0; event < 9; event++) await board.note('1');
    await board.deliver();
    const needs = async () =>
      (await readAttention(board, 5)).kinds.map(({ kind, needs: [need] }) => [kind, need?.name]);
    expect(await needs()).toEqual([['failed_webhook', 'hook']]);
    for (let day = 0; day < 5; day++) {
      board.clock.pass(dayMs);
      await board.deliver();
    }
    const disabled = await board.eventTargets.find('hook');
    expect(disabled).toMatchObject({ status: 'disabled', disabledWhy: expect.stringContaining('nothing for 5 days') });
    expect(await needs()).toEqual([['failed_webhook', 'hook']]);
    expect(await board.deliver()).toBe(false);
    const back = await startReceiver(receiver.port);
    await board.eventTargets.enable('hook', false, nobody);
    await board.deliver();
    expect(new Set(back.received.map(({ id }) => id)).size).toBe(9);
    expect(await needs()).toEqual([]);
  });

  it('that answers 410 gets nothing more', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    receiver.answer = (_, response) => void response.writeHead(410);
    for (const subject of ['1', '1']) await board.note(subject);
    expect(await board.deliver()).toBe(false);
    expect(receiver.received).toHaveLength(1);
    const disabled = await board.eventTargets.find('hook');
    expect(disabled).toMatchObject({ status: 'disabled', disabledWhy: 'it answered 410: it wants no more events' });
  });
});

describe('a process that delivers', () => {
  it('that ends before it could write what came of it leaves all to the next one', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    await board.note('1');
    // Its lease lapses while the receiver answers, and another process takes it.
    receiver.answer = async () => {
      receiver.answer = () => {};
      board.clock.pass(60_000);
      await board.deliver();
    };
    expect(await board.deliver()).toBe(false);
    expect(receiver.received.map(({ id }) => id)).toEqual([receiver.received[1]?.id, receiver.received[1]?.id]);
    expect(await board.eventTargets.find('hook')).toMatchObject({ delivered: 1 });
  });

  it('sends nothing once it may have lost its lease', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    for (const subject of ['1', '1', '1']) await board.note(subject);
    await board.deliver('hook', () => receiver.received.length < 1);
    expect(receiver.received).toHaveLength(1);
    await board.deliver();
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3);
  });

  it('has a target alone', async () => {
    const board = await hooked();
    const { id } = await board.add('http://127.0.0.1:9/hook');
    const taken = await Promise.all(Array.from({ length: 8 }, () => board.targets.take(id)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await board.targets.free([])).toEqual([]);
    board.clock.pass(15_000);
    expect(await board.targets.free([])).toEqual([id]);
  });
});

it.each([
  [{ name: 'a b' }, 'is not the name of a webhook'],
  [{ events: ['task.completd'] }, 'No kind of event matches "task.completd"'],
  [{ goalId: 7 }, 'No goal has id 7'],
])('a webhook with %j is refused, and nothing is written', async (wrong, why) => {
  const board = await hooked();
  await expect(board.add('https://example.com/', wrong)).rejects.toThrow(why);
  expect(await board.eventTargets.list()).toEqual([]);
  await expect(board.eventTargets.find('hok')).rejects.toThrow('There is no webhook "hok"');
});

describe('a purge', () => {
  it('keeps what a webhook has not got yet, for a week at most, and says what it has lost', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url, { events: ['task.note'] });
    await board.note('1');
    await board.note('2');
    board.clock.pass(longestHoldMs);
    await board.maintenance.purge(board.clock.now(), nobody);
    await board.deliver();
    expect(receiver.types()).toEqual(['task.note', 'task.note']);
    await board.note('3');
    board.clock.pass(longestHoldMs + 1);
    await board.maintenance.purge(board.clock.now(), nobody);
    await board.deliver();
    expect(receiver.received).toHaveLength(2);
    expect((await board.eventTargets.find('hook')).lost).toBeGreaterThanOrEqual(1);
    const row = await board.db.get<{ data: string }>("select data from events where type = 'events_lost'");
    expect(JSON.parse(row?.data ?? '{}')).toMatchObject({ name: 'hook', kind: 'webhook' });
  });

  it('deletes as ever what every webhook has got', async () => {
    const [board, receiver] = [await hooked(), await startReceiver()];
    await board.add(receiver.url);
    for (const subject of ['1', '2', '3']) await board.note(subject);
    await board.deliver();
    board.clock.pass(1);
    const { events } = await board.maintenance.purge(board.clock.now(), nobody);
    // The last one is the webhook's place among the events; another says that it was added.
    expect(events).toBe(3);
  });
});

it('a board without webhooks pays with one read in two seconds, and writes what it wrote before', async () => {
  const board = await hooked();
  const looked = await countStatements(board.db, () => board.deliverer.look());
  expect(looked).toEqual({ statements: [expect.stringContaining('from event_targets')], transactions: 0 });
  const written = await countStatements(board.db, () => board.note('1'));
  expect(written.statements.filter((text) => /event_(targets|deliveries)/.test(text))).toEqual([]);
});
