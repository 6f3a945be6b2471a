import type { Clock, EpochMs } from '../base/clock.js';
import type { Actor } from './actor.js';

/** When a change is made, and by whom. All events of one transaction carry the same. */
export interface Change {
  at: EpochMs;
  /** Absent for what the runtime does by itself. */
  actor?: Actor | undefined;
}

/** A change that may concern a breaker, whose cooldown and window no step of the wall clock may move. */
export interface TimedChange extends Change {
  clock: Clock;
}
