import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { background } from '../runner/fixtures/background.js';

it('wait_for_tasks returns the beginning of each answer, and how long it is where there is more', async () => {
  const answers = ['Short.', 'long '.repeat(500)];
  const runtime = await background({ model: { reply: () => answers.shift() ?? '' } });
  const context = contextOf(runtime, { holder: null, project: '' });
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by using it.
  const call = (name: string, input: object): Promise<any> => runTool(findTool(name), input, context);
  const ended = [];
  for (const prompt of ['one', 'two']) {
    const { task_id } = await call('submit_background_task', { prompt });
    const waited = await call('wait_for_tasks', { task_id, wait_seconds: 30 });
    ended.push(waited.tasks[0]);
  }
  expect(ended).toMatchObject([
    { status: 'completed', result: 'Short.' },
    { status: 'completed', result: 'long '.repeat(200), total_chars: 2_500 },
  ]);
  expect(ended[0]).not.toHaveProperty('total_chars', expect.any(Number));
});
