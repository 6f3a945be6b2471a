import { Script } from 'node:vm';

/** Work that a deadline has ended. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

const script = new Script('work()');

/** No machine gives all of its time to one process. */
const mostOfIt = 0.8;

/** What this process has worked, in milliseconds of a core. What a busy machine gave to others meanwhile is not in it. */
function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * Runs work that others determine, such as a pattern of a caller over an answer of a model, and ends it in its middle when
 * it takes too long: a pattern like `^(a+)+$` takes years for 40 characters, and a schema that refers to itself can too.
 * An engine of linear time would refuse patterns that are valid today, and would leave schemas as they are.
 *
 * @param ms of work: cut short because the machine was busy with others, it begins again, with twice the time
 * @param work synchronous, and without anything to clean up
 * @throws DeadlinePassed after `ms`; what `work` throws
 */
export function withDeadline<Result>(ms: number, work: () => Result): Result {
  for (let timeout = ms; ; timeout *= 2) {
    const end = workedMs() + mostOfIt * ms;
    try {
      return script.runInNewContext({ work }, { timeout }) as Result;
    } catch (error) {
      if (!isTimeout(error)) throw error;
      if (workedMs() >= end) throw new DeadlinePassed(`It took longer than ${ms} ms.`, { cause: error });
    }
  }
}

/** Calls back once all threads of this process have worked for `ms`, and no sooner than in `ms`; returns what ends the wait. */
export function afterWorking(ms: number, callBack: () => void): () => void {
  const end = workedMs() + ms;
  const look = () => {
    const leftMs = end - workedMs();
    if (leftMs <= 0) callBack();
    else timer = setTimeout(look, leftMs);
  };
  let timer = setTimeout(look, ms);
  return () => clearTimeout(timer);
}

/** It comes from the other context, so it is no instance of this one's Error. */
function isTimeout(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
