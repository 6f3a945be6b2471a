import { describe, expect, it } from 'vitest';
import { promptOf } from '../../../src/core/relay/baton-prompt.js';
import type { NewPipeline } from '../../../src/core/relay/create-pipeline.js';
import { other, type Relay, relay, session } from './relay.js';

const bare: NewPipeline = { name: 'R', goal: 'G', tokenBudget: 1_000 };

const create = (runtime: Relay, more: Partial<NewPipeline>) => runtime.relays.create({ ...bare, ...more }, session);

async function trip({ breakers }: Relay, agent: string): Promise<void> {
  for (let count = 0; count < 5; count++) await breakers.recordFailure(agent, { type: 'exception', message: 'Down' });
}

describe('creating a relay', () => {
  it('takes agents by name, by preset, or as steps, and one of these only', async () => {
    const runtime = await relay();
    expect((await create(runtime, { preset: 'quick' })).agentTypes).toEqual(['researcher', 'synthesizer', 'formatter']);
    expect((await create(runtime, { preset: 'standard' })).agentTypes).toHaveLength(5);
    expect((await create(runtime, { preset: 'deep' })).agentTypes).toHaveLength(7);
    await expect(create(runtime, {})).rejects.toMatchObject({ code: 'invalid', message: 'A relay needs its agents.' });
    await expect(create(runtime, { preset: 'deep', agentTypes: ['researcher'] })).rejects.toThrow(
      'agent_types and preset each name the agents',
    );
  });

  it('refuses an empty list and 200 agents, and stores nothing of them', async () => {
    const runtime = await relay();
    await expect(create(runtime, { agentTypes: [] })).rejects.toThrow('1 to 50 steps, and agent_types names 0');
    await expect(create(runtime, { agentTypes: Array(200).fill('analyzer') })).rejects.toThrow('names 200');
    expect(await runtime.db.all('select id from relay_pipelines')).toEqual([{ id: runtime.id }]);
  });

  it('gives standard agents their gates, and an unknown one the general mission with a warning', async () => {
    const runtime = await relay();
    const { pipeline, warnings } = await create(runtime, { agentTypes: ['validator', 'domain_expert', 'reseacher'] });
    expect(warnings).toEqual([expect.stringContaining('reseacher: no standard agent')]);
    const { steps } = await runtime.relays.get(pipeline.id);
    expect(steps.map((step) => [step.expectedOutputType, step.maxTokens, step.qualityThreshold])).toEqual([
      ['validation_report', 3_000, 0.8],
      ['expert_analysis', 5_000, 0.7],
      ['analysis', 4_000, 0.6],
    ]);
    expect(steps.map((step) => step.derivationMethod)).toEqual(['validation', 'inference', 'inference']);
  });

  it('refuses an output schema that cannot be checked, naming the step and the fault', async () => {
    const runtime = await relay();
    const withSchema = (outputSchema: object) =>
      create(runtime, { steps: [{ agentType: 'a' }, { agentType: 'b', outputSchema: outputSchema as never }] });
    await expect(withSchema({ type: 'objekt' })).rejects.toThrow(/^steps\[1\]\.output_schema is not a JSON schema/);
    await expect(withSchema({ type: 'object', propertys: {} })).rejects.toThrow('propertys');
    await expect(withSchema({ $ref: 'https://example.org/schema' })).rejects.toThrow('example.org');
    await expect(
      withSchema({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'array' }),
    ).resolves.toBeDefined();
  });
});

