import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { session, testQueue } from '../core/jobs/queue.js';

const curve = Array.from({ length: 4_000 }, (_, day) => [day, day / 7]);

async function ended(output?: string) {
  const queue = await testQueue();
  const job = await queue.running();
  await queue.finish(job, { kind: 'completed', result: { curve }, ...(output === undefined ? {} : { output }) });
  const context = contextOf(queue.runtime, session, {});
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by using it.
  return (input: object): Promise<any> => runTool(findTool('get_task_result'), { task_id: job.id, ...input }, context);
}

it('the long result of a job is read in parts, none longer than asked for, which make the whole', async () => {
  const read = await ended();
  const first = await read({});
  expect([first.data, first.result.length, first.next_offset]).toEqual([undefined, 20_000, 20_000]);
  let text = '';
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const part = await read({ offset, max_chars: 30_000 });
    expect(JSON.stringify(part).length).toBeLessThan(40_000);
    text += part.result;
    offset = part.next_offset;
  }
  expect(JSON.parse(text)).toEqual({ curve });
  expect(first.total_chars).toBe(text.length);
});

it('a result that fits comes as data, as before', async () => {
  const read = await ended();
  expect(await read({ max_chars: 200_000 })).toMatchObject({ result: '', data: { curve } });
});

it('beside text that the job has put out, a result too long says its length', async () => {
  const read = await ended('Done.');
  expect(await read({})).toMatchObject({ result: 'Done.', data_chars: JSON.stringify({ curve }).length });
});
