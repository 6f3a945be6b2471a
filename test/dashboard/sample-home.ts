import type { JsonObject } from '../../src/base/json.js';
import type { Actor } from '../../src/core/actor.js';
import { nameSession } from '../../src/core/coordination/sessions.js';
import type { Runtime } from '../../src/runtime.js';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import type { LateClock } from './late-clock.js';
import { sampleRunners } from './sample-jobs.js';

const minute = 60_000;
const hour = 60 * minute;
/** How far back the sample reaches: open its runtime with a clock so late. */
export const sampleAge = 25.25 * hour;
/** A provider that is set up, so that jobs of models are taken. */
export const sampleEnv = { ANTHROPIC_API_KEY: 'sk-ant-sample-0001' };

const overloaded =
  'Anthropic answered 529 overloaded_error after 3 tries within 41 s: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_011CUv7zTqWm4nXk2pYb6d9F"}. The breaker llm:anthropic counts it; the job is tried again in 2 min.';
const noPrices =
  'There are no prices of AAPL: /home/ada/.claude/agent_runtime/prices/AAPL.csv does not exist. Import them with `agent-runtime prices import AAPL prices.csv` (columns date, open, high, low, close, volume), then retry the job.';
const stack = `Command failed with exit code 1: npm run test:e2e -- --reporter=dot
Error: expect(received).toEqual(expected) // deep equality
    at Object.<anonymous> (/home/ada/shop/packages/checkout/test/end-to-end/payment-with-very-long-file-name.spec.ts:214:31)
    at processTicksAndRejections (node:internal/process/task_queues:95:5)`;
const answer = `## Verdict

The plan is **mostly sound**. Two things are missing:

1. \`refunds\` needs an index on \`order_id\`;
2. the webhook must answer within 5 s, or the provider sends it again.

| table | rows | index |
|---|---|---|
| orders | 1,200,000 | id |
| refunds | 31,000 | - |

\`\`\`sql
create index refunds_by_order on refunds (order_id, created_at);
\`\`\``;

interface Session {
  // biome-ignore lint/suspicious/noExplicitAny: the sample knows what the tools answer.
  call(tool: string, input?: JsonObject): Promise<any>;
  actor: Actor;
  beat(): Promise<void>;
}

/**
 * A home after a day's work of several sessions: goals, tasks in every state, some with later attempts, jobs of several
 * types with long real errors, relays, breakers, messages. The runtime's clock runs from `sampleAge` ago to now.
 */
export async function sampleHome(runtime: Runtime, clock: LateClock): Promise<SampleIds> {
  const sessions = {
    shop: await openSession(runtime, '/home/ada/shop', 'claude-code'),
    docs: await openSession(runtime, '/home/ada/handbook', 'cursor'),
  };
  const runners = sampleRunners(runtime);
  const goals = await plan(sessions.shop);
  const jobs = await day(sessions, runners, clock);
  const relays = await pass(sessions.docs, clock);
  await breakers(runtime, sessions.shop, clock);
  await settle(sessions, runners, clock, jobs);
  clock.pass(sampleAge);
  // The models of the sample have a price, but for one of them.
  await runtime.db.run(
    `update jobs set cost_micros = input_tokens * 5 + output_tokens * 25, unpriced_calls = 0
     where model = 'claude-opus-5'`,
  );
  await runtime.db.run("update jobs set unpriced_calls = 1 where model = 'claude-sonnet-5-5'");
  await beginWork(sessions);
  return { ...goals, ...relays, ...jobs };
}

/** What the sessions hold now, by their heartbeats. */
async function beginWork({ shop, docs }: Sessions): Promise<void> {
  for (const session of [shop, docs]) await session.beat();
  await shop.call('claim_worker_slot', { worker_id: 'ada' });
  await docs.call('claim_worker_slot', { worker_id: 'linus' });
  await shop.call('reserve_paths', { globs: ['src/payments/**'], reason: 'the gateway' });
  await shop.call('send_message', {
    to: 'user',
    subject: 'May the refunds go to the old provider until Monday?',
    body: 'The new account is not verified yet.\nWithout it, *refunds fail*.',
    importance: 'high',
  });
}

/** What of the sample has a page of its own. */
export interface SampleIds {
  goal: number;
  task: number;
  relay: string;
  failedRelay: string;
  job: string;
  failedJob: string;
  retriedJob: string;
}

async function openSession(runtime: Runtime, project: string, clientName: string): Promise<Session> {
  const info = { project, clientName, clientVersion: '2.4.1' };
  const session = nameSession(info);
  await runtime.maintenance.beginSession(session, info);
  const context = contextOf(runtime, session, { sessionId: session.id });
  return {
    actor: context.actor,
    beat: () => runtime.sessions.heartbeat(session, info),
    call: (tool, input = {}) => runTool(findTool(tool), input, context),
  };
}

