import { describe, expect, it } from 'vitest';
import { cancelRelay, type RelayRunRequest, startRelayRun } from '../../src/agents/run-relay.js';
import type { NewPipeline } from '../../src/core/relay/create-pipeline.js';
import type { PipelineDetail } from '../../src/core/relay/read-pipeline.js';
import type { RecordedRequest } from '../fixtures/models/scripted-server.js';
import { type Background, type BackgroundOptions, background, session } from '../runner/fixtures/background.js';
import { holdLock } from '../runner/fixtures/hold-lock.js';
import { eventually } from '../runner/fixtures/poll.js';
import { isAlive } from '../support/is-alive.js';

const isJudged = ({ prompt }: RecordedRequest) => prompt.startsWith('Judge the output');
const agentOf = ({ prompt }: RecordedRequest) => /^Agent #\d+\/\d+: (\w+)/m.exec(prompt)?.[1] ?? '';
const verdict = (quality_score: number, reason = 'Good.') => JSON.stringify({ quality_score, l_score: 0.8, reason });

interface Vendor {
  work?: (request: RecordedRequest) => string;
  judge?: (request: RecordedRequest) => string;
}

interface Running extends Background {
  id: string;
  run(more?: Partial<RelayRunRequest>): ReturnType<typeof startRelayRun>;
  /** Resolves when the relay is in that state and nothing works on it. */
  until(status: string): Promise<PipelineDetail>;
  /** What the vendor was asked: the agent's name, or `judge`. */
  asked(): string[];
  prompts(agent: string): string[];
}

async function running(
  wish: Partial<NewPipeline> = {},
  { work, judge }: Vendor = {},
  options: BackgroundOptions = {},
): Promise<Running> {
  const reply = (request: RecordedRequest) =>
    isJudged(request) ? (judge?.(request) ?? verdict(0.9)) : (work?.(request) ?? `By the ${agentOf(request)}.`);
  const runtime = await background({ model: { reply }, ...options });
  const agents = wish.steps ? {} : { agent_types: ['researcher', 'analyzer', 'formatter'] };
  const whole = { name: 'Prices', goal: 'Compare the prices', token_budget: 1_000_000, ...agents, ...wish };
  const { row } = await runtime.relays.create(whole, session);
  const { requests } = runtime.server;
  return Object.assign(runtime, {
    id: row.id,
    run: (more: Partial<RelayRunRequest> = {}) => startRelayRun({ pipeline_id: row.id, ...more }, session, runtime),
    until: (status: string) =>
      eventually(`the relay is ${status}`, async () => {
        await runtime.dispatcher.sweep(session);
        await runtime.db.run("update jobs set run_at = 0 where status = 'pending' and error_code is not 'postponed'");
        const detail = await runtime.relays.get(row.id);
        return detail.row.status === status && !detail.run?.isRunning ? detail : undefined;
      }),
    asked: () => requests.map((request) => (isJudged(request) ? 'judge' : agentOf(request))),
    prompts: (agent: string) =>
      requests.filter((request) => agentOf(request) === agent && !isJudged(request)).map(({ prompt }) => prompt),
  });
}

const eventsOf = async ({ db, id }: Running) =>
  (
    await db.all<{ type: string }>("select type from events where subject = 'relay' and subject_id = ? order by id", id)
  ).map(({ type }) => type);

