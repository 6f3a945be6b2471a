export interface TransactionGuard {
  /** Rejects when the transaction has awaited something other than its `sql`. */
  violation: Promise<never>;
  /** Begins to watch: the transaction has the write lock from here on. */
  arm(): void;
  disarm(): void;
}

/**
 * While a transaction is open, every other process waits. All its statements are done within one turn of the event
 * loop; when the next turn begins and it is still open, it has awaited something else.
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