async function plan({ call }: Session): Promise<{ goal: number; task: number }> {
  const { id: goal } = await call('create_goal', {
    name: 'Take payments in the shop',
    description: 'Customers pay by card and by invoice.\nRefunds are made by support, and **every step is logged**.',
    token_budget: 400_000,
  });
  const { id: move } = await call('create_goal', { name: 'Move the shop to the new host', description: '' });
  const task = (key: string, title: string, more: JsonObject = {}) => ({ key, title, goal_id: goal, ...more });
  const late = new Date(Date.now() - 2 * hour).toISOString();
  await call('create_tasks', {
    tasks: [
      task('schema', 'Design tables for orders, payments and refunds', { priority: 8 }),
      task('provider', 'Choose a payment provider and open a test account', { priority: 8 }),
      task('gateway', 'Write the gateway to the provider', { dependencies: ['provider', 'schema'] }),
      task('invoice', 'Create invoices as PDF', { dependencies: ['schema'], deadline: late }),
      task('checkout', 'Build the checkout page', { dependencies: ['gateway'], priority: 9 }),
      task('webhook', 'Receive webhooks of the provider and verify their signatures', { dependencies: ['gateway'] }),
      task('refunds', 'Let support refund an order', { dependencies: ['gateway', 'webhook'] }),
      task('docs', 'Describe payments in the handbook', { priority: 2 }),
      task('load', 'Measure 500 orders a minute', { dependencies: ['checkout', 'refunds'], priority: 4 }),
      task('legal', 'Have the terms checked', { description: 'Ask the office in Bern.' }),
      task('old', 'Repair the old payment form'),
      task('تدقيق', 'مراجعة نص الفواتير باللغة العربية', { priority: 3 }),
      { key: 'dns', title: 'Move the names to the new host', goal_id: move },
      { key: 'backup', title: 'Restore the newest backup on the new host', goal_id: move },
      { key: 'certificate', title: 'Renew_the_certificate_of_a_host_whose_name_has_no_space_to_break_a_line_at' },
    ],
  });
  const { id } = await call('get_task', { task_id: 'gateway' });
  return { goal, task: id };
}

type Runners = ReturnType<typeof sampleRunners>;
type Sessions = Record<'shop' | 'docs', Session>;

/** A day in which tasks are worked on, and a job comes every half hour. */
async function day({ shop, docs }: Sessions, runners: Runners, clock: LateClock) {
  const claims = new Map<string, { id: number; claim_token: number }>();
  const start = async (key: string, worker: string, session = shop) => {
    const claim = { task_id: key, status: 'in_progress', worker_id: worker, lease_seconds: 86_400 };
    claims.set(key, await session.call('update_task_status', claim));
  };
  const end = async (key: string, status: string, text: string, session = shop) => {
    const said = status === 'completed' ? { result: text, tokens_used: 31_000 } : { error: text };
    const { claim_token } = claims.get(key) ?? {};
    await session.call('update_task_status', { task_id: key, status, claim_token: claim_token ?? 1, ...said });
  };
  const ids: string[] = [];
  for (let half = 0; half < 40; half++) {
    const model = half % 3 === 0 ? 'claude-opus-5' : 'claude-sonnet-5-5';
    const prompt = `Review part ${half + 1} of the plan for payments. Name what is missing, with the reason for each.`;
    const id = await runners.submit({ type: 'llm', payload: { prompt }, requestedModel: model }, docs.actor);
    ids.push(id);
    clock.pass((2 + (half % 7)) * minute);
    const used = { model, inputTokens: 1_200 + 210 * half, outputTokens: 400 + 37 * half };
    if (half % 9 === 8) {
      const failure = { kind: 'failed', code: 'overloaded', message: overloaded, isTransient: false } as const;
      await runners.end(id, { ...failure, ...used });
    } else await runners.end(id, { kind: 'completed', result: { model }, output: answer, ...used });
    if (half === 1) await start('schema', 'ada');
    if (half === 2) await start('provider', 'grace', docs);
    if (half === 5)
      await end('schema', 'completed', 'Three tables, migration 014. Amounts are integers of the smallest unit.');
    if (half === 6) await start('old', 'linus');
    if (half === 8) await end('provider', 'completed', 'Adyen; the test account is in the vault.', docs);
    if (half === 9)
      await shop.call('update_task_status', { task_id: 'old', status: 'pending', ...tokenOf(claims, 'old') });
    if (half === 10) await start('legal', 'grace', docs);
    if (half === 14)
      await end('legal', 'failed', 'The office in Bern does not answer before Monday.\nAsk again then.', docs);
    if (half === 16) await start('backup', 'grace', docs);
    if (half === 24) await end('backup', 'completed', 'Restored in 11 min; 1,204,331 orders.', docs);
    if (half === 30) await start('gateway', 'ada');
    if (half === 34) await start('docs', 'linus');
    if (half === 36) await shop.call('update_task_status', { task_id: 'old', status: 'cancelled' });
    clock.pass((34 - (half % 7)) * minute);
  }
  return { job: ids[0] ?? '', failedJob: ids[8] ?? '', retriedJob: await retried(shop, runners, clock) };
}

