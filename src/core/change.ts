import type { EpochMs } from '../base/clock.js';
import type { Actor } from './actor.js';

/** When a change is made, and by whom. All events of one transaction carry the same. */
export interface Change {
  at: EpochMs;
  /** Absent for what the runtime does by itself. */
  actor?: Actor | undefined;
}
