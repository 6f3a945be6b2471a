import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Verdict } from '../../core/tasks/verdict.js';
import { iso } from '../call/fields.js';

/** What a judge found when it held a result against the acceptance criteria of its task. */
export const verdictOutput = z.strictObject({
  /** 0 to 1; 0.8 is needed to pass. */
  score: z.number(),
  passed: z.boolean(),
  /** The criteria that are not met. */
  missing: z.array(z.string()),
  /** The model that judged. */
  judge: z.string(),
  judged_at: z.string(),
});

export type ShownVerdict = z.infer<typeof verdictOutput>;

/** @internal */
export function showVerdict(verdict: Verdict): ShownVerdict;
export function showVerdict(verdict: Verdict | null): ShownVerdict | undefined;
export function showVerdict(verdict: Verdict | null): ShownVerdict | undefined {
  if (!verdict) return undefined;
  const { score, passed, missing, judge, at } = verdict;
  return { score, passed, missing: missing.map((one) => cut(one, 300)), judge, judged_at: iso(at) };
}
