import type { Random } from '../random.js';
import type { User } from '../user.js';
import type { Actor } from './actor.js';

/** Makes relays, hands in outputs that pass and that do not, and has models run some of them. */
export function relayAgent(user: User): Actor {
  const { ledger, name } = user;
  const open: string[] = [];

  async function create(random: Random, number: number) {
    const agents = ['researcher', 'analyzer', 'synthesizer', 'formatter'].slice(0, random.between(1, 4));
    const given = { name: `${name}-${number}`, goal: 'Say it.', agent_types: agents, token_budget: 50_000 };
    const reply = await user.call('create_relay_pipeline', given);
    if (reply.is !== 'done') return;
    ledger.relays.add(reply.data.pipeline_id);
    open.push(reply.data.pipeline_id);
  }

  async function step(random: Random, number: number) {
    const id = open[random.below(Math.max(1, open.length))];
    if (id === undefined) return;
    const reply = await user.call('get_relay_baton', { pipeline_id: id });
    if (reply.is === 'refused') forget(id);
    const baton = reply.is === 'done' ? reply.data.baton : undefined;
    if (!baton) return;
    const isGood = random.next() < 0.8;
    const given = {
      pipeline_id: id,
      baton_id: baton.baton_id,
      output: `Output ${number} of ${name}.`,
      quality_score: isGood ? 0.9 : 0.1,
      l_score: 0.9,
      tokens_used: random.between(1, 50),
    };
    const handed = await user.call('advance_relay', given);
    if (handed.is === 'done' && handed.data.success) ledger.batons.set(baton.baton_id, id);
    else if (handed.is === 'done')
      await user.call('retry_relay_step', { pipeline_id: id, step_index: handed.data.step_index });
  }

  async function run(random: Random) {
    const id = open[random.below(Math.max(1, open.length))];
    if (id !== undefined) await user.call('run_relay', { pipeline_id: id });
  }

  async function look(random: Random) {
    const id = open[random.below(Math.max(1, open.length))];
    if (id === undefined) return;
    const reply = await user.call('get_relay_status', { pipeline_id: id });
    if (reply.is === 'done' && ['completed', 'failed', 'cancelled'].includes(reply.data.status)) forget(id);
  }

  async function cancel() {
    const id = open.shift();
    if (id !== undefined) await user.call('cancel_relay_pipeline', { pipeline_id: id });
  }

  function forget(id: string) {
    const place = open.indexOf(id);
    if (place >= 0) open.splice(place, 1);
  }

  const actions = { create, step, run, look, cancel };
  const weights = { create: 15, step: 60, run: 4, look: 15, cancel: 1 };
  return { user, act: (random, number) => actions[random.weighed(weights)](random, number) };
}
