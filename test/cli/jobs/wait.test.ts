import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { testRuntime } from '../../support/test-runtime.js';
import { endless, jobCli, long } from './job-cli.js';

describe('wait', () => {
  it('exits with 0 when the job completes, showing its progress and how it ended', async () => {
    const { run, submit } = jobCli();
    const id = await submit('ml_experiment', { epochs: 3 });
    const end = await run(['wait', '--job-id', id]);
    expect([end.code, end.stdout]).toEqual([0, `Job completed: ${id}\n`]);
    expect(end.stderr).toContain('completed  100 %  epoch 3 of 3');
    expect(end.stderr).not.toContain('\u001b');
    const again = await run(['wait', '--job-id', id, '--json', '--quiet']);
    expect([again.code, again.stderr]).toEqual([0, '']);
    expect(again.json()).toMatchObject({ id, status: 'completed', result: { epochs_run: 3 } });
  });

  it('exits with 1 when the job fails, with its error', async () => {
    const { run, submit } = jobCli();
    const id = await submit('ml_experiment', { dataset: 'mnist' });
    const end = await run(['wait', '--job-id', id]);
    expect([end.code, end.stdout]).toEqual([1, `Job failed: ${id}\n`]);
    expect(end.stderr).toContain('error: DATASET_NOT_FOUND: MNIST is not complete');
    const asJson = await run(['wait', '--job-id', id, '--json']);
    expect([asJson.code, asJson.json().error.code]).toEqual([1, 'DATASET_NOT_FOUND']);
  });

  it('exits with 1 when the job is cancelled by another process', async () => {
    const { run, submit, start } = jobCli();
    const id = await submit('ml_experiment', endless);
    const waiting = start(['wait', '--job-id', id]);
    await eventually('it waits', () => waiting.stderr().includes('running'));
    expect((await run(['cancel', '--job-id', id])).code).toBe(0);
    const { code, stdout } = await waiting.ended;
    expect([code, stdout.split('\n')[0]]).toEqual([1, `Job cancelled: ${id}`]);
  });

  it('is interrupted by Ctrl-C, which leaves the job running and says so', async () => {
    const { run, submit, start, status } = jobCli();
    const id = await submit('ml_experiment', long);
    const waiting = start(['wait', '--job-id', id]);
    await eventually('it waits', () => waiting.stderr().includes('running'));
    waiting.child.kill('SIGINT');
    const end = await waiting.ended;
    expect([end.code, end.stdout]).toEqual([130, '']);
    expect(end.stderr).toContain(`Job ${id} is running and goes on without this command`);
    expect(end.stderr).toContain(`wait ${id}`);
    expect((await status(id)).status).toBe('running');
    await run(['cancel', '--job-id', id]);
  });

  it('notices that the runner was killed, and starts the job again, although no session is running', async () => {
    const { run, submit, start, home, untilRunning } = jobCli();
    const id = await submit('ml_experiment', endless);
    await untilRunning(id);
    const { db } = await testRuntime({ home });
    const runner = await db.get<{ pid: number }>("select pid from runners where state = 'running'");
    process.kill(runner?.pid ?? 0, 'SIGKILL');
    const waiting = start(['wait', '--job-id', id]);
    await eventually('the job runs again', () => /pending.*\n(.*\n)*running/.test(waiting.stderr()));
    await run(['cancel', '--job-id', id]);
    const { code, stdout } = await waiting.ended;
    expect([code, stdout.split('\n')[0]]).toEqual([1, `Job cancelled: ${id}`]);
  });

  it('with submit --wait, one command submits, waits and exits as the job ends', async () => {
    const { run } = jobCli();
    const good = await run(['submit', '--type', 'generic', '--config', '{"n": 1}', '--wait']);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringMatching(/^Job submitted successfully: (\S+)\nJob completed: \1\n$/),
    ]);
    const bad = await run(['submit', '--type', 'ml_experiment', '--config', '{"dataset": "cifar10"}', '--wait']);
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringMatching(/\nJob failed: \S+\n$/)]);
  });
});

describe('logs', () => {
  it('are followed entry by entry, until the job ends', async () => {
    const { run, submit, start } = jobCli();
    const id = await submit('ml_experiment', { ...long, epochs: 400 });
    const following = start(['logs', '--job-id', id, '-f']);
    await eventually('the first line', () => following.stdout().includes('"epoch":'));
    expect(following.child.exitCode).toBeNull();
    const end = await following.ended;
    expect([end.code, end.stderr]).toEqual([0, `Job completed: ${id}.\n`]);
    const whole = await run(['logs', '--job-id', id]);
    expect(end.stdout).toBe(whole.stdout);
    expect(whole.stdout).toContain('"epoch":400,"epochs":400');
  });

  it('with --json are one document, or one document a line while they are followed', async () => {
    const { run, submit } = jobCli();
    const id = await submit('ml_experiment', { epochs: 3 });
    const followed = await run(['logs', '--job-id', id, '--follow', '--json']);
    const lines = followed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject(
      [1, 2, 3].map((epoch) => ({ level: 'info', message: 'epoch done', fields: { epoch } })),
    );
    expect((await run(['logs', '--job-id', id, '--json'])).json()).toEqual({
      job_id: id,
      status: 'completed',
      logs: lines,
    });
  });

  it('stop at Ctrl-C while they are followed, and the job goes on', async () => {
    const { run, submit, start, status } = jobCli();
    const id = await submit('ml_experiment', long);
    const following = start(['logs', '--job-id', id, '-f']);
    await eventually('the first line', () => following.stdout().includes('"epoch":'));
    following.child.kill('SIGINT');
    const end = await following.ended;
    expect([end.code, end.stderr]).toEqual([130, expect.stringContaining(`Job ${id} is running and goes on`)]);
    expect((await status(id)).status).toBe('running');
    await run(['cancel', '--job-id', id]);
  });

  it('end with the reason if the job fails while they are followed', async () => {
    const { run, submit } = jobCli();
    const id = await submit('backtest', { strategy: 'momentum', ticker: 'X' });
    const end = await run(['logs', '--job-id', id, '-f']);
    expect([end.code, end.stderr]).toEqual([0, expect.stringContaining(`Job failed: ${id}. PRICE_DATA_NOT_FOUND:`)]);
  });
});
