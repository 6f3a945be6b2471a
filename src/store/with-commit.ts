/**
 * What the body of a transaction returns of reads whose answers only its caller needs: they have been sent, and travel
 * with the commit. `answer` is awaited after the transaction.
 */
export function withCommit<Result>(answer: Promise<Result>): { answer: Promise<Result> } {
  // A transaction that fails is what its caller learns of.
  answer.catch(() => {});
  return { answer };
}
