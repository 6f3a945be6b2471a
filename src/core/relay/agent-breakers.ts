import type { Sql } from '../../store/sql.js';
import type { Failure } from '../breakers/circuit-rows.js';
import * as fallback from '../breakers/fallback.js';
import { recordFailureIn, recordSuccessIn } from '../breakers/guard.js';
import { releaseProbes } from '../breakers/probes.js';
import type { Change } from '../change.js';

export interface AgentWish {
  agentId: string;
  /** Asked first when the agent's breaker says no; then whoever the breakers name. */
  fallback: string | null;
  batonId: string;
}

export interface ChosenAgent {
  agentId: string;
  /** False when no breaker of the chain lets a call through: then `agentId` is the step's own agent. */
  isAllowed: boolean;
  /** Why it is not simply the step's own agent. */
  note?: string;
  /** When it is worth asking again; nothing when only a reset by hand helps. */
  retryAfterMs?: number | undefined;
}

/** The probe of a breaker that is half open is free again after this, should the baton never come back. */
const longestHoldMs = 30 * 60_000;

/** Who takes a baton: the step's own agent, or the first along its fallbacks whose breaker allows it. */
export async function chooseAgent(sql: Sql, wish: AgentWish, { at }: Change): Promise<ChosenAgent> {
  const { agentId, batonId } = wish;
  const { agent, path, retryAfterMs } = await fallback.chooseAgent(sql, agentId, {
    now: at,
    holder: holderOf(batonId),
    callMs: longestHoldMs,
    fallback: wish.fallback ?? undefined,
  });
  if (agent === agentId) return { agentId, isAllowed: true };
  const refused = path.flatMap((asked) => (asked.admission.allowed ? [] : [asked.agent]));
  const open = refused.length === 1 ? `the breaker of ${agentId} is` : `the breakers of ${refused.join(', ')} are`;
  return agent === undefined
    ? { agentId, isAllowed: false, note: `${open} open, and nobody else is there to stand in.`, retryAfterMs }
    : { agentId: agent, isAllowed: true, note: `${agent} stands in for ${agentId}: ${open} open.` };
}

export async function reportSuccess(sql: Sql, agentId: string, batonId: string, change: Change): Promise<void> {
  await forgetProbe(sql, batonId);
  await recordSuccessIn(sql, agentId, { now: change.at, actor: change.actor });
}

export async function reportFailure(
  sql: Sql,
  agentId: string,
  batonId: string,
  failure: Failure,
  change: Change,
): Promise<void> {
  await forgetProbe(sql, batonId);
  await recordFailureIn(sql, agentId, failure, { now: change.at, actor: change.actor });
}

/** The baton came to nothing that speaks for or against its agent. */
export const forgetProbe = (sql: Sql, batonId: string): Promise<void> => releaseProbes(sql, holderOf(batonId));

const holderOf = (batonId: string): string => `relay:${batonId}`;
