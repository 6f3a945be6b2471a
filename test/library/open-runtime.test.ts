import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type * as library from '../../src/index.js';
import type { AgentRuntime, OpenOptions } from '../../src/library/agent-runtime.js';
import { toolsets } from '../../src/tools/index.js';
import { homeWithModules, plainAgent } from '../agents/modules/workshop.js';
import { tempDir } from '../support/temp-dir.js';
import { consumer } from './consumer.js';

/** The built package, whose runners lie beside it. */
const { openRuntime } = (await import(join(inject('dist'), 'index.js'))) as typeof library;

interface Embedded extends AgentRuntime {
  home: string;
}

async function embedded(options: OpenOptions & { home?: string } = {}): Promise<Embedded> {
  const { home = tempDir(), ...more } = options;
  const places = { dbPath: join(home, 'runtime.db'), dataDir: join(home, 'data'), config: join(home, 'config.json') };
  const runtime = await openRuntime({ ...places, ...more });
  onTestFinished(() => runtime.close());
  return Object.assign(runtime, { home });
}

/** A result is as the tool of the name declares it. */
function expectAsDeclared(tool: string, result: unknown): void {
  const declared = Object.values(toolsets)
    .flat()
    .find(({ name }) => name === tool);
  expect(declared?.output.safeParse(result).error).toBeUndefined();
}

describe('goals and tasks', () => {
  it('are planned, claimed and done, with what each task left for the next', async () => {
    const runtime = await embedded();
    const goal = await runtime.createGoal({
      name: 'Report',
      description: 'A report of the year',
      metadata: { year: 2026 },
    });
    expectAsDeclared('create_goal', goal);
    const ids = await runtime.decomposeGoal(goal.id, {
      tasks: [{ title: 'Collect' }, { title: 'Write', depends_on: ['Collect'] }],
    });
    expect(ids).toHaveLength(2);
    const first = await runtime.claimNextTask({ goal_id: goal.id });
    expect(first).toMatchObject({ id: ids[0], title: 'Collect', claim_token: 1, dependency_results: [] });
    const done = await runtime.updateTaskStatus(first?.id ?? 0, 'completed', { result: '12 files', claim_token: 1 });
    expect(done).toMatchObject({ id: first?.id, status: 'completed', result: '12 files', title: 'Collect' });
    const second = await runtime.claimNextTask();
    expect(second?.dependency_results).toEqual([
      { id: ids[0], title: 'Collect', status: 'completed', result: '12 files' },
    ]);
    expect(await runtime.claimNextTask()).toBeUndefined();
    await runtime.updateTaskStatus(second?.id ?? 0, 'completed');
    expect(await runtime.getGoal(goal.id)).toMatchObject({ status: 'completed', progress: { total: 2, completed: 2 } });
    expect(await runtime.listGoals({ status: 'completed' })).toMatchObject([{ id: goal.id, metadata: { year: 2026 } }]);
    expect(await runtime.listTasks({ goal_id: goal.id })).toMatchObject([{ title: 'Write' }, { title: 'Collect' }]);
  });

  it('of a program are claimed as by any session: another cannot write to its claims, and an outdated one is refused', async () => {
    const ours = await embedded({ name: 'nightly' });
    const theirs = await embedded({ home: ours.home });
    const [id = 0] = await ours.createTasks([{ title: 'Only once', key: 'once' }]);
    const claims = await Promise.all([ours.claimNextTask(), theirs.claimNextTask()]);
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    const [winner, loser] = claims[0] ? [ours, theirs] : [theirs, ours];
    await expect(loser.updateTaskStatus('once', 'completed')).rejects.toMatchObject({ code: 'already_claimed' });
    await winner.updateTaskStatus(id, 'pending');
    expect((await winner.claimNextTask())?.claim_token).toBe(2);
    await expect(winner.updateTaskStatus(id, 'completed', { claim_token: 1 })).rejects.toMatchObject({
      code: 'stale_claim',
    });
    expect((await winner.getTask('once')).status).toBe('in_progress');
  });

  it('have their long texts whole', async () => {
    const runtime = await embedded();
    const description = 'long '.repeat(5_000);
    const { id } = await runtime.createTask({ title: 'Long', description });
    expect((await runtime.claimNextTask())?.description).toBe(description);
    expect((await runtime.getTask(id)).description).toBe(description);
  });

  it.each([
    ['a field that there is not', { title: 'T', urgency: 9 }, /urgency/],
    ['a value out of bounds', { title: 'T', priority: 11 }, /priority/],
    ['what JSON cannot hold', { title: 'T', metadata: { big: 10n } }, /create_task\.metadata\.big is a bigint/],
    ['a goal that there is not', { title: 'T', goal_id: 99 }, /99/],
  ])('refuse %s, and write nothing', async (_, task, message) => {
    const runtime = await embedded();
    await expect(runtime.createTask(task)).rejects.toThrow(message);
    await expect(runtime.createTask(task)).rejects.toBeInstanceOf(Error);
    expect(await runtime.listTasks()).toEqual([]);
  });
});

