import type { Random } from '../random.js';
import type { User } from '../user.js';
import type { Actor } from './actor.js';
import { prompt } from './job-giver.js';

const mostAtOnce = 2;

/** Plans goals with a token budget, and has models work through them. */
export function goalOwner(user: User): Actor {
  const { ledger, name } = user;
  const going: number[] = [];

  async function create(random: Random, number: number) {
    if (going.length >= mostAtOnce) return watch(random);
    const reply = await user.call('create_goal', {
      name: `${name}-${number}`,
      description: 'All of it.',
      token_budget: random.pick([2_000, 50_000, 200_000]),
    });
    if (reply.is !== 'done') return;
    const goal_id = reply.data.id as number;
    ledger.goals.set(goal_id, `${name}-${number}`);
    const tasks = Array.from({ length: random.between(2, 5) }, (_, index) => ({
      title: `Part ${index}`,
      description: prompt(random, `${name}-${number}.${index}`).text,
      ...(index > 1 ? { depends_on: [random.below(index)] } : {}),
    }));
    if ((await user.call('decompose_goal', { goal_id, tasks })).is !== 'done') return;
    going.push(goal_id);
    await user.call('run_goal', { goal_id, concurrency: random.between(1, 3) });
  }

  /** A run that stopped is called again, as its answer says; a goal that cannot go on is left. */
  async function watch(random: Random) {
    const goal_id = going.shift();
    if (goal_id === undefined) return;
    const reply = await user.call('get_goal', { goal_id });
    if (reply.is === 'done' && reply.data.status !== 'active') return;
    if ((await user.call('run_goal', { goal_id })).is !== 'refused' && random.next() < 0.8) going.push(goal_id);
  }

  const actions = { create, watch };
  const weights = { create: 2, watch: 3 };
  return { user, act: (random, number) => actions[random.weighed(weights)](random, number) };
}
