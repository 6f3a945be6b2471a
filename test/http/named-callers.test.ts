import { expect, it } from 'vitest';
import { listEvents } from '../../src/core/events/events.js';
import { type ServedRuntime, serve } from './serve.js';

const nobody = { holder: null, project: '' };

/** Calls a tool that changes something, and resolves to its result. */
async function write({ send }: ServedRuntime, tool: string, input: object, headers: Record<string, string> = {}) {
  const reply = await send('POST', `/api/tools/${tool}`, { body: JSON.stringify(input), headers });
  expect([tool, reply.status, reply.text]).toEqual([tool, 200, reply.text]);
  return reply.data;
}

/** A browser's cookie for an address that is opened once. */
async function cookieOf({ send }: ServedRuntime, address: string): Promise<Record<string, string>> {
  const { pathname, search } = new URL(address);
  const entered = await send('GET', `${pathname}${search}`, { headers: { authorization: '' } });
  return { authorization: '', cookie: String(entered.headers['set-cookie']?.[0]).split(';')[0] ?? '' };
}

it.each([
  ['the owner with the token', async () => ({}), 'user:owner'],
  [
    "the owner's browser",
    async (served: ServedRuntime) => cookieOf(served, await served.server.ownerUrl()),
    'user:owner',
  ],
  ['a program with a token', async (served: ServedRuntime) => bearer(served), 'user:ada'],
  [
    'a browser of that token',
    async (served: ServedRuntime) =>
      cookieOf(served, (await write(served, 'dashboard_url', {}, await bearer(served))).url),
    'user:ada',
  ],
] as const)('%s is named in what it does', async (_, headersFor, name) => {
  const served = await serve({ page: { answer: () => undefined } });
  const headers = await headersFor(served);
  const { task_id: task } = { task_id: (await write(served, 'create_task', { title: 'Bake' }, headers)).id };
  await write(served, 'edit_task', { task_id: task, priority: 9 }, headers);
  const events = await listEvents(served.runtime.db, { subject: 'task', limit: 10 });
  expect(events.map(({ type, actor }) => [type, actor])).toEqual([
    ['edited', name],
    ['created', name],
  ]);
});

async function bearer({ runtime }: ServedRuntime): Promise<Record<string, string>> {
  const { token } = await runtime.access.create({ name: 'ada', isReadOnly: false }, nobody);
  return { authorization: `Bearer ${token}` };
}

it('a caller of a server without tokens is anyone', async () => {
  const served = await serve({ needsToken: false });
  await write(served, 'create_task', { title: 'Bake' }, { authorization: '' });
  const [event] = await listEvents(served.runtime.db, { subject: 'task', limit: 1 });
  expect(event?.actor).toBe('user:anyone');
});

it('a caller without a session is named in every change, and holds no more than before', async () => {
  const served = await serve();
  const goal = await write(served, 'create_goal', { name: 'Shop', description: '' });
  const one = await write(served, 'create_task', { title: 'one', goal_id: goal.id });
  await write(served, 'update_task_status', { task_id: one.id, status: 'in_progress', worker_id: 'w' });
  await write(served, 'release_task', { task_id: one.id, force: true });
  await write(served, 'update_task_status', { task_id: one.id, status: 'completed', result: 'r', note: 'n' });
  await write(served, 'update_task_status', { task_id: one.id, status: 'pending' });
  await write(served, 'update_task_status', { task_id: one.id, status: 'cancelled' });
  await write(served, 'update_goal', { goal_id: goal.id, name: 'Shop 2', status: 'cancelled' });
  // Nobody has that, so no runner has a part in it.
  const request = { type: 'generic', payload: {}, requires: 'a-lab' };
  const { job_id: job } = await write(served, 'submit_job', request);
  await write(served, 'cancel_task', { task_id: job });
  await write(served, 'retry_task', { task_id: job });
  await write(served, 'circuit_breaker_trip', { id: 'llm', reason: 'test' });
  await write(served, 'circuit_breaker_reset', { id: 'llm' });
  const relay = { name: 'R', goal: 'g', preset: 'quick', token_budget: 50_000 };
  const { pipeline_id } = await write(served, 'create_relay_pipeline', relay);
  await write(served, 'cancel_relay_pipeline', { pipeline_id });
  const { slot } = await write(served, 'claim_worker_slot', { worker_id: 'x' });
  await write(served, 'release_worker_slot', { slot, force: true });
  await write(served, 'send_message', { to: 'all', subject: 's', body: 'b' });
  const events = await listEvents(served.runtime.db, { limit: 200 });
  const nameless = events.filter(({ actor }) => actor !== 'user:owner');
  expect(nameless.map(({ subject, type, actor }) => [subject, type, actor])).toEqual([]);
  expect((await served.runtime.jobs.get(job)).submittedBy).toBe('user:owner');
  // A name is no session: nothing is its own that another caller with the token has claimed.
  const { slot: loose } = await write(served, 'claim_worker_slot', { worker_id: 'y' });
  expect((await served.runtime.slots.list()).find((one) => one.slot === loose)?.holder).toBe('loose:y');
});
