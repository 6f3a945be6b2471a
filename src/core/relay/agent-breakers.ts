import type { Sql } from '../../store/sql.js';
import type { Failure } from '../breakers/circuit-rows.js';
import * as fallback from '../breakers/fallback.js';
import { recordFailure, recordSuccess, releasePermitsOf } from '../breakers/guard.js';
import type { Change } from '../change.js';

export interface AgentRequest {
  agentId: string;
  /** Asked first when the agent's breaker is open; then the fallbacks that the breakers are configured with. */
  fallback: string | null;
  batonId: string;
}

export interface ChosenAgent {
  agentId: string;
  /** False when no breaker of the chain allows a call: then `agentId` is the step's own agent. */
  isAllowed: boolean;
  /** Why it is not simply the step's own agent. */
  note?: string;
  /** When a breaker may allow a call again; absent when only a reset by hand helps. */
  retryAfterMs?: number | undefined;
}

/** A half-open breaker gets its permit back after this, should the baton never come back. */
const longestHoldMs = 30 * 60_000;

/** Chooses who takes a baton: the step's own agent, or the first of its fallbacks whose breaker allows it. */
export async function chooseAgent(sql: Sql, request: AgentRequest, { at }: Change): Promise<ChosenAgent> {
  const { agentId, batonId } = request;
  const { agent, path, retryAfterMs } = await fallback.chooseAgent(
    sql,
    agentId,
    { holder: holderOf(batonId), callMs: longestHoldMs, fallback: request.fallback ?? undefined },
    at,
  );
  if (agent === agentId) return { agentId, isAllowed: true };
  const refused = path.flatMap((asked) => (asked.answer.allowed ? [] : [asked.agent]));
  const open = refused.length === 1 ? `the breaker of ${agentId} is` : `the breakers of ${refused.join(', ')} are`;
  return agent === undefined
    ? { agentId, isAllowed: false, note: `${open} open, and there is no other fallback.`, retryAfterMs }
    : { agentId: agent, isAllowed: true, note: `${agent} stands in for ${agentId}: ${open} open.` };
}

export async function reportSuccess(sql: Sql, agentId: string, batonId: string, change: Change): Promise<void> {
  await releasePermit(sql, batonId);
  await recordSuccess(sql, agentId, change);
}

export async function reportFailure(
  sql: Sql,
  agentId: string,
  batonId: string,
  failure: Failure,
  change: Change,
): Promise<void> {
  await releasePermit(sql, batonId);
  await recordFailure(sql, agentId, failure, change);
}

/** Gives the breaker's permit back when the outcome says nothing about the agent. */
export const releasePermit = (sql: Sql, batonId: string): Promise<void> => releasePermitsOf(sql, holderOf(batonId));

const holderOf = (batonId: string): string => `relay:${batonId}`;
