import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasEnded } from '../../src/core/jobs/job.js';
import { identityOf, type RunnerRow } from '../../src/core/jobs/runners.js';
import type { Runtime } from '../../src/runtime.js';
import { submitJob } from '../../src/services/submit-job.js';
import { openPostgresStore } from '../store/postgres/open-postgres.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { postgresBinaries, startPostgres } from '../support/postgres-server.js';
import { expectWholeBoard, loadBoard } from './board-load.js';
import { cuttingProxy } from './cutting-proxy.js';
import { hostNamed } from './host.js';

const nobody = { holder: null, project: '' };

const submitHold = async (runtime: Runtime, requires: string): Promise<string> =>
  (await submitJob({ type: 'command', payload: { command: 'hold' }, requires }, nobody, runtime)).job.id;

const ended = (runtime: Runtime, id: string) =>
  eventually(`job ${id} ends`, async () => {
    const job = await runtime.jobs.get(id);
    return hasEnded(job.status) && job;
  });

const runnerOf = (runtime: Runtime, id: string) =>
  eventually(`job ${id} runs`, () =>
    runtime.db.get<RunnerRow>(
      "select r.* from runners r join jobs j on j.runner_id = r.id where j.id = ? and j.status = 'running' and r.pid is not null",
      id,
    ),
  );

/** An address as another port has it. */
function through(url: string, port: number): string {
  const address = new URL(url);
  address.port = String(port);
  return address.href;
}

