import { describe, expect, it } from 'vitest';
import { cancelRelay, decideRelayStep } from '../../src/services/run-relay.js';
import type { RecordedRequest } from '../fixtures/models/scripted-server.js';
import { session } from '../runner/fixtures/background.js';
import { isJudged, type Running, running, verdict } from '../services/running-relay.js';
import { eventually } from '../support/eventually.js';

const eventsOf = async ({ db, id }: Running) =>
  (
    await db.all<{ type: string }>("select type from events where subject = 'relay' and subject_id = ? order by id", id)
  ).map(({ type }) => type);

describe('a relay that runs by itself', () => {
  it('runs each step with the output of the one before, has it judged, and completes', async () => {
    const relay = await running();
    const { runId, isRepeated } = await relay.run({ judge_model: 'haiku' });
    expect(isRepeated).toBe(false);
    const { pipeline, results, tokensUsed, averageQuality } = await relay.until('completed');
    expect(relay.asked()).toEqual(['researcher', 'judge', 'analyzer', 'judge', 'formatter', 'judge']);
    expect(results.map((result) => [result.agentId, result.status, result.output])).toEqual([
      ['researcher', 'passed', 'By the researcher.'],
      ['analyzer', 'passed', 'By the analyzer.'],
      ['formatter', 'passed', 'By the formatter.'],
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
    expect(results.reduce((sum, result) => sum + result.tokensUsed, 0)).toBe(tokensUsed);
    expect([averageQuality, pipeline.errorMessage]).toEqual([0.9, null]);
    expect((await eventsOf(relay)).filter((type) => type.startsWith('run_'))).toEqual(['run_started', 'run_ended']);
  });

  it('retries a step that fails its gate, with the reason of the judge in the prompt', async () => {
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

  it('fails when the retries are spent, and resumes at the failed step when it is run again', async () => {
    let isStern = true;
    const judge = (request: RecordedRequest) =>
      isStern && request.prompt.includes('by analyzer') ? verdict(0.1) : verdict(0.9);
    const relay = await running({}, { judge });
    await relay.run();
    const failed = await relay.until('failed');
    expect(failed.pipeline).toMatchObject({ currentStep: 1, errorCode: 'quality_gate_failed' });
    expect(failed.results.map((result) => result.stepIndex)).toEqual([0, 1, 1, 1, 1]);
    isStern = false;
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.stepIndex)).toEqual([0, 1, 1, 1, 1, 1, 2]);
    expect(relay.prompts('researcher')).toHaveLength(1);
  });

  it('refuses a second run while one is active, and a result reported by hand', async () => {
    const relay = await running();
    relay.server.script.push({ silent: true });
    const first = await relay.run();
    await eventually('the model was asked', () => relay.asked().length === 1);
    expect(await relay.run({ model: 'haiku' })).toMatchObject({ runId: first.runId, isRepeated: true });
    const attempt = { pipelineId: relay.id, qualityScore: 1, lScore: 1, tokensUsed: 1, output: 'Mine.' };
    await expect(relay.relays.advance(attempt, session)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`Job ${first.runId}, which run_relay started, works on step 0`),
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
    await relay.jobs.cancel(runId, session);
    const attempt = { pipelineId: relay.id, qualityScore: 1, lScore: 1, tokensUsed: 1, output: 'Mine.' };
    expect(await relay.relays.advance(attempt, session)).toMatchObject({ kind: 'passed' });
    await relay.run();
    const { results } = await relay.until('completed');
    expect(results.map((result) => result.output)).toEqual(['Mine.', 'By the analyzer.', 'By the formatter.']);
  });

  it('runs the step of a cancelled job again, with a new baton', async () => {
    const relay = await running();
    relay.server.script.push({ silent: true });
    const { runId } = await relay.run();
    await eventually('the model was asked', () => relay.asked().length === 1);
    await relay.jobs.cancel(runId, session);
    const again = await relay.run();
    expect(again.runId).not.toBe(runId);
    expect((await relay.until('completed')).results).toHaveLength(3);
    // The cancelled one has no baton to come back to.
    await relay.jobs.retry(runId, {}, session);
    expect(await relay.ended(runId)).toMatchObject({ status: 'failed', errorCode: 'conflict' });
    expect((await relay.relays.get(relay.id)).results).toHaveLength(3);
  });
});

describe('a relay that runs by itself, with steps beside each other and one for a person', () => {
  it('works on them at once, waits without a process, and goes on when it is let pass', async () => {
    const relay = await running({
      steps: [
        { agentType: 'researcher' },
        { agentType: 'analyzer', isParallel: true },
        { agentType: 'synthesizer', needsApproval: true },
        { agentType: 'formatter' },
      ],
    });
    await relay.run();
    const waits = async () =>
      (await relay.relays.get(relay.id)).batons.some(({ approvalAskedAt }) => approvalAskedAt !== null);
    await eventually('the step to wait for a person', waits);
    expect(relay.prompts('researcher')).toHaveLength(1);
    expect(relay.prompts('analyzer')).toHaveLength(1);
    expect(relay.prompts('synthesizer')[0]).toMatch(/By the researcher\.[\s\S]*By the analyzer\./);
    const waiting = await relay.relays.get(relay.id);
    expect(waiting.run?.isRunning).toBe(false);
    await expect(relay.run()).rejects.toMatchObject({ message: expect.stringContaining('waits for a person') });
    expect(await relay.db.all("select id from jobs where status in ('pending', 'running')")).toEqual([]);

    const decide = (isApproved: boolean, feedback?: string) =>
      decideRelayStep({ pipelineId: relay.id, isApproved, feedback }, session, relay);
    await decide(false, 'Name the sources.');
    await eventually('the next attempt to wait', waits);
    expect(relay.prompts('synthesizer')[1]).toContain('A person sent it back: Name the sources.');
    await decide(true);
    const { results } = await relay.until('completed');
    expect(
      results
        .filter(({ isCurrent }) => isCurrent)
        .map(({ stepIndex }) => stepIndex)
        .sort(),
    ).toEqual([0, 1, 2, 3]);
    expect((await eventsOf(relay)).filter((type) => type.startsWith('run_'))).toEqual(['run_started', 'run_ended']);
  });
});
