import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';

/** Lets one more probe through; resolves to its permit. Those whose callers were lost are forgotten meanwhile. */
export async function takeProbe(
  sql: Sql,
  id: string,
  { holder, now, callMs }: { holder: string; now: number; callMs: number },
): Promise<string> {
  const permit = `${holder}/${newShortId()}`;
  await sql.run('delete from breaker_permits where breaker_id = ? and expires_at <= ?', id, now);
  await sql.run(
    'insert into breaker_permits (permit, breaker_id, expires_at) values (?, ?, ?)',
    permit,
    id,
    now + callMs,
  );
  return permit;
}

/** The probe is over, or was not sent after all: its place is free. */
export async function giveBack(sql: Sql, permit: string): Promise<void> {
  await sql.run('delete from breaker_permits where permit = ?', permit);
}

/** As `giveBack`, for a caller that must know: throws `conflict` when the breaker has no such probe under way. */
export async function answerProbe(sql: Sql, id: string, permit: string): Promise<void> {
  const answered = await sql.run('delete from breaker_permits where permit = ? and breaker_id = ?', permit, id);
  if (answered > 0) return;
  throw new RuntimeError(
    'conflict',
    `The breaker ${id} has no probe under way with the permit ${permit}: it was reported on before, has taken too long, or the breaker has opened or closed since.`,
    'Nothing was recorded. Look with circuit_breaker_status; to report all the same, repeat the call without permit.',
  );
}

/** Gives back the probes that a holder has taken and not answered. */
export async function releaseProbes(sql: Sql, holder: string): Promise<void> {
  // `0` follows `/` in every collation that compares bytes.
  await sql.run('delete from breaker_permits where permit >= ? and permit < ?', `${holder}/`, `${holder}0`);
}
