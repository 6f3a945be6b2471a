import type { Random } from '../random.js';
import type { User } from '../user.js';
import type { Actor } from './actor.js';

const mostAtOnce = 12;

/** A prompt that makes the fake vendor answer in pieces, with pauses; `mark` is how its requests are told apart. */
export function prompt(random: Random, mark: string): { text: string; answer: string } {
  const pieces = Array.from({ length: random.between(1, 15) }, (_, index) => `${mark}/${index} `);
  const script = { pieces, delayMs: random.between(20, 400) };
  return { text: `Do <${mark}>. [[model ${JSON.stringify(script)}]]`, answer: pieces.join('') };
}

/** Submits background tasks and jobs, waits for some, cancels some, reads what came of them. */
export function jobGiver(user: User): Actor {
  const { ledger, name } = user;
  const going: string[] = [];

  async function ask(random: Random, number: number) {
    if (going.length >= mostAtOnce) return wait(random);
    const { text, answer } = prompt(random, `${name}-${number}`);
    const given = {
      task_description: text,
      idempotency_key: `${name}-${number}`,
      max_attempts: 20,
      token_budget: 100_000,
    };
    const depends_on = random.next() < 0.2 ? going.slice(-1) : [];
    // With dependencies the prompt holds their results, and so another script.
    const first = await user.call('submit_background_task', { ...given, depends_on });
    // Repeated with its key it is the same task, whatever became of the first call.
    const reply = first.is === 'unknown' ? await user.call('submit_background_task', { ...given, depends_on }) : first;
    if (reply.is === 'done') remember(reply.data.task_id, depends_on.length === 0 ? answer : undefined);
  }

  async function give(_: Random, number: number) {
    const reply = await user.call('submit_job', { type: 'generic', payload: { number }, max_attempts: 20 });
    if (reply.is === 'done') remember(reply.data.job_id, undefined);
  }

  function remember(id: string, answer: string | undefined) {
    ledger.jobs.set(id, answer);
    going.push(id);
  }

  async function wait(random: Random) {
    if (going.length === 0) return;
    const given = { task_ids: going.slice(0, 3), mode: 'any', timeout_seconds: random.between(0, 2) };
    const reply = await user.call('wait_for_tasks', given);
    if (reply.is !== 'done') return;
    for (const { task_id, status } of reply.data.tasks)
      if (status !== 'pending' && status !== 'running') await read(task_id);
  }

  async function read(task_id: string) {
    const reply = await user.call('get_task_result', { task_id });
    if (reply.is === 'unknown') return;
    const place = going.indexOf(task_id);
    if (place >= 0) going.splice(place, 1);
    if (reply.is === 'done' && reply.data.status === 'completed') ledger.results.set(task_id, reply.data.result);
  }

  async function cancel() {
    const task_id = going.shift();
    if (task_id === undefined) return;
    const reply = await user.call('cancel_task', { task_id });
    if (reply.is === 'done') ledger.cancelled.add(task_id);
  }

  const actions = { ask, give, wait, cancel };
  const weights = { ask: 50, give: 8, wait: 25, cancel: 3 };
  return { user, act: (random, number) => actions[random.weighed(weights)](random, number) };
}
