import type { Sql } from '../../store/sql.js';
import { type Admission, acquireIn, type Caller } from './guard.js';

export interface Asked {
  agent: string;
  admission: Admission;
}

export interface Choice {
  /** Who may work now: the agent itself, or the first along its fallbacks whose breaker admits it; nobody otherwise. */
  agent: string | undefined;
  /** Of the chosen one's probe. */
  permit: string | undefined;
  /** What the breaker of the agent itself has said. */
  own: Admission;
  /** All whose breakers were asked, in order; the last of them is the chosen one if there is one. */
  path: readonly Asked[];
  /** When nobody may: how long until it is worth asking again; nothing when only a reset by hand will help. */
  retryAfterMs: number | undefined;
}

export interface Wish extends Caller {
  now: number;
  /** Asked after the agent itself, in place of the fallback that its breaker is configured with. */
  fallback?: string | undefined;
}

/**
 * Chooses, within the caller's transaction, who does an agent's work: when a breaker says no, that of its fallback is
 * asked, and so on until one admits the call or nobody new is left. The outcome is to be recorded for the chosen one.
 */
export async function chooseAgent(sql: Sql, id: string, { fallback, ...wish }: Wish): Promise<Choice> {
  const own = await acquireIn(sql, id, wish);
  const path: Asked[] = [{ agent: id, admission: own }];
  if (own.allowed) return { agent: id, permit: own.permit, own, path, retryAfterMs: undefined };
  let agent = fallback ?? (await fallbackOf(sql, id));
  while (agent !== undefined && !path.some((asked) => asked.agent === agent)) {
    const admission = await acquireIn(sql, agent, wish);
    path.push({ agent, admission });
    if (admission.allowed) return { agent, permit: admission.permit, own, path, retryAfterMs: undefined };
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
  const waits = path.flatMap(({ admission }) => admission.retryAfterMs ?? []);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
