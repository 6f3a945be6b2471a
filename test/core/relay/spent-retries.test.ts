import { expect, it } from 'vitest';
import { connectServer } from '../../support/mcp-client.js';
import { tempDir } from '../../support/temp-dir.js';
import { relay, session } from './relay.js';

/** The hint of the error that a call ends with. */
const hintOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => '',
    (error: { hint?: string }) => error.hint ?? '',
  );

const waysOn = /call run_relay, .* create_relay_pipeline/;

it('when the retries of the first step are spent, no hint leads back to retrying it', async () => {
  const { relays, id, fail, retry } = await relay();
  await fail();
  expect(await hintOf(relays.baton(id))).toContain('Call retry_relay_step with step_index 0.');
  for (let count = 0; count < 3; count++) {
    await retry(0);
    await fail();
  }
  const hints = [await hintOf(relays.baton(id)), await hintOf(fail()), await hintOf(retry(0))];
  for (const hint of hints) {
    expect(hint).toMatch(waysOn);
    expect(hint).not.toContain('retry_relay_step');
  }
});

it('when those of a later step are spent, the hint names an earlier step, and that works', async () => {
  const { relays, id, advance, fail, retry } = await relay();
  await advance();
  await fail();
  for (let count = 0; count < 3; count++) {
    await retry(1);
    await fail();
  }
  const hint = await hintOf(relays.baton(id));
  expect(hint).toMatch(waysOn);
  expect(hint).toContain('retry_relay_step with an earlier step_index, such as 0');
  await retry(0);
  await advance();
  expect(await advance()).toMatchObject({ kind: 'passed' });
});

it('a last baton that is still open can be handed in, and the hint says so', async () => {
  const { retry, advance } = await relay();
  for (let count = 0; count < 3; count++) await retry(0);
  expect(await hintOf(retry(0))).toMatch(/is still open: hand in its output with advance_relay/);
  expect(await advance()).toMatchObject({ kind: 'passed' });
});

it('names of standard agents are known however they are written, and stored in one spelling', async () => {
  const { relays, breakers } = await relay();
  const request = { name: 'Drawn', goal: 'G', tokenBudget: 10_000 };
  const { pipeline, agentTypes, warnings } = await relays.create(
    {
      ...request,
      steps: [
        { agentType: 'Researcher', fallbackAgent: 'GENERALIST' },
        { agentType: 'Domain-Expert' },
        { agentType: 'MyOwn', instructions: 'Do it.' },
      ],
    },
    session,
  );
  expect(agentTypes).toEqual(['researcher', 'domain_expert', 'MyOwn']);
  expect(warnings).toEqual([]);
  const { steps } = await relays.get(pipeline.id);
  expect(
    steps.map(({ agentId, qualityThreshold, fallbackAgent }) => [agentId, qualityThreshold, fallbackAgent]),
  ).toEqual([
    ['researcher', 0.6, 'generalist'],
    ['domain_expert', 0.7, null],
    ['MyOwn', 0.6, null],
  ]);
  expect(await breakers.count()).toBe(1);
});

it('the tools of breakers read a standard agent in any case', async () => {
  const server = await connectServer({ home: tempDir() });
  const { config } = await server.ok('circuit_breaker_configure', {
    agent_id: 'Researcher',
    fallback_agent: 'Analyzer',
  });
  expect(config.fallback_agent).toBe('analyzer');
  await server.ok('circuit_breaker_trip', { agent_id: 'RESEARCHER' });
  expect(await server.ok('circuit_breaker_status', { agent_id: 'researcher' })).toMatchObject({ state: 'OPEN' });
  expect(await server.ok('circuit_breaker_list')).toMatchObject({ total_breakers: 1, open_circuits: ['researcher'] });
});
