import { describe, expect, it } from 'vitest';
import { chooseTools } from '../../src/tools/index.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

const tools = chooseTools({ toolsets: 'all', isReadOnly: false });

/** The least that each reading tool needs to be called with on a board that `fill` has made. */
const least: Record<string, Record<string, unknown>> = {
  get_goal: { goal_id: 1 },
  get_task: { task_id: 500 },
  check_task_status: { task_id: 'JOB' },
  get_task_result: { task_id: 'JOB' },
  wait_for_tasks: { task_ids: ['JOB'], timeout_seconds: 0 },
  get_job_status: { job_id: 'JOB' },
  compare_jobs: { type: 'generic' },
  circuit_breaker_status: { agent_id: 'researcher' },
  circuit_breaker_events: { agent_id: 'researcher' },
  get_relay_status: { pipeline_id: 'RELAY' },
  get_relay_baton: { pipeline_id: 'RELAY' },
};

it('on a board of 1,000 tasks every default answer is under 2,000 characters', async () => {
  const server = await connectServer({ home: tempDir() });
  const text = 'A description of ordinary length, such as a model would write it for a task of some size. '.repeat(4);
  await server.ok('create_goal', { name: 'Big', description: text });
  for (let batch = 0; batch < 2; batch++) {
    const tasks = Array.from({ length: 500 }, (_, index) => ({
      title: `Task ${batch}-${index} with a title of a usual length`,
      key: `task-${batch}-${index}`,
      description: text,
      goal_id: 1,
      ...(index > 0 && index % 2 === 0 ? { dependencies: [`task-${batch}-${index - 1}`] } : {}),
    }));
    await server.ok('create_tasks', { tasks });
  }
  const { job_id } = await server.ok('submit_job', { type: 'generic', payload: { note: text } });
  await server.ok('wait_for_tasks', { task_ids: [job_id] });
  const { pipeline_id } = await server.ok('create_relay_pipeline', { name: 'Big', goal: text, preset: 'quick' });
  await server.ok('circuit_breaker_trip', { agent_id: 'researcher' });

  const sizes: Record<string, number> = {};
  // dashboard_url needs a dashboard.
  const reading = tools.filter(
    ({ name, effect, isExternal }) => effect === 'read' && !isExternal && name !== 'dashboard_url',
  );
  for (const tool of reading) {
    const wanted = JSON.stringify(least[tool.name] ?? {});
    const args = JSON.parse(wanted.replaceAll('JOB', job_id).replaceAll('RELAY', pipeline_id));
    const reply = await server.call(tool.name, args);
    expect(reply.isError, `${tool.name}: ${reply.text}`).toBe(false);
    sizes[tool.name] = Math.max(reply.text.length, JSON.stringify(reply.data).length);
  }
  // Those that print schemas on request, and the prompt of an agent, are long by nature.
  delete sizes.list_agents;
  delete sizes.get_relay_baton;
  expect(Object.entries(sizes).filter(([, size]) => size >= 2_000)).toEqual([]);
  const claimed = await server.call('claim_next_task');
  expect(claimed.text.length).toBeLessThan(2_000);
});

it('no answer that was not asked to be long is over 20,000 characters, and pages go on where they ended', async () => {
  const server = await connectServer({ home: tempDir() });
  const tasks = Array.from({ length: 400 }, (_, index) => ({ title: `Task ${index}`, description: 'x'.repeat(3_000) }));
  await server.ok('create_tasks', { tasks });
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const reply = await server.call('list_tasks', { limit: 200, fields: 'full', ...(cursor ? { cursor } : {}) });
    expect(reply.text.length).toBeLessThan(20_000);
    seen.push(...reply.data.tasks.map((task: { id: number }) => task.id));
    cursor = reply.data.next_cursor;
  } while (cursor);
  expect(seen).toEqual(Array.from({ length: 400 }, (_, index) => 400 - index));
});

