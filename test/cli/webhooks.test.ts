import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { homeWithModules } from '../agents/modules/workshop.js';
import { startReceiver } from '../services/event-delivery/receiver.js';
import { testRuntime } from '../support/test-runtime.js';
import { runCli } from './run-cli.js';

async function shell(allowPrivate: string[]) {
  const home = homeWithModules({}, { agents: [], webhooks: { allowPrivate } });
  const runtime = await testRuntime({ home });
  const { dbPath, dbUrl } = runtime.config;
  const env = { AGENT_RUNTIME_DB_PATH: dbPath, ...(dbUrl === undefined ? {} : { AGENT_RUNTIME_DB_URL: dbUrl }) };
  return Object.assign(runtime, { webhooks: (...args: string[]) => runCli(['webhooks', ...args], { home, env }) });
}

it('a webhook is added, tried, given another secret and removed; its secret is shown when it is made and never again', async () => {
  const [{ webhooks, db }, receiver] = [await shell(['127.0.0.1']), await startReceiver()];
  const added = await webhooks('add', 'ci', `${receiver.url}?key=of-the-address`, '--events', 'task.completed,job.*');
  const secret = added.stdout.trim();
  expect(secret).toMatch(/^whsec_/);
  expect(await webhooks('test', 'ci')).toMatchObject({ code: 0, stdout: expect.stringContaining(': 200 after') });
  const [sent] = receiver.received;
  expect(new Webhook(secret).verify(sent?.body ?? '', sent?.headers ?? {})).toMatchObject({ type: 'webhook.test' });
  const listed = await webhooks('list', '--json');
  expect(listed.json().webhooks).toMatchObject([
    {
      name: 'ci',
      kind: 'webhook',
      to: `127.0.0.1:${receiver.port}`,
      events: ['task.completed', 'job.*'],
      status: 'active',
    },
  ]);
  const rotated = (await webhooks('rotate', 'ci')).stdout.trim();
  expect(rotated).not.toBe(secret);
  receiver.answer = (_, response) => void response.writeHead(500);
  const refused = await webhooks('test', 'ci');
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('it answered 500');
  const removed = await webhooks('remove', 'ci');
  const events = JSON.stringify(await db.all('select * from events'));
  for (const text of [listed.stdout, refused.stderr, removed.stdout, removed.stderr, events]) {
    for (const hidden of [secret, rotated, 'of-the-address']) expect(text).not.toContain(hidden);
  }
  expect(await db.all('select * from event_targets')).toEqual([]);
});

it.each([
  [['add', 'x', 'https://169.254.169.254/latest'], 'no public address'],
  [['add', 'x', 'https://example.com/', '--events', 'task.completd'], 'Did you mean task.completed'],
  [['resend', '7'], 'No failed delivery has id 7'],
])('%j is refused with what is wrong', async (args, why) => {
  const { webhooks, db } = await shell([]);
  const { code, stderr } = await webhooks(...args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(why);
  expect(await db.all('select * from event_targets')).toEqual([]);
});
