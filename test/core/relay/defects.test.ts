import { describe, expect, it } from 'vitest';
import { relay } from './relay.js';

describe('what went wrong in the earlier relay', () => {
  it('defect 1: no first baton; here the baton of step 1 exists from creation', async () => {
    const { relays, id } = await relay();
    const { baton } = await relays.baton(id);
    expect(baton.status).toBe('pending');
    expect(baton.document).toMatchObject({
      sequence_position: 1,
      total_agents: 3,
      agent_id: 'researcher',
      retry_count: 0,
    });
  });

  it('defect 2: the status stayed pending or failed; here it goes to in_progress, failed, in_progress, completed', async () => {
    const { relays, id, advance, fail, retry } = await relay();
    const status = async () => (await relays.get(id)).pipeline.status;
    const seen = [await status()];
    await advance();
    seen.push(await status());
    await fail();
    seen.push(await status());
    await retry(1);
    seen.push(await status());
    await advance();
    seen.push(await status());
    await advance();
    seen.push(await status());
    expect(seen).toEqual(['pending', 'in_progress', 'failed', 'in_progress', 'in_progress', 'completed']);
    expect((await relays.get(id)).pipeline.errorMessage).toBeNull();
  });

  it('defect 3: six retries in a row all said retry_count 1; here they count, and the fourth is refused', async () => {
    const { retry, baton } = await relay();
    expect((await retry(0)).retry_count).toBe(1);
    expect((await retry(0)).retry_count).toBe(2);
    expect((await retry(0)).retry_count).toBe(3);
    await expect(retry(0)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Cannot retry step 0: max retries exceeded',
    });
    // The refused one has changed nothing.
    expect(await baton()).toMatchObject({ retry_count: 3 });
  });

  it('defect 4: each retry left one more pending baton; here one is open, and it is the newest', async () => {
    const { db, id, retry, baton } = await relay();
    await retry(0);
    const newest = await retry(0);
    const open = await db.all<{ id: string }>(
      "select id from relay_batons where pipeline_id = ? and status in ('pending', 'in_progress', 'waiting')",
      id,
    );
    expect(open).toEqual([{ id: newest.baton_id }]);
    expect((await baton()).baton_id).toBe(newest.baton_id);
  });

  it('defect 5: 550 tokens were used of 100; here the step fails, its agent is told, and nothing goes on', async () => {
    const { relays, id, db, advance, retry } = await relay({ tokenBudget: 100 });
    await expect(advance({ tokensUsed: 550 })).rejects.toMatchObject({ code: 'budget_exhausted' });
    const { pipeline, tokensUsed, remainingTokens, results } = await relays.get(id);
    expect(pipeline).toMatchObject({ status: 'failed', errorCode: 'budget_exhausted', currentStep: 0 });
    expect([tokensUsed, remainingTokens]).toEqual([550, 0]);
    // Paid for, so kept.
    expect(results).toMatchObject([{ status: 'failed', output: 'Done.', tokensUsed: 550 }]);
    expect(await db.all('select failure_type from breaker_failures')).toEqual([{ failure_type: 'resource_exhausted' }]);
    await expect(retry(0)).rejects.toMatchObject({ code: 'budget_exhausted' });
    const { baton } = await relays.retry(
      { pipelineId: id, stepIndex: 0, tokenBudget: 1_000 },
      { holder: null, project: '' },
    );
    expect(baton.document).toMatchObject({ remaining_budget: 450 });
  });

  it('defect 6: failed attempts pulled the average down for good; here only the passing attempt counts', async () => {
    const { relays, id, advance, fail, retry } = await relay();
    await advance({ qualityScore: 0.8, lScore: 0.6 });
    await fail({ qualityScore: 0.1, lScore: 0.1 });
    expect(await relays.get(id)).toMatchObject({ qualityScores: [0.8], averageQuality: 0.8, averageLScore: 0.6 });
    await retry(1);
    await advance({ qualityScore: 1, lScore: 1 });
    expect(await relays.get(id)).toMatchObject({
      qualityScores: [0.8, 1],
      lScores: [0.6, 1],
      averageQuality: 0.9,
      averageLScore: 0.8,
    });
    expect((await relays.get(id)).results).toHaveLength(3);
  });

  it('defect 7: results named agent_step_1 and took 0 ms; here they name the agent and its time', async () => {
    const { relays, id, clock, advance } = await relay();
    clock.pass(90_000);
    await advance();
    const { results, pipeline } = await relays.get(id);
    expect(results).toMatchObject([{ agentId: 'researcher', executionTimeMs: 90_000 }]);
    expect(pipeline.startedAt).toBe(clock.now() - 90_000);
  });

  it('defect 8: only a summary was handed on; here the output itself is stored and is the next input', async () => {
    const { relays, id, advance } = await relay();
    await advance({ output: { sellers: ['A', 'B'] }, outputSummary: 'Two sellers' });
    const { baton, input } = await relays.baton(id);
    expect(JSON.parse(input)).toEqual({ sellers: ['A', 'B'] });
    expect(baton.document).toMatchObject({ input_summary: 'Two sellers', input_entity_id: null });
    expect((await relays.get(id)).results[0]?.output).toEqual({ sellers: ['A', 'B'] });
  });
});
