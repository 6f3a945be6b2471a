import { z } from 'zod';
import type { Actor } from '../../core/actor.js';
import type { Reserved } from '../../core/coordination/reservations.js';
import { iso, mark, whenTrue } from '../call/fields.js';

const mostShown = 100;

/** Reserved paths. Texts of a reason were written by whoever has them. */
export const reservedOutput = z.strictObject({
  /** What the globs are relative to; left out where they are whole paths. */
  root: z.string().optional(),
  paths: z.array(
    z.strictObject({
      glob: z.string(),
      by: z.string(),
      yours: mark,
      /** Others may reserve them too. */
      shared: mark,
      until: z.string(),
      reason: z.string().optional(),
      task: z.int().optional(),
    }),
  ),
  count: z.int(),
});

export type ShownReserved = z.infer<typeof reservedOutput>;

/** @internal */
export function showReserved({ root, reservations }: Reserved, actor: Actor): ShownReserved {
  return {
    root,
    paths: reservations
      .slice(0, mostShown)
      .map(({ glob, by, holder, isExclusive, leaseExpiresAt, reason, taskId }) => ({
        glob,
        by,
        yours: whenTrue(holder === actor.holder),
        shared: whenTrue(!isExclusive),
        until: iso(leaseExpiresAt),
        reason: reason === '' ? undefined : reason,
        task: taskId ?? undefined,
      })),
    count: reservations.length,
  };
}
