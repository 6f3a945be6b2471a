const jitterMs = 8;
/** Most waits are over by then: another process writes for a millisecond or two. */
const shortWaitMs = 200;
const longestPauseMs = 100;

/**
 * The longest pause before the next try for the write lock, in milliseconds; a random part of it is waited. Short at
 * first. A wait that goes on shows that many want the lock: newcomers leave it to those who have waited longer, whose
 * pauses shrink towards the deadline.
 */
export function longestPause(waitedMs: number, deadlineMs: number): number {
  if (waitedMs < shortWaitMs) return jitterMs;
  const left = Math.max(0, 1 - waitedMs / deadlineMs);
  return Math.max(1, longestPauseMs * left * left);
}
