import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { acquirePermit, type PermitAnswer, type PermitRequest } from './guard.js';

export interface Asked {
  agent: string;
  answer: PermitAnswer;
}

export interface Choice {
  /** The agent itself, or the first of its fallbacks whose breaker allows the call; undefined when none does. */
  agent: string | undefined;
  /** Of the chosen agent's breaker. */
  permit: string | undefined;
  /** The answer of the agent's own breaker. */
  own: PermitAnswer;
  /** All whose breakers were asked, in order. A chosen agent is the last of them. */
  path: readonly Asked[];
  /** When no agent may work: how long until it is worth asking again; undefined when only a reset by hand helps. */
  retryAfterMs: number | undefined;
}

export interface ChoiceRequest extends PermitRequest {
  /** Asked after the agent itself, in place of the fallback that its breaker is configured with. */
  fallback?: string | undefined;
}

/**
 * Chooses who does an agent's work. When its breaker refuses, its fallback's breaker is asked, and so on until one allows
 * the call or the chain ends or repeats. Record the outcome for the chosen agent.
 */
export async function chooseAgent(
  sql: Sql,
  id: string,
  { fallback, ...request }: ChoiceRequest,
  clock: Clock,
): Promise<Choice> {
  const own = await acquirePermit(sql, id, request, clock);
  const path: Asked[] = [{ agent: id, answer: own }];
  if (own.allowed) return { agent: id, permit: own.permit, own, path, retryAfterMs: undefined };
  // Breakers of a chain have no order in which all would lock them.
  await sql.alone();
  let agent = fallback ?? (await fallbackOf(sql, id));
  while (agent !== undefined && !path.some((asked) => asked.agent === agent)) {
    const answer = await acquirePermit(sql, agent, request, clock);
    path.push({ agent, answer });
    if (answer.allowed) return { agent, permit: answer.permit, own, path, retryAfterMs: undefined };
    agent = await fallbackOf(sql, agent);
  }
  return { agent: undefined, permit: undefined, own, path, retryAfterMs: soonest(path) };
}

async function fallbackOf(sql: Sql, id: string): Promise<string | undefined> {
  const row = await sql.get<{ fallback: string | null }>(
    'select fallback_agent as fallback from breakers where id = ?',
    id,
  );
  return row?.fallback ?? undefined;
}

function soonest(path: readonly Asked[]): number | undefined {
  const waits = path.flatMap(({ answer }) => answer.retryAfterMs ?? []);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