describe('bad input', () => {
  it('every tool names an argument it does not know, and those it takes', async () => {
    const server = await connectServer({ home: tempDir() });
    for (const tool of tools) {
      const reply = await server.call(tool.name, { limt: 3 });
      expect(reply.data.code, tool.name).toBe('invalid');
      expect(reply.data.message, tool.name).toContain('Unknown argument "limt"');
      for (const name of Object.keys(tool.input.shape)) expect(reply.data.message, tool.name).toContain(name);
    }
  });

  it('a wrong type says where, what was expected, and what came', async () => {
    const server = await connectServer({ home: tempDir() });
    const goal = await server.call('create_goal', { name: ['G'], description: 'D' });
    expect(goal.data.message).toContain('name: expected text (got ["G"])');
    const priority = await server.call('create_task', { title: 'T', priority: 11 });
    expect(priority.data.message).toMatch(/priority: Too big.*<=10.*\(got 11\)/);
    const nested = await server.call('create_tasks', { tasks: [{ title: 'A' }, { title: '' }] });
    expect(nested.data.message).toContain('tasks[1].title');
    const prototype = await server.call('create_task', JSON.parse('{"title":"T","__proto__":{"x":1}}'));
    expect(prototype.data?.code ?? 'invalid').toBe('invalid');
  });

  it('a description of 1 MB is refused with its limit, and nothing is stored', async () => {
    const server = await connectServer({ home: tempDir() });
    const reply = await server.call('create_task', { title: 'T', description: 'x'.repeat(1_000_000) });
    expect(reply.data.message).toContain('100000');
    expect((await server.ok('list_tasks')).count).toBe(0);
  });

  it('unicode of every kind comes back as it was', async () => {
    const server = await connectServer({ home: tempDir() });
    const title = 'Ünïcødé 日本語 👩‍👩‍👧‍👦 \u202Eright-to-left ';
    const task = await server.ok('create_task', { title, description: 'line\nbreak\ttab " \\ \u2028' });
    const read = await server.ok('get_task', { task_id: task.id });
    expect(read.title).toBe(title.trim());
    expect(read.description).toBe('line\nbreak\ttab " \\ \u2028');
  });

  it('an id of the wrong kind is told where it belongs', async () => {
    const server = await connectServer({ home: tempDir() });
    const task = await server.ok('create_task', { title: 'T', key: 'the-key' });
    const asJob = await server.call('check_task_status', { task_id: String(task.id) });
    expect(asJob.data).toMatchObject({ code: 'not_found' });
    expect(asJob.data.message).toContain('is a task on the board');
    expect((await server.call('get_task_result', { task_id: 'the-key' })).data.hint).toContain('get_task');
    const { job_id } = await server.ok('submit_job', { type: 'generic', payload: {} });
    const asTask = await server.call('get_task', { task_id: job_id });
    expect(asTask.data.message).toContain('is the id of a background task');
  });

  it('a cycle through five tasks and a task that waits for itself are refused, and name the way round', async () => {
    const server = await connectServer({ home: tempDir() });
    const ring = ['a', 'b', 'c', 'd', 'e'];
    const tasks = ring.map((key, index) => ({ title: key, key, dependencies: [ring[(index + 1) % 5]] }));
    const reply = await server.call('create_tasks', { tasks });
    expect(reply.data.code).toBe('dependency_cycle');
    expect(reply.data.message).toContain('a -> b -> c -> d -> e -> a');
    expect((await server.ok('list_tasks')).count).toBe(0);
    await server.ok('create_task', { title: 'self', key: 'self' });
    const self = await server.call('edit_task', { task_id: 'self', dependencies: ['self'] });
    expect(self.data.code).toBe('dependency_cycle');
  });
});

describe('words and ids', () => {
  it('states are read in any case, ids also as numeric text or key', async () => {
    const server = await connectServer({ home: tempDir() });
    await server.ok('create_task', { title: 'T', key: 'auth-api' });
    const started = await server.ok('update_task_status', { task_id: '1', status: 'IN_PROGRESS' });
    expect(started).toMatchObject({ id: 1, status: 'in_progress', claim_token: 1 });
    const done = await server.ok('update_task_status', { task_id: 'auth-api', status: 'Completed', claim_token: 1 });
    expect(done.status).toBe('completed');
    expect((await server.ok('list_tasks', { status: 'COMPLETED' })).count).toBe(1);
  });

  it('times are ISO 8601 in UTC, given with any zone', async () => {
    const server = await connectServer({ home: tempDir() });
    const task = await server.ok('create_task', { title: 'T', deadline: '2027-01-01T00:00:00+02:00' });
    expect(task.deadline).toBe('2026-12-31T22:00:00.000Z');
    expect(task.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await server.call('create_task', { title: 'T', deadline: 'tomorrow' })).data.message).toContain('deadline');
  });

  it('a session sees the tasks of its project and of none; scope all and ids see every one', async () => {
    const home = tempDir();
    const one = await connectServer({ home, env: { CLAUDE_PROJECT_DIR: '/projects/one' } });
    const two = await connectServer({ home, env: { CLAUDE_PROJECT_DIR: '/projects/two' } });
    const none = await connectServer({ home });
    await one.ok('create_task', { title: 'of one' });
    await two.ok('create_task', { title: 'of two' });
    await none.ok('create_task', { title: 'of none' });
    const titles = async (server: typeof one, args = {}) =>
      (await server.ok('list_tasks', args)).tasks.map((task: { title: string }) => task.title).sort();
    expect(await titles(one)).toEqual(['of none', 'of one']);
    expect(await titles(two)).toEqual(['of none', 'of two']);
    expect(await titles(one, { scope: 'all' })).toEqual(['of none', 'of one', 'of two']);
    expect(await titles(none)).toEqual(['of none', 'of one', 'of two']);
    expect((await one.ok('get_task', { task_id: 2 })).title).toBe('of two');
    const claims = [await one.ok('claim_next_task'), await one.ok('claim_next_task'), await one.ok('claim_next_task')];
    expect(claims.map((claim) => claim.title ?? 'nothing')).toEqual(['of one', 'of none', 'nothing']);
  });
});
