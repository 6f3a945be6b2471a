import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readOverview } from '../../../src/core/overview/overview.js';
import { eventually } from '../../support/eventually.js';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';
import { startCli } from '../run-cli.js';

/** A home with a command that runs until a file is there, and workers on it. */
async function workers() {
  const home = tempDir();
  const [gate, begun] = [join(home, 'gate'), join(home, 'begun')];
  mkdirSync(join(home, '.claude'));
  const hold = {
    program: 'sh',
    args: ['-c', `touch '${begun}'; while [ ! -e '${gate}' ]; do sleep 0.05; done; echo done`],
  };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ commands: { hold } }));
  const dataDir = join(home, '.claude', 'agent_runtime');
  const runtime = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: dataDir } });
  const runners = () =>
    runtime.db.all<{ pid: number }>('select pid from runners where ended_at is null and pid is not null');
  onTestFinished(async () => {
    for (const { pid } of await runners()) kill(-pid);
  });
  return {
    runtime,
    runners,
    open: () => writeFileSync(gate, ''),
    /** Whether a command has begun: a job that was claimed and not begun goes back to the queue uncounted. */
    hasBegun: () => existsSync(begun),
    async submit(type: 'generic' | 'command', requires = 'gpu'): Promise<string> {
      const payload = type === 'generic' ? {} : { command: 'hold' };
      const { demands } = await runtime.agents.check(type, payload);
      const job = { type, payload, requires: demands.requires, needs: requires };
      return (await runtime.jobs.submit(job, { holder: null, project: '' })).job.id;
    },
    status: async (id: string) => (await runtime.jobs.get(id)).status,
    /** A worker that is at work. */
    async start(...options: string[]) {
      const cli = startCli(['worker', '--port', '0', ...options], { home });
      await eventually('the worker is at work', async () => cli.stderr().includes('Ctrl-C or SIGTERM'));
      return Object.assign(cli, { url: /(http:\S+)\/healthz/.exec(cli.stderr())?.[1] ?? '' });
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

describe('a worker', () => {
  it('takes what no session can, says how it is, and finishes what it has begun before it ends', async () => {
    const { runtime, submit, status, start, open } = await workers();
    const [quick, slow] = [await submit('generic'), await submit('command')];
    expect(await runtime.jobs.why(quick)).toMatch(/provides gpu, and none lives. Start one: agent-runtime worker --p/);
    const worker = await start('--provides', 'gpu,big');
    expect(worker.stderr()).toContain('It has gpu, big, for jobs that require it.');
    await eventually('the short one is done', async () => (await status(quick)) === 'completed');
    await eventually('the long one runs', async () => (await status(slow)) === 'running');
    const [health, metrics] = await Promise.all([fetch(`${worker.url}/healthz`), fetch(`${worker.url}/metrics`)]);
    expect(await health.json()).toMatchObject({ status: 'ok', state: 'running' });
    expect(await metrics.text()).toContain('# TYPE');
    const [listed] = await runtime.queueWorkers.list();
    expect(listed).toMatchObject({ provides: ['gpu', 'big'], running: 1, types: null, url: worker.url });

    const overview = await readOverview(runtime, { holder: null, project: '' });
    expect(overview.liveWorkers).toBe(1);

    worker.child.kill('SIGTERM');
    await eventually('it drains', async () => (await runtime.queueWorkers.list())[0]?.state === 'draining');
    const late = await submit('generic');
    open();
    expect((await worker.ended).code).toBe(0);
    expect([await status(slow), await status(late)]).toEqual(['completed', 'pending']);
    expect(await runtime.queueWorkers.list()).toEqual([]);
  });

  it('hands its jobs back to the queue on a second signal', async () => {
    const { runtime, submit, status, start } = await workers();
    const id = await submit('command');
    const worker = await start('--provides', 'gpu');
    await eventually('it runs', async () => (await status(id)) === 'running');
    worker.child.kill('SIGTERM');
    await eventually('it drains', async () => worker.stderr().includes('Takes no more jobs'));
    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    expect(worker.stderr()).toContain('Handed back to the queue: 1 job.');
    expect(await runtime.jobs.get(id)).toMatchObject({ status: 'pending', crashes: 0 });
  });

  it('that is killed with its runners loses nothing: another one tries its job again, the attempt counted', async () => {
    const { runtime, runners, submit, status, start, open, hasBegun } = await workers();
    const id = await submit('command');
    const first = await start('--provides', 'gpu');
    await eventually('it has begun', hasBegun);
    first.child.kill('SIGKILL');
    for (const { pid } of await runners()) kill(-pid);
    const second = await start('--provides', 'gpu');
    await eventually('it runs again', async () => (await runtime.jobs.get(id)).attempt === 2);
    open();
    await eventually('it is done', async () => (await status(id)) === 'completed');
    expect(await runtime.jobs.get(id)).toMatchObject({ attempt: 2, crashes: 1 });
    expect((await runtime.queueWorkers.list()).map(({ pid }) => pid)).toEqual([second.child.pid]);
    second.child.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
  });

  it('takes only the types that it was told, and fires schedules though no session lives', async () => {
    const { runtime, submit, status, start } = await workers();
    const [command, generic] = [await submit('command'), await submit('generic')];
    const worker = await start('--provides', 'gpu', '--types', 'generic');
    const request = { type: 'generic', payload: {}, requires: 'gpu' };
    await runtime.db.run("update runners set state = 'exited', ended_at = 1 where worker_id is null");
    const soon = { name: 'soon', kind: 'job' as const, request, runAt: Date.now() + 1_000 };
    await runtime.scheduler.save(soon, { holder: null, project: '' });
    await eventually(
      'it has fired',
      async () => (await runtime.schedules.get('soon', '')).last?.runStatus === 'completed',
    );
    expect([await status(generic), await status(command)]).toEqual(['completed', 'pending']);
    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });

  it('says in one line why it cannot begin', async () => {
    const home = tempDir();
    writeFileSync(join(home, 'file'), '');
    const end = await startCli(['worker', '--db', join(home, 'file', 'x.db')], { home }).ended;
    expect(end.code).toBe(1);
    expect(end.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });
});
