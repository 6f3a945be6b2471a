import type { Actor } from './actor.js';

/** When a change is made, and by whom; every event of one transaction carries the same. */
export interface Change {
  /** Epoch milliseconds. */
  at: number;
  /** Left out for what the runtime does by itself. */
  actor?: Actor | undefined;
}
