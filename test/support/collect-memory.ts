import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Lets go of all memory that nobody holds, as a process does some time: also of what is held weakly alone. */
export async function collectMemory(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What one round lets go of may have held something else, and an object that was looked at is kept until the next turn.
  for (let round = 0; round < 5; round++) {
    await turn();
    collect();
  }
}