describe('a relay that runs by itself', () => {
  it('works each step with the output of the one before, has it judged, and completes', async () => {
    const relay = await running();
    const { runId, isRepeated } = await relay.run({ judge_model: 'haiku' });
    expect(isRepeated).toBe(false);
    const { row, results, tokensUsed, averageQuality } = await relay.until('completed');
    expect(relay.asked()).toEqual(['researcher', 'judge', 'analyzer', 'judge', 'formatter', 'judge']);
    expect(results.map((result) => [result.agent_id, result.status, result.output])).toEqual([
      ['researcher', 'passed', '"By the researcher."'],
      ['analyzer', 'passed', '"By the analyzer."'],
      ['formatter', 'passed', '"By the formatter."'],
    ]);
    expect(relay.prompts('analyzer')[0]).toContain('By the researcher.');
    const models = new Set(relay.server.requests.map((request) => `${isJudged(request)} ${request.model}`));
    expect(models.size).toBe(2);
    // What the jobs used is what the relay used, and no step had two jobs.
    const jobs = await relay.db.all<{ id: string; used: number }>(
      "select id, input_tokens + output_tokens as used from jobs where type = 'relay_step' order by seq",
    );
    expect(jobs).toHaveLength(3);
    expect(jobs[0]?.id).toBe(runId);
    expect(tokensUsed).toBe(jobs.reduce((sum, job) => sum + job.used, 0));
    expect(results.reduce((sum, result) => sum + result.tokens_used, 0)).toBe(tokensUsed);
    expect([averageQuality, row.error_message]).toEqual([0.9, null]);
    expect((await eventsOf(relay)).filter((type) => type.startsWith('run_'))).toEqual(['run_started', 'run_ended']);
  });

  it('retries a step that does not pass its gate, with the reason of the judge in the prompt', async () => {
    const verdicts = [verdict(0.2, 'No prices are named.'), verdict(0.9)];
    const relay = await running({}, { judge: () => verdicts.shift() ?? verdict(0.9) });
    await relay.run();
    const { results, qualityScores } = await relay.until('completed');
    expect(relay.prompts('researcher')).toHaveLength(2);
    expect(relay.prompts('researcher')[1]).toContain('quality 0.2 is below 0.6');
    expect(relay.prompts('researcher')[1]).toContain('No prices are named.');
    expect(results.map((result) => result.status)).toEqual(['failed', 'passed', 'passed', 'passed']);
    expect(qualityScores).toEqual([0.9, 0.9, 0.9]);
  });

  it('fails when the retries are spent, and goes on from the failed step when it is run again', async () => {
    let isStern = true;
    const judge = (request: RecordedRequest) =>
      isStern && request.prompt.includes('by analyzer') ? verdict(0.1) : verdict(0.9);
    const relay = await running({}, { judge });
    await relay.run();
    const failed = await relay.until('failed');
    expect(failed.row).toMatchObject({ current_step: 1, error_code: 'quality_gate_failed' });
    expect(failed.results.map((result) => result.step_index)).toEqual([0, 1, 1, 1, 1]);
    isStern = false;
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.step_index)).toEqual([0, 1, 1, 1, 1, 1, 2]);
    expect(relay.prompts('researcher')).toHaveLength(1);
  });

  it('takes no second run while one is under way, and no result by hand', async () => {
    const relay = await running();
    relay.server.script.push({ silent: true });
    const first = await relay.run();
    await eventually('the model was asked', () => relay.asked().length === 1);
    expect(await relay.run({ model: 'haiku' })).toMatchObject({ runId: first.runId, isRepeated: true });
    const attempt = { pipelineId: relay.id, qualityScore: 1, lScore: 1, tokensUsed: 1, output: 'Mine.' };
    await expect(relay.relays.advance(attempt, session)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`being worked on by job ${first.runId}`),
    });
    await expect(relay.relays.retry({ pipelineId: relay.id, stepIndex: 0 }, session)).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('has one job for its baton, however many sessions run it at once', async () => {
    const relay = await running();
    const runs = await Promise.all([relay.run(), relay.run(), relay.run()]);
    expect(new Set(runs.map((started) => started.runId)).size).toBe(1);
    expect(runs.filter((started) => !started.isRepeated)).toHaveLength(1);
    expect((await relay.until('completed')).results).toHaveLength(3);
    expect(relay.asked()).toHaveLength(6);
  });

  it('leaves only its last result unread, and shows each verdict on its job', async () => {
    const relay = await running();
    const { runId } = await relay.run();
    await relay.until('completed');
    expect(await relay.db.all('select read_at is null as "isUnread" from jobs order by seq')).toEqual([
      { isUnread: 0 },
      { isUnread: 0 },
      { isUnread: 1 },
    ]);
    const job = await relay.jobs.get(runId);
    expect(job.result).toEqual({ quality_score: 0.9, l_score: 0.8, reason: 'Good.', step: 0, passed: true });
    expect(await relay.jobs.output(runId)).toBe('By the researcher.');
  });

  it('ends its job with the relay when it is cancelled', async () => {
    const relay = await running();
    relay.server.script.push({ silent: true });
    const { runId } = await relay.run();
    await relay.runnerOf(runId);
    await eventually('the model was asked', () => relay.asked().length === 1);
    expect(await cancelRelay(relay.id, session, relay)).toMatchObject({ status: 'cancelled' });
    expect((await relay.row(runId)).status).toBe('cancelled');
    expect((await relay.relays.get(relay.id)).results).toEqual([]);
    await expect(relay.run()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('leaves the baton to others when only its job is cancelled', async () => {
    const relay = await running();
    relay.server.script.push({ silent: true });
    const { runId } = await relay.run();
    await eventually('the model was asked', () => relay.asked().length === 1);
    await relay.dispatcher.cancel(runId, session);
    const attempt = { pipelineId: relay.id, qualityScore: 1, lScore: 1, tokensUsed: 1, output: 'Mine.' };
    expect(await relay.relays.advance(attempt, session)).toMatchObject({ kind: 'passed' });
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.output)).toEqual(['"Mine."', '"By the analyzer."', '"By the formatter."']);
  });

  it('runs again the step whose job was cancelled, under a baton of its own', async () => {
    const relay = await running();
    relay.server.script.push({ silent: true });
    const { runId } = await relay.run();
    await eventually('the model was asked', () => relay.asked().length === 1);
    await relay.dispatcher.cancel(runId, session);
    const again = await relay.run();
    expect(again.runId).not.toBe(runId);
    expect((await relay.until('completed')).results).toHaveLength(3);
    // The cancelled one has no baton to come back to.
    await relay.dispatcher.retry(runId, {}, session);
    expect(await relay.ended(runId)).toMatchObject({ status: 'failed', errorCode: 'conflict' });
    expect((await relay.relays.get(relay.id)).results).toHaveLength(3);
  });
});

