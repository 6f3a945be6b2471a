import type { Clock } from '../base/clock.js';
import type { Breakers } from '../core/breakers/breakers.js';

export interface BreakerNeeds {
  breakers: Pick<Breakers, 'get'>;
  clock: Clock;
}

/**
 * Says what submitted work will wait for when none of the breakers that it may go through lets it through now: which
 * ones, and when it is tried. Undefined when it can start.
 *
 * @param ids the work needs one of them; an open breaker of all of them stops it
 */
export async function breakerWarning(ids: readonly string[], needs: BreakerNeeds): Promise<string | undefined> {
  const breakers = await Promise.all([...new Set(ids)].map((id) => needs.breakers.get(id)));
  const open = breakers.filter(({ circuit }) => circuit.state === 'open');
  if (open.length === 0 || open.length < breakers.length) return undefined;
  const names = open.map(({ id }) => id).join(', ');
  const subject = open.length === 1 ? `The breaker ${names} is open` : `The breakers ${names} are open`;
  const times = open.flatMap(({ circuit }) => circuit.cooldownUntil ?? []);
  if (times.length === 0) return `${subject} and held until circuit_breaker_reset with agent_id ${open[0]?.id}.`;
  const when = new Date(Math.min(...times)).toISOString();
  return `${subject}. It is tried after ${when}, or at once after circuit_breaker_reset with agent_id ${open[0]?.id}.`;
}
