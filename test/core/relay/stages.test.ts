import { describe, expect, it } from 'vitest';
import type { NewStep } from '../../../src/core/relay/create-pipeline.js';
import { other, relay, session } from './relay.js';

/** Two read beside each other, a third brings both together. */
const fanIn: NewStep[] = [
  { agentType: 'researcher' },
  { agentType: 'analyzer', isParallel: true },
  { agentType: 'synthesizer' },
];

const openSteps = async ({ relays, id }: Awaited<ReturnType<typeof relay>>) =>
  (await relays.get(id)).batons.map(({ stepIndex }) => stepIndex);

const batonOf = async ({ relays, id }: Awaited<ReturnType<typeof relay>>, stepIndex: number) =>
  (await relays.baton(id, stepIndex)).baton.id;

describe('steps that work beside each other', () => {
  it('have a baton each, and the next step begins when all have passed, with the outputs of all', async () => {
    const run = await relay({ steps: fanIn });
    expect(await openSteps(run)).toEqual([0, 1]);
    expect((await run.relays.baton(run.id, 1)).baton.document.input_key).toBe('');
    const passed = await run.advance({ batonId: await batonOf(run, 1), output: 'Prices fall.' }, other);
    expect(passed).toMatchObject({ kind: 'passed', batons: [], pipeline: { currentStep: 0, status: 'in_progress' } });
    expect(await openSteps(run)).toEqual([0]);
    // The only one that is open needs no name.
    expect(await run.advance({ output: 'Costs rise.' })).toMatchObject({ kind: 'passed', batons: [{ stepIndex: 2 }] });
    const held = await run.relays.baton(run.id);
    expect(held.input).toBe('Step 1, researcher:\nCosts rise.\n\nStep 2, analyzer:\nPrices fall.');
    expect(held.baton.document).toMatchObject({
      input_key: expect.stringMatching(/_step0_researcher, .*_step1_analyzer$/),
      source_chain: [expect.stringContaining('_step0_'), expect.stringContaining('_step1_')],
    });
    expect(await run.advance()).toMatchObject({ kind: 'completed' });
  });

  it('refuse an output that does not say which of them it is of', async () => {
    const run = await relay({ steps: fanIn });
    await expect(run.advance()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        /Steps 0, 1 work beside each other; the open batons are .*, of step 0; .*, of step 1/,
      ),
    });
    expect((await run.relays.get(run.id)).results).toEqual([]);
  });

  it('fail alone: the others are handed in, and the relay goes on when it has passed a retry', async () => {
    const run = await relay({ steps: fanIn });
    await run.fail({ batonId: await batonOf(run, 0) });
    expect((await run.relays.get(run.id)).pipeline.status).toBe('failed');
    await run.advance({ batonId: await batonOf(run, 1) });
    expect((await run.relays.get(run.id)).pipeline).toMatchObject({ status: 'failed', currentStep: 0 });
    const again = await run.retry(0, 'Read more.');
    expect(again).toMatchObject({ retry_count: 1, quality_feedback: [expect.any(String), 'Read more.'] });
    expect(await openSteps(run)).toEqual([0]);
    expect(await run.advance()).toMatchObject({ kind: 'passed', batons: [{ stepIndex: 2 }] });
  });

  it('that have both failed are tried again one by one, and the relay says what is left', async () => {
    const run = await relay({ steps: fanIn });
    await run.fail({ batonId: await batonOf(run, 0) });
    await run.fail({ batonId: await batonOf(run, 1) });
    await run.retry(1);
    expect(await run.advance()).toMatchObject({ kind: 'passed', batons: [] });
    expect((await run.relays.get(run.id)).pipeline).toMatchObject({
      status: 'failed',
      errorMessage: 'Step 0 has failed.',
    });
    await run.retry(0);
    expect(await run.advance()).toMatchObject({ kind: 'passed', batons: [{ stepIndex: 2 }] });
  });

  it('are done again without those beside them, and with all that came after', async () => {
    const run = await relay({ steps: fanIn });
    await run.advance({ batonId: await batonOf(run, 0) });
    await run.advance({ batonId: await batonOf(run, 1) });
    const { isRestart } = await run.relays.retry({ pipelineId: run.id, stepIndex: 1 }, session);
    expect(isRestart).toBe(true);
    expect(await openSteps(run)).toEqual([1]);
    expect(await run.advance()).toMatchObject({ kind: 'passed', batons: [{ stepIndex: 2 }] });
    expect(await run.advance()).toMatchObject({ kind: 'completed' });
    const counted = (await run.relays.get(run.id)).results.filter(({ isCurrent }) => isCurrent);
    expect(counted.map(({ stepIndex }) => stepIndex).sort()).toEqual([0, 1, 2]);
  });

  it('are all cancelled with their relay', async () => {
    const run = await relay({ steps: fanIn });
    await run.relays.cancel(run.id, session);
    expect(await openSteps(run)).toEqual([]);
  });

  it('cannot begin a relay beside nothing', async () => {
    await expect(relay({ steps: [{ agentType: 'researcher', isParallel: true }] })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('steps[0].parallel'),
    });
  });
});