describe('jobs', () => {
  it('are followed to their end, state by state, or awaited', async () => {
    const steps = plainAgent(
      'steps',
      `for (const step of [1, 2]) { context.progress(step / 4, 'step ' + step); await new Promise((done) => setTimeout(done, 2_000)); }
       return { pid: process.pid };`,
    );
    const home = homeWithModules({ 'steps.mjs': steps });
    const runtime = await embedded({ home, agents: [new URL(`file://${home}/.claude/steps.mjs`)] });
    const { job_id } = await runtime.submitJob({ type: 'steps', payload: {} });
    const states: [string, number | undefined, string | undefined][] = [];
    for await (const job of runtime.waitForJob(job_id)) {
      expectAsDeclared('get_job_status', job);
      states.push([job.status, job.progress, job.progress_message]);
    }
    expect(states).toEqual(
      expect.arrayContaining([
        ['running', 0.25, 'step 1'],
        ['running', 0.5, 'step 2'],
      ]),
    );
    expect(states.filter(([status]) => status === 'completed')).toHaveLength(1);
    expect(states.at(-1)?.[0]).toBe('completed');
    const awaited = await runtime.waitForJob(job_id);
    expect((awaited.result as { pid: number }).pid).not.toBe(process.pid);
    expect((await runtime.listAgents()).agents).toContainEqual(expect.objectContaining({ type: 'steps' }));
  });

  it('have their results whole, however long', async () => {
    const runtime = await embedded();
    const text = 'x'.repeat(50_000);
    const { job_id } = await runtime.submitJob({ type: 'generic', payload: { text } });
    expect((await runtime.waitForJob(job_id)).result).toMatchObject({ status: 'success', data: { text } });
  });

  it('are listed over as many pages as it takes', async () => {
    const runtime = await embedded();
    const run_at = new Date(Date.now() + 7_200_000).toISOString();
    for (let count = 0; count < 230; count++) {
      await runtime.submitJob({ type: 'generic', payload: { count, text: 'a'.repeat(100) }, run_at });
    }
    const listed = await runtime.listJobs({ type: 'generic', limit: 220 });
    expect(new Set(listed.map(({ job_id }) => job_id)).size).toBe(220);
    expect(listed[0]?.about).toContain('count=229');
    expect(await runtime.listJobs({ status_filter: 'completed' })).toEqual([]);
  });

  it('are cancelled and run again', async () => {
    const runtime = await embedded();
    const run_at = new Date(Date.now() + 7_200_000).toISOString();
    const { job_id } = await runtime.submitJob({ type: 'generic', payload: {}, run_at });
    expect(await runtime.cancelJob(job_id)).toMatchObject({ cancelled: true });
    await expect(runtime.retryJob(job_id)).resolves.toMatchObject({ job_id });
    expect((await runtime.waitForJob(job_id)).status).toBe('completed');
    await expect(runtime.cancelJob(job_id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('are waited for no longer than a signal allows', async () => {
    const runtime = await embedded();
    const run_at = new Date(Date.now() + 7_200_000).toISOString();
    const { job_id } = await runtime.submitJob({ type: 'generic', payload: {}, run_at });
    const signal = AbortSignal.timeout(250);
    await expect(runtime.waitForJob(job_id, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await runtime.getJobStatus(job_id)).status).toBe('pending');
    await expect(runtime.waitForJob('nowhere')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('go on when the program that submitted them has ended, and another finds them', async () => {
    const program = consumer();
    const { job_id } = await program.run(
      'submit.js',
      `import { openRuntime } from 'agent-runtime-mcp';
       const runtime = await openRuntime();
       const job = await runtime.submitJob({ type: 'ml_experiment', payload: { dataset: 'iris', epochs: 40 } });
       console.log(JSON.stringify(job));
       process.exit();`,
    );
    const claude = join(program.home, '.claude');
    const later = await embedded({ dbPath: join(claude, 'agent_runtime.db'), dataDir: join(claude, 'agent_runtime') });
    expect((await later.waitForJob(job_id)).status).toBe('completed');
  });
});

describe('openRuntime', () => {
  it('says how to name an agent when it is given one itself', async () => {
    const agent = { type: 'mine', execute() {} } as unknown as string;
    await expect(openRuntime({ agents: [agent] })).rejects.toMatchObject({
      code: 'invalid',
      message: 'agents names modules by path, and was given a value of type object.',
      hint: expect.stringContaining("new URL('./my-agent.js', import.meta.url)"),
    });
  });

  it('writes a session for the program, which ends with close; afterwards every call says so', async () => {
    const runtime = await embedded({ name: 'nightly' });
    const onlooker = await embedded({ home: runtime.home });
    await runtime.callTool('claim_worker_slot');
    const slots = async () => {
      const { workers } = (await onlooker.callTool('get_workers')) as { workers: { active: boolean }[] };
      return workers.filter(({ active }) => active).length;
    };
    expect(await slots()).toBe(1);
    runtime.close();
    runtime.close();
    expect(await slots()).toBe(0);
    await expect(runtime.listJobs()).rejects.toMatchObject({ code: 'unavailable', message: 'This runtime is closed.' });
  });

  it('calls other tools by name, and knows which there are not', async () => {
    const runtime = await embedded();
    expect(await runtime.callTool('runtime_status')).toBeTypeOf('object');
    await expect(runtime.callTool('is_not_there')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('defects of the job orchestrator that this replaces', () => {
  it('a job is found by another process, where it lived in a dict of the one that submitted it', async () => {
    const first = await embedded();
    const { job_id } = await first.submitJob({ type: 'generic', payload: { a: 1 }, metadata: { user: 'researcher' } });
    first.close();
    const second = await embedded({ home: first.home });
    expect(await second.waitForJob(job_id)).toMatchObject({ status: 'completed', metadata: { user: 'researcher' } });
  });

  it('a job of a custom type is possible, where the types were fixed', async () => {
    const home = homeWithModules({ 'mine.mjs': plainAgent('mine', "return 'done by a type of my own';") });
    const runtime = await embedded({ home, agents: [join(home, '.claude', 'mine.mjs')] });
    const { job_id } = await runtime.submitJob({ type: 'mine', payload: {} });
    expect((await runtime.waitForJob(job_id)).result).toBe('done by a type of my own');
  });

  it('the status of a job has its result and its log, where the one was left out and the other never filled', async () => {
    const home = homeWithModules({
      'talks.mjs': plainAgent('talks', "context.log('info', 'at work'); return { a: 1 };"),
    });
    const runtime = await embedded({ home, agents: [join(home, '.claude', 'talks.mjs')] });
    const { job_id } = await runtime.submitJob({ type: 'talks', payload: {} });
    expect(await runtime.waitForJob(job_id)).toMatchObject({
      result: { a: 1 },
      logs: [{ level: 'info', message: 'at work' }],
    });
  });

  it('an experiment and its seed give the same figures twice, where they were random after a sleep', async () => {
    const runtime = await embedded();
    const train = async () => {
      const payload = { model: 'linear', dataset: 'iris', epochs: 5 };
      const { job_id } = await runtime.submitJob({ type: 'ml_experiment', payload });
      return (await runtime.waitForJob(job_id)).result as { training_history: unknown; final_accuracy: number };
    };
    const [first, second] = [await train(), await train()];
    expect(second.training_history).toEqual(first.training_history);
    expect(second.final_accuracy).toBe(first.final_accuracy);
  });
});
