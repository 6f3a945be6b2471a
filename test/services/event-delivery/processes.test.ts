import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newWebhookSecret } from '../../../src/webhooks/sign.js';
import { homeWithModules } from '../../agents/modules/workshop.js';
import { startCli } from '../../cli/run-cli.js';
import { eventually } from '../../support/eventually.js';
import { testRuntime } from '../../support/test-runtime.js';
import { nobody } from './hooked.js';
import { startReceiver } from './receiver.js';

const secret = newWebhookSecret();

/** A board with a webhook, and worker processes that deliver; the first of them has its lease. */
async function twoWorkers() {
  const home = homeWithModules({}, { webhooks: { allowPrivate: ['127.0.0.1'] } });
  const env = { AGENT_RUNTIME_DATA_DIR: join(home, 'data'), AGENT_RUNTIME_LOG_LEVEL: 'debug' };
  const [runtime, receiver] = [await testRuntime({ home, env }), await startReceiver()];
  const { eventTargets, db, config } = runtime;
  await eventTargets.add(
    {
      name: 'hook',
      url: `${receiver.url}?key=of-the-address`,
      secret,
      events: ['task.created'],
      project: null,
      goalId: null,
    },
    nobody,
  );
  const worker = () =>
    startCli(['worker'], { home, env: { ...env, AGENT_RUNTIME_DB_PATH: config.dbPath, ...urlOf(config) } });
  const first = worker();
  const lease = () => db.get<{ lease_token: string | null }>('select lease_token from event_targets');
  const held = await eventually('the first worker serves the webhook', async () => (await lease())?.lease_token);
  const second = worker();
  await eventually('the second worker lives', async () => second.stderr().includes('works the queue'));
  const create = (...titles: string[]) =>
    runtime.tasks.create(
      titles.map((title) => ({ title })),
      nobody,
    );
  return { ...runtime, home, receiver, first, second, lease, held, create };
}

const urlOf = ({ dbUrl }: { dbUrl: string | undefined }) =>
  dbUrl === undefined ? {} : { AGENT_RUNTIME_DB_URL: dbUrl };

it('an event whose deliverer is killed before it could deliver it is delivered by another process', async () => {
  const { receiver, first, second, create, db, home } = await twoWorkers();
  receiver.answer = () => new Promise(() => {});
  await create('Written while the first one lives');
  await eventually('the first worker sends it', () => receiver.received.length === 1);
  first.child.kill('SIGKILL');
  receiver.answer = () => {};
  await create('Written when it is gone');
  await eventually('the second worker sends both', () => receiver.received.length === 3);
  const [lost, again, next] = receiver.received;
  expect(again?.id).toBe(lost?.id);
  expect(again?.body).toBe(lost?.body);
  expect(next?.id).not.toBe(lost?.id);
  await eventually('what came of it is written', () => db.get('select 1 from event_targets where delivered = 2'));
  const logs = join(home, 'data', 'logs');
  const texts = [
    ...readdirSync(logs).map((file) => readFileSync(join(logs, file), 'utf8')),
    first.stderr(),
    second.stderr(),
    second.stdout(),
    JSON.stringify(await db.all('select * from events')),
  ];
  for (const text of texts) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain('of-the-address');
  }
});

it('a deliverer that was stopped for longer than its lease sends nothing more when it goes on', async () => {
  const { receiver, first, create, db, lease, held } = await twoWorkers();
  let answerLate: () => void = () => {};
  receiver.answer = () =>
    new Promise((resolve) => {
      answerLate = resolve;
    });
  // Events of one transaction are sent in one turn, all at once: what was on its way when it stopped has arrived.
  await create('One', 'Two', 'Three', 'Four');
  await eventually('the first worker sends all', () => receiver.received.length === 4);
  first.child.kill('SIGSTOP');
  receiver.answer = () => {};
  await eventually('the second worker takes over', async () => (await lease())?.lease_token !== held);
  await eventually('and sends all', () => db.get('select 1 from event_targets where delivered = 4'));
  first.child.kill('SIGCONT');
  answerLate();
  await create('Written when both live');
  await eventually('it arrives', () => db.get('select 1 from event_targets where delivered = 5'));
  const ids = receiver.received.map(({ id }) => id);
  expect(ids).toHaveLength(4 + 5);
  expect(new Set(ids.slice(4)).size).toBe(5);
  expect(ids.slice(4)).toEqual(expect.arrayContaining(ids.slice(0, 4)));
});
