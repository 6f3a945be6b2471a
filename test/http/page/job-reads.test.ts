import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.js';
import { acknowledge } from '../../../src/core/attention/attention.js';
import { jobStoreOf } from '../../support/job-store.js';
import { serve } from '../serve.js';

const nobody = { holder: null, project: '' };
const page = { answer: () => undefined };
const address = (name: string, input: object) => `/api/page/${name}?input=${encodeURIComponent(JSON.stringify(input))}`;

/** A server with jobs that nothing works on, because they are due in an hour. */
async function serveJobs() {
  const served = await serve({ page });
  const { clock, db } = served.runtime;
  const store = jobStoreOf(served.runtime);
  const give = async (payload: JsonObject, more: object = {}) => {
    const job = { type: 'generic', payload, runAt: clock.now() + 3_600_000, ...more };
    const actor = { ...nobody, project: 'project' in more ? String(more.project) : '' };
    return (await store.submit(job, 'holder' in more ? { ...actor, holder: String(more.holder) } : actor)).job.id;
  };
  const end = (id: string, output = '') =>
    db.run(
      "update jobs set status = 'completed', result = '{}', output = ?, completed_at = 1 where id = ?",
      output,
      id,
    );
  return {
    ...served,
    give,
    end,
    read: async (name: string, input: object = {}) => (await served.send('GET', address(name, input))).data,
  };
}

it('counts jobs under the filter, and pages through those that pass all of it', async () => {
  const { give, end, read, runtime } = await serveJobs();
  const ids = [];
  for (let count = 0; count < 3; count++) ids.push(await give({ count }, { holder: 'session:gone' }));
  await give({}, { project: '/home/ada/shop' });
  await end(ids[0] ?? '');
  const all = await read('jobs', { limit: 2 });
  const same = (count: number) => ({ rows: count, jobs: count });
  const counts = { pending: same(3), completed: same(1), failed: same(0) };
  expect(all).toMatchObject({ counts, dead: same(0), unread: same(1) });
  expect(all).toMatchObject({ types: ['generic'], projects: ['', '/home/ada/shop'] });
  expect(all.jobs).toHaveLength(2);
  expect(all.total).toBe(4);
  const rest = await read('jobs', { limit: 2, page: 2 });
  expect(rest.jobs.map(({ id }: { id: string }) => id)).toEqual([ids[1], ids[0]]);
  const shop = await read('jobs', { project: '/home/ada/shop' });
  expect(shop).toMatchObject({ counts: { pending: same(1), completed: same(0) }, unread: same(0) });
  expect((await read('jobs', { project: '', status: 'pending' })).jobs).toHaveLength(2);
  const unread = await read('jobs', { only: 'unread' });
  expect(unread).toMatchObject({ counts, total: 1, jobs: [{ id: ids[0], unread: true }] });
  expect((await read('jobs', { only: 'unread', status: 'pending' })).total).toBe(0);
  await runtime.db.transaction((sql) =>
    acknowledge(
      sql,
      { kind: 'unread_answer' },
      { at: runtime.clock.now(), actor: { ...nobody, holder: 'session:other' } },
    ),
  );
  expect(await read('jobs', { only: 'unread' })).toMatchObject({ counts, unread: same(0), total: 0 });
});

it('reads a job whole, with what it waits for, and leaves its result unread', async () => {
  const { give, end, read, runtime } = await serveJobs();
  const first = await give({ note: 'first' });
  const second = await give({ note: 'second' }, { dependsOn: [first] });
  expect(await read('job', { job_id: second })).toMatchObject({
    payload: { note: 'second' },
    waits_for: 1,
    depends_on: [{ id: first, type: 'generic', status: 'pending' }],
  });
  await end(first, 'an answer');
  expect(await read('job', { job_id: first })).toMatchObject({ unread: true, dependents: [{ id: second }] });
  expect(await read('job_output', { job_id: first, offset: 3 })).toEqual({
    status: 'completed',
    attempt: 0,
    earlier: false,
    text: 'answer',
    total_chars: 9,
  });
  expect((await runtime.jobs.get(first)).isRead).toBe(false);
});

it('shows the beginning of a payload that is too long, and says how long it is', async () => {
  const { give, read } = await serveJobs();
  const id = await give({ text: 'x'.repeat(300_000) });
  const job = await read('job', { job_id: id });
  expect(job.payload).toBeUndefined();
  expect(job.payload_cut).toHaveLength(200_000);
  expect(job.payload_chars).toBe(300_011);
});

it('says of models what to set, and of an unknown job that there is none', async () => {
  const { read } = await serveJobs();
  const models = await read('models');
  expect(models.providers).toContainEqual({ id: 'anthropic', configured: false, fix: 'Set ANTHROPIC_API_KEY.' });
  expect((await read('job', { job_id: 'nothing' })).error).toMatchObject({ code: 'not_found' });
  expect((await read('trends', { stretches: 0 })).error).toMatchObject({ code: 'invalid' });
});

