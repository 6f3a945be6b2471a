import { describe, expect, it } from 'vitest';
import { holdLock } from '../runner/fixtures/hold-lock.js';
import { eventually } from '../runner/fixtures/poll.js';
import { isAlive } from '../support/is-alive.js';
import { type Running, running, verdict } from './running-relay.js';

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
