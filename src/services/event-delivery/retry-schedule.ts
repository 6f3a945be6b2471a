import { failuresUntilDown } from '../../core/event-targets/event-target.js';

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];

/** The pause after each try that failed (Standard Webhooks 1.0.0, deliverability): ten tries in three days. */
const pausesMs = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];

const longestRetryAfterMs = day;

/** Milliseconds until the next try after so many, a fifth more at most by chance; undefined after the last one. */
export function nextTryMs(attempts: number, random: () => number, retryAfterMs = 0): number | undefined {
  const pause = pausesMs[attempts - 1];
  if (pause === undefined) return undefined;
  return Math.max(Math.round(pause * (1 + random() / 5)), Math.min(retryAfterMs, longestRetryAfterMs));
}

/** Milliseconds until a receiver that is down is asked again: up to five minutes. */
export function pauseMs(failures: number, random: () => number, retryAfterMs = 0): number {
  const most =
    failures < failuresUntilDown ? 0 : Math.min(5 * minute, 2 ** (failures - failuresUntilDown) * 5 * second);
  return Math.max(Math.round(most * (0.5 + random() / 2)), Math.min(retryAfterMs, longestRetryAfterMs));
}

/** A webhook that has taken nothing for so long is put out of use. */
export const longestFailingMs = 5 * day;
