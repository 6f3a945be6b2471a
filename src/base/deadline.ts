import { Script } from 'node:vm';

/** Work that a deadline has ended. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

const script = new Script('work()');

/**
 * Runs work that others determine, such as a pattern of a caller over an answer of a model, and ends it in its middle when
 * it takes too long: a pattern like `^(a+)+$` takes years for 40 characters, and a schema that refers to itself can too.
 * An engine of linear time would refuse patterns that are valid today, and would leave schemas as they are.
 *
 * @param work synchronous, and without anything to clean up
 * @throws DeadlinePassed after `ms`; what `work` throws
 */
export function withDeadline<Result>(ms: number, work: () => Result): Result {
  try {
    return script.runInNewContext({ work }, { timeout: ms }) as Result;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new DeadlinePassed(`It took longer than ${ms} ms.`, { cause: error });
  }
}

/** It comes from the other context, so it is no instance of this one's Error. */
function isTimeout(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
