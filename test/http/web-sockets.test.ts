import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { type ServedRuntime, sendRequest, serve } from './serve.js';

const actor = { holder: null, project: '' };

interface Listener {
  socket: WebSocket;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a message by asserting it.
  messages: any[];
  isOpen: boolean;
  /** The status of the refusal, or the code of the end. */
  refused: number | undefined;
  closed: number | undefined;
  ids(): number[];
}

interface Connecting {
  path?: string;
  headers?: Record<string, string>;
  protocols?: string[];
  /** Whether it takes down what it hears. */
  keeps?: boolean;
}

/** Connects as any program does, by default with the owner's token. */
function listen({ server, ownerToken }: ServedRuntime, connecting: Connecting = {}): Listener {
  const { path = '/ws', headers = { authorization: `Bearer ${ownerToken}` }, protocols = [] } = connecting;
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols, { headers });
  const listener: Listener = {
    socket,
    messages: [],
    isOpen: false,
    refused: undefined,
    closed: undefined,
    ids: () => listener.messages.filter(({ type }) => type === 'event').map(({ event }) => event.id),
  };
  socket.on('open', () => {
    listener.isOpen = true;
  });
  socket.on('message', (data) => void listener.messages.push(JSON.parse(String(data))));
  socket.on('unexpected-response', (request, { statusCode }) => {
    listener.refused = statusCode;
    request.destroy();
  });
  socket.on('close', (code) => {
    listener.closed = code;
  });
  socket.on('error', () => {});
  onTestFinished(() => socket.terminate());
  return listener;
}

const createTasks = ({ runtime }: ServedRuntime, count: number) =>
  runtime.tasks.create(
    Array.from({ length: count }, (_, index) => ({ title: `task ${index}` })),
    actor,
  );

async function allIds({ runtime }: ServedRuntime): Promise<number[]> {
  return (await runtime.db.all<{ id: number }>('select id from events order by id')).map(({ id }) => id);
}

describe('a socket with the board', () => {
  it.each(['/ws', '/'])('at %s begins with the whole of it, and brings it anew at each change', async (path) => {
    const served = await serve();
    await served.send('POST', '/api/add-task', { body: '{"id": "T1", "description": "first"}' });
    const listener = listen(served, { path });
    await eventually('the board has come', () => listener.messages.length === 1);
    expect(listener.messages[0]).toMatchObject({
      type: 'initial',
      workers: [{ slot: 1, active: false, workerId: null, taskId: null }, {}, {}, {}, {}],
      tasks: [{ id: 'T1', description: 'first', status: 'available', worker: null, dependencies: [] }],
    });
    await served.send('POST', '/api/claim-worker-slot');
    await served.send('POST', '/api/claim-task', { body: '{"taskId": "T1", "workerId": "w", "workerSlot": 1}' });
    await eventually('the claim has come', () => listener.messages.at(-1).tasks[0].status === 'working');
    expect(listener.messages.at(-1)).toMatchObject({
      type: 'update',
      workers: [{ slot: 1, active: true, workerId: 'w', taskId: 'T1' }, {}, {}, {}, {}],
      tasks: [{ id: 'T1', worker: 'w' }],
    });
  });

  it('has the newest thousand tasks, oldest first', async () => {
    const served = await serve();
    await createTasks(served, 1_010);
    const listener = listen(served);
    await eventually('the board has come', () => listener.messages.length === 1);
    const ids = listener.messages[0].tasks.map(({ id }: { id: string }) => id);
    expect(ids).toHaveLength(1_000);
    expect([ids[0], ids.at(-1)]).toEqual(['11', '1010']);
  });

  it('is not told of what has nothing to do with the board', async () => {
    const served = await serve();
    const listener = listen(served);
    await eventually('the board has come', () => listener.messages.length === 1);
    await served.send('POST', '/api/tools/create_goal', { body: '{"name": "G", "description": ""}' });
    await createTasks(served, 1);
    await eventually('the task has come', () => listener.messages.at(-1).tasks.length === 1);
    expect(listener.messages).toHaveLength(2);
  });
});

