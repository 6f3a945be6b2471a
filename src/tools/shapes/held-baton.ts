import { z } from 'zod';
import { type HeldBaton, promptOf } from '../../core/relay/baton-prompt.js';
import { batonOutput, showBaton } from './relay.js';

/** `get_relay_baton`: the baton of the current step, and the prompt for its agent. */
export const heldBatonOutput = z.strictObject({
  success: z.literal(true),
  /** pending; in_progress: a job works on it; waiting: the breakers of its agents are open. */
  status: z.string(),
  baton: batonOutput,
  prompt: z.string(),
});

export type ShownHeldBaton = z.infer<typeof heldBatonOutput>;

/** @param most characters of each text in the prompt */
export function showHeldBaton(held: HeldBaton, most?: number): ShownHeldBaton {
  const limits = most === undefined ? { input: 8_000, other: 1_500 } : { input: most, other: most };
  const prompt = promptOf({ ...held, reader: 'session', limits });
  return { success: true, status: held.baton.status, baton: showBaton(held.baton.document), prompt };
}
