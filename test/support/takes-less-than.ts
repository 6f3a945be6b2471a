/**
 * Whether doing something takes less than `ms`. What else a machine does can only make it slower, so one quick time of
 * many shows that it can be so quick, and what is slow by itself is slow each time.
 *
 * @param act resolves to the milliseconds it took, where not all of it counts
 */
export async function takesLessThan(ms: number, act: () => Promise<number> | number, times = 10): Promise<boolean> {
  for (let time = 0; time < times; time++) if ((await act()) < ms) return true;
  return false;
}

/** Milliseconds. */
export async function timeOf(act: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}
