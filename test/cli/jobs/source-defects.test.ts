import { describe, expect, it } from 'vitest';
import { randomWalk, toCsv } from '../../agents/backtest/random-walk.js';
import { jobCli } from './job-cli.js';

/** Bugs of the earlier job server: each of these tests fails on it. */
describe('defects of the earlier job server', () => {
  it('a job is found by the next process (it lived in a dict of the process that submitted it)', async () => {
    const { run, submit } = jobCli();
    const id = await submit('generic', { n: 1 });
    expect((await run(['wait', '--job-id', id])).code).toBe(0);
    expect((await run(['status', '--job-id', id])).json()).toMatchObject({ id, status: 'completed' });
    expect((await run(['list-jobs'])).json()).toMatchObject([{ id }]);
  });

  it('a job runs although the process that submitted it has ended (it died with that process)', async () => {
    const { run, submit, status } = jobCli();
    const id = await submit('ml_experiment', { epochs: 3 });
    await run(['wait', '--job-id', id]);
    expect(await status(id)).toMatchObject({ status: 'completed', result: { epochs_run: 3 } });
  });

  it('status has the result (it was left out)', async () => {
    const { run } = jobCli();
    const end = await run(['submit', '--type', 'generic', '--config', '{"n": 1}', '--wait', '--json']);
    expect(end.json().result).toMatchObject({ status: 'success', data: { n: 1 } });
  });

  it('the log of a job is filled (it was always empty)', async () => {
    const { run, submit, status } = jobCli();
    const id = await submit('ml_experiment', { epochs: 4 });
    await run(['wait', '--job-id', id]);
    expect((await status(id)).logs).toHaveLength(4);
    const { stdout } = await run(['logs', '--job-id', id]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(4);
    expect(stdout).toMatch(/^\d{4}-.*Z {2}info {3}epoch done {2}\{"epoch":1,"epochs":4,/);
  });

  it('an experiment really trains: repeated it gives the same numbers, with more epochs a lower loss (they were random)', async () => {
    const { run, submit, status } = jobCli();
    const losses: number[][] = [];
    for (const epochs of [10, 10, 40]) {
      const id = await submit('ml_experiment', { model: 'linear', dataset: 'iris', epochs });
      await run(['wait', '--job-id', id]);
      const { result } = await status(id);
      losses.push(result.training_history.map(({ loss }: { loss: number }) => loss));
      const { confusion_matrix } = result.test;
      expect(confusion_matrix.flat().reduce((sum: number, count: number) => sum + count, 0)).toBe(30);
    }
    const [first = [], again, longer = []] = losses;
    expect(again).toEqual(first);
    expect(longer.slice(0, 10)).toEqual(first);
    expect(longer.at(-1)).toBeLessThan(first.at(-1) ?? 0);
  });

  it('the return of a backtest is that of its own equity and trades (it was unrelated to final_value)', async () => {
    const { run, submit, status, put } = jobCli();
    put('prices/AAPL.csv', toCsv(randomWalk(1, 260)));
    const range = { start_date: '2015-03-01', end_date: '2015-10-01', initial_capital: 100_000, commission: 0.001 };
    const id = await submit('backtest', { strategy: 'mean_reversion', ticker: 'AAPL', ...range });
    await run(['wait', '--job-id', id]);
    const report = JSON.parse((await run(['result', '--job-id', id])).stdout);
    expect((await status(id)).status).toBe('completed');
    expect(report.total_return).toBeCloseTo(report.final_value / 100_000 - 1, 12);
    expect(report.portfolio_values.at(-1).value).toBe(report.final_value);
    const gained = report.trade_list.reduce((sum: number, trade: { pnl: number }) => sum + trade.pnl, 0);
    expect(report.trade_list.length).toBe(report.num_trades);
    expect(report.num_trades).toBeGreaterThan(0);
    expect(100_000 + gained).toBeCloseTo(report.final_value, 6);
    expect(report.data).toMatchObject({ rows: 260 });
  });

  it('cancelling tells an unknown job from one that has ended (both were just "not found or already completed")', async () => {
    const { run, submit } = jobCli();
    const unknown = await run(['cancel', '--job-id', 'b2f1']);
    expect([unknown.code, unknown.stderr]).toEqual([
      3,
      expect.stringContaining('No background task or job has id b2f1'),
    ]);
    const id = await submit('generic', {});
    await run(['wait', '--job-id', id]);
    const ended = await run(['cancel', '--job-id', id]);
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining(`Job ${id} has already completed`)]);
  });

  it('a payload is checked when it is submitted (it was accepted, and failed later)', async () => {
    const { run } = jobCli();
    const end = await run(['submit', '--type', 'backtest', '--config', '{"ticker": "AAPL"}']);
    expect([end.code, end.stderr]).toEqual([2, expect.stringContaining('strategy')]);
    expect((await run(['list-jobs'])).json()).toEqual([]);
  });
});