describe('faults in a relay that runs by itself', () => {
  it('asks a judge that answers with prose once more', async () => {
    const verdicts = ['It is quite good.', verdict(0.9)];
    const relay = await running({ steps: [{ agent_type: 'researcher' }] }, { judge: () => verdicts.shift() ?? 'Hm.' });
    await relay.run();
    expect((await relay.until('completed')).results).toHaveLength(1);
    expect(relay.asked()).toEqual(['researcher', 'judge', 'judge']);
    expect(relay.server.requests[2]?.prompt).toContain('It is not JSON: "It is quite good."');
  });

  it('fails the attempt when the judge gives no verdict twice, keeps the output, and says so', async () => {
    const relay = await running({ steps: [{ agent_type: 'researcher' }] }, { judge: () => 'It is quite good.' });
    await relay.run();
    const { row, results } = await relay.until('failed');
    expect(row).toMatchObject({
      error_code: 'attempt_failed',
      error_message: expect.stringContaining('gave no verdict'),
    });
    // One attempt and three retries.
    expect(results.map((result) => [result.status, result.output])).toEqual(
      Array(4).fill(['failed', '"By the researcher."']),
    );
  });

  it('refuses a verdict with a score that is none', async () => {
    const verdicts = [JSON.stringify({ quality_score: 9, l_score: 0.5, reason: '' }), verdict(0.7)];
    const relay = await running({ steps: [{ agent_type: 'researcher' }] }, { judge: () => verdicts.shift() ?? '' });
    await relay.run();
    expect((await relay.until('completed')).qualityScores).toEqual([0.7]);
    expect(relay.server.requests[2]?.prompt).toContain('does not follow its schema');
  });

  it('tells a model that answered with prose what its schema wants; the judge never sees that', async () => {
    const output_schema = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] };
    const answers = ['It costs three.', '```json\n{"price": 3}\n```'];
    const relay = await running(
      { steps: [{ agent_type: 'researcher', output_schema }] },
      { work: () => answers.shift() ?? '' },
    );
    await relay.run();
    const { results } = await relay.until('completed');
    expect(relay.asked()).toEqual(['researcher', 'researcher', 'judge']);
    expect(relay.prompts('researcher')[1]).toContain('it is text that holds no JSON');
    expect(results.map((result) => [result.status, result.output])).toEqual([
      ['failed', '"It costs three."'],
      ['passed', '{"price":3}'],
    ]);
  });

  it('stops when the budget is reached in the middle, and goes on with a higher one', async () => {
    const relay = await running({
      token_budget: 5_000,
      steps: [
        { agent_type: 'a', max_tokens: 900 },
        { agent_type: 'b', instructions: 'x'.repeat(9_000) },
      ],
    });
    await relay.run();
    const { row, tokensUsed, results } = await relay.until('failed');
    expect(row).toMatchObject({ current_step: 1, error_code: 'budget_exhausted' });
    expect(tokensUsed).toBeLessThanOrEqual(5_000);
    expect(results.map((result) => result.status)).toEqual(['passed', 'failed']);
    expect(await relay.db.all('select breaker_id, failure_type from breaker_failures')).toEqual([
      { breaker_id: 'b', failure_type: 'resource_exhausted' },
    ]);
    await relay.run({ token_budget: 1_000_000 });
    expect((await relay.until('completed')).results).toHaveLength(3);
  });

  it('waits while the breaker of the provider is open, and loses nothing', async () => {
    const relay = await running();
    await relay.breakers.configure('llm:anthropic', { failureThreshold: 1, cooldownSeconds: 1 });
    relay.server.script.push({}, {}, { status: 529 });
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.status)).toEqual(['passed', 'passed', 'passed']);
    expect(await relay.db.get("select trip_count from breakers where id = 'llm:anthropic'")).toEqual({ trip_count: 1 });
  });

  it('fails at once and says so when a model or a key is missing, before anything is stored', async () => {
    const relay = await running({ steps: [{ agent_type: 'a' }, { agent_type: 'b', model: 'gemini-3.8-flash' }] });
    await expect(relay.run()).rejects.toMatchObject({ code: 'not_configured' });
    await expect(relay.run({ model: 'no-such-model-9' })).rejects.toMatchObject({ code: 'invalid' });
    expect(await relay.db.all("select id from jobs where type = 'relay_step'")).toEqual([]);
    expect((await relay.relays.get(relay.id)).row.status).toBe('pending');
  });

  it('does not retry what the next try would meet as well', async () => {
    const relay = await running({ steps: [{ agent_type: 'a' }] });
    relay.server.script.push({ status: 401 });
    await relay.run();
    const { row, results } = await relay.until('failed');
    expect(results).toHaveLength(1);
    expect(row.error_message).toContain('401');
    // The key is to blame, not the agent.
    expect(await relay.db.all("select id from breaker_failures where breaker_id = 'a'")).toEqual([]);
  });

  it('hands the baton of an agent whose breaker is open to its fallback', async () => {
    const relay = await running({ steps: [{ agent_type: 'a' }, { agent_type: 'b', fallback_agent: 'c' }] });
    await relay.breakers.trip('b', { reason: 'ill' });
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.agent_id)).toEqual(['a', 'c']);
    expect(relay.prompts('c')[0]).toContain('c stands in for b');
  });

  it('waits while the breakers let nobody have the baton', async () => {
    const relay = await running({ steps: [{ agent_type: 'a' }] });
    for (const agent of ['a', 'generalist']) {
      await relay.breakers.configure(agent, { cooldownSeconds: 1 });
      await relay.breakers.trip(agent, { reason: 'ill' });
    }
    await relay.relays.retry({ pipelineId: relay.id, stepIndex: 0 }, session);
    expect((await relay.relays.baton(relay.id)).row.status).toBe('waiting');
    const { runId } = await relay.run();
    await relay.until('completed');
    expect(await relay.jobs.attempts(runId)).toMatchObject([{ outcome: 'postponed' }, { outcome: 'completed' }]);
  });

  it('says which breaker keeps a step from being worked on, when only a reset will help', async () => {
    const relay = await running({ steps: [{ agent_type: 'a' }] });
    await relay.breakers.trip('a', { reason: 'ill', mustHold: true });
    await relay.breakers.trip('generalist', { reason: 'ill', mustHold: true });
    await relay.relays.retry({ pipelineId: relay.id, stepIndex: 0 }, session);
    await relay.run();
    const { row } = await relay.until('failed');
    expect(row.error_message).toContain('the breakers of a, generalist are open');
    await relay.breakers.reset('a');
    await relay.run();
    await relay.until('completed');
  });
});

