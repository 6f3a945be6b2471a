import type { Random } from '../random.js';
import type { User } from '../user.js';
import type { Actor } from './actor.js';

/** Calls tools of a server of its own, and of one that it shares with the others: those that may be repeated, and those that must not run twice. */
export function toolCaller(user: User): Actor {
  const { ledger, name } = user;

  const serverOf = (random: Random) => random.pick(['odd', 'kept'] as const);

  async function add(random: Random, number: number) {
    const mark = `${name}-${number}`;
    ledger.sent.add(mark);
    const tool = `${serverOf(random)}.add`;
    const reply = await user.call('call_tool', { tool_name: tool, arguments: { mark }, timeout_seconds: 5 });
    if (reply.is === 'done' && reply.data.result.isError !== true) ledger.answered.add(mark);
  }

  async function echo(random: Random, number: number) {
    const text = `${name} ${number}`;
    const tool = `${serverOf(random)}.echo`;
    const reply = await user.call('call_tool', { tool_name: tool, arguments: { text }, timeout_seconds: 5 });
    if (reply.is === 'done' && !JSON.stringify(reply.data).includes(text)) {
      ledger.problem(`${tool} was asked for ${text} and answered ${JSON.stringify(reply.data).slice(0, 200)}`);
    }
  }

  async function fork(random: Random) {
    await user.call('call_tool', {
      tool_name: `${serverOf(random)}.fork`,
      arguments: { away: true },
      timeout_seconds: 5,
    });
  }

  async function list() {
    await user.call('list_tool_servers');
  }

  const actions = { add, echo, fork, list };
  const weights = { add: 50, echo: 40, fork: 1, list: 5 };
  return { user, act: (random, number) => actions[random.weighed(weights)](random, number) };
}