describe('handing the baton on', () => {
  it('carries the chain of sources and l-scores, and what is left of the budget', async () => {
    const { advance, baton } = await relay();
    await advance({ outputEntityId: 123, lScore: 0.9, outputSummary: 'Found 5 competitors', tokensUsed: 4_000 });
    await advance({ lScore: 0.7, tokensUsed: 1_000 });
    expect(await baton()).toMatchObject({
      sequence_position: 3,
      source_chain: [123, expect.stringMatching(/^relay_.+_step1_analyzer$/)],
      l_score_chain: [0.9, 0.7],
      remaining_budget: 5_000,
      derivation_method: 'transformation',
    });
  });

  it('has a prompt with every section of the protocol, in order', async () => {
    const { relays, id, advance, fail, retry } = await relay();
    await advance({ output: 'A costs 3, B costs 4.', outputSummary: 'Two prices', outputEntityId: 7 });
    await fail();
    await retry(1, 'Say by how much they differ.');
    const prompt = promptOf({ ...(await relays.baton(id)), reader: 'session' });
    expect([...prompt.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
      'CONTEXT',
      'BRIDGE',
      'INPUT SUMMARY',
      'INPUT',
      'MISSION',
      'CONSTRAINTS',
      'PROVENANCE',
      'HANDOFF PROTOCOL',
      'QUALITY FEEDBACK',
    ]);
    expect(prompt).toContain('Agent #2/3: analyzer');
    expect(prompt).toContain('A costs 3, B costs 4.');
    expect(prompt).toContain('Sources: 7 (l-score 0.8)');
    // Why the last attempt did not pass, and what the caller said of it.
    expect(prompt).toContain('quality 0.1 is below 0.7');
    expect(prompt).toContain('Say by how much they differ.');
    expect(prompt).toContain('Retry 1 of 3.');
  });

  it('completes with the last step, once', async () => {
    const { relays, id, advance, events } = await relay({ steps: [{ agentType: 'formatter' }] });
    expect(await advance({ outputEntityId: 9 })).toMatchObject({ kind: 'completed' });
    expect((await relays.get(id)).pipeline).toMatchObject({ status: 'completed', finalEntityId: 9, currentStep: 1 });
    await expect(advance()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('No active baton found for pipeline'),
    });
    expect(await events()).toEqual(['created', 'baton_handed_over', 'step_passed', 'completed']);
  });

  it('refuses an old baton, and writes nothing', async () => {
    const { relays, id, advance, baton } = await relay();
    const old = (await baton()).baton_id;
    await advance({ batonId: old });
    const before = await relays.get(id);
    await expect(advance({ batonId: old })).rejects.toMatchObject({ code: 'conflict' });
    expect(await relays.get(id)).toEqual(before);
  });

  it('lets exactly one of two sessions advance, with and without the name of the baton', async () => {
    const { relays, id, advance, baton } = await relay();
    const { baton_id: batonId } = await baton();
    for (const named of [{}, { batonId }]) {
      const ends = await Promise.allSettled([advance(named, session), advance(named, other)]);
      expect(ends.filter((end) => end.status === 'fulfilled').length).toBeLessThanOrEqual(1);
    }
    expect((await relays.get(id)).results).toHaveLength(1);
  });

  it('lets another session take over when it names the baton', async () => {
    const { advance, baton } = await relay();
    await expect(advance({}, other)).rejects.toThrow('was not handed to this session');
    const { baton_id: batonId } = await baton();
    expect(await advance({ batonId }, other)).toMatchObject({ kind: 'passed' });
    // The next one is in its hands now.
    expect(await advance({}, other)).toMatchObject({ kind: 'passed' });
  });
});

describe('gates', () => {
  it('take a score that just reaches the threshold, of quality and of l-score', async () => {
    const { advance } = await relay({ steps: [{ agentType: 'a', lScoreThreshold: 0.5 }, { agentType: 'b' }] });
    expect(await advance({ qualityScore: 0.6, lScore: 0.5 })).toMatchObject({ kind: 'passed' });
    expect(await advance({ qualityScore: 0.9, lScore: 0.29 })).toMatchObject({
      kind: 'failed',
      failure: 'quality_gate_failed',
      reason: 'The gate was not passed: l-score 0.29 is below 0.3.',
      retriesLeft: 3,
    });
  });

  it('count a quality failure against the agent, and a success for it', async () => {
    const { db, advance, fail, retry } = await relay();
    await fail();
    expect(await db.all('select breaker_id, failure_type from breaker_failures')).toEqual([
      { breaker_id: 'researcher', failure_type: 'quality_failure' },
    ]);
    await retry(0);
    await advance();
    expect(await db.get("select total_failures, total_successes from breakers where id = 'researcher'")).toEqual({
      total_failures: 1,
      total_successes: 1,
    });
  });

  it('say that there is no baton after a failure, and how to have one', async () => {
    const { relays, id, fail } = await relay();
    await fail();
    await expect(relays.baton(id)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringMatching(/quality 0.1 is below 0.6.+retry_relay_step with step_index 0/),
    });
  });
});

