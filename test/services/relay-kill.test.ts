import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { session } from '../runner/fixtures/background.js';
import { holdLock } from '../runner/fixtures/hold-lock.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { type Running, running, verdict } from './running-relay.js';

describe('a runner that is killed', () => {
  const steps = [{ agentType: 'researcher' }, { agentType: 'analyzer' }];

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
    expect(results.map((result) => result.stepIndex)).toEqual([0, 1]);
    expect(relay.asked()).toEqual(['researcher', 'researcher', 'judge', 'analyzer', 'judge']);
  });

  it('while the judge reads: the same', async () => {
    const relay = await running({ steps });
    relay.server.script.push({}, { silent: true });
    const { runId } = await relay.run();
    await eventually('the judge was asked', () => relay.asked().length === 2);
    await kill(relay, runId);
    const { results } = await relay.until('completed');
    expect(results.map((result) => [result.stepIndex, result.status])).toEqual([
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
    relay.server.script.push({}, { isHeld: true });
    const { runId } = await relay.run();
    await eventually('the judge was asked', () => relay.asked().length === 2);
    const { pid } = await relay.runnerOf(runId);
    // From here on nobody writes.
    const release = await holdLock(relay);
    relay.server.letGo();
    await eventually('the judge has answered', () => answers === 1);
    process.kill(pid, 'SIGKILL');
    await eventually('it is dead', () => !isAlive(pid));
    release();
    const { results } = await relay.until('completed');
    expect(results.map((result) => [result.stepIndex, result.status])).toEqual([
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
    expect(results.map((result) => result.stepIndex)).toEqual([0, 1]);
    expect(relay.prompts('researcher')).toHaveLength(1);
  });

  it('at any moment, six times over: every step counts once, and no baton has had two jobs', async () => {
    const eight = Array.from({ length: 8 }, (_, index) => ({ agentType: `agent_${index}` }));
    const relay = await running({ steps: eight });
    // One answer a kill at most, or the steps would end before the kills do.
    relay.server.script.push(...Array.from({ length: 60 }, () => ({ isHeld: true })));
    await relay.run();
    for (let kills = 0; kills < 6; kills++) {
      const { id } = await eventually('a job is worked on', async () => {
        await relay.jobs.sweep(session);
        await relay.db.run("update jobs set run_at = 0, run_tick = 0 where status = 'pending'");
        return relay.db.get<{ id: string }>("select id from jobs where status = 'running'");
      });
      relay.server.letOneGo();
      await sleep(Math.random() * 250);
      const runner = await relay.db.get<{ pid: number }>(
        'select r.pid from jobs j join runners r on r.id = j.runner_id where j.id = ?',
        id,
      );
      if (runner && isAlive(runner.pid)) process.kill(runner.pid, 'SIGKILL');
    }
    relay.server.letGo();
    const { results, averageQuality } = await relay.until('completed');
    const counting = results.filter((result) => result.isCurrent);
    expect(counting.map((result) => result.stepIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(counting.map((result) => result.output)).toEqual(eight.map(({ agentType }) => `By the ${agentType}.`));
    expect(averageQuality).toBe(0.9);
    const batons = await relay.db.all<{ id: string; jobs: number }>(
      `select b.id, count(j.id) as jobs from relay_batons b
       left join jobs j on j.idempotency_key = 'relay:' || b.id group by b.id`,
    );
    expect(batons.every(({ jobs }) => jobs === 1)).toBe(true);
    expect(batons).toHaveLength(results.length);
  });
});
