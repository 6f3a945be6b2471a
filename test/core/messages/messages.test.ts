import { describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import type { NewMessage, Query } from '../../../src/core/messages/messages.js';
import { purge } from '../../../src/core/retention/purge.js';
import { testRuntime } from '../../support/test-runtime.js';
import { type Board, openBoard, shell } from '../tasks/board.js';

const inProject = (project: string, clientSessionId?: string) => nameSession({ project, clientSessionId });

/** Two sessions of one project that have begun, on one board. */
async function office(project = '/shop') {
  const board = await openBoard();
  const join = async (where = project, clientSessionId?: string) => {
    const session = inProject(where, clientSessionId);
    await board.sessions.begin(session, session);
    return session;
  };
  return { board, join, ada: await join(), bob: await join() };
}

const send = (board: Pick<Board, 'messages'>, to: string, actor: Actor, more: Partial<NewMessage> = {}) =>
  board.messages.send({ to, subject: 'The parser', body: 'It is done.', ...more }, actor);

async function read(board: Pick<Board, 'messages'>, actor: Actor, query: Partial<Query> = {}): Promise<string[]> {
  const { messages } = await board.messages.receive({ limit: 20, mostCharacters: 12_000, ...query }, actor);
  return messages.map(({ subject }) => subject);
}

describe('a message', () => {
  test('to a session is given to it once, and to no other', async () => {
    const { board, ada, bob, join } = await office();
    const carol = await join();
    const sent = await send(board, bob.holder, ada);
    expect(sent).toMatchObject({ from: ada.holder, to: bob.holder, thread: sent.id, importance: 'normal' });
    expect(await read(board, carol)).toEqual([]);
    expect(await board.messages.unread(bob)).toMatchObject({ count: 1, first: [{ subject: 'The parser' }] });
    expect(await read(board, bob)).toEqual(['The parser']);
    expect(await read(board, bob)).toEqual([]);
    expect(await board.messages.unread(bob)).toEqual({ count: 0, first: [] });
    expect(await board.history('message', sent.id)).toEqual(['sent', 'read']);
  });

  test('is given once, whichever of several processes of the conversation asks, and after a restart', async () => {
    const { board, ada, join } = await office();
    const early = await join('/shop', 'c0ffee');
    const late = inProject('/shop', 'c0ffee');
    const other = await testRuntime({ home: board.home, clock: board.clock });
    await send(board, 'c0ffee', ada);
    const got = await Promise.all([read(board, early), read(other, late), read(other, late), read(board, early)]);
    expect(got.flat()).toEqual(['The parser']);
    await board.sessions.end(early);
    await send(board, 'claude:c0ffee', ada, { subject: 'While you were away' });
    expect(await read(other, late)).toEqual(['While you were away']);
  });

  test('to a worker follows the worker into its next session', async () => {
    const { board, ada, bob, join } = await office();
    await board.slots.claim('hedy', { ...bob, sessionId: bob.id });
    await send(board, 'hedy', ada);
    await board.sessions.end(bob);
    const next = await join();
    expect(await read(board, next)).toEqual([]);
    await board.slots.claim('hedy', { ...next, sessionId: next.id });
    expect(await read(board, next)).toEqual(['The parser']);
    expect(await read(board, bob)).toEqual([]);
  });

  test('reaches a conversation that is known by what it holds alone', async () => {
    const { board, ada } = await office();
    const shellOfClaude = inProject('/shop', 'f00d');
    const wish = { globs: ['a'], isExclusive: true };
    await board.reservations.reserve(wish, { ...shellOfClaude, sessionId: undefined });
    expect(await send(board, 'claude:f00d', ada)).toMatchObject({ to: 'claude:f00d' });
    expect(await read(board, shellOfClaude)).toEqual(['The parser']);
  });

  test('to a slot without a named worker goes to its session, as others get that name later', async () => {
    const { board, ada, bob } = await office();
    const { slot } = await board.slots.claim(undefined, { ...bob, sessionId: bob.id });
    expect(await send(board, `slot:${slot}`, ada)).toMatchObject({ to: bob.holder });
    expect(await send(board, 'worker-1', ada)).toMatchObject({ to: bob.holder });
    await expect(send(board, '4', ada)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('to a goal reaches whoever works on it, now and later, each once, and not its sender', async () => {
    const { board, ada, bob, join } = await office('');
    const goal = await board.goals.create({ name: 'G', description: '' }, ada);
    const other = await board.add('Elsewhere');
    for (const title of ['one', 'two']) await board.add(title, { goalId: goal.id });
    await board.claim(2, ada);
    await send(board, `goal:${goal.id}`, ada);
    await board.claim(other.id, bob);
    expect(await read(board, bob)).toEqual([]);
    await board.claim(3, bob);
    expect(await read(board, bob)).toEqual(['The parser']);
    expect(await read(board, bob)).toEqual([]);
    expect(await read(board, ada)).toEqual([]);
    await board.end(3, 'completed', bob);
    await send(board, `goal:${goal.id}`, ada, { subject: 'Afterwards' });
    expect(await read(board, bob)).toEqual(['Afterwards']);
    expect(await read(board, await join(''))).toEqual([]);
  });

  test('to all reaches the sessions of the project that live now or begin before it expires', async () => {
    const { board, ada, bob, join } = await office();
    const stranger = await join('/other');
    await send(board, 'all', ada);
    await send(board, 'all', shell, { subject: 'From the user' });
    expect(await read(board, stranger)).toEqual(['From the user']);
    board.clock.pass(23 * 3_600_000);
    const late = await join();
    board.clock.pass(2 * 3_600_000);
    const tooLate = await join();
    expect(await read(board, tooLate)).toEqual([]);
    expect(await read(board, late)).toEqual(['The parser', 'From the user']);
    expect(await read(board, bob)).toEqual(['The parser', 'From the user']);
    expect(await read(board, ada)).toEqual(['From the user']);
  });

  test('reaches each of several workers of one session, which read for themselves', async () => {
    const { board, ada, bob } = await office();
    for (const name of ['hedy', 'grace']) await board.slots.claim(name, { ...bob, sessionId: bob.id });
    await send(board, 'all', ada, { subject: 'For all' });
    await send(board, 'grace', bob, { worker: 'hedy', subject: 'For Grace' });
    expect(await read(board, bob, { worker: 'hedy' })).toEqual(['For all']);
    expect(await read(board, bob, { worker: 'grace' })).toEqual(['For all', 'For Grace']);
    expect(await read(board, bob)).toEqual(['For all']);
    await expect(read(board, ada, { worker: 'grace' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(send(board, 'all', ada, { worker: 'grace' })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('can be sent and read by a worker without a session, who says its name', async () => {
    const { board, ada } = await office();
    await board.slots.claim('curl', { ...shell, sessionId: undefined });
    await send(board, 'curl', ada);
    await expect(read(board, shell)).rejects.toMatchObject({ code: 'invalid' });
    expect(await board.messages.unread(shell, 'curl')).toMatchObject({ count: 1 });
    expect(await read(board, shell, { worker: 'curl' })).toEqual(['The parser']);
    const answer = await send(board, ada.holder, shell, { worker: 'curl' });
    expect(answer.from).toBe('curl');
    expect(await read(board, ada)).toEqual(['The parser']);
  });

  test('is part of a thread that its readers see whole, and others do not', async () => {
    const { board, ada, bob, join } = await office();
    const first = await send(board, bob.holder, ada, { subject: 'Which lexer?' });
    await read(board, bob);
    const answer = await send(board, ada.holder, bob, { subject: 'The new one', thread: first.id });
    const again = await send(board, bob.holder, ada, { subject: 'Thanks', thread: answer.id });
    expect(again.thread).toBe(first.id);
    expect(await read(board, bob, { thread: answer.id })).toEqual(['Which lexer?', 'The new one', 'Thanks']);
    expect(await board.messages.unread(bob)).toMatchObject({ count: 0 });
    expect(await read(board, await join(), { thread: first.id })).toEqual([]);
    await expect(send(board, ada.holder, bob, { thread: 99 })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('comes before less important ones; a peek leaves it unread, and what has been read can be asked for', async () => {
    const { board, ada, bob } = await office();
    for (const importance of ['low', 'normal', 'high'] as const) {
      await send(board, bob.holder, ada, { importance, subject: importance });
    }
    expect(await read(board, bob, { isPeek: true })).toEqual(['high', 'normal', 'low']);
    expect(await read(board, bob, { limit: 1 })).toEqual(['high']);
    expect(await read(board, bob, { withRead: true })).toEqual(['normal', 'low', 'high']);
    expect(await read(board, bob)).toEqual([]);
  });

  test('that does not fit beside others stays unread', async () => {
    const { board, ada, bob } = await office();
    for (const subject of ['a', 'b', 'c']) await send(board, bob.holder, ada, { subject, body: 'x'.repeat(5_000) });
    expect(await board.messages.receive({ limit: 20, mostCharacters: 12_000 }, bob)).toMatchObject({ unread: 1 });
    expect(await read(board, bob, { mostCharacters: 1 })).toEqual(['c']);
  });

  test('keeps no character that a terminal would obey, and its subject is one line', async () => {
    const { board, ada, bob } = await office();
    const { subject, body } = await send(board, bob.holder, ada, {
      subject: 'Red\u001b[31m\nalert\u202e',
      body: 'one\r\n\ttwo\u0007\u001b]0;title',
    });
    expect([subject, body]).toEqual(['Red[31m alert', 'one\n\ttwo]0;title']);
    await expect(send(board, bob.holder, ada, { body: '\u0007 ' })).rejects.toMatchObject({ code: 'invalid' });
  });

  test.each(['nobody', 'goal:77', 'goal:x', 'slot:9', ''])('to %j, who does not exist, is refused', async (to) => {
    const { board, ada, bob } = await office();
    await board.slots.claim('hedy', { ...bob, sessionId: bob.id });
    const refusal = await send(board, to, ada).catch((error) => error);
    expect(refusal).toMatchObject({ code: 'not_found' });
    if (to === 'nobody') expect(refusal.hint).toContain('hedy');
    expect(await board.messages.count({})).toBe(0);
  });

  test('is purged once it is old and over: read, expired, or of a goal that has ended', async () => {
    const { board, ada, bob } = await office('');
    const goal = await board.goals.create({ name: 'G', description: '' }, ada);
    await send(board, bob.holder, ada, { subject: 'read' });
    await read(board, bob);
    await send(board, bob.holder, ada, { subject: 'unread' });
    await send(board, `goal:${goal.id}`, ada, { subject: 'open goal' });
    await send(board, 'all', ada, { subject: 'all' });
    board.clock.pass(2 * 86_400_000);
    const left = async () => {
      const purged = await purge(board.db, board.clock.now(), { at: board.clock.now(), actor: ada });
      const kept = await board.messages.list({ limit: 10 });
      return [purged.messages, kept.map(({ subject }) => subject)];
    };
    expect(await left()).toEqual([2, ['open goal', 'unread']]);
    await board.goals.edit(goal.id, { status: 'cancelled' }, ada);
    board.clock.pass(30 * 86_400_000);
    // That to the goal goes with the goal.
    expect(await left()).toEqual([1, []]);
  });
});
