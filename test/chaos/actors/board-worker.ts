import type { Random } from '../random.js';
import type { User } from '../user.js';
import type { Actor } from './actor.js';

interface Held {
  id: number;
  token: number;
}

/** Makes tasks, claims them, and ends, gives back or annotates what it holds. */
export function boardWorker(user: User): Actor {
  const held: Held[] = [];
  const { ledger, name } = user;

  async function create(random: Random, number: number) {
    const title = `${name}-${number}`;
    const known = [...ledger.tasks.keys()].slice(-20);
    const dependencies = random.next() < 0.3 ? known.slice(-random.between(1, 2)) : [];
    const more = {
      priority: random.between(1, 10),
      on_dependency_failure: random.pick(['block', 'skip', 'run', 'cancel']),
    };
    const reply = await user.call('create_task', { title, key: title, max_attempts: 50, dependencies, ...more });
    if (reply.is === 'done') ledger.tasks.set(reply.data.id, title);
  }

  async function createSeveral(random: Random, number: number) {
    const titles = Array.from({ length: random.between(2, 5) }, (_, index) => `${name}-${number}.${index}`);
    const tasks = titles.map((title, index) => ({
      title,
      key: title,
      ...(index > 0 ? { dependencies: [titles[index - 1]] } : {}),
    }));
    const reply = await user.call('create_tasks', { tasks });
    if (reply.is !== 'done') return;
    for (const [index, id] of reply.data.tasks_created.entries()) ledger.tasks.set(id, titles[index] ?? '');
  }

  async function claim() {
    const reply = await user.call('claim_next_task', { worker_id: name });
    if (reply.is !== 'done' || reply.data.claim_token === undefined) return;
    keep({ id: reply.data.id, token: reply.data.claim_token });
  }

  function keep(claim: Held) {
    ledger.claim(claim.id, claim.token, name);
    if (!held.some(({ id }) => id === claim.id)) held.push(claim);
  }

  /** A claim whose answer was lost is found again here. */
  async function look() {
    const reply = await user.call('runtime_status');
    if (reply.is !== 'done') return;
    for (const task of reply.data.yours.tasks) keep({ id: task.id, token: task.claim_token });
  }

  async function end(random: Random, number: number) {
    const claim = held.shift();
    if (!claim) return;
    const status = random.next() < 0.9 ? 'completed' : 'failed';
    const result = `done by ${name} in ${number}`;
    const reply = await user.call('update_task_status', {
      task_id: claim.id,
      status,
      result,
      claim_token: claim.token,
    });
    if (reply.is === 'done') ledger.ends.set(claim.id, { status, result, token: claim.token });
    // Called again with the same token it must say the same, whether the first call was carried out or not.
    else if (reply.is === 'unknown') held.push(claim);
  }

  async function note(_: Random, number: number) {
    const [claim] = held;
    if (!claim) return;
    const text = `note ${number} of ${name}`;
    const given = { task_id: claim.id, status: 'in_progress', note: text, claim_token: claim.token };
    if ((await user.call('update_task_status', given)).is === 'done') ledger.notes.push({ task: claim.id, note: text });
    else held.shift();
  }

  async function giveBack() {
    const claim = held.shift();
    if (claim) await user.call('release_task', { task_id: claim.id, claim_token: claim.token });
  }

  const actions = { create, createSeveral, claim, look, end, note, giveBack };
  const weights = { create: 20, createSeveral: 6, claim: 30, look: 5, end: 30, note: 8, giveBack: 3 };
  return { user, act: (random, number) => actions[random.weighed(weights)](random, number) };
}
