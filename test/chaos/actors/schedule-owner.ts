import type { Random } from '../random.js';
import type { User } from '../user.js';
import type { Actor } from './actor.js';
import { prompt } from './job-giver.js';

const mostRecurring = 3;

/** Has prompts submitted at a time soon to come, and at every minute. */
export function scheduleOwner(user: User): Actor {
  const { ledger, name: owner } = user;

  async function once(random: Random, number: number) {
    const name = `${owner}-${number}`;
    const { text, answer } = prompt(random, name);
    const run_at = new Date(Date.now() + random.between(500, 15_000)).toISOString();
    const request = { task_description: text, max_attempts: 20 };
    // Sent once: a second one would set it anew after it has fired.
    const reply = await user.call('schedule', { name, kind: 'prompt', request, run_at });
    if (reply.is === 'done') ledger.timers.set(name, answer);
  }

  async function everyMinute(random: Random, number: number) {
    if (ledger.recurring.size >= mostRecurring) return;
    const name = `${owner}-${number}`;
    // Before the call: one whose answer is lost may be there.
    ledger.recurring.add(name);
    await user.call('schedule', {
      name,
      kind: 'job',
      request: { type: 'generic', payload: { number }, max_attempts: 20 },
      cron: '* * * * *',
      missed: random.pick(['skip', 'once', 'all']),
      overlap: 'allow',
    });
  }

  async function list() {
    await user.call('list_schedules');
  }

  const actions = { once, everyMinute, list };
  const weights = { once: 4, everyMinute: 1, list: 4 };
  return { user, act: (random, number) => actions[random.weighed(weights)](random, number) };
}