describe('a socket with events', () => {
  it('brings every change once and in order, from the place that it names', async () => {
    const served = await serve();
    await createTasks(served, 700);
    const listener = listen(served, { path: '/ws?show=events&after=100' });
    await createTasks(served, 3);
    const wanted = (await allIds(served)).filter((id) => id > 100);
    await eventually('all have come', () => listener.ids().length >= wanted.length);
    expect(listener.ids()).toEqual(wanted);
    expect(listener.messages[0]).toEqual({ type: 'ready', after: 100 });
    expect(listener.messages[1].event).toEqual({
      id: 101,
      at: expect.stringMatching(/Z$/),
      subject: 'task',
      subject_id: '101',
      type: 'created',
      project: '',
      actor: null,
      data: expect.any(Object),
    });
  });

  it('is cut off when its client reads nothing, who then goes on where it was; others are not held up', async () => {
    const served = await serve();
    const slow = listen(served, { path: '/ws?show=events' });
    const quick = listen(served, { path: '/ws?show=events' });
    await eventually('both are open', () => slow.messages.length === 1 && quick.messages.length === 1);
    slow.socket.pause();
    // More than the sockets and the backlog hold.
    await served.runtime.db.transaction(async (sql) => {
      for (let index = 0; index < 2_000; index++) {
        await sql.run(
          "insert into events (at, subject, subject_id, type, data) values (0, 'task', '1', 'edited', ?)",
          JSON.stringify({ text: 'y'.repeat(8_000) }),
        );
      }
    });
    const wanted = await allIds(served);
    await eventually('the quick one has all', () => quick.ids().length >= wanted.length);
    await eventually('the slow one has no connection any more', () => served.server.connections().then((n) => n === 1));
    slow.socket.resume();
    await eventually('the slow one was cut off', () => slow.closed !== undefined);
    const had = slow.ids();
    expect(had.length).toBeLessThan(wanted.length);
    const back = listen(served, { path: `/ws?show=events&after=${had.at(-1) ?? 0}` });
    await eventually('it has the rest', () => had.length + back.ids().length >= wanted.length);
    expect([...had, ...back.ids()]).toEqual(wanted);
  });

  it('cannot show anything else', async () => {
    const refused = listen(await serve(), { path: '/ws?show=jobs' });
    await eventually('it is refused', () => refused.refused === 400);
  });
});

describe('a socket is let in', () => {
  it('by a token in the Authorization header or in a subprotocol, and not by one in the address', async () => {
    const served = await serve();
    const { ownerToken } = served;
    const protocols = ['agent-runtime', `bearer.${ownerToken}`];
    const byProtocol = listen(served, { headers: {}, protocols });
    const byAddress = listen(served, { path: `/ws?token=${ownerToken}`, headers: {} });
    const byNothing = listen(served, { headers: {} });
    const byWrong = listen(served, { headers: {}, protocols: ['agent-runtime', 'bearer.wrong'] });
    await eventually('all are answered', () => byProtocol.isOpen && byAddress.refused && byNothing.refused);
    expect(byProtocol.socket.protocol).toBe('agent-runtime');
    expect([byAddress.refused, byNothing.refused]).toEqual([401, 401]);
    await eventually('the wrong one is refused', () => byWrong.refused === 401);
  });

  it("by a browser's cookie, from our own page alone", async () => {
    const served = await serve();
    const address = new URL(await served.server.ownerUrl());
    const entered = await served.send('GET', `/${address.search}`, { headers: { authorization: '' } });
    const cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const own = listen(served, { headers: { cookie, origin: `http://127.0.0.1:${served.server.port}` } });
    const foreign = listen(served, { headers: { cookie, origin: 'https://evil.example' } });
    const renamed = listen(served, { headers: { cookie, host: 'evil.example' } });
    await eventually('all are answered', () => own.isOpen && foreign.refused && renamed.refused);
    expect([foreign.refused, renamed.refused]).toEqual([403, 403]);
    const [browser] = await served.runtime.access.listBrowsers();
    await served.runtime.access.revoke(browser?.id ?? '', actor);
    await eventually('it has ended with the session', () => own.closed === 1008);
  });

  it('until its token is revoked: what comes after that is not sent', async () => {
    const served = await serve();
    const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
    const listener = listen(served, {
      path: '/ws?show=events&after=0',
      headers: { authorization: `Bearer ${token}` },
    });
    await createTasks(served, 2);
    const before = await allIds(served);
    await eventually('all so far have come', () => listener.ids().length === before.length);
    await served.runtime.access.revoke('screen', actor);
    await createTasks(served, 5);
    await eventually('it has ended', () => listener.closed === 1008);
    expect(listener.ids()).toEqual(before);
  });

  it('as one of the 50 streams of its token, and gives its place back', async () => {
    const served = await serve();
    const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
    const headers = { authorization: `Bearer ${token}` };
    const open = Array.from({ length: 50 }, () => listen(served, { headers }));
    await eventually('all are open', () => open.every(({ isOpen }) => isOpen));
    const next = listen(served, { headers });
    await eventually('one more is refused', () => next.refused === 503);
    open[0]?.socket.close();
    await eventually('there is room again', async () => {
      const again = listen(served, { headers });
      await eventually('it is answered', () => again.isOpen || again.refused);
      return again.isOpen;
    });
  });
});

