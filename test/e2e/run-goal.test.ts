import { expect, it, onTestFinished } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import type { ModelServerOptions } from '../fixtures/models/scripted-server.js';
import { eventually } from '../support/eventually.js';
import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

const workOrJudge = ({ prompt }: { prompt: string }) =>
  prompt.startsWith('Judge whether the result') ? '{"score": 1, "missing": []}' : 'Done.';

/** A machine on which sessions come and go, with a fake vendor. */
async function machine(options: ModelServerOptions = { reply: workOrJudge }) {
  const home = tempDir();
  const vendor = await startAnthropicServer(options);
  onTestFinished(() => vendor.close());
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: vendor.url };
  return { home, vendor, connect: () => connectServer({ home, env }) };
}

async function planned(session: ConnectedServer, tasks: Record<string, unknown>[]): Promise<number> {
  const { id } = await session.ok('create_goal', { name: 'Ship it', description: 'All of it.' });
  await session.ok('create_tasks', { tasks, goal_id: id });
  return id;
}

const held = (text: string) => `${text} [[model ${JSON.stringify({ pieces: ['Done.'], isHeld: true })}]]`;

it('a goal runs to its end after its session has ended, and the next session reads the results', async () => {
  const { connect, vendor } = await machine();
  const first = await connect();
  const goal = await planned(first, [
    { key: 'survey', title: 'Survey', description: held('Look around.') },
    { key: 'write', title: 'Write', dependencies: ['survey'], acceptance: 'It is short.' },
  ]);
  const reply = await first.call('run_goal', { goal_id: goal });
  expect(reply.text).toMatch(/^Run ID: [0-9a-f-]{36}\nStatus: running$/);
  expect(reply.data).toMatchObject({ goal_id: goal, status: 'running', model: expect.any(String) });
  expect(reply.data.progress_message).toBe('0 of 2 tasks done, 1 under way');
  const { run_id } = reply.data;
  const status = await first.ok('runtime_status');
  expect(status.yours.background.map(({ task_id }: { task_id: string }) => task_id)).toContain(run_id);
  const { tasks: listed } = await first.ok('list_background_tasks');
  expect(listed).toMatchObject([{ description: expect.stringMatching(/^# Your task: Survey/) }]);
  expect((await first.ok('get_goal', { goal_id: goal })).run_id).toBe(run_id);
  process.kill(first.pid, 'SIGKILL');
  vendor.letGo();

  await eventually('the second task was asked for', () => vendor.requests.length >= 2);
  const second = await connect();
  expect(await second.ok('wait_for_tasks', { task_ids: [run_id] })).toMatchObject({
    done: true,
    tasks: [{ status: 'completed' }],
  });
  const { data, result, status: ended, usage } = await second.ok('get_task_result', { task_id: run_id });
  expect(ended).toBe('completed');
  expect(result).toContain('is completed: 2 of 2 tasks completed');
  expect(data).toMatchObject({ goal_status: 'completed', tasks: { total: 2, completed: 2 }, worked: [{}, {}] });
  expect(usage.input_tokens).toBeGreaterThan(0);
  expect(await second.ok('get_goal', { goal_id: goal })).toMatchObject({
    status: 'completed',
    tokens: { spent: usage.input_tokens + usage.output_tokens, reserved: 0 },
  });
  expect(await second.ok('get_task', { task_id: 'write' })).toMatchObject({ result: 'Done.', verdict: { score: 1 } });
  expect(vendor.requests[1]?.prompt).toContain('It is short.');
});

it('two sessions that start a run at once get the same run', async () => {
  const { connect, vendor } = await machine();
  const sessions = await Promise.all([connect(), connect()]);
  const [one, two] = sessions;
  if (!one || !two) throw new Error('There are no sessions.');
  const tasks = ['a', 'b', 'c', 'd'].map((key) => ({ key, title: key, description: held(key) }));
  const goal = await planned(one, tasks);
  const replies = await Promise.all(sessions.map((session) => session.ok('run_goal', { goal_id: goal })));
  expect(new Set(replies.map(({ run_id }) => run_id)).size).toBe(1);
  expect(replies.filter(({ already_running }) => already_running)).toHaveLength(1);
  vendor.letGo();
  const [{ run_id }] = replies as [{ run_id: string }];
  await two.ok('wait_for_tasks', { task_ids: [run_id], timeout_seconds: 60 });
  expect((await two.ok('check_task_status', { task_id: run_id })).status).toBe('completed');
  expect(vendor.requests).toHaveLength(4);
  const again = await two.call('retry_task', { task_id: run_id });
  expect(again.data).toMatchObject({ code: 'conflict', hint: expect.stringContaining('run_goal') });
});

it('a run that cannot start is refused before anything is stored', async () => {
  const home = tempDir();
  const bare = await connectServer({ home });
  const goal = await planned(bare, [{ title: 'a' }]);
  const refusals: [args: Record<string, unknown>, code: string, words: string][] = [
    [{ goal_id: goal }, 'not_configured', 'ANTHROPIC_API_KEY'],
    [{ goal_id: goal, model: 'claude-sonnet-5-5' }, 'not_configured', 'ANTHROPIC_API_KEY'],
    [{ goal_id: goal, model: 'no-such-model' }, 'invalid', 'no-such-model'],
    [{ goal_id: goal, concurrency: 0 }, 'invalid', 'concurrency'],
    [{ goal_id: goal, token_budget: 0 }, 'invalid', 'token_budget'],
    [{ goal_id: goal, speed: 'high' }, 'invalid', 'speed'],
    [{ goal_id: 99, model: 'ollama:llama3.2' }, 'not_found', '99'],
  ];
  for (const [args, code, words] of refusals) {
    const { isError, data, text } = await bare.call('run_goal', args);
    expect({ args, isError, code: data?.code }).toEqual({ args, isError: true, code });
    expect(text).toContain(words);
  }
  const made = await bare.call('submit_job', { type: 'run_goal', payload: { goal_id: goal } });
  expect(made.data).toMatchObject({ code: 'invalid', hint: 'Call run_goal.' });
  expect((await bare.ok('list_jobs', { scope: 'all' })).jobs).toEqual([]);
  const { events } = await bare.ok('get_events', { subject: 'goal', subject_id: String(goal) });
  expect(events.map(({ type }: { type: string }) => type)).toEqual(['created']);
});

it('a task that may not start yet is started when its time has come, with no session alive', async () => {
  const { connect, vendor } = await machine();
  const first = await connect();
  const goal = await planned(first, [{ title: 'later', not_before: new Date(Date.now() + 6_000).toISOString() }]);
  const { run_id, status, progress_message } = await first.ok('run_goal', { goal_id: goal });
  expect({ status, progress_message }).toEqual({
    status: 'running',
    progress_message: '0 of 1 tasks done, waiting for others',
  });
  await first.close();
  await eventually('the task was asked for', () => vendor.requests.length === 1);
  const { tasks } = await (await connect()).ok('wait_for_tasks', { task_ids: [run_id] });
  expect(tasks).toMatchObject([{ status: 'completed' }]);
});

it('another session can cancel a run, and can give it a board task by hand', async () => {
  const { connect, vendor } = await machine();
  const [one, two] = [await connect(), await connect()];
  const hang = `Think. [[model ${JSON.stringify({ pieces: ['Half'], ending: 'hang' })}]]`;
  const goal = await planned(one, [
    { key: 'endless', title: 'endless', description: hang, priority: 9 },
    { key: 'second', title: 'second' },
  ]);
  const { run_id } = await one.ok('run_goal', { goal_id: goal, concurrency: 1 });
  await eventually('it is being answered', () => vendor.requests.length === 1);
  const taken = await two.call('submit_background_task', { task_description: 'Endless', task_id: 'endless' });
  expect(taken.data).toMatchObject({ code: 'already_claimed', message: expect.stringContaining('held by job ') });
  const handed = await two.ok('submit_background_task', { task_description: 'Do it.', task_id: 'second' });
  await two.ok('wait_for_tasks', { task_ids: [handed.task_id] });
  expect(await two.ok('get_task', { task_id: 'second' })).toMatchObject({ status: 'completed', result: 'Done.' });
  const cancelled = await two.ok('cancel_task', { task_id: run_id });
  expect(cancelled).toMatchObject({ task_id: run_id, status: 'cancelled' });
  expect(await two.ok('get_task', { task_id: 'endless' })).toMatchObject({
    status: 'pending',
    ready: true,
    attempts: 0,
  });
  expect(vendor.requests[0]?.isAborted).toBe(true);
  const { data, error } = await two.ok('get_task_result', { task_id: run_id });
  expect(error.code).toBe('cancelled');
  expect(data).toMatchObject({ tasks: { completed: 1, pending: 1 }, left: [{ title: 'endless' }] });
});
