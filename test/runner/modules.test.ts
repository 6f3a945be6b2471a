import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type JobRequest, submitJob } from '../../src/services/submit-job.js';
import { countWords, homeWithModules, plainAgent, writeModule } from '../agents/modules/workshop.js';
import { eventually } from '../support/eventually.js';
import { jobStoreOf } from '../support/job-store.js';
import { type Background, background, session } from './fixtures/background.js';

async function submit(runtime: Background, type: string, request: Partial<JobRequest> = {}): Promise<string> {
  const { job } = await submitJob({ type, payload: {}, ...request }, session, runtime);
  return job.id;
}

describe("a module's agent, in a detached runner", () => {
  it('does its work, with its payload as its own schema reads it', async () => {
    const runtime = await background({ home: homeWithModules({ 'agents/count.mjs': countWords }) });
    const id = await submit(runtime, 'count_words', { payload: { text: 'to be or not' } });
    expect(await runtime.ended(id)).toMatchObject({ status: 'completed', result: { words: 4 }, timeoutSeconds: 60 });
    expect(await runtime.jobs.logs(id, 5)).toMatchObject([
      { level: 'info', message: 'counted', fields: '{"words":4}' },
    ]);
  });

  it('finds what the jobs before it left, and what it saved in an earlier attempt', async () => {
    const modules = {
      'make.mjs': plainAgent('make', "await context.saveArtifact('data.txt', 'forty-two'); return { made: 42 };"),
      'use.mjs': `import { readFileSync } from 'node:fs';
        class AgentError extends Error { name = 'AgentError'; constructor(code, message, isTransient) {
          super(message); Object.assign(this, { code, isTransient }); } }
        ${plainAgent(
          'use',
          `const [before] = await context.dependencies();
           if (job.attempt === 1) {
             await context.saveArtifact('kept.txt', 'from the first attempt');
             throw new AgentError('flaky', 'Once more.', true);
           }
           const [kept] = await context.artifacts();
           return { before, text: readFileSync(before.artifacts[0].path, 'utf8'), kept: readFileSync(kept.path, 'utf8') };`,
        )}`,
    };
    const runtime = await background({ home: homeWithModules(modules) });
    const make = await submit(runtime, 'make');
    const use = await submit(runtime, 'use', { depends_on: [make] });
    await eventually(
      'the first attempt is over',
      async () => (await runtime.jobs.attempts(use))[0]?.outcome === 'failed',
    );
    await runtime.db.run('update jobs set run_at = 0, run_tick = 0 where id = ?', use);
    expect((await runtime.ended(use)).result).toEqual({
      before: {
        id: make,
        type: 'make',
        result: { made: 42 },
        artifacts: [expect.objectContaining({ name: 'data.txt' })],
      },
      text: 'forty-two',
      kept: 'from the first attempt',
    });
    expect((await runtime.jobs.attempts(use))[0]).toMatchObject({ errorCode: 'flaky', errorMessage: 'Once more.' });
  });

  it('has no more of its jobs running at once than it allows, over all runners', async () => {
    const slow = plainAgent(
      'slow',
      'const at = Date.now(); await new Promise((done) => setTimeout(done, 150)); return [at, Date.now(), process.pid];',
      'concurrency: 1,',
    );
    const runtime = await background({ home: homeWithModules({ 'slow.mjs': slow }) });
    const slowOnes = await Promise.all([1, 2, 3, 4].map(() => submit(runtime, 'slow')));
    const other = await submit(runtime, 'generic');
    expect((await runtime.ended(other)).status).toBe('completed');
    const spans: number[][] = [];
    for (const id of slowOnes) spans.push((await runtime.ended(id)).result as number[]);
    spans.sort(([a = 0], [b = 0]) => a - b);
    for (const [index, [, end = 0]] of spans.entries()) {
      expect(spans[index + 1]?.[0] ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(end);
    }
  });

  it('is never given to a session that has another module of the same type, or none', async () => {
    const home = homeWithModules({ 'ours.mjs': plainAgent('report', "return 'ours';") });
    const runtime = await background({ home });
    writeModule(home, 'theirs.mjs', plainAgent('report', "return 'theirs';"));
    const env = { AGENT_RUNTIME_CONFIG: '/dev/null' };
    const without = await background({ home, env });
    const other = await background({
      home,
      env: { ...env, AGENT_RUNTIME_AGENTS: `${home}/.claude/theirs.mjs` },
    });
    const store = jobStoreOf(runtime);
    const { job } = await submitJob({ type: 'report', payload: {} }, session, {
      ...runtime,
      // Stored, with no runner started for it: its session ends at this moment.
      jobs: {
        submit: async (given, actor) => {
          const { runnerId, ...submitted } = await store.submit(given, actor);
          if (runnerId) await store.markLost(runnerId, 'its session ended');
          return submitted;
        },
      },
    });
    for (const bystander of [without, other]) {
      await bystander.jobs.sweep(session);
      expect((await bystander.ended(await bystander.give('generic'))).status).toBe('completed');
      await bystander.idle();
    }
    expect((await runtime.jobs.get(job.id)).status).toBe('pending');
    await runtime.jobs.sweep(session);
    expect((await runtime.ended(job.id)).result).toBe('ours');
  });
});

describe('a module that turns bad after its job was submitted', () => {
  it.each([
    ['is gone', '', 'not_configured', /cannot be loaded/],
    ['throws', "throw new Error('later');", 'not_configured', /cannot be loaded: Error: later/],
    ['exits', 'process.exit(7);', 'exited', /The agent ended its process \(exit code 7\)/],
    ['hangs', 'await new Promise((done) => setTimeout(done, 1e9));', 'timeout', /took longer than its 2 s/],
  ])('fails that job with the reason, and the queue goes on (%s)', async (how, text, code, message) => {
    const home = homeWithModules({ 'a.mjs': plainAgent('turning') });
    const runtime = await background({ home });
    const later = runtime.clock.now() + 5_000;
    const limit = how === 'hangs' ? 2 : 60;
    const id = await submit(runtime, 'turning', { run_at: later, max_attempts: 1, timeout_seconds: limit });
    writeModule(home, 'a.mjs', how === 'is gone' ? "import './gone.mjs';" : text);
    await sleep(later - runtime.clock.now());
    const next = await submit(runtime, 'generic');
    const job = await endedWithSweeps(runtime, id);
    expect(job).toMatchObject({ status: 'failed', errorCode: code });
    expect(job.errorMessage).toMatch(message);
    expect((await endedWithSweeps(runtime, next)).status).toBe('completed');
  });
});

describe('an agent that misbehaves', () => {
  it('by ending its process, fails with that and is not tried again', async () => {
    const runtime = await background({ home: homeWithModules({ 'a.mjs': plainAgent('quits', 'process.exit(0);') }) });
    const id = await submit(runtime, 'quits');
    const job = await endedWithSweeps(runtime, id);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'exited', attempt: 1 });
    expect(job.errorMessage).toBe('The agent ended its process (exit code 0). An agent throws when it fails.');
  });

  it.each([
    ['in the heap', 'all.push(new Array(1_000).fill({}));'],
    ['outside of the heap', 'all.push(Buffer.alloc(1_000_000, 1));'],
  ])(
    'by allocating without end %s, ends its own runner alone, and fails with the limit that it met',
    async (_, more) => {
      const greedy = plainAgent('greedy', `const all = []; for (;;) ${more}`);
      const home = homeWithModules({ 'a.mjs': greedy }, { agents: ['./a.mjs'], limits: { runnerHeapMb: 64 } });
      const runtime = await background({ home });
      const id = await submit(runtime, 'greedy');
      const others = await Promise.all([1, 2, 3].map(() => submit(runtime, 'generic')));
      const job = await endedWithSweeps(runtime, id);
      expect(job).toMatchObject({ status: 'failed', errorCode: 'out_of_memory', attempt: 1 });
      expect(job.errorMessage).toContain('more memory than its runner may have (limits.runnerHeapMb is 64)');
      for (const other of others) expect((await endedWithSweeps(runtime, other)).status).toBe('completed');
    },
  );

  it('by printing to stdout, spoils nothing: it goes to the log of the runners', async () => {
    const noisy = plainAgent(
      'noisy',
      "console.log('a word on stdout'); process.stdout.write('{}\\\\n'); return 'done';",
    );
    const runtime = await background({ home: homeWithModules({ 'a.mjs': noisy }) });
    expect((await runtime.ended(await submit(runtime, 'noisy'))).result).toBe('done');
    expect(readFileSync(`${runtime.config.dataDir}/logs/runner.log`, 'utf8')).toContain('a word on stdout');
  });

  it.each([
    ['{ total: 10n }', /result\.total is a bigint/],
    ['(() => { const loop = { a: [] }; loop.a.push(loop); return loop; })()', /result\.a\[0\] refers back/],
    ['{ then2: () => 1 }', /result\.then2 is a function/],
    ['Symbol("s")', /result is a symbol/],
    ['[1, Infinity]', /result\[1\] is Infinity/],
  ])('by returning what JSON cannot hold, fails naming the place: %s', async (value, message) => {
    const runtime = await background({ home: homeWithModules({ 'a.mjs': plainAgent('odd', `return ${value};`) }) });
    const job = await runtime.ended(await submit(runtime, 'odd'));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'invalid_output' });
    expect(job.errorMessage).toMatch(message);
  });

  it.each([
    ['a timer', "setTimeout(() => { throw new RangeError('too late'); }, 50);"],
    ['a promise that it forgot', "Promise.reject(new RangeError('too late'));"],
    ['work that it did not await', "(async () => { await null; throw new RangeError('too late'); })();"],
  ])('by an error of %s after it has returned, fails with it, and its log has the stack', async (_, body) => {
    const home = homeWithModules({ 'a.mjs': plainAgent('late', `${body} return 'fine';`) });
    const runtime = await background({ home });
    const job = await runtime.ended(await submit(runtime, 'late'));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'internal', result: null });
    expect(job.errorMessage).toMatch(/^Uncaught error, although the agent returned a result: too late/);
    const [entry] = await runtime.jobs.logs(job.id, 5);
    expect(entry).toMatchObject({ level: 'error', message: 'uncaught: RangeError: too late' });
    expect(entry?.fields).toMatch(/\/a\.mjs:\d+:\d+/);
  });

  it('by leaving a timer that does not end, has completed, with a warning', async () => {
    const home = homeWithModules({ 'a.mjs': plainAgent('ticks', "setInterval(() => {}, 10); return 'fine';") });
    const runtime = await background({ home });
    expect(await runtime.ended(await submit(runtime, 'ticks'))).toMatchObject({
      status: 'completed',
      warnings: ['The agent returned while timers of it were still running: what they do is lost.'],
    });
  });

  it('only in that it returns nothing, has completed with null', async () => {
    const runtime = await background({ home: homeWithModules({ 'a.mjs': plainAgent('quiet', '') }) });
    expect(await runtime.ended(await submit(runtime, 'quiet'))).toMatchObject({ status: 'completed', result: null });
  });
});

/** Sweeps as often as a session does in a minute, until the job has ended. */
async function endedWithSweeps(runtime: Background, id: string) {
  await eventually(`job ${id} ends`, async () => {
    await runtime.jobs.sweep(session);
    return !['pending', 'running'].includes(await runtime.jobs.status(id));
  });
  return runtime.jobs.get(id);
}
