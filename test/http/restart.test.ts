import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readLocalToken } from '../../src/base/private-files.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { startHttpProcess } from './http-process.js';

/** Reads changes until the stream breaks off, and comes back behind the last one, as a browser does. */
function follow(url: string, token: string): { ids: number[]; breaks: () => number; stop(): void } {
  const stopping = new AbortController();
  const ids: number[] = [];
  let last = '0';
  let breaks = -1;
  const headers = () => ({ authorization: `Bearer ${token}`, 'last-event-id': last });
  async function read(): Promise<void> {
    const response = await fetch(`${url}/api/events`, { headers: headers(), signal: stopping.signal });
    breaks++;
    let rest = '';
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const id = /^id: (\d+)\ndata:/.exec(block)?.[1];
        if (id === undefined) continue;
        last = id;
        ids.push(Number(id));
      }
    }
  }
  void (async () => {
    while (!stopping.signal.aborted) {
      await read().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return { ids, breaks: () => breaks, stop: () => stopping.abort() };
}

it('streams go on where they were when the server is killed and started again', async () => {
  const home = tempDir();
  const session = await connectServer({ home });
  const first = await startHttpProcess(home);
  const token = readLocalToken(join(home, '.claude', 'agent_runtime')) ?? '';
  const streams = Array.from({ length: 5 }, () => follow(first.url, token));
  const create = (count: number) =>
    session.ok('create_tasks', { tasks: Array.from({ length: count }, (_, index) => ({ title: `task ${index}` })) });
  await create(20);
  await eventually('the first have come', () => streams.every(({ ids }) => ids.length >= 20));

  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  await create(700);
  await startHttpProcess(home, ['serve', '--http', '--port', new URL(first.url).port]);
  await create(10);
  const { events } = await session.ok('get_events', { limit: 1 });
  const newest = events[0].id;
  await eventually('all have come', () => streams.every(({ ids }) => (ids.at(-1) ?? 0) >= newest));
  for (const { ids, breaks, stop } of streams) {
    stop();
    expect(ids).toEqual(Array.from({ length: newest }, (_, index) => index + 1));
    expect(breaks()).toBeGreaterThanOrEqual(1);
  }
});
