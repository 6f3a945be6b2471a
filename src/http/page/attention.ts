import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Attention as AttentionRead, Need as NeedRead } from '../../core/attention/attention.js';
import { needKinds } from '../../core/attention/need-sources.js';
import { iso } from '../../tools/call/fields.js';

export const needKind = z.enum(needKinds);

export type NeedKind = z.infer<typeof needKind>;

/** Something that needs a person. Fields that say nothing are left out; times are ISO 8601. */
const need = z.strictObject({
  kind: needKind,
  /** Of the task, job, relay, schedule, breaker, goal or message. */
  id: z.string(),
  name: z.string(),
  since: z.string(),
  /** What went wrong, or the beginning of what is to be read. */
  detail: z.string().optional(),
  /** Who works on it, or has asked for it. */
  who: z.string().optional(),
  /** Of a job. */
  type: z.string().optional(),
  task_id: z.int().optional(),
  goal_id: z.int().optional(),
  /** Tokens of a spent budget. */
  spent: z.int().optional(),
  cap: z.int().optional(),
  /** Of a spent budget of money, in US dollars. */
  spent_usd: z.number().optional(),
  cap_usd: z.number().optional(),
});

export type Need = z.infer<typeof need>;

/** `attention`: what needs a person, the most pressing kind first and the newest of each, and how many there are. */
export const attention = z.strictObject({
  kinds: z.array(z.strictObject({ kind: needKind, count: z.int(), needs: z.array(need) })),
  /** In how long the clock alone will change what the page shows: a deadline, a start, the end of a lease. */
  next_in_ms: z.int().optional(),
});

export type Attention = z.infer<typeof attention>;

/** `acknowledge`, `unacknowledge`: what was acknowledged, or is not any more. */
export const acknowledgedOutput = z.strictObject({ ids: z.array(z.string()) });

export type Acknowledged = z.infer<typeof acknowledgedOutput>;

/** @param jobNames what people call the jobs among the needs, by id */
export function showAttention(
  { kinds, nextAt }: AttentionRead,
  jobNames: ReadonlyMap<string, string>,
  now: number,
): Attention {
  return {
    kinds: kinds.map(({ needs, ...of }) => ({ ...of, needs: needs.map((need) => showNeed(need, jobNames)) })),
    next_in_ms: nextAt === null ? undefined : nextAt - now,
  };
}

const longestName = 160;

function showNeed(
  { taskId, goalId, spentMicros, capMicros, ...need }: NeedRead,
  jobNames: ReadonlyMap<string, string>,
): Need {
  const { kind, id, name, since, detail, who, type, spent, cap } = need;
  return {
    kind,
    id,
    name: cut(name ?? jobNames.get(id) ?? id, longestName),
    since: iso(since),
    detail: detail ?? undefined,
    who: who ?? undefined,
    type: type ?? undefined,
    task_id: taskId ?? undefined,
    goal_id: goalId ?? undefined,
    spent: spent ?? undefined,
    cap: cap ?? undefined,
    spent_usd: spentMicros === null ? undefined : spentMicros / 1_000_000,
    cap_usd: capMicros === null ? undefined : capMicros / 1_000_000,
  };
}
