export interface TransactionGuard {
  /** Rejects when the transaction has awaited something other than its `sql`. */
  violation: Promise<never>;
  /** Starts the watch. Call it when the transaction has the write lock. */
  arm(): void;
  disarm(): void;
}

/**
 * Detects a transaction that awaits something other than its statements, while every other writer waits for it. Its
 * statements finish within one turn of the event loop, so a transaction that is still open in the next turn has awaited
 * something else.
 */
export function guardAgainstWaiting(): TransactionGuard {
  let immediate: NodeJS.Immediate | undefined;
  let violate: (error: Error) => void = () => {};
  const violation = new Promise<never>((_, reject) => {
    violate = reject;
  });
  violation.catch(() => {});
  return {
    violation,
    arm() {
      immediate = setImmediate(() =>
        violate(new Error('A transaction awaited something other than its own sql; it was rolled back.')),
      );
    },
    disarm() {
      if (immediate) clearImmediate(immediate);
    },
  };
}