const tokenOf = (claims: ReadonlyMap<string, { claim_token: number }>, key: string) => ({
  claim_token: claims.get(key)?.claim_token ?? 1,
});

/** A job that needs three attempts. */
async function retried({ actor }: Session, runners: Runners, clock: LateClock): Promise<string> {
  const prompt = 'Compare the two payment providers by price, by country and by what happens when they are down.';
  const id = await runners.submit({ type: 'llm', payload: { prompt }, requestedModel: 'claude-opus-5' }, actor);
  for (let attempt = 0; attempt < 2; attempt++) {
    clock.pass(3 * minute);
    const tokens = { model: 'claude-opus-5', inputTokens: 900, outputTokens: 40 };
    await runners.end(id, { kind: 'failed', code: 'overloaded', message: overloaded, isTransient: true, ...tokens });
    clock.pass(4 * minute);
    await runners.startDue(actor);
  }
  clock.pass(2 * minute);
  await runners.end(id, { kind: 'completed', result: {}, output: answer, model: 'claude-opus-5', inputTokens: 900 });
  return id;
}

/** Relays: one at its second step, one whose step has failed for good. */
async function pass({ call }: Session, clock: LateClock): Promise<{ relay: string; failedRelay: string }> {
  const create = async (name: string, goal: string): Promise<string> => {
    const { pipeline_id } = await call('create_relay_pipeline', {
      name,
      goal,
      agent_types: ['researcher', 'analyzer', 'writer', 'validator'],
      token_budget: 60_000,
    });
    return pipeline_id;
  };
  const advance = async (pipeline_id: string, output: string, quality: number) =>
    call('advance_relay', { pipeline_id, output, quality_score: quality, l_score: quality, tokens_used: 2_300 });
  const relay = await create('Which provider for payments?', 'A recommendation of one page, with its sources.');
  clock.pass(12 * minute);
  await advance(relay, 'Three providers take cards in all our countries.', 0.95);
  clock.pass(7 * minute);
  await advance(relay, 'It is unclear.', 0.2);
  clock.pass(2 * minute);
  await call('retry_relay_step', { pipeline_id: relay, step_index: 1, feedback: 'Name the prices.' });
  const failedRelay = await create('Why do checkouts fail on Sundays?', 'The cause, proven.');
  clock.pass(9 * minute);
  await advance(failedRelay, 'No idea, but it is probably the time zone of the batch that closes the week.', 0.1);
  return { relay, failedRelay };
}

async function breakers(runtime: Runtime, { call, actor }: Session, clock: LateClock): Promise<void> {
  await call('circuit_breaker_record_success', { agent_id: 'llm:anthropic' });
  for (let failure = 0; failure < 5; failure++) {
    await call('circuit_breaker_record_failure', {
      agent_id: 'tool:search',
      failure_type: 'timeout',
      error_message: overloaded,
    });
  }
  await runtime.breakers.trip('llm:openai', { reason: 'The bill is too high.', mustHold: true }, actor);
  clock.pass(10 * minute);
}

/** What is open now: jobs that run, wait and have failed just now. */
async function settle({ shop, docs }: Sessions, runners: Runners, clock: LateClock, ids: { failedJob: string }) {
  const failing = { kind: 'failed', isTransient: false } as const;
  const backtest = { strategy: 'momentum', ticker: 'AAPL', start_date: '2024-01-01', end_date: '2025-01-01' };
  const prices = await runners.submit({ type: 'backtest', payload: backtest }, shop.actor);
  await runners.end(prices, { ...failing, code: 'not_found', message: noPrices });
  const command = await runners.submit(
    { type: 'command', payload: { command: 'npm', args: ['run', 'test:e2e'] } },
    shop.actor,
  );
  clock.pass(4 * minute);
  await runners.end(command, { ...failing, code: 'failed', message: stack, output: `\u001b[31m✗\u001b[0m ${stack}` });
  clock.pass(5 * minute);
  const running = await runners.submit(
    { type: 'llm', payload: { prompt: 'Write the handbook page about refunds.' }, requestedModel: 'claude-opus-5' },
    docs.actor,
  );
  await runners.write(
    running,
    'A refund is made by support, within 30 days.\nIt begins with the number of the order',
    0,
  );
  await runners.submit({ type: 'llm', payload: { prompt: 'Then translate it.' }, dependsOn: [running] }, docs.actor);
  await runners.submit(
    { type: 'generic', payload: { note: 'Weekly report' }, runAt: Date.now() + 20 * hour },
    shop.actor,
  );
  ids.failedJob = prices;
}