describe('output with a schema', () => {
  const steps = [
    {
      agentType: 'researcher',
      outputSchema: { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] },
    },
    { agentType: 'formatter' },
  ];

  it('passes as JSON, as text that is JSON, and in a code fence, and is stored as JSON', async () => {
    for (const output of [{ price: 3 }, '{"price": 3}', '```json\n{"price": 3}\n```']) {
      const { relays, id, advance } = await relay({ steps });
      await advance({ output });
      expect((await relays.get(id)).results[0]?.output).toEqual({ price: 3 });
    }
  });

  it('fails the step with the reason when it breaks the schema, and is kept', async () => {
    const { relays, id, db, advance, retry } = await relay({ steps });
    expect(await advance({ output: { price: 'three' } })).toMatchObject({
      failure: 'invalid_output',
      reason: expect.stringContaining('output/price must be number'),
    });
    expect(await db.all('select failure_type from breaker_failures')).toEqual([{ failure_type: 'invalid_output' }]);
    expect((await relays.get(id)).results).toMatchObject([{ status: 'failed', output: { price: 'three' } }]);
    expect((await retry(0)).quality_feedback?.[0]).toContain('output/price must be number');
    expect(await advance({ output: 'It costs three.' })).toMatchObject({
      reason: expect.stringContaining('without JSON'),
    });
  });

  it('is asked for when it is missing, and the step keeps its baton', async () => {
    const { relays, id, advance } = await relay({ steps });
    await expect(advance({ output: undefined })).rejects.toMatchObject({ code: 'invalid' });
    expect((await relays.get(id)).results).toEqual([]);
    expect((await relays.baton(id)).baton.status).toBe('pending');
  });

  it('is checked although the schema names no type', async () => {
    const { advance } = await relay({
      steps: [{ agentType: 'a', outputSchema: { properties: { n: { minimum: 3 } }, required: ['n'] } }],
    });
    expect(await advance({ output: { n: 1 } })).toMatchObject({ failure: 'invalid_output' });
  });
});

