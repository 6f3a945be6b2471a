import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomWalk, toCsv } from '../../agents/backtest/random-walk.js';
import { endless, jobCli } from './job-cli.js';

it('a result is printed, or written whole to a file', async () => {
  const { run, submit, home } = jobCli();
  const id = await submit('generic', { text: 'Größe 漢字' });
  await run(['wait', '--job-id', id]);
  const printed = await run(['result', '--job-id', id]);
  expect(printed.code).toBe(0);
  expect(printed.json()).toMatchObject({ status: 'success', data: { text: 'Größe 漢字' } });
  expect((await run(['result', '--job-id', id, '--json'])).json()).toEqual(printed.json());

  const file = join(home, 'result.json');
  writeFileSync(file, 'an older one');
  const written = await run(['result', '--job-id', id, '--output', 'result.json'], { cwd: home });
  expect(written.stdout).toBe(`Result written: ${file} (${Buffer.byteLength(printed.stdout)} bytes)\n`);
  expect(readFileSync(file, 'utf8')).toBe(printed.stdout);
});

it('a result that get_job_status shows in part is printed whole', async () => {
  const { run, submit, status } = jobCli();
  const id = await submit('generic', { text: 'x'.repeat(50_000) });
  await run(['wait', '--job-id', id]);
  const tool = (await run(['tool', 'get_job_status', '--arg', `job_id=${id}`])).json();
  expect(tool).toMatchObject({ result: { status: 'success' }, left_out: { data: '1 fields, 50011 characters' } });
  expect((await status(id)).result.data.text).toHaveLength(50_000);
  expect((await run(['result', '--job-id', id])).json().data.text).toHaveLength(50_000);
});

it('a file that cannot be written is named, and nothing is left behind', async () => {
  const { run, submit, home } = jobCli();
  const id = await submit('generic', {});
  await run(['wait', '--job-id', id]);
  const nowhere = await run(['result', '--job-id', id, '-o', join(home, 'no', 'such', 'x.json')]);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining(join(home, 'no', 'such', 'x.json'))]);
  const before = readdirSync(home);
  const directory = await run(['result', '--job-id', id, '-o', home]);
  expect(directory.code).toBe(2);
  expect(readdirSync(home)).toEqual(before);
});

it('a job without a result says why: not ended is a conflict, failed and cancelled are failures', async () => {
  const { run, submit, untilRunning } = jobCli();
  const running = await submit('ml_experiment', endless);
  await untilRunning(running);
  const early = await run(['result', '--job-id', running]);
  expect([early.code, early.stdout]).toEqual([4, '']);
  expect(early.stderr).toContain(`Job ${running} is running and has no result yet.`);
  await run(['cancel', '--job-id', running]);
  const cancelled = await run(['result', '--job-id', running]);
  expect([cancelled.code, cancelled.stderr]).toEqual([1, expect.stringContaining('was cancelled')]);
  const failed = await submit('ml_experiment', { dataset: 'mnist' });
  await run(['wait', '--job-id', failed]);
  const end = await run(['result', '--job-id', failed, '--json']);
  expect([end.code, end.json().error]).toEqual([
    1,
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('DATASET_NOT_FOUND') }),
  ]);
});

it('a backtest with --plot saves a chart of its equity, listed with its path, size and checksum', async () => {
  const { run, put, status } = jobCli();
  put('prices/X.csv', toCsv(randomWalk(1, 260)));
  const payload = { strategy: 'momentum', ticker: 'X', start_date: '2015-03-01', end_date: '2015-10-01' };
  const args = ['submit', '--type', 'backtest', '--config', JSON.stringify(payload), '--wait'];
  const end = await run([...args, '--plot']);
  expect(end.code).toBe(0);
  const [, id = ''] = /Job completed: (\S+)/.exec(end.stdout) ?? [];
  const { artifacts, result } = await status(id);
  expect(artifacts).toMatchObject([{ name: 'equity.svg', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  const [{ path, size_bytes }] = artifacts;
  expect(end.stdout).toContain(`  equity.svg  ${size_bytes} bytes  ${path}\n`);
  expect(result.plot).toEqual({ name: 'equity.svg', path });
  const svg = readFileSync(path, 'utf8');
  expect(Buffer.byteLength(svg)).toBe(size_bytes);
  expect(svg).toContain('Buy and hold X');

  const inPayload = await run([...args.slice(0, 4), JSON.stringify({ ...payload, plot: true }), '--wait', '--json']);
  expect(existsSync(inPayload.json().artifacts[0].path)).toBe(true);
  const without = await run([...args, '--json']);
  expect(without.json()).not.toHaveProperty('artifacts');
});