describe('a step that a person has to let pass', () => {
  const gated: NewStep[] = [{ agentType: 'researcher', needsApproval: true }, { agentType: 'formatter' }];
  const decide = ({ relayRuns, id }: Awaited<ReturnType<typeof relay>>, isApproved: boolean, feedback?: string) =>
    relayRuns.decide({ pipelineId: id, isApproved, feedback }, other);

  it('waits after its gates, and no other step begins', async () => {
    const run = await relay({ steps: gated });
    expect(await run.advance()).toMatchObject({ kind: 'waiting', stepIndex: 0, pipeline: { status: 'in_progress' } });
    const { results, progressPercent, batons } = await run.relays.get(run.id);
    expect(results).toMatchObject([{ status: 'passed', isCurrent: false }]);
    expect(progressPercent).toBe(0);
    expect(batons).toMatchObject([{ stepIndex: 0, approvalAskedAt: run.clock.now() }]);
    const refused = { code: 'conflict', message: expect.stringContaining('waits for a person') };
    await expect(run.advance()).rejects.toMatchObject(refused);
    await expect(run.baton()).rejects.toMatchObject(refused);
  });

  it('hands its output on when it is let pass', async () => {
    const run = await relay({ steps: gated });
    await run.advance({ output: 'Prices fall.', outputEntityId: 7 });
    expect(await decide(run, true)).toMatchObject({
      kind: 'passed',
      batons: [{ stepIndex: 1, handedTo: session.holder }],
    });
    expect((await run.relays.baton(run.id)).input).toBe('Prices fall.');
    expect((await run.relays.get(run.id)).results).toMatchObject([{ isCurrent: true, outputEntityId: 7 }]);
    expect(await run.events()).toEqual(expect.arrayContaining(['approval_asked', 'step_approved', 'step_passed']));
    await expect(decide(run, true)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('No step'),
    });
  });

  it('that is sent back is done again with what the person said', async () => {
    const run = await relay({ steps: gated });
    await run.advance();
    expect(await decide(run, false, 'Name the sources.')).toMatchObject({ kind: 'failed', failure: 'rejected' });
    expect(await run.baton()).toMatchObject({
      retry_count: 1,
      quality_feedback: ['A person sent it back: Name the sources.'],
    });
    expect((await run.relays.get(run.id)).results).toMatchObject([{ status: 'failed', isCurrent: false }]);
    await run.advance();
    expect(await decide(run, true)).toMatchObject({ kind: 'passed' });
  });

  it('stays failed when it is sent back more often than it has retries', async () => {
    const run = await relay({ steps: gated });
    for (let time = 0; time < 4; time++) {
      await run.advance();
      await decide(run, false);
    }
    expect((await run.relays.get(run.id)).pipeline).toMatchObject({ status: 'failed', errorCode: 'rejected' });
    await expect(run.advance()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is named where several wait beside each other', async () => {
    const run = await relay({
      steps: [
        { agentType: 'researcher', needsApproval: true },
        { agentType: 'analyzer', isParallel: true, needsApproval: true },
        { agentType: 'formatter' },
      ],
    });
    await run.advance({ batonId: await batonOf(run, 0) });
    await run.advance({ batonId: await batonOf(run, 1) });
    await expect(decide(run, true)).rejects.toMatchObject({ hint: expect.stringContaining('0, 1') });
    const one = { pipelineId: run.id, stepIndex: 1, isApproved: true };
    expect(await run.relayRuns.decide(one, other)).toMatchObject({ kind: 'passed', batons: [] });
    await expect(run.relayRuns.decide(one, other)).rejects.toMatchObject({ code: 'conflict' });
    expect(await decide(run, true)).toMatchObject({ kind: 'passed', batons: [{ stepIndex: 2 }] });
  });

  it('completes a relay as its last one', async () => {
    const run = await relay({ steps: [{ agentType: 'researcher', needsApproval: true }] });
    await run.advance({ outputEntityId: 7 });
    expect(await decide(run, true)).toMatchObject({ kind: 'completed', pipeline: { finalEntityId: 7 } });
  });
});
