import type { Random } from '../random.js';
import type { User } from '../user.js';

/** One action of a user; its choices are those of `random`, whatever the actions before it came to. */
export type Action = (random: Random, number: number) => Promise<void>;

export interface Actor {
  user: User;
  act: Action;
}
