import type { Actor } from '../../src/core/actor.js';
import type { NewTask } from '../../src/core/tasks/create-tasks.js';
import type { Runtime } from '../../src/runtime.js';

const someone: Actor = { holder: null, project: '/home/ada/shop' };

/** A board as it is after a morning's work: a goal under way, tasks in every state, some late, one failed. */
export async function sampleBoard(runtime: Runtime): Promise<{ goal: number; ids: Record<string, number> }> {
  const now = Date.now();
  const goal = await runtime.goals.create(
    {
      name: 'Take payments in the shop',
      description: 'Customers pay by card and by invoice.\nRefunds are made by support, and every step is logged.',
      tokenBudget: 400_000,
    },
    someone,
  );
  await runtime.goals.create({ name: 'Move the shop to the new host', description: '' }, someone);
  const plan: (NewTask & { key: string })[] = [
    { key: 'schema', title: 'Design tables for orders, payments and refunds', priority: 8 },
    { key: 'provider', title: 'Choose a payment provider and open a test account', priority: 8 },
    { key: 'gateway', title: 'Write the gateway to the provider', dependencies: ['provider', 'schema'] },
    { key: 'invoice', title: 'Create invoices as PDF', dependencies: ['schema'], deadlineAt: now - 2 * 3_600_000 },
    { key: 'checkout', title: 'Build the checkout page', dependencies: ['gateway'], priority: 9 },
    {
      key: 'webhook',
      title: 'Receive webhooks of the provider and verify their signatures',
      dependencies: ['gateway'],
    },
    { key: 'refunds', title: 'Let support refund an order', dependencies: ['gateway', 'webhook'] },
    { key: 'mail', title: 'Send receipts by mail', dependencies: ['invoice', 'webhook'], deadlineAt: now + 86_400_000 },
    { key: 'docs', title: 'Describe payments in the handbook', priority: 2 },
    { key: 'load', title: 'Measure 500 orders a minute', dependencies: ['checkout', 'refunds'], priority: 4 },
    { key: 'legal', title: 'Have the terms checked', description: 'Ask the office in Bern.' },
    { key: 'old', title: 'Repair the old payment form' },
    { key: 'cash', title: 'Offer cash on delivery' },
  ];
  const created = await runtime.tasks.create(
    plan.map((task) => ({ ...task, goalId: goal.id })),
    someone,
  );
  const ids = Object.fromEntries(created.map((task) => [task.key ?? '', task.id]));
  const worker = (name: string): Actor => ({ holder: `loose:${name}`, project: '/home/ada/shop', hasHeartbeat: false });
  const start = (key: string, name: string) =>
    runtime.tasks.updateStatus(
      { task: key, status: 'in_progress', claim: { workerId: name, leaseSeconds: 3_600 } },
      worker(name),
    );
  const end = (key: string, name: string, status: 'completed' | 'failed', text: string) =>
    runtime.tasks.updateStatus(
      { task: key, status, ...(status === 'completed' ? { result: text, tokensUsed: 61_000 } : { error: text }) },
      worker(name),
    );
  await start('schema', 'ada');
  await end('schema', 'ada', 'completed', 'Three tables, migration 014. Amounts are integers of the smallest unit.');
  await start('provider', 'grace');
  await end('provider', 'grace', 'completed', 'Adyen; test account is in the vault.');
  await start('gateway', 'ada');
  await start('docs', 'linus');
  await start('legal', 'grace');
  await end('legal', 'grace', 'failed', 'The office in Bern does not answer before Monday.\nAsk again then.');
  await runtime.tasks.updateStatus({ task: 'old', status: 'cancelled' }, someone);
  return { goal: goal.id, ids };
}
