import { z } from 'zod';
import { presetNames } from '../../core/relay/standard-agents.js';
import { mark } from '../../tools/call/fields.js';
import { heldBatonOutput } from '../../tools/shapes/held-baton.js';
import { pipelineOutput } from '../../tools/shapes/relay.js';

/** `relay`: as get_relay_status shows it in full, with what a person may do about it. */
export const relayOnPage = pipelineOutput.extend({
  /** The step that has the baton, or has failed, has retries left and nobody works on it. */
  may_retry: mark,
});

export type RelayOnPage = z.infer<typeof relayOnPage>;

/** `relay_baton`: as get_relay_baton shows it; nothing once it was passed on or replaced. */
export const relayBaton = z.strictObject({ held: heldBatonOutput.optional() });

export type RelayBaton = z.infer<typeof relayBaton>;

/** `relay_agents`: what the steps of a new relay are chosen from. */
export const relayAgents = z.strictObject({
  agents: z.array(z.strictObject({ type: z.string(), mission: z.string() })),
  presets: z.record(z.enum(presetNames), z.array(z.string())),
});

export type RelayAgents = z.infer<typeof relayAgents>;
