import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasEnded } from '../../src/core/jobs/job.js';
import { identityOf, type RunnerRow } from '../../src/core/jobs/runners.js';
import { artifactResponse } from '../../src/http/artifacts.js';
import type { Runtime } from '../../src/runtime.js';
import { submitJob } from '../../src/services/submit-job.js';
import { eventually } from '../support/eventually.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { hostNamed } from './host.js';

const nobody = { holder: null, project: '' };

/** Two hosts of one database, the first one seen from inside. */
async function twoHosts() {
  const url = newPostgresUrl();
  const shared = { url, modulesDir: tempDir() };
  const [one, two] = [hostNamed('one', shared), hostNamed('two', shared)];
  return { url, one, two, runtime: await one.runtime() };
}

async function submit(runtime: Runtime, type: string, more: object = {}): Promise<string> {
  const payload = type === 'command' ? { command: 'hold' } : {};
  return (await submitJob({ type, payload, ...more }, nobody, runtime)).job.id;
}

const ended = (runtime: Runtime, id: string) =>
  eventually(`job ${id} ends`, async () => {
    const job = await runtime.jobs.get(id);
    return hasEnded(job.status) && job;
  });

const claims = (runtime: Runtime) =>
  runtime.db.all<{ id: number; lease_expires_at: number }>(
    "select id, lease_expires_at from tasks where status = 'in_progress'",
  );

const runnerOf = async (runtime: Runtime, id: string): Promise<RunnerRow> =>
  eventually(`job ${id} runs`, () =>
    runtime.db.get<RunnerRow>(
      "select r.* from runners r join jobs j on j.runner_id = r.id where j.id = ? and j.status = 'running' and r.pid is not null",
      id,
    ),
  );

