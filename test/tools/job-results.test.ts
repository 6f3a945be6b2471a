import { expect, it } from 'vitest';
import { homeWithModules, plainAgent } from '../agents/modules/workshop.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

/** A result of some 100,000 characters with two figures in it. */
const backtest = plainAgent(
  'long',
  "return { sharpe: 1.23456789, equity_curve: Array.from({ length: 5000 }, (_, day) => ['day ' + day, day * 1.5]) };",
);
const talking = plainAgent('talking', "context.output('All is well.'); return { said: 'All is well.', code: 0 };");

it('a long result of a job is read as its figures, by fields, or whole in parts', async () => {
  const server = await connectServer({ home: homeWithModules({ 'long.mjs': backtest, 'talking.mjs': talking }) });
  const { job_id } = await server.ok('submit_job', { type: 'long', payload: {} });
  const talked = await server.ok('submit_job', { type: 'talking', payload: {} });
  const waited = await server.ok('wait_for_tasks', { task_ids: [job_id, talked.job_id], timeout_seconds: 50 });
  expect(waited.tasks).toMatchObject([
    { result: '{"sharpe":1.23457}', total_chars: expect.any(Number) },
    { result: 'All is well.' },
  ]);

  const brief = await server.ok('get_job_status', { job_id });
  expect(brief.result).toEqual({ sharpe: 1.23457 });
  expect(brief.left_out).toEqual({ equity_curve: expect.stringMatching(/^5000 items, \d+ characters$/) });
  const exact = await server.ok('get_job_status', { job_id, fields: ['sharpe'] });
  expect(exact.result).toEqual({ sharpe: 1.23456789 });
  const wrong = await server.call('get_job_status', { job_id, fields: ['sharp'] });
  expect(wrong.data.message).toBe('The result has no field "sharp". Did you mean sharpe?');

  let whole = '';
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const part = await server.ok('get_task_result', { task_id: job_id, offset, max_chars: 40_000 });
    expect(JSON.stringify(part).length).toBeLessThan(60_000);
    whole += part.result;
    offset = part.next_offset;
  }
  expect(JSON.parse(whole)).toMatchObject({ sharpe: 1.23456789, equity_curve: { length: 5_000 } });

  const text = await server.ok('get_task_result', { task_id: talked.job_id });
  expect(text).toMatchObject({ result: 'All is well.', data: { code: 0 } });
  expect(text.data).not.toHaveProperty('said');
});

it('a job is named by the beginning of its id, by each name of the argument', async () => {
  const server = await connectServer({ home: tempDir() });
  const { job_id } = await server.ok('submit_job', { type: 'generic', payload: {} });
  const start = job_id.slice(0, 8);
  await server.ok('wait_for_tasks', { task_ids: [start], timeout_seconds: 50 });
  expect((await server.ok('get_job_status', { id: start })).job_id).toBe(job_id);
  expect((await server.ok('get_task_result', { task_id: start })).task_id).toBe(job_id);
  expect((await server.ok('check_task_status', { job_id: start })).task_id).toBe(job_id);
  expect((await server.call('cancel_job', { job_id: start })).data.message).toContain(`Job ${job_id} has already`);
});

it('the types of jobs begin with those that people submit', async () => {
  const server = await connectServer({ home: homeWithModules({ 'long.mjs': backtest }) });
  const { agents, supported_job_types: types } = await server.ok('list_agents');
  const tools = agents.map(({ submit_with }: { submit_with?: string }) => submit_with === undefined);
  expect(agents[0].type).toBe('long');
  expect(tools.lastIndexOf(true)).toBeLessThan(tools.indexOf(false));
  expect(types.slice(0, agents.length)).toEqual(agents.map(({ type }: { type: string }) => type));
});