describe('retrying', () => {
  it('restarts from a step that has passed; what came of it and later ones is set aside and kept', async () => {
    const { relays, id, advance, retry, events } = await relay();
    await advance({ qualityScore: 0.7 });
    await advance({ qualityScore: 0.7 });
    await advance({ qualityScore: 0.7 });
    const restarted = await retry(1, 'Look again.');
    expect(restarted).toMatchObject({ sequence_position: 2, retry_count: 0, quality_feedback: ['Look again.'] });
    expect(restarted.source_chain).toHaveLength(1);
    const { pipeline, results, averageQuality, progressPercent } = await relays.get(id);
    expect(pipeline).toMatchObject({ status: 'in_progress', currentStep: 1, completedAt: null });
    expect(results.map((result) => result.isCurrent)).toEqual([true, false, false]);
    expect([averageQuality, progressPercent]).toEqual([0.7, 33.3]);
    expect((await events()).slice(-2)).toEqual(['restarted', 'baton_handed_over']);
    // A step after it has to be come to again.
    await expect(retry(2)).rejects.toThrow('the relay has not reached it');
    await advance();
    await advance();
    expect((await relays.get(id)).pipeline.status).toBe('completed');
  });

  it('refuses a step that there is not, and any of a cancelled relay', async () => {
    const { relays, id, retry } = await relay();
    await expect(retry(3)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('no step 3') });
    await relays.cancel(id, session);
    await expect(retry(0)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('takes a baton away from whoever had it before', async () => {
    const { advance, baton, retry } = await relay();
    const { baton_id: batonId } = await baton();
    await retry(0);
    await expect(advance({ batonId })).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('breakers of agents', () => {
  it('hand the baton to the fallback of the step, and say so', async () => {
    const runtime = await relay({ steps: [{ agentType: 'a' }, { agentType: 'b', fallbackAgent: 'c' }] });
    await trip(runtime, 'b');
    await runtime.advance();
    expect(await runtime.baton()).toMatchObject({
      agent_id: 'c',
      agent_type: 'b',
      handed_over: 'c stands in for b: the breaker of b is open.',
    });
    await runtime.advance();
    expect((await runtime.relays.get(runtime.id)).results[1]).toMatchObject({ agentId: 'c' });
  });

  it('ask the breaker of the fallback too, and the next in the chain', async () => {
    const runtime = await relay({ steps: [{ agentType: 'a' }, { agentType: 'b', fallbackAgent: 'c' }] });
    await trip(runtime, 'b');
    await trip(runtime, 'c');
    await runtime.advance();
    expect(await runtime.baton()).toMatchObject({ agent_id: 'generalist' });
  });

  it('leave the baton waiting when nobody may have it, until somebody may', async () => {
    const runtime = await relay({ steps: [{ agentType: 'a' }, { agentType: 'b' }] });
    await trip(runtime, 'b');
    await trip(runtime, 'generalist');
    await runtime.advance();
    expect((await runtime.relays.baton(runtime.id)).baton.status).toBe('waiting');
    await expect(runtime.advance()).rejects.toMatchObject({
      code: 'circuit_open',
      hint: expect.stringContaining('300 s'),
    });
    expect((await runtime.relays.get(runtime.id)).results).toHaveLength(1);
    runtime.clock.pass(300_000);
    expect(await runtime.advance()).toMatchObject({ kind: 'completed' });
  });

  it('trip on the fifth failed gate, so that the retry goes to the fallback', async () => {
    const runtime = await relay();
    for (let count = 0; count < 4; count++) {
      await runtime.breakers.recordFailure('researcher', { type: 'exception', message: 'Down' });
    }
    await runtime.fail();
    expect(await runtime.retry(0)).toMatchObject({ agent_id: 'generalist', retry_count: 1 });
  });

  it('give a probe back with the baton', async () => {
    const runtime = await relay();
    await runtime.db.run("update breakers set state = 'half_open' where id = 'researcher'");
    await runtime.retry(0);
    expect(await runtime.db.all('select breaker_id from breaker_permits')).toEqual([{ breaker_id: 'researcher' }]);
    await runtime.advance();
    expect(await runtime.db.all('select * from breaker_permits')).toEqual([]);
  });
});

describe('cancelling', () => {
  it('ends the relay and keeps what it has delivered; twice is as good as once', async () => {
    const { relays, id, advance, events } = await relay();
    await advance();
    await relays.cancel(id, session);
    await relays.cancel(id, session);
    const { pipeline, results } = await relays.get(id);
    expect(pipeline.status).toBe('cancelled');
    expect(results).toHaveLength(1);
    await expect(advance()).rejects.toThrow('No active baton');
    expect((await events()).filter((type) => type === 'cancelled')).toHaveLength(1);
  });

  it('is refused for one that is completed', async () => {
    const { relays, id, advance } = await relay({ steps: [{ agentType: 'a' }] });
    await advance();
    await expect(relays.cancel(id, session)).rejects.toMatchObject({ code: 'conflict' });
  });
});

it('lists the relays of a project and of none, newest first', async () => {
  const runtime = await relay();
  await runtime.relays.create({ ...bare, preset: 'quick' }, { holder: null, project: '/elsewhere' });
  await runtime.relays.create({ ...bare, name: 'Anyone', preset: 'quick' }, { holder: null, project: '' });
  await runtime.advance();
  const names = async (filter: object) =>
    (await runtime.relays.list({ limit: 10, ...filter })).map(({ name, passedSteps }) => [name, passedSteps]);
  expect(await names({ project: '/work/one' })).toEqual([
    ['Anyone', 0],
    ['Prices', 1],
  ]);
  expect(await names({})).toHaveLength(3);
  expect(await names({ status: 'in_progress' })).toEqual([['Prices', 1]]);
});

it('an unknown relay is named', async () => {
  const { relays } = await relay();
  await expect(relays.get('nothing')).rejects.toMatchObject({
    code: 'not_found',
    message: 'Pipeline nothing not found',
  });
});
