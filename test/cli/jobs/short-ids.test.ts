import { expect, it } from 'vitest';
import { testRuntime } from '../../support/test-runtime.js';
import { runCli } from '../run-cli.js';
import { jobCli } from './job-cli.js';

const later = ['--run-at', '2099-01-01T00:00:00Z'];

it('every command of a job takes the beginning of its id, as a word or as --job-id', async () => {
  const { home, run, submit } = jobCli();
  const id = await submit('generic', { note: 'hello' });
  const short = id.slice(0, 8);
  expect((await run(['wait', short])).stdout).toBe(`Job completed: ${id}\n`);
  expect((await run(['status', short])).json()).toMatchObject({ id, status: 'completed' });
  expect((await run(['status', '--job-id', short])).json()).toMatchObject({ id });
  expect((await run(['logs', short, '--json'])).json()).toMatchObject({ job_id: id });
  expect((await run(['result', short])).code).toBe(0);
  const held = await submit('generic', {}, ...later);
  const next = await submit('generic', {}, '--depends-on', held.slice(0, 10));
  expect(
    (await run(['tool', 'get_job_status', '--arg', `job_id=${next.slice(0, 10)}`, '--json'])).json(),
  ).toMatchObject({
    job_id: next,
  });
  const { jobs } = await testRuntime({ home });
  expect(await jobs.dependsOn(next)).toEqual([held]);
  expect((await run(['cancel', held.slice(0, 10).toUpperCase()])).stdout).toBe(`Job cancelled: ${held}\n`);
  expect((await run(['retry', held.slice(0, 10)])).stdout).toBe(`Job queued again: ${held}\n`);
});

it('a beginning that several ids share is refused with the candidates, and changes nothing', async () => {
  const { home, run, submit } = jobCli();
  const { db } = await testRuntime({ home });
  const ids = ['abcd0000-0000-4000-8000-000000000001', 'abcd0000-0000-4000-8000-000000000002'];
  for (const id of ids) {
    const made = await submit('generic', {}, ...later);
    await db.transaction((sql) => sql.run('update jobs set id = ? where id = ?', id, made));
  }
  const end = await run(['cancel', 'abcd']);
  expect([end.code, end.stdout]).toEqual([2, '']);
  expect(end.stderr).toContain(`"abcd" is the beginning of several ids: ${ids.join(', ')}.`);
  expect((await run(['list-jobs', '--status-filter', 'cancelled'])).json()).toEqual([]);
  expect((await run(['cancel', ids[1] ?? ''])).stdout).toBe(`Job cancelled: ${ids[1]}\n`);
});

it('an id that no job has is answered with the near ones', async () => {
  const { run, submit } = jobCli();
  const id = await submit('generic', {}, ...later);
  const wrong = `${id.slice(0, 9)}${id[9] === '0' ? '1' : '0'}`;
  const end = await run(['status', wrong]);
  expect([end.code, end.stdout]).toEqual([3, '']);
  expect(end.stderr).toContain(`No background task or job has id ${wrong}`);
  expect(end.stderr).toContain(`Did you mean ${id}?`);
});

it('a command that names no job, or two, says so', async () => {
  const { run } = jobCli();
  for (const command of ['wait', 'result', 'logs', 'cancel', 'retry']) {
    const end = await run([command]);
    expect([command, end.code, end.stderr]).toEqual([command, 2, expect.stringContaining('No job is named.')]);
  }
  const two = await run(['status', 'aaaaaaaa', '--job-id', 'bbbbbbbb']);
  expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('Two jobs are named')]);
});

it('a token is revoked by the beginning of its id; an unknown one is answered with the nearest', async () => {
  const { home } = jobCli();
  const run = (...args: string[]) => runCli(args, { home });
  const { id } = (await run('token', 'create', '--name', 'laptop', '--json')).json();
  const wrong = await run('token', 'revoke', 'labtop');
  expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('Did you mean laptop?')]);
  expect((await run('token', 'revoke', id.slice(0, 6), '--json')).json()).toEqual({
    id,
    kind: 'token',
    name: 'laptop',
    revoked: true,
  });
});