it('orders jobs by interest and by columns, finds texts in any case, and takes days', async () => {
  const { give, end, read, runtime } = await serveJobs();
  const ids: string[] = [];
  for (const note of ['one "quoted"', 'two 100%', 'Ärger', 'four']) ids.push(await give({ note }));
  await end(ids[0] ?? '');
  const { db } = runtime;
  await db.run(
    "update jobs set status = 'failed', completed_at = 2, error_message = 'Out of MEMORY' where id = ?",
    ids[1] ?? '',
  );
  await db.run('update jobs set created_at = 86400000, input_tokens = 7 where id = ?', ids[2] ?? '');
  const order = async (input: object) =>
    (await read('jobs', input)).jobs.map(({ id }: { id: string }) => ids.indexOf(id));
  expect(await order({})).toEqual([1, 3, 2, 0]);
  expect(await order({ sort: 'submitted', ascending: true })).toEqual([2, 0, 1, 3]);
  expect(await order({ sort: 'tokens' })).toEqual([2, 3, 1, 0]);
  expect(await order({ text: '"QUOTED"' })).toEqual([0]);
  expect(await order({ text: '0%' })).toEqual([1]);
  expect(await order({ text: 'Ärger' })).toEqual([2]);
  expect(await order({ text: 'of memory' })).toEqual([1]);
  expect(await order({ text: (ids[3] ?? '').slice(0, 8) })).toEqual([3]);
  expect(await order({ before: '1970-01-02T00:00:01Z' })).toEqual([2]);
  expect(await order({ since: '1970-01-03T00:00:00Z', sort: 'submitted', ascending: true })).toEqual([0, 1, 3]);
  expect(await read('jobs', { text: 'four' })).toMatchObject({
    total: 1,
    counts: { pending: { rows: 1 }, failed: { rows: 0 } },
  });
});

it('retries and cancels all jobs of a filter, and says which it could not', async () => {
  const { give, send, runtime } = await serveJobs();
  const failed = [await give({ a: 1 }), await give({ a: 2 })];
  const open = await give({ a: 3 });
  const other = await give({ b: 1 }, { type: 'backtest' });
  const blocked = await give({ a: 4 }, { dependsOn: [failed[0]] });
  const fail = (id: string) => runtime.db.run("update jobs set status = 'failed', completed_at = 2 where id = ?", id);
  for (const id of [...failed, other]) await fail(id);
  await fail(blocked);
  await runtime.db.run("update jobs set type = 'run_goal' where id = ?", failed[1] ?? '');
  const post = async (name: string, body: object) =>
    (await send('POST', `/api/page/${name}`, { body: JSON.stringify(body) })).data;
  expect(await post('retry_jobs', { type: 'generic' })).toMatchObject({ changed: 2, refused: [] });
  expect(await post('retry_jobs', { type: 'run_goal' })).toMatchObject({
    changed: 0,
    refused: [{ id: failed[1], why: expect.stringContaining('is a run of goal') }],
  });
  expect((await runtime.jobs.get(other)).status).toBe('failed');
  expect(await post('cancel_jobs', { type: 'generic' })).toMatchObject({ changed: 3, refused: [] });
  expect((await runtime.jobs.get(open)).status).toBe('cancelled');
});

it('names jobs that run or need a person as everywhere else', async () => {
  const { give, read, runtime } = await serveJobs();
  const goal = await runtime.goals.create({ name: 'Launch the shop', description: '' }, nobody);
  const plan = await give({ goal_id: goal.id }, { type: 'decompose' });
  const prompt = await give({ prompt: '# Your task: Count the stars\nAll of them.' }, { type: 'llm' });
  await runtime.db.run(
    `insert into runners (id, ability, state, created_at, created_tick, created_boot_id) values ('r', '', 'exited', 0, 0, '')`,
  );
  await runtime.db.run("update jobs set status = 'running', started_at = 1, runner_id = 'r', attempt_token = 't'");
  const { running } = await read('now');
  const nameOf = (rows: { id: string; name: string }[], id: string) => rows.find((row) => row.id === id)?.name;
  expect(nameOf(running, plan)).toBe('Plan of Launch the shop');
  expect(nameOf(running, prompt)).toBe('Count the stars');
  await runtime.db.run("update jobs set status = 'failed', completed_at = 2, runner_id = null, attempt_token = null");
  const { kinds } = await read('attention');
  expect(kinds).toMatchObject([{ kind: 'failed_job', count: 2 }]);
  expect(nameOf(kinds[0].needs, plan)).toBe('Plan of Launch the shop');
  expect(nameOf(kinds[0].needs, prompt)).toBe('Count the stars');
});

it('a read is answered again only when its answer has changed', async () => {
  const { give, end, send } = await serveJobs();
  const [id, other] = [await give({ prompt: 'Sum up' }), await give({})];
  await end(id, 'Text');
  const path = address('job', { job_id: id });
  const first = await send('GET', path);
  const known = { 'if-none-match': String(first.headers.etag) };
  expect(first.data).toMatchObject({ id, status: 'completed' });
  await end(other);
  const again = await send('GET', path, { headers: known });
  expect([again.status, again.text]).toEqual([304, '']);
  // It is still nobody else's to keep.
  expect(again.headers['cache-control']).toBe('no-store');
  await send('POST', '/api/page/acknowledge', { body: JSON.stringify({ kind: 'unread_answer', ids: [id] }) });
  const changed = await send('GET', path, { headers: known });
  expect(changed.status).toBe(200);
  expect(changed.headers.etag).not.toBe(first.headers.etag);
});
