import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import { readLocalToken } from '../../src/base/private-files.js';
import { createTaskBoard } from '../../src/core/tasks/tasks.js';
import { createOpenVisits } from '../../src/http/open-visits.js';
import { createEventFeed } from '../../src/mcp/event-feed.js';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';
import { startHttpProcess } from './http-process.js';
import { type ServedRuntime, serve } from './serve.js';

interface Listener {
  ids: number[];
  status: number | undefined;
  hasEnded: boolean;
  /** Reads nothing more, as a page that hangs. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** A client of /api/events that takes down the ids that it gets. */
function listen(
  { server, ownerToken }: Pick<ServedRuntime, 'server' | 'ownerToken'>,
  lastEventId?: number,
  { headers: given = {} }: { headers?: Record<string, string> } = {},
): Listener {
  const listener: Listener = {
    ids: [],
    status: undefined,
    hasEnded: false,
    pause: () => {},
    resume: () => {},
    close: () => outgoing.destroy(),
  };
  const headers = {
    ...('cookie' in given ? {} : { authorization: `Bearer ${ownerToken}` }),
    ...given,
    ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
  };
  const outgoing = request(
    { host: '127.0.0.1', port: server.port, path: '/api/events', headers, agent: false },
    (incoming) => {
      listener.status = incoming.statusCode;
      listener.pause = () => incoming.pause();
      listener.resume = () => incoming.resume();
      let rest = '';
      incoming.on('data', (chunk: Buffer) => {
        const blocks = (rest + chunk.toString()).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const id = /^id: (\d+)\ndata:/.exec(block)?.[1];
          if (id) listener.ids.push(Number(id));
        }
      });
      incoming.on('close', () => {
        listener.hasEnded = true;
      });
      incoming.on('error', () => {});
    },
  );
  outgoing.on('error', () => {});
  outgoing.end();
  onTestFinished(() => void outgoing.destroy());
  return listener;
}

const actor = { holder: null, project: '' };

function createTasks({ runtime }: ServedRuntime, count: number, size = 10) {
  const tasks = createTaskBoard({ db: runtime.db, clock: runtime.clock });
  return tasks.create(
    Array.from({ length: count }, (_, index) => ({ title: `task ${index} ${'x'.repeat(size)}` })),
    actor,
  );
}

async function allIds({ runtime }: ServedRuntime): Promise<number[]> {
  return (await runtime.db.all<{ id: number }>('select id from events order by id')).map(({ id }) => id);
}

it('brings every change once and in order, from the moment of listening', async () => {
  const served = await serve();
  await createTasks(served, 3);
  const listener = listen(served);
  await eventually('the stream is open', () => listener.status === 200);
  await createTasks(served, 700);
  const wanted = (await allIds(served)).filter((id) => id > 3);
  await eventually('all have come', () => listener.ids.length >= wanted.length);
  expect(listener.ids).toEqual(wanted);
});

it('goes on behind the last event that a client has seen', async () => {
  const served = await serve();
  await createTasks(served, 1_200);
  const listener = listen(served, 100);
  const wanted = (await allIds(served)).filter((id) => id > 100);
  await eventually('all have come', () => listener.ids.length >= wanted.length);
  expect(listener.ids).toEqual(wanted);
});

it('brings what another process has written', async () => {
  const served = await serve();
  const listener = listen(served);
  await eventually('the stream is open', () => listener.status === 200);
  const other = await serve({}, { home: served.runtime.home });
  await createTasks(other, 1);
  await eventually('it has come', () => listener.ids.length === 1);
});

it('serves 200 streams at once, and each gets all', async () => {
  const served = await serve();
  const listeners = Array.from({ length: 200 }, () => listen(served));
  await eventually('all are open', () => listeners.every(({ status }) => status === 200));
  await createTasks(served, 50);
  const wanted = await allIds(served);
  await eventually('all have all', () => listeners.every(({ ids }) => ids.length >= wanted.length));
  for (const { ids } of listeners) expect(ids).toEqual(wanted);
  expect((await served.send('GET', '/api/health')).status).toBe(200);
});

it('is limited to 50 of one token, which leaves those of others; one that ends makes room', async () => {
  const served = await serve();
  const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
  const headers = { authorization: `Bearer ${token}` };
  const streams = Array.from({ length: 50 }, () => listen(served, 0, { headers }));
  await eventually('all are open', () => streams.every(({ status }) => status === 200));
  const refused = await served.send('GET', '/api/events', { headers });
  expect(refused).toMatchObject({ status: 503, data: { error: { message: expect.stringContaining('50 streams') } } });
  const owners = listen(served);
  await eventually('the owner is let in', () => owners.status === 200);
  streams[0]?.close();
  await eventually('there is room again', async () => {
    const next = listen(served, 0, { headers });
    await eventually('it is answered', () => next.status !== undefined);
    return next.status === 200;
  });
});

