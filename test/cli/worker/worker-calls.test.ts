import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { submitJob } from '../../../src/core/jobs/submit-job.js';
import { prepareLlmJob } from '../../../src/services/model-request.js';
import { type BackgroundOptions, background, scripted, session } from '../../runner/fixtures/background.js';
import { holdThread } from '../../runner/fixtures/hold-thread.js';
import { eventually } from '../../support/eventually.js';
import { newPostgresUrl, postgresPort } from '../../support/postgres.js';
import { tempDir } from '../../support/temp-dir.js';
import { startCli } from '../run-cli.js';

/** A worker process, and a queue on which no session has runners of its own. */
async function workerAtWork({ env = {}, ...options }: BackgroundOptions = {}) {
  const home = options.home ?? tempDir();
  const runtime = await background({ ...options, home, env });
  const { server, db } = runtime;
  const keys = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', ANTHROPIC_BASE_URL: server.url };
  const worker = startCli(['worker'], { home, env: { ...keys, ...env } });
  await eventually('the worker is at work', () => worker.stderr().includes('Ctrl-C or SIGTERM'));
  const [listed] = await runtime.queueWorkers.list();
  return Object.assign(runtime, {
    worker,
    workerId: listed?.id ?? '',
    /** Stores a prompt and starts nothing for it. */
    async put(task_description: string, model?: string): Promise<string> {
      const { job } = await prepareLlmJob({ task_description, ...(model ? { model } : {}) }, session, runtime);
      return db.transaction(async (sql) => (await submitJob(sql, job, session, runtime.clock)).row.id);
    },
    /** The worker whose runner has made the last attempt of each. */
    workersOf: (ids: readonly string[]) =>
      Promise.all(
        ids.map(async (id) => {
          const found = await db.get<{ worker_id: string | null }>(
            `select r.worker_id from job_attempts a join runners r on r.id = a.runner_id
             where a.job_id = ? order by a.attempt desc limit 1`,
            id,
          );
          return found?.worker_id;
        }),
      ),
  });
}

describe('a worker with many calls', () => {
  it('carries them in one process, ends one alone, gives one that holds the thread a process, and drains', async () => {
    const home = tempDir();
    const path = join(home, 'odd.mjs');
    writeFileSync(
      path,
      `export default { async complete() {
         ${holdThread}
         await new Promise((resolve) => setTimeout(resolve, 50));
         return { text: 'done by ' + process.pid };
       } };`,
    );
    const test = await workerAtWork({ home, config: { providers: { custom: { odd: path } } } });
    const { jobs, server, worker, workerId, row } = test;
    const ids: string[] = [];
    for (let number = 0; number < 15; number++)
      ids.push(await test.put(scripted({ pieces: [`${number} `, 'whole'], heldAt: 1 })));
    const hanging = await test.put(scripted({ pieces: ['Part'], ending: 'hang' }));
    await eventually('all are asked', () => server.requests.length === 16);
    await eventually('it has begun to answer', async () => (await jobs.output(hanging)) === 'Part');
    const shared = await test.runnerOf(hanging);
    expect(await test.runners()).toMatchObject([{ worker_id: workerId, lane: 'call', pid: shared.pid }]);

    expect(await jobs.cancel(hanging, session)).toMatchObject({ status: 'cancelled' });
    expect(await jobs.output(hanging)).toBe('Part');
    const odd = await test.put('Go.', 'custom:odd');
    expect(await test.ended(odd)).toMatchObject({ status: 'completed', attempt: 2, tries: 1, crashes: 0 });
    expect(await jobs.output(odd)).not.toBe(`done by ${shared.pid}`);

    worker.child.kill('SIGTERM');
    await eventually('it drains', () => worker.stderr().includes('Takes no more jobs'));
    const late = await test.put('Later.');
    server.letGo();
    expect((await worker.ended).code).toBe(0);
    for (const [number, id] of ids.entries()) {
      expect(await row(id)).toMatchObject({ status: 'completed', attempt: 1, crashes: 0 });
      expect(await jobs.output(id)).toBe(`${number} whole`);
    }
    expect((await row(late)).status).toBe('pending');
    expect(new Set(await test.workersOf([...ids, odd]))).toEqual(new Set([workerId]));
    await test.idle();
  });
});

describe.runIf(postgresPort)('a worker on PostgreSQL', () => {
  it('works the queue and fires schedules though no session lives, and drains', async () => {
    const test = await workerAtWork({ env: { AGENT_RUNTIME_DB_URL: newPostgresUrl() } });
    const { db, schedules, worker, workerId, row } = test;
    const definition = { name: 'soon', project: '', kind: 'prompt', requires: 'anthropic', cron: null } as const;
    const request = { task_description: 'Say hello.' };
    const rules = { missed: 'once', overlap: 'skip', status: 'active', timezone: 'UTC' } as const;
    await schedules.save({ ...definition, ...rules, request, nextAt: Date.now() + 500 }, undefined, session);
    const ids = [await test.put(scripted({ pieces: ['a ', 'b'], delayMs: 300 })), await test.put('Say more.')];
    await eventually('it has fired', async () => (await schedules.get('soon', '')).last?.runStatus === 'completed');
    const run = (await schedules.get('soon', '')).last?.run ?? '';
    for (const id of ids) await test.ended(id);
    expect(new Set(await test.workersOf([...ids, run]))).toEqual(new Set([workerId]));
    expect(await db.all('select 1 from sessions where ended_at is null')).toEqual([]);

    const slow = await test.put(scripted({ pieces: ['a ', 'b'], heldAt: 1 }));
    await eventually('it is at work', async () => (await row(slow)).status === 'running');
    worker.child.kill('SIGTERM');
    await eventually('it drains', () => worker.stderr().includes('Takes no more jobs'));
    test.server.letGo();
    expect((await worker.ended).code).toBe(0);
    expect(await row(slow)).toMatchObject({ status: 'completed', attempt: 1 });
    await test.idle();
  });
});
