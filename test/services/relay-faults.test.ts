import { describe, expect, it } from 'vitest';
import { session } from '../runner/fixtures/background.js';
import { eventually } from '../support/eventually.js';
import { running, verdict } from './running-relay.js';

describe('faults in a relay that runs by itself', () => {
  it('asks a judge that answers with prose once more', async () => {
    const verdicts = ['It is quite good.', verdict(0.9)];
    const relay = await running({ steps: [{ agentType: 'researcher' }] }, { judge: () => verdicts.shift() ?? 'Hm.' });
    await relay.run();
    expect((await relay.until('completed')).results).toHaveLength(1);
    expect(relay.asked()).toEqual(['researcher', 'judge', 'judge']);
    expect(relay.server.requests[2]?.prompt).toContain('It is not JSON: "It is quite good."');
  });

  it('fails the attempt when the judge gives no verdict twice, keeps the output, and says so', async () => {
    const relay = await running({ steps: [{ agentType: 'researcher' }] }, { judge: () => 'It is quite good.' });
    await relay.run();
    const { pipeline, results } = await relay.until('failed');
    expect(pipeline).toMatchObject({
      errorCode: 'attempt_failed',
      errorMessage: expect.stringContaining('gave no verdict'),
    });
    // One attempt and three retries.
    expect(results.map((result) => [result.status, result.output])).toEqual(
      Array(4).fill(['failed', 'By the researcher.']),
    );
  });

  it('refuses a verdict with a score that is none', async () => {
    const verdicts = [JSON.stringify({ quality_score: 9, l_score: 0.5, reason: '' }), verdict(0.7)];
    const relay = await running({ steps: [{ agentType: 'researcher' }] }, { judge: () => verdicts.shift() ?? '' });
    await relay.run();
    expect((await relay.until('completed')).qualityScores).toEqual([0.7]);
    expect(relay.server.requests[2]?.prompt).toContain('does not follow its schema');
  });

  it('tells a model that answered with prose what its schema wants; the judge never sees that', async () => {
    const output_schema = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] };
    const answers = ['It costs three.', '```json\n{"price": 3}\n```'];
    const relay = await running(
      { steps: [{ agentType: 'researcher', outputSchema: output_schema }] },
      { work: () => answers.shift() ?? '' },
    );
    await relay.run();
    const { results } = await relay.until('completed');
    expect(relay.asked()).toEqual(['researcher', 'researcher', 'judge']);
    expect(relay.prompts('researcher')[1]).toContain('it is text without JSON');
    expect(results.map((result) => [result.status, result.output])).toEqual([
      ['failed', 'It costs three.'],
      ['passed', { price: 3 }],
    ]);
  });

  it('stops when the budget is reached in the middle, and goes on with a higher one', async () => {
    const relay = await running({
      tokenBudget: 5_000,
      steps: [
        { agentType: 'a', maxTokens: 900 },
        { agentType: 'b', instructions: 'x'.repeat(9_000) },
      ],
    });
    await relay.run();
    const { pipeline, tokensUsed, results } = await relay.until('failed');
    expect(pipeline).toMatchObject({ currentStep: 1, errorCode: 'budget_exhausted' });
    expect(tokensUsed).toBeLessThanOrEqual(5_000);
    expect(results.map((result) => result.status)).toEqual(['passed', 'failed']);
    expect(await relay.db.all('select breaker_id, failure_type from breaker_failures')).toEqual([
      { breaker_id: 'b', failure_type: 'resource_exhausted' },
    ]);
    await expect(relay.run({ token_budget: 10 })).rejects.toMatchObject({ code: 'budget_exhausted' });
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
    const relay = await running({ steps: [{ agentType: 'a' }, { agentType: 'b', model: 'gemini-3.8-flash' }] });
    await expect(relay.run()).rejects.toMatchObject({ code: 'not_configured' });
    await expect(relay.run({ model: 'no-such-model-9' })).rejects.toMatchObject({ code: 'invalid' });
    expect(await relay.db.all("select id from jobs where type = 'relay_step'")).toEqual([]);
    expect((await relay.relays.get(relay.id)).pipeline.status).toBe('pending');
  });

  it('asks for no model of a step that has passed', async () => {
    const steps = [
      { agentType: 'a', model: 'gemini-3.8-flash' },
      { agentType: 'b', model: 'haiku' },
    ];
    const relay = await running({ steps });
    const attempt = { pipelineId: relay.id, qualityScore: 1, lScore: 1, tokensUsed: 1, output: 'Mine.' };
    await relay.relays.advance(attempt, session);
    await relay.run({ judge_model: 'sonnet' });
    await relay.until('completed');
    expect(relay.server.requests.map(({ model }) => model.split('-')[1])).toEqual(['haiku', 'sonnet']);
  });

  it('does not retry what the next try would meet as well', async () => {
    const relay = await running({ steps: [{ agentType: 'a' }] });
    relay.server.script.push({ status: 401 });
    await relay.run();
    const { pipeline, results } = await relay.until('failed');
    expect(results).toHaveLength(1);
    expect(pipeline.errorMessage).toContain('401');
    // The key is to blame, not the agent.
    expect(await relay.db.all("select id from breaker_failures where breaker_id = 'a'")).toEqual([]);
  });

  it('counts nothing of a job whose relay was cancelled under it, and keeps what it has made', async () => {
    const relay = await running();
    relay.server.script.push({}, { isHeld: true });
    const { runId } = await relay.run();
    await eventually('the judge was asked', () => relay.asked().length === 2);
    // As by a session that is killed before it can end the job.
    await relay.relays.cancel(relay.id, session);
    relay.server.letGo();
    const job = await relay.ended(runId);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'conflict' });
    expect(job.errorMessage).toContain('the relay is cancelled');
    expect(await relay.jobs.output(runId)).toBe('By the researcher.');
    expect(await relay.relays.get(relay.id)).toMatchObject({ results: [], pipeline: { status: 'cancelled' } });
    expect(await relay.db.all('select id from jobs')).toHaveLength(1);
  });

  it('hands the baton of an agent whose breaker is open to its fallback', async () => {
    const relay = await running({ steps: [{ agentType: 'a' }, { agentType: 'b', fallbackAgent: 'c' }] });
    await relay.breakers.trip('b', { reason: 'ill' });
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.agentId)).toEqual(['a', 'c']);
    expect(relay.prompts('c')[0]).toContain('c stands in for b');
  });

  it('waits while the breakers let nobody have the baton', async () => {
    const relay = await running({ steps: [{ agentType: 'a' }] });
    for (const agent of ['a', 'generalist']) await relay.breakers.trip(agent, { reason: 'ill' });
    await relay.relays.retry({ pipelineId: relay.id, stepIndex: 0 }, session);
    expect((await relay.relays.baton(relay.id)).baton.status).toBe('waiting');
    const { runId } = await relay.run();
    await eventually('it is put off', async () => (await relay.jobs.attempts(runId))[0]?.outcome === 'postponed');
    await relay.breakers.reset('a');
    await relay.until('completed');
    expect(await relay.jobs.attempts(runId)).toMatchObject([{ outcome: 'postponed' }, { outcome: 'completed' }]);
    // Who has it in the end has it without a note of those who could not.
    expect(relay.prompts('a')[0]).not.toContain('there is no other fallback');
  });

  it('says which breaker keeps a step from being worked on, when only a reset will help', async () => {
    const relay = await running({ steps: [{ agentType: 'a' }] });
    await relay.breakers.trip('a', { reason: 'ill', mustHold: true });
    await relay.breakers.trip('generalist', { reason: 'ill', mustHold: true });
    await relay.relays.retry({ pipelineId: relay.id, stepIndex: 0 }, session);
    await relay.run();
    const { pipeline } = await relay.until('failed');
    expect(pipeline.errorMessage).toContain('the breakers of a, generalist are open');
    await relay.breakers.reset('a');
    await relay.run();
    await relay.until('completed');
  });
});
