import { join } from 'node:path';
import { expect, it } from 'vitest';
import { putLegacyFile } from '../../store/sqlite/legacy-file.js';
import { isOnPostgres } from '../../support/postgres.js';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';
import { relay, session } from './relay.js';

const day = 86_400_000;

it.skipIf(isOnPostgres)('a relay of the earlier server goes on from the step where it stood', async () => {
  const home = tempDir();
  putLegacyFile(join(home, '.claude', 'agent_runtime.db'));
  const { relays } = await testRuntime({ home });
  const [listed] = await relays.list({ limit: 10 });
  const id = listed?.id ?? '';
  // Its first step has passed, and the earlier server never left `pending` before the last one.
  expect(listed).toMatchObject({ status: 'in_progress', currentStep: 1 });
  const { baton } = await relays.baton(id);
  expect(baton.document.agent_id).toBe('analyzer');
  expect(baton.document).toMatchObject({
    sequence_position: 2,
    input_summary: 'Found 5 competitors',
    remaining_budget: 45_000,
  });

  const attempt = { pipelineId: id, qualityScore: 0.9, lScore: 0.8, tokensUsed: 1_000, output: 'Analyzed.' };
  await expect(relays.advance(attempt, session)).rejects.toThrow('was not handed to this session');
  const advanced = await relays.advance({ ...attempt, batonId: baton.id }, session);
  expect(advanced).toMatchObject({ kind: 'passed', pipeline: { status: 'in_progress', currentStep: 2 } });
  expect(await relays.get(id)).toMatchObject({
    tokensUsed: 6_000,
    remainingTokens: 44_000,
    qualityScores: [0.85, 0.9],
  });
  expect((await relays.baton(id)).baton.document).toMatchObject({
    source_chain: [123, expect.any(String)],
    agent_id: 'synthesizer',
  });
});

it('a purge takes relays that ended long ago with all that is theirs, and leaves open ones with their history', async () => {
  const runtime = await relay({ steps: [{ agentType: 'a' }] });
  await runtime.advance();
  const { pipeline: open } = await runtime.relays.create(
    { name: 'Open', goal: 'G', tokenBudget: 10, preset: 'quick' },
    session,
  );
  runtime.clock.pass(2 * day);
  expect(await runtime.maintenance.purge(runtime.clock.now() - day, session)).toMatchObject({ relays: 1 });
  expect((await runtime.relays.list({ limit: 10 })).map(({ id }) => id)).toEqual([open.id]);
  for (const table of ['relay_steps', 'relay_batons', 'relay_results']) {
    expect(await runtime.db.all(`select pipeline_id from ${table} where pipeline_id <> ?`, open.id)).toEqual([]);
  }
  expect(await runtime.db.all('select account from budgets')).toEqual([{ account: `relay:${open.id}` }]);
  const events = await runtime.db.all("select distinct subject_id as id from events where subject = 'relay'");
  expect(events).toEqual([{ id: open.id }]);
});
