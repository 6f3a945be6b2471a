import { z } from 'zod';
import { defineTool } from './call/define-tool.js';
import { taskReference } from './call/fields.js';
import { reservedOutput, showReserved } from './shapes/reservation.js';

const globs = z.array(z.string().min(1).max(500)).min(1).max(100);

/** Files that a session has for itself while it works on them. */
export const reservationTools = [
  defineTool({
    name: 'reserve_paths',
    title: 'Reserve paths',
    effect: 'write',
    description:
      'Reserves files for you before you edit them, all or none, until release_paths or the end of the task or session. Without globs: lists what is reserved.',
    input: z.strictObject({
      globs: globs.optional().describe('From the root of the work tree: src/a.ts, src/core/** (* ? ** {a,b}).'),
      exclusive: z.boolean().optional().describe('false: others may share them.'),
      reason: z.string().max(500).optional().describe('For the others.'),
      task_id: taskReference.optional(),
      lease_seconds: z.int().min(5).max(604_800).optional().describe('As for claim_next_task.'),
    }),
    output: reservedOutput,
    handler: async (input, { runtime, actor, sessionId }) => {
      const { globs, exclusive: isExclusive = true, reason, task_id: task, lease_seconds: leaseSeconds } = input;
      const wanted = { globs: globs ?? [], isExclusive, reason, task, leaseSeconds };
      const { reservations } = runtime;
      return showReserved(
        globs ? await reservations.reserve(wanted, { ...actor, sessionId }) : await reservations.list(actor),
        actor,
      );
    },
  }),

  defineTool({
    name: 'release_paths',
    title: 'Release paths',
    effect: 'write',
    isIdempotent: true,
    description: 'Releases paths that you have reserved, for others.',
    input: z.strictObject({ globs: globs.optional().describe('As reserved; all unless given.') }),
    output: z.strictObject({ released: z.int() }),
    handler: async (input, { runtime, actor }) => ({
      released: await runtime.reservations.release(input.globs, actor),
    }),
  }),
];
