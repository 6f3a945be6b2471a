import { z } from 'zod';
import { defineAgent } from './define-agent.js';

/** Returns its payload: to try out the queue, and as the shortest example of an agent. */
export const genericAgent = defineAgent({
  type: 'generic',
  description: 'Returns its payload with the time at which it was processed.',
  payload: z.record(z.string(), z.unknown()),
  async execute(job) {
    return { status: 'success', data: job.payload, processed_at: new Date().toISOString() };
  },
});