describe.runIf(postgresPort)('the database', () => {
  it('is restarted under load: what was acknowledged is there, once, and work goes on', async () => {
    const server = await startPostgres(postgresBinaries() ?? '', { isSafe: true });
    onTestFinished(() => server.stop());
    const url = `postgres://agrt@127.0.0.1:${server.port}/board`;
    const sessions = await Promise.all(['a', 'b', 'c'].map((name) => hostNamed(name, { url }).session()));
    const load = loadBoard(sessions);
    await eventually('there is load', () => load.done.length > 20);
    await server.restart();
    const before = load.done.length;
    await eventually('work goes on', () => load.done.length > before + 20);
    await load.end();
    await expectWholeBoard(url, load);
  });

  it.each(['answer', 'question'] as const)(
    'loses the %s to a commit: whether it was done is found out, and nothing is done twice',
    async (lost) => {
      const direct = await openPostgresStore();
      const proxy = await cuttingProxy(postgresPort ?? 0);
      // So that the proxy sees the words of each statement.
      const cut = await openPostgresStore({ url: `${through(direct.url, proxy.port)}?prepare=off` });
      await cut.run("insert into notes (text) values ('before')");
      for (const options of [{}, { beside: true }, { durable: true }]) {
        proxy.cutAtCommit(lost);
        await cut.transaction(async (sql) => {
          await sql.run("update counters set value = value + 1 where name = 'a'");
          await sql.send("insert into notes (text) values ('once')");
        }, options);
      }
      expect(proxy.cuts()).toBe(3);
      expect(await direct.get("select value from counters where name = 'a'")).toEqual({ value: 3 });
      expect(await direct.get('select count(*) as count from notes')).toEqual({ count: 4 });
    },
  );

  it('forgets a change in a crash, and gives the id of its transaction to another: it is not taken for done', async () => {
    // What is not committed stays in memory.
    const settings = ['wal_writer_delay=10s', 'autovacuum=off'];
    const server = await startPostgres(postgresBinaries() ?? '', { isSafe: true, settings });
    onTestFinished(() => server.stop());
    const proxy = await cuttingProxy(server.port);
    const url = `postgres://agrt@127.0.0.1:${server.port}/notes`;
    const direct = await openPostgresStore({ url });
    const cut = await openPostgresStore({ url: `${through(url, proxy.port)}?prepare=off`, deadlineMs: 60_000 });
    await cut.run("insert into notes (text) values ('before')");
    proxy.cutAtCommit('question', { alsoInterrupts: true });
    const lost = cut.run("insert into notes (text) values ('lost')").catch((error) => error);
    await eventually('the commit is cut', () => proxy.cuts() === 1);
    await server.restart();
    for (let other = 0; other < 5; other++) await direct.run("insert into notes (text) values ('other')");
    proxy.restore();
    expect(await lost).toMatchObject({ code: 'unavailable', message: expect.stringContaining('is not known') });
    expect(await direct.all("select text from notes where text <> 'other'")).toEqual([{ text: 'before' }]);
  });

  it('cannot be reached: calls say so, and what a job has put out is kept and delivered later', async () => {
    const url = newPostgresUrl();
    const proxy = await cuttingProxy(postgresPort ?? 0);
    const far = hostNamed('far', { url: through(url, proxy.port) });
    const runtime = await hostNamed('near', { url }).runtime();
    const session = await far.session();
    await far.worker('far');
    const id = await submitHold(runtime, 'far');
    await runnerOf(runtime, id);
    proxy.interrupt();
    const refused = session.call('create_task', { title: 'Lost' });
    far.open();
    const spool = join(far.home, '.claude', 'agent_runtime', 'spool');
    await eventually('the outcome is kept', () => existsSync(spool) && readdirSync(spool).length > 0);
    expect(await refused).toMatchObject({
      isError: true,
      data: { code: 'unavailable', hint: expect.stringContaining('Check that the server runs') },
    });
    expect(await runtime.jobs.status(id)).toBe('running');
    proxy.restore();
    expect(await ended(runtime, id)).toMatchObject({ status: 'completed', attempt: 1 });
    await eventually('the file is gone', () => readdirSync(spool).length === 0);
    expect((await session.call('create_task', { title: 'Made' })).isError).toBe(false);
    expect(await runtime.db.all('select title from tasks')).toEqual([{ title: 'Made' }]);
  });

  it('gives a job of a host that was frozen for longer than its lease to another, and takes nothing of it later', async () => {
    const url = newPostgresUrl();
    const [frozen, other] = [hostNamed('frozen', { url }), hostNamed('other', { url })];
    const runtime = await hostNamed('here', { url }).runtime();
    const worker = await frozen.worker('any');
    const id = await submitHold(runtime, 'any');
    const runner = await runnerOf(runtime, id);
    expect(identityOf(runner)?.hostId).toBe('frozen');
    const pid = runner.pid ?? 0;
    process.kill(-pid, 'SIGSTOP');
    worker.child.kill('SIGSTOP');
    // The wait for its lease, as the others see it.
    for (const table of ['runners', 'queue_workers']) {
      await runtime.db.run(`update ${table} set heartbeat_at = heartbeat_at - 61000 where host_id = 'frozen'`);
    }
    await other.worker('any');
    await eventually('another has it', async () => (await runnerOf(runtime, id)).host_id === 'other');
    frozen.open();
    process.kill(-pid, 'SIGCONT');
    worker.child.kill('SIGCONT');
    await eventually('the frozen runner finds that it was written off', () => !isAlive(pid));
    expect(await runtime.jobs.get(id)).toMatchObject({ status: 'running', attempt: 2 });
    other.open();
    expect(await ended(runtime, id)).toMatchObject({ status: 'completed', attempt: 2, crashes: 1 });
    const completed = await runtime.db.all(
      "select 1 from events where subject = 'job' and subject_id = ? and type = 'completed'",
      id,
    );
    expect(completed).toHaveLength(1);
  });

  it('takes no more connections: a call says so and how to go on, and a busy process has two at most', async () => {
    const url = newPostgresUrl();
    const name = new URL(url).pathname.slice(1);
    const busy = await hostNamed('busy', { url }).runtime();
    const reads = Array.from({ length: 200 }, () => busy.tasks.get(1).catch(() => undefined));
    const writes = Array.from({ length: 200 }, (_, index) => busy.tasks.create([{ title: `t${index}` }], nobody));
    await Promise.all([...reads, ...writes]);
    const [used] = await busy.db.all<{ count: number }>(
      // Not the server's own, which clean up.
      "select count(*) as count from pg_stat_activity where datname = ? and backend_type = 'client backend'",
      name,
    );
    expect(used?.count).toBeLessThanOrEqual(2);
    // The limit is for all but the server's own administrators, of whom the busy one is.
    const admin = new pg.Client(url);
    await admin.connect();
    await admin.query(`create role ${name} login; alter database ${name} connection limit 1`);
    onTestFinished(async () => {
      await admin.query(`drop role ${name}`);
      await admin.end();
    });
    const refused = Array.from({ length: 200 }, () =>
      openPostgresStore({ url: url.replace('agrt@', `${name}@`) }).catch((error: unknown) => error),
    );
    for (const error of await Promise.all(refused)) {
      expect(error).toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/too many connections/),
        hint: expect.stringMatching(/max_connections/),
      });
    }
    expect(await busy.tasks.create([{ title: 'goes on' }], nobody)).toHaveLength(1);
  });
});