describe('a socket', () => {
  it('is closed for a message that is too large, and small ones change nothing', async () => {
    const listener = listen(await serve());
    await eventually('it is open', () => listener.isOpen);
    listener.socket.send('{"type": "hello"}');
    listener.socket.send('x'.repeat(70_000));
    await eventually('it has ended', () => listener.closed === 1009);
  });

  it('is asked whether it is there, and ended when it does not answer', async () => {
    // The one that is there is held up with this process, but not for so long.
    const served = await serve({ pingMs: 2_000 });
    const there = listen(served);
    await eventually('it is open', () => there.isOpen);
    let pings = 0;
    there.socket.on('ping', () => pings++);
    const { socket: gone, hasEnded } = await handshake(served);
    await eventually('the one that does not answer has ended', hasEnded);
    gone.destroy();
    await eventually('the other was asked again and again', () => pings > 3);
    expect(there.closed).toBeUndefined();
  });

  it('is not ended for an answer that has come, but could not be read as the process was held up', async () => {
    const pingMs = 100;
    const served = await serve({ pingMs });
    const client = clientOfItsOwn(served);
    const { ping } = WebSocket.prototype;
    const asking = vi.spyOn(WebSocket.prototype, 'ping').mockImplementation(function (this: WebSocket) {
      ping.call(this);
      // Before the answer is read, and until it is time for the next one.
      setImmediate(() => {
        client.waitForAnswer();
        const until = performance.now() + 2 * pingMs;
        while (performance.now() < until);
      });
    });
    onTestFinished(() => asking.mockRestore());
    await eventually('it was asked again and again', () => client.answers() > 3 || client.hasEnded());
    expect(client.hasEnded()).toBe(false);
  });

  it('ends with the server, which is not kept by it', async () => {
    const served = await serve();
    const listener = listen(served);
    await handshake(served);
    await eventually('it is open', () => listener.isOpen);
    await served.server.close();
    await eventually('it was told', () => listener.closed === 1001);
  });

  it('is no use of the address without a handshake', async () => {
    const { send } = await serve();
    expect(await send('GET', '/ws')).toMatchObject({ status: 426, data: { error: { code: 'invalid' } } });
  });
});

/** A client in a thread of its own, which answers while the thread of the server is held up. */
function clientOfItsOwn({ server, ownerToken }: ServedRuntime) {
  const [answers, isOver] = [0, 1];
  const seen = new Int32Array(new SharedArrayBuffer(8));
  const code = `
    const { workerData: { url, options, seen } } = require('node:worker_threads');
    const { WebSocket } = require('ws');
    const socket = new WebSocket(url, options);
    // It has answered when it says that it was asked.
    socket.on('ping', () => { Atomics.add(seen, ${answers}, 1); Atomics.notify(seen, ${answers}); });
    socket.on('close', () => { Atomics.store(seen, ${isOver}, 1); Atomics.notify(seen, ${answers}); });`;
  const url = `ws://127.0.0.1:${server.port}/ws`;
  const options = { headers: { authorization: `Bearer ${ownerToken}` } };
  const worker = new Worker(code, { eval: true, workerData: { url, options, seen } });
  const hasEnded = () => Atomics.load(seen, isOver) === 1;
  onTestFinished(async () => {
    Atomics.store(seen, isOver, 1);
    await worker.terminate();
  });
  let waitedFor = 0;
  return {
    answers: () => Atomics.load(seen, answers),
    hasEnded,
    /** Blocks this thread until it has answered once more, or has ended. */
    waitForAnswer: () => void (hasEnded() || Atomics.wait(seen, answers, waitedFor++, 60_000)),
  };
}

/** A client that opens a socket and then reads what comes, but answers nothing. */
async function handshake({ server, ownerToken }: ServedRuntime): Promise<{ socket: Socket; hasEnded(): boolean }> {
  const socket = connect(server.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  let hasEnded = false;
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  socket.on('close', () => {
    hasEnded = true;
  });
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${ownerToken}\r\n` +
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await eventually('it is open', () => text.startsWith('HTTP/1.1 101'));
  return { socket, hasEnded: () => hasEnded };
}

describe('a request that asks for another protocol', () => {
  it('is answered as if it had not asked, body and all, as Java sends each first one', async () => {
    const { server, ownerToken } = await serve();
    const headers = {
      authorization: `Bearer ${ownerToken}`,
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    };
    const body = JSON.stringify({ title: 'x'.repeat(500), description: 'y'.repeat(100_000) });
    const created = await sendRequest(server.port, 'POST', '/api/tools/create_task', headers, body);
    expect(created).toMatchObject({ status: 200, data: { id: 1 } });
    const elsewhere = { ...headers, connection: 'Upgrade', upgrade: 'websocket' };
    expect(await sendRequest(server.port, 'GET', '/api/tools/get_task?task_id=1', elsewhere)).toMatchObject({
      status: 200,
      data: { id: 1 },
    });
  });
});
