import { Worker } from 'node:worker_threads';
import { afterWorking, DeadlinePassed } from '../deadline.js';
import type { Json, JsonObject } from '../json.js';

export interface SchemaWork {
  schema: JsonObject;
  /** The first that follows the schema is taken. */
  candidates: readonly Json[];
}

/** Which candidate passed, or what is wrong with the last. */
export type Found = { passed: number } | { problem: string };

export type FromThread = { kind: 'ready' } | { kind: 'checked'; found: Found } | { kind: 'unusable'; message: string };

/** A check of an output of the greatest length takes less. */
const memoryMb = 256;

/**
 * Checks in a thread of its own, which is ended after `ms` of work: the process goes on answering meanwhile. Throws DeadlinePassed,
 * the compiler's Error for a schema that cannot be checked, and the Error of a thread that cannot be started.
 */
export function checkInThread(work: SchemaWork, ms: number): Promise<Found> {
  const entry = new URL('./schema-worker.js', import.meta.url);
  const thread = new Worker(entry, {
    workerData: work,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  let stopWaiting: (() => void) | undefined;
  const found = new Promise<Found>((resolve, reject) => {
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'checked') resolve(message.found);
      else if (message.kind === 'unusable') reject(new SchemaUnusable(message.message));
      else stopWaiting = afterWorking(ms, () => reject(new DeadlinePassed(`It took longer than ${ms} ms.`)));
    });
    thread.on('error', reject);
    thread.on('exit', () => reject(new Error('The thread that checks schemas has ended.')));
  });
  return found.finally(() => {
    stopWaiting?.();
    void thread.terminate();
  });
}

/** A schema that cannot be checked, in the compiler's words. */
export class SchemaUnusable extends Error {
  override readonly name = 'SchemaUnusable';
}