describe('a runner that is killed', () => {
  const steps = [{ agent_type: 'researcher' }, { agent_type: 'analyzer' }];

  async function kill(relay: Running, jobId: string): Promise<void> {
    const { pid } = await relay.runnerOf(jobId);
    process.kill(pid, 'SIGKILL');
    await eventually('it is dead', () => !isAlive(pid));
  }

  it('while the model works: the step is worked on again, and counts once', async () => {
    const relay = await running({ steps });
    relay.server.script.push({ silent: true });
    const { runId } = await relay.run();
    await eventually('the model was asked', () => relay.asked().length === 1);
    await kill(relay, runId);
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.step_index)).toEqual([0, 1]);
    expect(relay.asked()).toEqual(['researcher', 'researcher', 'judge', 'analyzer', 'judge']);
  });

  it('while the judge reads: the same', async () => {
    const relay = await running({ steps });
    relay.server.script.push({}, { silent: true });
    const { runId } = await relay.run();
    await eventually('the judge was asked', () => relay.asked().length === 2);
    await kill(relay, runId);
    const { results } = await relay.until('completed');
    expect(results.map((result) => [result.step_index, result.status])).toEqual([
      [0, 'passed'],
      [1, 'passed'],
    ]);
    // What the lost attempt had used is counted as well.
    const { spent } =
      (await relay.db.get<{ spent: number }>('select spent from budgets where account = ?', `relay:${relay.id}`)) ?? {};
    const jobs = await relay.db.get<{ used: number }>(
      "select sum(input_tokens + output_tokens) as used from jobs where type = 'relay_step'",
    );
    expect(spent).toBe(jobs?.used);
  });

  it('with the verdict in its hands: nothing half written, and the step counts once', async () => {
    let answers = 0;
    const relay = await running({ steps }, { judge: () => verdict(0.9, `Answer ${++answers}`) });
    relay.server.script.push({}, { latencyMs: 500 });
    const { runId } = await relay.run();
    await eventually('the judge was asked', () => relay.asked().length === 2);
    const { pid } = await relay.runnerOf(runId);
    // From here on nobody writes.
    const release = await holdLock(relay.config.dbPath);
    await eventually('the judge has answered', () => answers === 1);
    process.kill(pid, 'SIGKILL');
    await eventually('it is dead', () => !isAlive(pid));
    release();
    const { results } = await relay.until('completed');
    expect(results.map((result) => [result.step_index, result.status])).toEqual([
      [0, 'passed'],
      [1, 'passed'],
    ]);
    expect(answers).toBe(3);
  });

  it('between two steps: the next job is found by whoever looks next', async () => {
    const relay = await running({ steps });
    relay.server.script.push({}, {}, { silent: true });
    await relay.run();
    await eventually('the second step was asked', () => relay.asked().length === 3);
    const [, second] = await relay.db.all<{ id: string }>("select id from jobs where type = 'relay_step' order by seq");
    await kill(relay, second?.id ?? '');
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.step_index)).toEqual([0, 1]);
    expect(relay.prompts('researcher')).toHaveLength(1);
  });
});
