import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { projectRoot } from '../support/paths.js';
import { background, scripted, session } from './fixtures/background.js';

const fakeClaude = join(projectRoot, 'test', 'fixtures', 'models', 'fake-claude.mjs');
const config = { providers: { 'claude-code': { command: fakeClaude } } };

describe('cancelling a task (R12)', () => {
  it('that waits: it never starts', async () => {
    const runtime = await background({ env: { AGENT_RUNTIME_MAX_RUNNING_JOBS: '1' } });
    const first = await runtime.ask(scripted({ isHeld: true }));
    const second = await runtime.ask('Never asked');
    expect((await runtime.jobs.cancel(second, session)).status).toBe('cancelled');
    runtime.server.letGo();
    await runtime.ended(first);
    await runtime.idle();
    expect(runtime.server.requests).toHaveLength(1);
  });

  it('whose runner is just starting: it never starts either', async () => {
    const runtime = await background();
    const id = await runtime.ask('Never asked');
    expect((await runtime.jobs.cancel(id, session)).status).toBe('cancelled');
    await runtime.idle();
    expect(runtime.server.requests).toHaveLength(0);
  });

  it('that runs: the call is ended at the vendor, what had arrived is kept, and the queue goes on', async () => {
    const runtime = await background({ env: { AGENT_RUNTIME_MAX_RUNNING_JOBS: '1' } });
    const id = await runtime.ask(scripted({ pieces: ['Half of ', 'an ans'], delayMs: 50, ending: 'hang' }));
    const next = await runtime.ask('The next one');
    await eventually('both parts have arrived', async () => (await runtime.jobs.output(id)) === 'Half of an ans');
    const job = await runtime.jobs.cancel(id, session);
    expect(job).toMatchObject({ status: 'cancelled', errorMessage: 'The job was cancelled.' });
    expect(await runtime.jobs.output(id)).toBe('Half of an ans');
    expect(runtime.server.requests[0]?.isAborted).toBe(true);
    expect((await runtime.ended(next)).status).toBe('completed');
    expect(await runtime.runners()).toHaveLength(1);
  });

  it.each(['stubborn', 'careless'])('whose program does not go: it and its children are killed (%s)', async (mode) => {
    const runtime = await background({ config });
    const record = join(runtime.home, 'record.json');
    const id = await runtime.ask(`Go on. [[claude ${mode}]] [[record ${record}]]`, { model: 'claude-code:sonnet' });
    const started = await eventually('the program runs', () => readRecord(record));
    const job = await runtime.jobs.cancel(id, session);
    expect(job).toMatchObject({ status: 'cancelled', crashes: 0 });
    await eventually('nothing of it is left', () => !isAlive(started.pid) && !isAlive(started.childPid));
  });

  it('at the moment of its completion: it is one or the other, once', async () => {
    const runtime = await background();
    const seen = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const id = await runtime.ask(scripted({ latencyMs: 0 }));
      await runtime.runnerOf(id).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, round * 4));
      const job = await runtime.jobs.cancel(id, session).catch(() => runtime.jobs.get(id));
      seen.add(job.status);
      expect(['completed', 'cancelled']).toContain(job.status);
      const ends = (await runtime.events(id)).filter((type) => type === 'completed' || type === 'cancelled');
      expect(ends).toEqual([job.status]);
      expect((await runtime.jobs.get(id)).status).toBe(job.status);
    }
    // The queue is none the worse for it.
    expect((await runtime.ended(await runtime.ask('After all that'))).status).toBe('completed');
  });

  it('whose board task is cancelled instead: its runner learns of it', async () => {
    const runtime = await background();
    const [task] = await runtime.tasks.create([{ title: 'Think' }], session);
    const id = await runtime.ask(scripted({ silent: true }), { task_id: task?.id ?? 0 });
    const { pid } = await runtime.runnerOf(id);
    await eventually('the model was asked', () => runtime.server.requests.length === 1);
    await runtime.tasks.updateStatus({ task: task?.id ?? 0, status: 'cancelled' }, session);
    // What the next heartbeat would find: a signal makes the runner look now.
    process.kill(pid, 'SIGTERM');
    expect((await runtime.ended(id)).status).toBe('cancelled');
  });
});

function readRecord(path: string): { pid: number; childPid: number } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