it('cuts off a client that reads nothing, who then goes on where it was; others are not held up', async () => {
  const served = await serve();
  const slow = listen(served);
  const quick = listen(served);
  await eventually('both are open', () => slow.status === 200 && quick.status === 200);
  slow.pause();
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
  await eventually('the quick one has all', () => quick.ids.length >= wanted.length);
  quick.close();
  await feedStops(served);
  slow.resume();
  await eventually('the slow one was cut off', () => slow.hasEnded);
  expect(slow.ids.length).toBeLessThan(wanted.length);
  const back = listen(served, slow.ids.at(-1) ?? 0);
  await eventually('it has the rest', () => slow.ids.length + back.ids.length >= wanted.length);
  expect([...slow.ids, ...back.ids]).toEqual(wanted);
});

it('costs nothing while nobody listens', async () => {
  const served = await serve();
  const listener = listen(served);
  await eventually('it is open', () => listener.status === 200);
  listener.close();
  await feedStops(served);
});

/** Resolves when the feed reads nothing any more, as nobody is left who listens. */
async function feedStops({ runtime: { db } }: ServedRuntime): Promise<void> {
  let reads = 0;
  const { get } = db;
  db.get = ((...given: Parameters<typeof get>) => {
    reads++;
    return get(...given);
  }) as typeof get;
  await eventually('the feed has stopped', async () => {
    const before = reads;
    await sleep(450);
    return reads === before;
  });
}

describe('the stream of a caller whose rights end', () => {
  it('ends with its token, and sends nothing that came after the revocation', async () => {
    const served = await serve();
    const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
    const other = await served.runtime.access.create({ name: 'other', isReadOnly: true }, actor);
    const revoked = listen(served, 0, { headers: { authorization: `Bearer ${token}` } });
    const kept = listen(served, 0, { headers: { authorization: `Bearer ${other.token}` } });
    await createTasks(served, 1);
    const before = await allIds(served);
    await eventually('both have all so far', () => revoked.ids.length === before.length && kept.ids.length > 0);
    await served.runtime.access.revoke('screen', actor);
    await createTasks(served, 5);
    await eventually('it has ended', () => revoked.hasEnded);
    expect(revoked.ids).toEqual(before);
    const all = await allIds(served);
    await eventually('the other goes on', () => kept.ids.length === all.length);
    expect(kept.hasEnded).toBe(false);
  });

  it("ends with its browser's session", async () => {
    const served = await serve();
    const address = new URL(await served.server.ownerUrl());
    const entered = await served.send('GET', `/${address.search}`, { headers: { authorization: '' } });
    const cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const stream = listen(served, 0, { headers: { cookie } });
    await eventually('it is open', () => stream.status === 200);
    const [browser] = await served.runtime.access.listBrowsers();
    await served.runtime.access.revoke(browser?.id ?? '', actor);
    await eventually('it has ended', () => stream.hasEnded);
  });

  it('ends with a token that is gone without an event', async () => {
    const { runtime } = await serve();
    const { token } = await runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
    const pass = await runtime.access.verify(token);
    if (!pass) throw new Error('The token is not good.');
    const feed = createEventFeed({ db: runtime.db, log: silentLog });
    const visits = createOpenVisits({ feed, access: runtime.access, log: silentLog, checkMs: 20 });
    onTestFinished(() => {
      visits.close();
      feed.close();
    });
    let ends = 0;
    visits.add(pass, () => ends++);
    await runtime.db.run('delete from access_tokens');
    await eventually('it has ended', () => ends === 1);
  });
});

describe('a server that ends', () => {
  it('answers HEAD for a stream with 405 and keeps nothing of it', async () => {
    const served = await serve();
    for (const path of ['/api/events', '/mcp']) {
      const reply = await served.send('HEAD', path);
      expect(reply).toMatchObject({ status: 405, headers: { allow: expect.stringContaining('GET') } });
    }
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s is not kept by any stream', async (signal) => {
    const home = tempDir();
    const child = await startHttpProcess(home);
    const port = Number(new URL(child.url).port);
    const ownerToken = readLocalToken(join(home, '.claude', 'agent_runtime')) ?? '';
    const stream = listen({ server: { port } as ServedRuntime['server'], ownerToken });
    const client = new Client({ name: 'http-client', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL(`${child.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${ownerToken}` } },
    });
    await client.connect(transport as Parameters<Client['connect']>[0]);
    await eventually('the stream is open', () => stream.status === 200);
    await new Promise<void>((resolve) => {
      const headers = { authorization: `Bearer ${ownerToken}` };
      const head = request({ host: '127.0.0.1', port, method: 'HEAD', path: '/api/events', headers, agent: false });
      head.on('response', () => resolve()).on('error', () => resolve());
      head.end();
    });
    process.kill(child.pid, signal);
    expect((await child.ended).code).toBe(0);
    await client.close();
  });
});
