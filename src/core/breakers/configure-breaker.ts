import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { updateRow } from '../../store/update-row.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type BreakerRow, loadCircuit } from './circuit-rows.js';
import { clockColumns } from './clock-step.js';
import type { BreakerConfig, FailureWeights } from './machine.js';

/** Rules to change. Rules that are not given stay, weights of failures included. */
export type ConfigChanges = Changes<Omit<BreakerConfig, 'failureWeights'>> & {
  failureWeights?: Changes<FailureWeights> | undefined;
};

type Changes<Shape> = { [Name in keyof Shape]?: Shape[Name] | undefined };

/** Resolves to all rules as they are then. Throws `invalid` for an agent that would stand in for itself. */
export async function configureBreaker(
  sql: Sql,
  id: string,
  changes: ConfigChanges,
  change: TimedChange,
): Promise<BreakerConfig> {
  if (changes.fallbackAgent === id) {
    throw new RuntimeError(
      'invalid',
      `${id} cannot stand in for itself.`,
      'Name another fallback_agent, or "" for none.',
    );
  }
  const { row, config: before } = await loadCircuit(sql, id, change.clock);
  const { failureWeights = {}, ...rules } = changes;
  const config: BreakerConfig = {
    ...before,
    ...given(rules),
    failureWeights: { ...before.failureWeights, ...given(failureWeights) },
  };
  const changed = differences(before, config);
  if (changed.length === 0) return config;
  await writeConfig(sql, id, config, change.at);
  const data = { from_state: row.state, to_state: row.state, reason: changed.join(', ') };
  await recordEvent(sql, { ...change, subject: 'breaker', subjectId: id, type: 'configured', data });
  return config;
}

function given<Shape extends object>(changes: Changes<Shape>): Partial<Shape> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Partial<Shape>;
}

async function writeConfig(sql: Sql, id: string, config: BreakerConfig, now: EpochMs): Promise<void> {
  await updateRow<BreakerRow>(
    sql,
    'breakers',
    { id },
    {
      failure_threshold: config.failureThreshold,
      window_seconds: config.windowSeconds,
      failure_rate_threshold: config.failureRateThreshold,
      minimum_calls: config.minimumCalls,
      failure_weights: JSON.stringify(config.failureWeights),
      cooldown_seconds: config.cooldownSeconds,
      cooldown_factor: config.cooldownFactor,
      max_cooldown_seconds: config.maxCooldownSeconds,
      half_open_max_calls: config.halfOpenMaxCalls,
      success_threshold: config.successThreshold,
      fallback_agent: config.fallbackAgent,
      updated_at: now,
    },
  );
  // A rate that is switched on again later must not count calls from before the pause.
  if (config.failureRateThreshold === null) await sql.run('delete from breaker_calls where breaker_id = ?', id);
}

/** `cooldown_seconds 300 -> 60` */
function differences(before: BreakerConfig, after: BreakerConfig): string[] {
  return (Object.keys(after) as (keyof BreakerConfig)[]).flatMap((name) => {
    const [old, now] = [JSON.stringify(before[name]), JSON.stringify(after[name])];
    return old === now ? [] : [`${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} ${old} -> ${now}`];
  });
}

export type PreparedConfig = Pick<
  BreakerConfig,
  'failureThreshold' | 'windowSeconds' | 'cooldownSeconds' | 'halfOpenMaxCalls' | 'successThreshold'
>;

/** Creates a breaker with these rules. An existing breaker stays as it is, so that a person's settings are kept. */
export async function prepareBreaker(sql: Sql, id: string, config: PreparedConfig, clock: Clock): Promise<void> {
  const now = clock.now();
  const { clock_boot_id, clock_boot_at } = clockColumns(clock);
  await sql.run(
    `insert into breakers (id, failure_threshold, window_seconds, cooldown_seconds, half_open_max_calls, success_threshold,
       created_at, updated_at, clock_boot_id, clock_boot_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    id,
    config.failureThreshold,
    config.windowSeconds,
    config.cooldownSeconds,
    config.halfOpenMaxCalls,
    config.successThreshold,
    now,
    now,
    clock_boot_id,
    clock_boot_at,
  );
}
