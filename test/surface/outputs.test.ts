import { rmSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/base/json.js';
import { nameSession } from '../../src/core/coordination/sessions.js';
import { pageReads } from '../../src/http/page/reads.js';
import type { AnyTool } from '../../src/tools/call/define-tool.js';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { chooseTools, findTool } from '../../src/tools/index.js';
import { body, replyWith, webService } from '../downstream/native/web-service.js';
import { odd } from '../downstream/tool-runtime.js';
import { type BackgroundOptions, background, scripted } from '../runner/fixtures/background.js';
import { isJudged, verdict } from '../services/running-relay.js';
import { gitRepository, writeFiles } from '../worktrees/git-repository.js';

/** The tools that were called here. */
const reached = new Set<string>();

/** Calls a tool over a real runtime, and checks that its result is exactly as its own output schema says. */
async function caller({ project = '/home/ada', ...options }: BackgroundOptions & { project?: string } = {}) {
  const runtime = await background(options);
  const info = { project, clientName: 'test', clientVersion: '1' };
  const session = nameSession(info);
  await runtime.maintenance.beginSession(session, info);
  const context = contextOf(runtime, session, { sessionId: session.id });
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by using it.
  async function call(name: string, input: JsonObject = {}): Promise<any> {
    return callTool(findTool(name), input);
  }
  async function callTool(tool: AnyTool, input: JsonObject) {
    const { name } = tool;
    reached.add(name);
    const result = JSON.parse(JSON.stringify(await runTool(tool, input, context)));
    const { error } = tool.output.safeParse(result);
    expect(error?.issues, `${name} ${JSON.stringify(input)} returned ${JSON.stringify(result)}`).toBeUndefined();
    return result;
  }
  return { runtime, call, callTool };
}

describe('what a tool returns is what its output schema says, key for key', () => {
  it('goals and tasks', async () => {
    const { call } = await caller();
    const { id: goal_id } = await call('create_goal', { name: 'G', description: 'D', token_budget: 1_000 });
    await call('create_goal', { name: 'bare', description: '', project: '/home/ada' });
    await call('decompose_goal', { goal_id, tasks: [{ title: 'one' }, { title: 'two' }] });
    await call('decompose_goal', { goal_id, planner: 'caller' });
    await call('update_goal', { goal_id, metadata: { deep: [1, { a: null }] } });
    await call('get_goal', { goal_id, fields: 'full' });
    for (const fields of ['brief', 'full']) {
      await call('list_goals', { fields, limit: 1 });
      await call('list_tasks', { fields, limit: 1 });
    }
    await call('create_task', {
      title: 'whole',
      key: 'whole',
      description: 'd',
      acceptance: 'a',
      deadline: '2020-01-01T00:00:00Z',
      not_before: '2020-01-01T00:00:00Z',
      on_dependency_failure: 'run',
      metadata: { a: 1 },
    });
    await call('create_tasks', { tasks: [{ title: 'x', key: 'x' }, { title: 'y' }] });
    await call('save_task_template', { name: 'release', tasks: [{ title: 'Tag {{version}}' }] });
    await call('list_task_templates', { limit: 1 });
    await call('create_tasks', { template: 'release', parameters: { version: '1.0' } });
    await call('get_next_task', { goal_id });
    const { id: task_id, claim_token } = await call('claim_next_task', { goal_id, worker_id: 'ada' });
    await call('get_task', { task_id, fields: 'full' });
    await call('update_task_status', { task_id, status: 'completed', result: 'r', claim_token, tokens_used: 5 });
    const next = await call('claim_next_task', { goal_id });
    expect(next.dependency_results).toMatchObject([{ result: 'r' }]);
    await call('update_task_status', { task_id: next.id, status: 'failed', error: 'e' });
    await call('claim_next_task', { goal_id });
    await call('get_next_task', { goal_id });
    await call('create_task', { title: 'found', discovered_from: 'whole' });
    const withModel = await caller({ model: { reply: () => '[{"title": "p"}]' } });
    await withModel.call('create_task', { title: 'large' });
    await withModel.call('decompose_task', { task_id: 1 });
    const parts = await call('decompose_task', { task_id: 'whole', tasks: [{ title: 'p' }, { title: 'q' }] });
    expect(parts.count).toBe(2);
    await call('edit_task', { task_id: 'whole', priority: 9, deadline: null });
    await call('get_task', { task_id: 'whole' });
    await call('list_tasks', { fields: 'full', text: 'w' });
  });

  it('what a worker leaves to the next, and what a judge finds', async () => {
    const { call } = await caller({ model: { reply: () => '{"score": 0.5, "missing": ["Sources."]}' } });
    const { id: task_id } = await call('create_task', { title: 'T', acceptance: 'It names its sources.' });
    const first = await call('claim_next_task');
    expect(first.advice).toContain(`call verify_task with task_id ${task_id}`);
    await call('update_task_status', { task_id, status: 'in_progress', note: 'n'.repeat(1_500) });
    for (let index = 0; index < 10; index++) {
      await call('update_task_status', { task_id, status: 'in_progress', note: `Note ${index}` });
    }
    await call('update_task_status', { task_id, status: 'failed', error: 'No compiler.' });
    await call('update_task_status', { task_id, status: 'pending', note: 'Try the other machine.' });
    const next = await call('claim_next_task');
    expect(next.notes).toHaveLength(10);
    expect(next.notes.at(-1)).toMatchObject({ note: 'Try the other machine.' });
    expect(next.notes_not_shown).toBe(2);
    expect(next.earlier_attempts).toMatchObject([{ outcome: 'failed', error: 'No compiler.' }]);
    const verified = await call('verify_task', { task_id, result: 'Flat.' });
    expect(verified).toMatchObject({ status: 'completed', score: 0.5, passed: false, missing: ['Sources.'] });
    const whole = await call('get_task', { task_id });
    expect(whole).toMatchObject({
      verdict: { score: 0.5 },
      notes_not_shown: 2,
      earlier_attempts: next.earlier_attempts,
    });
    await call('update_task_status', { task_id, status: 'pending' });
    const submitted = await call('submit_background_task', { task_description: 'Do it.', task_id, max_attempts: 1 });
    await call('wait_for_tasks', { task_ids: [submitted.task_id], timeout_seconds: 30 });
    const ended = await call('check_task_status', { task_id: submitted.task_id });
    expect(ended).toMatchObject({
      status: 'failed',
      error: { code: 'not_accepted' },
      verdict: { missing: ['Sources.'] },
    });
    expect(await call('get_task_result', { task_id: submitted.task_id })).toMatchObject({ verdict: { passed: false } });
  });

  it('workers', async () => {
    const { call } = await caller();
    await call('add_task', { id: 'build', description: 'Build it\nall', output: 'a binary' });
    await call('add_task', { id: 'test', description: 'Test it', dependencies: ['build'] });
    const { slot } = await call('claim_worker_slot', { worker_id: 'ada' });
    await call('get_available_tasks', { limit: 1 });
    await call('claim_task', { taskId: 'build', workerId: 'ada', workerSlot: slot });
    await call('get_workers');
    await call('heartbeat', {});
    await call('release_task', { task_id: 'build' });
    await call('claim_task', { taskId: 'build', workerId: 'ada', workerSlot: slot });
    await call('update_task', { taskId: 'build', status: 'failed', workerId: 'ada', error: 'no' });
    await call('get_all_tasks');
    await call('reset_failed_task', { taskId: 'build' });
    await call('release_worker_slot', { slot });
    await call('clean_all_tasks', { confirm: true });
  });

  it('worktrees', async () => {
    const { call } = await caller({ project: gitRepository() });
    await call('create_tasks', {
      tasks: [
        { title: 'one', key: 'one' },
        { title: 'two', key: 'two' },
      ],
    });
    const { worktree } = await call('claim_next_task', { worktree: true });
    writeFiles(worktree.path, { 'b.txt': 'b' });
    await call('get_task', { task_id: 'one', diff: true });
    await call('finish_worktree', { task_id: 'one', action: 'keep' });
    await call('finish_worktree', { task_id: 'one', action: 'merge' });
    const { slot } = await call('claim_worker_slot', { worker_id: 'ada' });
    const other = await call('claim_task', { taskId: 'two', workerId: 'ada', workerSlot: slot, worktree: true });
    writeFiles(other.worktree.path, { 'c.txt': 'c' });
    rmSync(other.worktree.path, { recursive: true });
    await call('get_task', { task_id: 'two', diff: true });
    await call('finish_worktree', { task_id: 'two', action: 'discard' });
    await call('get_task', { task_id: 'two', diff: true });
  });

  it('messages', async () => {
    const { runtime, call, callTool } = await caller();
    const { id } = await call('send_message', { to: 'user', subject: 'S', body: 'B' });
    await runtime.messages.send(
      { to: 'all', subject: 'A', body: 'B', importance: 'high' },
      { holder: null, project: '' },
    );
    await call('runtime_status');
    await call('create_task', { title: 'T' });
    expect(await call('claim_next_task')).toMatchObject({ unread_messages: 1 });
    await call('get_messages', { peek: true });
    await call('get_messages', { thread: id });
    await call('get_messages', { all: true, limit: 1 });
    for (const read of pageReads.filter(({ name }) => name === 'messages')) await callTool(read, { limit: 1 });
  });

  it('reserved paths', async () => {
    const { call } = await caller();
    const { id: task_id } = await call('create_task', { title: 'T' });
    const wish = { globs: ['src/**', 'a.md'], reason: 'R', task_id };
    expect(await call('reserve_paths', wish)).toMatchObject({ root: '/home/ada', count: 2 });
    await call('reserve_paths', { globs: ['b.md'], exclusive: false, lease_seconds: 60 });
    expect(await call('reserve_paths', {})).toMatchObject({ count: 3, paths: [{ yours: true }, {}, {}] });
    expect(await call('release_paths', { globs: ['b.md'] })).toEqual({ released: 1 });
    await call('release_paths', {});
  });

  it('relays', async () => {
    const { call } = await caller();
    const { pipeline_id } = await call('create_relay_pipeline', {
      name: 'R',
      goal: 'G',
      steps: [
        { agent_type: 'researcher', output_schema: { type: 'string' } },
        { agent_type: 'formatter', model: 'opus' },
      ],
    });
    const scores = { quality_score: 0.9, l_score: 0.9, tokens_used: 10 };
    await call('get_relay_baton', { pipeline_id });
    await call('advance_relay', { pipeline_id, ...scores, quality_score: 0.1, output: 'poor' });
    await call('get_relay_status', { pipeline_id });
    await call('retry_relay_step', { pipeline_id, step_index: 0, feedback: 'better' });
    await call('retry_relay_step', { pipeline_id, step_index: 0 });
    await call('get_relay_baton', { pipeline_id, max_chars: 100 });
    await call('advance_relay', { pipeline_id, ...scores, output: 'text', output_summary: 's' });
    await call('get_relay_status', { pipeline_id, fields: 'full' });
    await call('advance_relay', { pipeline_id, ...scores, output_entity_id: 7 });
    await call('get_relay_status', { pipeline_id, fields: 'full' });
    await call('list_relay_pipelines', { limit: 1 });
    const other = await call('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
    await call('cancel_relay_pipeline', { pipeline_id: other.pipeline_id });
    await call('list_relay_pipelines', { limit: 1 });
  });

  it('a relay that models run', async () => {
    const reply = (request: Parameters<typeof isJudged>[0]) => (isJudged(request) ? verdict(0.9) : 'Done.');
    const { call } = await caller({ model: { reply } });
    const { pipeline_id } = await call('create_relay_pipeline', { name: 'R', goal: 'G', agent_types: ['researcher'] });
    await call('run_relay', { pipeline_id });
    await call('run_relay', { pipeline_id });
    expect(await call('get_relay_status', { pipeline_id, wait_seconds: 30 })).toMatchObject({ status: 'completed' });
  });

  it('breakers', async () => {
    const { call } = await caller();
    const agent_id = 'researcher';
    await call('circuit_breaker_status', { agent_id });
    await call('circuit_breaker_configure', { agent_id, failure_threshold: 1, fallback_agent: 'generalist' });
    await call('circuit_breaker_acquire', { agent_id });
    await call('circuit_breaker_record_success', { agent_id });
    await call('circuit_breaker_record_failure', { agent_id, failure_type: 'timeout', error_message: 'slow' });
    expect(await call('circuit_breaker_acquire', { agent_id })).toMatchObject({ fallback_agent: 'generalist' });
    await call('circuit_breaker_trip', { agent_id, hold: true });
    await call('circuit_breaker_status', { agent_id });
    await call('circuit_breaker_list', { limit: 1 });
    await call('circuit_breaker_list', { fields: 'full' });
    await call('circuit_breaker_events', { agent_id });
    await call('circuit_breaker_reset', { agent_id });
  });

  it('background tasks and jobs', async () => {
    const { call } = await caller();
    const { id: goal_id } = await call('create_goal', { name: 'G', description: 'D' });
    await call('create_task', { title: 'T', goal_id });
    await call('run_goal', { goal_id });
    const { run_id } = await call('run_goal', { goal_id });
    const submitted = await call('submit_background_task', { task_description: 'Say hello.', idempotency_key: 'k' });
    await call('submit_background_task', { task_description: 'Say hello.', idempotency_key: 'k' });
    const failing = await call('submit_background_task', { task_description: scripted({ status: 401 }) });
    const task_ids = [submitted.task_id, failing.task_id, run_id];
    await call('check_task_status', { task_id: submitted.task_id });
    await call('wait_for_tasks', { task_ids, timeout_seconds: 30 });
    for (const task_id of task_ids) {
      await call('check_task_status', { task_id });
      await call('get_task_result', { task_id, max_chars: 3 });
      await call('get_job_status', { job_id: task_id });
    }
    await call('list_background_tasks', { limit: 1 });
    await call('retry_task', { task_id: failing.task_id });
    const job = await call('submit_job', { type: 'generic', payload: { a: 1 }, run_at: '2099-01-01T00:00:00Z' });
    await call('get_job_status', { job_id: job.job_id });
    await call('cancel_job', { job_id: job.job_id });
    const request = { type: 'generic', payload: {} };
    const run_at = '2099-01-01T00:00:00Z';
    await call('schedule', { name: 'far', kind: 'job', request, run_at, missed: 'skip', timezone: 'UTC' });
    await call('schedule', { name: 'far', action: 'run' });
    await call('list_schedules', { name: 'far' });
    await call('schedule', { name: 'far', action: 'delete' });
    const later = await call('submit_job', { type: 'generic', payload: {}, run_at: '2099-01-01T00:00:00Z' });
    await call('cancel_task', { task_id: later.job_id });
    const never = { type: 'generic', run_at: '2099-01-01T00:00:00Z' };
    await call('submit_jobs', { jobs: [{ ...never, payload: { a: 1 }, idempotency_key: 'several' }] });
    await call('submit_jobs', { jobs: [{ ...never, payload: { a: 1 }, idempotency_key: 'several' }] });
    const { sweep } = await call('submit_jobs', { jobs: [{ ...never, payload: {} }], grid: { a: [1, 2] } });
    const compared = await call('compare_jobs', { sweep });
    expect(compared.jobs.map(({ parameters }: { parameters: unknown }) => parameters)).toEqual([{ a: 1 }, { a: 2 }]);
    expect(await call('cancel_job', { job_id: sweep })).toMatchObject({ cancelled: true, count: 2 });
    await call('compare_jobs', { type: 'llm', figures: [] });
    await call('list_jobs');
    await call('list_agents');
    await call('list_agents', { type: 'backtest' });
    await call('runtime_status');
    await call('get_metrics');
    await call('get_goal', { goal_id });
  });

  it('tools of other servers, and those that are built in', async () => {
    const arxiv = await webService(replyWith(200, body('attention.xml')));
    const tavily = await webService(replyWith(200, body('tavily.json')));
    const { call } = await caller({
      config: { mcpServers: { odd: odd(), off: { command: '/no/such/program' } } },
      env: {
        ARXIV_BASE_URL: arxiv.origin,
        TAVILY_API_KEY: 'tvly-dev-0123456789abcdef',
        TAVILY_BASE_URL: tavily.origin,
      },
    });
    await call('list_available_tools', { fields: 'full' });
    await call('list_available_tools', { limit: 1 });
    await call('call_tool', { tool_name: 'odd.echo', arguments: { text: 'hello' } });
    await call('call_tool', { tool_name: 'odd.big', arguments: { bytes: 1_000 }, max_chars: 100 });
    await call('set_tool_route', { tool_name: 'odd.echo', prefer: 'odd', cache_seconds: 5, retry_safe: true });
    await call('scale_tool_server', { server: 'odd', instances: 2 });
    await call('list_tool_servers');
    await call('get_tool_stats', { limit: 1 });
    for (const _ of ['asked', 'from the cache']) await call('search_arxiv', { query: 'attention', max_results: 1 });
    await call('web_search', { query: 'sqlite wal' });
    await call('runtime_status');
  });

  it('the runtime itself', async () => {
    const { call, runtime } = await caller();
    await call('runtime_status');
    const { id: goal_id } = await call('create_goal', { name: 'G', description: 'D' });
    await call('create_tasks', {
      goal_id,
      tasks: [
        { title: 'a', key: 'a' },
        { title: 'b', dependencies: ['a'] },
      ],
    });
    await call('claim_next_task');
    await call('claim_worker_slot');
    await call('circuit_breaker_trip', { agent_id: 'researcher' });
    await call('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
    await call('runtime_status');
    await call('get_events', { limit: 2 });
    await call('get_metrics');
    await call('backup_database', { path: 'copy.db' });
    const server = await runtime.httpServers.add({ url: 'http://127.0.0.1:1', hasPage: true, isReadOnly: false });
    onTestFinished(() => runtime.httpServers.remove(server));
    await call('dashboard_url');
  });

  it('of every tool there is', () => {
    const all = chooseTools({ toolsets: 'all', isReadOnly: false }).map(({ name }) => name);
    expect(all.filter((name) => !reached.has(name))).toEqual([]);
  });
});

it('what the page reads is what its wire types say, key for key', async () => {
  const { call, callTool } = await caller();
  const { id: goal_id } = await call('create_goal', { name: 'G', description: 'D' });
  const tasks = ['a', 'b', 'c'].map((key) => ({ title: key, key, goal_id }));
  await call('create_tasks', { tasks: [...tasks, { title: 'd', goal_id, dependencies: ['a'] }] });
  const { id: task_id } = await call('claim_next_task');
  await call('claim_next_task');
  await call('update_task_status', { task_id, status: 'failed', error: 'e' });
  await call('claim_worker_slot');
  const { task_id: job_id } = await call('submit_background_task', { task_description: 'Say hello.' });
  await call('submit_job', { type: 'generic', payload: {}, depends_on: [job_id], run_at: '2099-01-01T00:00:00Z' });
  await call('wait_for_tasks', { task_ids: [job_id], timeout_seconds: 30 });
  const { id: cancelled } = await call('create_goal', { name: 'H', description: '' });
  await call('update_goal', { goal_id: cancelled, status: 'cancelled' });
  const { id: runnable } = await call('create_goal', { name: 'R', description: '' });
  const { id: held } = await call('create_task', { title: 'held', goal_id: runnable });
  await call('update_task_status', { task_id: held, status: 'in_progress' });
  await call('run_goal', { goal_id: runnable });
  const { pipeline_id, baton_id } = await call('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
  const steps = [{ agent_type: 'researcher', approval: true }];
  const { pipeline_id: gated } = await call('create_relay_pipeline', { name: 'A', goal: 'G', steps });
  await call('advance_relay', { pipeline_id: gated, quality_score: 1, l_score: 1, tokens_used: 1, output: 'o' });
  await call('save_task_template', { name: 'release', tasks: [{ title: 'Tag {{version}}', priority: 3 }] });
  const inputs: Record<string, JsonObject> = {
    tasks: { limit: 1 },
    task_links: { task_id },
    goals: { limit: 1 },
    goal_graph: { goal_id },
    goal_run: { goal_id },
    change_tasks: { change: 'priority', priority: 3, filter: {} },
    edit_task: { task_id, expected_output: 'A table.' },
    reopen_goal: { goal_id: cancelled },
    pause_goal_run: { goal_id: runnable, paused: true },
    search: { query: 'a' },
    add_note: { task_id, note: 'n' },
    names: { references: [`goal:${goal_id}`, `job:${job_id}`, 'loose:ada'] },
    jobs: { limit: 1 },
    comparison: { type: 'generic' },
    job: { job_id },
    job_output: { job_id },
    attempt_outputs: { job_id },
    acknowledge: { kind: 'failed_task' },
    unacknowledge: { kind: 'failed_task', ids: [String(task_id)] },
    relay: { pipeline_id },
    relay_baton: { pipeline_id, baton_id },
    end_task: { task_id: 'c', status: 'completed', text: 'r' },
    approve_relay_step: { pipeline_id: gated, approve: true },
    set_relay_budget: { pipeline_id, token_budget: 5_000 },
    delete_template: { name: 'release' },
    purge_preview: { days: 1 },
    create_token: { name: 'second' },
    purge: { days: 1 },
    clear_board: { confirm: true },
  };
  const create = pageReads.find(({ name }) => name === 'create_token');
  inputs.revoke_access = { id: create && (await callTool(create, { name: 'first' })).id };
  for (const read of pageReads) await callTool(read, inputs[read.name] ?? {});
});