describe.runIf(postgresPort)('two hosts of one database', () => {
  it('a job is cancelled from a host where it does not run', async () => {
    const { two, runtime } = await twoHosts();
    await two.worker('two');
    const id = await submit(runtime, 'command', { requires: 'two' });
    expect(identityOf(await runnerOf(runtime, id))?.hostId).toBe('two');
    expect(await runtime.jobs.cancel(id, nobody)).toMatchObject({ status: 'cancelled' });
  });

  it('what a job saves on one host is a file on the others too, until it is purged', async () => {
    const { one, two, runtime } = await twoHosts();
    await Promise.all([one.worker('one'), two.worker('two')]);
    const save = await submit(runtime, 'save', { requires: 'two' });
    const read = await submit(runtime, 'read', { depends_on: [save], requires: 'one' });
    expect(await ended(runtime, save)).toMatchObject({ status: 'completed' });
    expect(await ended(runtime, read)).toMatchObject({ status: 'completed' });
    const ofTwo = join(two.home, '.claude', 'agent_runtime', 'copies', save);
    expect(existsSync(ofTwo)).toBe(true);
    rmSync(ofTwo, { recursive: true });

    const saved = Buffer.alloc(2_500_000, 7);
    const copies = join(one.home, '.claude', 'agent_runtime', 'copies');
    const [data, none] = await runtime.jobs.bringArtifacts(save);
    expect(data).toMatchObject({ name: 'data.bin', size_bytes: 2_500_000, path: expect.stringContaining(copies) });
    expect(readFileSync(data?.path ?? '').equals(saved)).toBe(true);
    expect(readFileSync(none?.path ?? '', 'utf8')).toBe('');
    expect((await runtime.jobs.get(read)).result).toEqual([
      [expect.any(String), 2_500_000],
      [expect.any(String), 0],
    ]);
    rmSync(copies, { recursive: true });
    const answer = await artifactResponse(runtime, save, 'data.bin', false);
    expect(Buffer.from(await answer.arrayBuffer()).equals(saved)).toBe(true);

    await runtime.maintenance.purge(Date.now() + 60_000, nobody);
    expect(await runtime.db.all('select 1 from artifact_chunks')).toEqual([]);
    expect(await runtime.jobs.removeOldCopies()).toBe(1);
    expect(existsSync(join(copies, save))).toBe(false);
  });

  it('a session of another host is judged by its lease alone, whatever has its pid here', async () => {
    const { two, runtime } = await twoHosts();
    const session = await two.session();
    await session.call('create_task', { title: 'Held on two' });
    await session.call('claim_next_task');
    expect(await claims(runtime)).toHaveLength(1);
    session.server.process.kill('SIGKILL');
    await session.server.ended;
    expect(await runtime.sessions.sweep()).toEqual([]);
    await runtime.db.run('update sessions set heartbeat_at = heartbeat_at - 61000');
    expect(await runtime.sessions.sweep()).toHaveLength(1);
  });

  it('clocks that are five minutes apart end no claim early and keep none for longer', async () => {
    const url = newPostgresUrl();
    const runtime = await hostNamed('here', { url }).runtime();
    // A session that begins does all duties at once, the ending of claims among them.
    for (const [name, aheadMs] of Object.entries({ late: -300_000, early: 300_000 })) {
      const session = await hostNamed(name, { url, aheadMs }).session();
      await session.call('create_task', { title: name });
      await session.call('claim_next_task');
    }
    await runtime.maintenance.runOnce();
    const held = await claims(runtime);
    expect(held).toHaveLength(2);
    for (const { lease_expires_at } of held) {
      expect(lease_expires_at - runtime.clock.now()).toBeGreaterThan(0);
      expect(lease_expires_at - runtime.clock.now()).toBeLessThanOrEqual(61_000);
    }
    const times = await runtime.db.all<{ at: number }>('select at from events order by id');
    for (const { at } of times) expect(Math.abs(at - Date.now())).toBeLessThan(250_000);
  });

  it('the hooks of a host whose clock is wrong take the time of the database', async () => {
    const url = newPostgresUrl();
    const runtime = await hostNamed('here', { url }).runtime();
    const root = tempDir();
    const ada = { id: 's1', sessionId: 's1', holder: 'claude:ada', project: root };
    await runtime.reservations.reserve({ globs: ['a.ts'], isExclusive: true }, ada);
    await runtime.messages.send({ to: 'all', subject: 'Careful', body: 'With a.ts' }, ada);
    await runtime.db.run('update messages set expires_at = ?', Date.now() + 120_000);
    await runtime.db.run('update path_reservations set lease_expires_at = ?', Date.now() + 120_000);
    for (const aheadMs of [-300_000, 300_000]) {
      const wrong = hostNamed(`by ${aheadMs}`, { url, aheadMs });
      const hook = (name: string, input: object) =>
        wrong.cli(['hook', name], JSON.stringify({ session_id: 'bob', cwd: root, ...input }));
      const edit = { tool_name: 'Edit', tool_input: { file_path: join(root, 'a.ts') } };
      const [guard, start] = await Promise.all([hook('pre-tool-use', edit), hook('session-start', {})]);
      expect(guard.stderr).toBe('');
      expect(guard.json().hookSpecificOutput).toMatchObject({ permissionDecision: 'deny' });
      expect(start.stdout).toContain('1 unread message');
    }
  });

  it('a dashboard that listens on the loopback of another host is not given out as one of this host', async () => {
    const { two, runtime } = await twoHosts();
    const other = await two.runtime();
    await other.httpServers.add({ url: 'http://127.0.0.1:3333', hasPage: true, isReadOnly: false });
    await other.httpServers.add({ url: 'http://two.example:3333', hasPage: true, isReadOnly: false });
    expect(await runtime.httpServers.live()).toMatchObject([{ url: 'http://two.example:3333' }]);
    expect(await other.httpServers.live()).toHaveLength(2);
  });

  it("another host's worktrees are left to it", async () => {
    const { two, runtime } = await twoHosts();
    const other = await two.runtime();
    const repository = join(two.home, 'repository');
    const id = await submit(other, 'generic', { run_at: Date.now() + 3_600_000 });
    await other.db.run(
      `insert into worktrees (job_id, title, repository, path, branch, base_commit, status, host_id, created_at, updated_at)
       values (?, 'w', ?, ?, 'b', 'c', 'active', 'two', 1, 1)`,
      id,
      repository,
      join(repository, 'gone'),
    );
    await other.jobs.cancel(id, nobody);
    await runtime.worktrees.sweep();
    expect(await runtime.worktrees.list()).toHaveLength(1);
    await expect(runtime.worktrees.finish({ task: id, action: 'discard' }, nobody)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is on the host two'),
    });
    await other.worktrees.sweep();
    expect(await runtime.worktrees.list()).toEqual([]);
  });
});
