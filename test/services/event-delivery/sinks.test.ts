import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SinkEvent } from '../../../src/index.js';
import { homeWithModules, writeModule } from '../../agents/modules/workshop.js';
import { eventually } from '../../support/eventually.js';
import { testRuntime } from '../../support/test-runtime.js';
import { nobody } from './hooked.js';

/** As a user writes one: each batch is a line of a file. It fails or dies while a file says so. */
const toFile = `
  import { appendFileSync, existsSync } from 'node:fs';
  import { defineSink } from 'agent-runtime-mcp';

  export default defineSink({
    batchSize: 3,
    async write(events, { name, log }) {
      if (existsSync('exit')) process.exit(3);
      if (existsSync('fail')) throw new Error('The queue says no to ' + process.env.QUEUE_KEY);
      log('info', 'written', { events: events.length });
      appendFileSync(name + '.jsonl', JSON.stringify(events) + '\\n');
    },
  });
`;

async function withSink(module: string, more: object = {}) {
  const home = homeWithModules({}, { sinks: { queue: { module: './sink.ts', events: ['task.*'], ...more } } });
  writeModule(home, 'sink.ts', module);
  const runtime = await testRuntime({ home, env: { QUEUE_KEY: 'a-key-that-nobody-may-see' } });
  const directory = join(home, '.claude');
  const file = join(directory, 'queue.jsonl');
  await runtime.deliverer.look();
  return Object.assign(runtime, {
    inDirectory: (name: string) => join(directory, name),
    create: (...titles: string[]) =>
      runtime.tasks.create(
        titles.map((title) => ({ title })),
        nobody,
      ),
    batches: (): SinkEvent[][] =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [],
    sink: () => runtime.eventTargets.find('queue'),
  });
}

describe('a sink', () => {
  it('gets every event once and in order, in batches of its size, in a process of its own', async () => {
    const board = await withSink(toFile);
    await board.create('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await eventually('all have arrived', () => board.batches().flat().length === 7);
    const events = board.batches().flat();
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).toSorted((a, b) => a - b));
    expect(Math.max(...board.batches().map((batch) => batch.length))).toBeLessThanOrEqual(3);
    expect(events[0]).toMatchObject({ subject: 'task', type: 'created', subject_id: '1', at: expect.any(String) });
    await eventually('it is written', async () => (await board.sink()).delivered === 7);
  });

  it.each([
    ['fail', 'The queue says no to [redacted]'],
    ['exit', 'its process ended with exit code 3'],
  ])('that cannot take a batch (%s) gets it again, and nothing behind it before', async (how, why) => {
    const board = await withSink(toFile, { env: ['QUEUE_KEY'] });
    writeFileSync(board.inDirectory(how), '');
    await board.create('a', 'b', 'c', 'd');
    const failing = await eventually('it has failed', async () => {
      const sink = await board.sink();
      return sink.failures > 0 && sink;
    });
    expect(failing).toMatchObject({ lastError: expect.stringContaining(why), delivered: 0, status: 'active' });
    expect(board.batches()).toEqual([]);
    rmSync(board.inDirectory(how));
    await eventually('all have arrived', () => board.batches().flat().length === 4);
    expect(
      board
        .batches()
        .flat()
        .map(({ subject_id }) => subject_id),
    ).toEqual(['1', '2', '3', '4']);
    await eventually('it is well', async () => (await board.sink()).failures === 0);
  });

  it.each([
    ['export const nothing = 1;', 'It exports no sink.'],
    ['throw new Error("no broker")', 'It cannot be loaded: no broker'],
  ])('whose module is wrong says so, and gets its events when it is right: %s', async (module, why) => {
    const board = await withSink(module);
    await board.create('a');
    const failing = await eventually('it has failed', async () => {
      const sink = await board.sink();
      return sink.failures > 0 && sink;
    });
    expect(failing.lastError).toContain(why);
    writeFileSync(board.inDirectory('sink.ts'), toFile);
    await eventually('it has arrived', () => board.batches().flat().length === 1);
  });
});
