import { describe, expect, it } from 'vitest';
import { testRuntime } from '../../support/test-runtime.js';
import { jobCli } from './job-cli.js';

describe('retry', () => {
  it('runs a failed job again once its cause is fixed', async () => {
    const { run, submit, put, status } = jobCli();
    const id = await submit('backtest', { strategy: 'momentum', ticker: 'X' });
    expect((await run(['wait', '--job-id', id])).code).toBe(1);
    const days = Array.from({ length: 300 }, (_, day) =>
      new Date(Date.UTC(2023, 0, 1 + day)).toISOString().slice(0, 10),
    );
    put('prices/X.csv', ['date,open,high,low,close', ...days.map((day) => `${day},1,1,1,1`)].join('\n'));
    expect((await run(['retry', '--job-id', id])).stdout).toBe(`Job queued again: ${id}\n`);
    expect((await run(['wait', '--job-id', id])).code).toBe(0);
    expect(await status(id)).toMatchObject({ status: 'completed', attempts: [{ attempt: 1 }, { attempt: 2 }] });
  });

  it('refuses a job that has completed, and a command that names no job', async () => {
    const { run, submit } = jobCli();
    const id = await submit('generic', {});
    await run(['wait', '--job-id', id]);
    expect(await run(['retry', '--job-id', id])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('only a failed or cancelled one can be retried'),
    });
    expect(await run(['retry'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--dead') });
  });
});

describe('dead letters', () => {
  /** Jobs whose runner has vanished three times, as the sweep leaves them. */
  async function withDeadLetters(count: number) {
    const cli = jobCli();
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push(await cli.submit('generic', { n }, '--run-at', '2999-01-01T00:00:00Z'));
    const { db, clock } = await testRuntime({ home: cli.home });
    await db.run(
      `update jobs set status = 'failed', is_dead = 1, crashes = 3, error_code = 'lost', error_message = 'Its runner is gone.',
         completed_at = ?`,
      clock.now(),
    );
    return { cli, ids };
  }

  it('can be listed alone', async () => {
    const { cli, ids } = await withDeadLetters(2);
    const alive = await cli.submit('generic', {});
    await cli.run(['wait', '--job-id', alive]);
    const dead = (await cli.run(['list-jobs', '--dead', '--json'])).json();
    expect(dead.map((job: { id: string }) => job.id)).toEqual([...ids].reverse());
    expect(dead).toMatchObject([{ status: 'failed', dead: true }, { dead: true }]);
    const all = (await cli.run(['list-jobs', '--json'])).json();
    expect(all.map((job: { dead?: boolean }) => job.dead)).toEqual([undefined, true, true]);
    expect(await cli.status(ids[0] ?? '')).toMatchObject({ dead: true, error: { code: 'lost' } });
    const tool = (await cli.run(['tool', 'list_jobs', '--arg', 'dead=true'])).json();
    expect(tool).toMatchObject({ count: 2, jobs: [{ dead: true }, { dead: true }] });
  });

  it('are run again one by one, or all at once', async () => {
    const { cli, ids } = await withDeadLetters(3);
    const [first = '', ...others] = ids;
    const one = await cli.run(['retry', '--job-id', first, '--redrive']);
    expect([one.code, one.stdout]).toEqual([0, `Job queued again: ${first}\n`]);
    const rest = await cli.run(['retry', '--dead', '--json']);
    expect([rest.code, rest.json()]).toEqual([0, { retried: others, refused: [] }]);
    for (const id of ids) expect((await cli.run(['wait', '--job-id', id])).code).toBe(0);
    expect((await cli.run(['retry', '--dead'])).stdout).toBe('No dead letters found\n');
  });

  it('do not include other failed jobs', async () => {
    const cli = jobCli();
    const id = await cli.submit('ml_experiment', { dataset: 'mnist' });
    await cli.run(['wait', '--job-id', id]);
    expect((await cli.run(['list-jobs', '--dead'])).json()).toEqual([]);
    const refused = await cli.run(['retry', '--job-id', id, '--dead']);
    expect([refused.code, refused.stderr]).toEqual([
      4,
      expect.stringContaining('is failed, but it is not a dead letter'),
    ]);
  });
});

it('a list is cut to the newest 20 and says so; --limit and --all show more', async () => {
  const cli = jobCli();
  const runtime = await testRuntime({ home: cli.home });
  const later = runtime.clock.now() + 86_400_000;
  for (let n = 0; n < 230; n++) {
    await runtime.jobs.submit(
      { type: 'generic', payload: { n }, runAt: later },
      { holder: null, project: n % 2 ? '/a' : '' },
    );
  }
  const newest = await cli.run(['list-jobs']);
  expect(newest.json()).toHaveLength(20);
  expect(newest.stderr).toContain('There are more');
  const quiet = await cli.run(['list-jobs', '--limit', '200', '--quiet']);
  expect([quiet.json().length, quiet.stderr]).toEqual([200, '']);
  const all = await cli.run(['list-jobs', '--all']);
  expect([all.json().length, all.stderr]).toEqual([230, '']);
  const other = await runCliIn(cli, '/b');
  expect(other.json()).toHaveLength(115);
});

function runCliIn(cli: ReturnType<typeof jobCli>, project: string) {
  return cli.run(['list-jobs', '--limit', '200'], { env: { CLAUDE_PROJECT_DIR: project } });
}
