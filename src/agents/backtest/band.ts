import type { State } from './strategy.js';

export interface Band {
  /** Distance from 0, in standard deviations, at which a position is opened against the move. */
  entry_z: number;
  /** Where it is closed again; 0 is the mean. */
  exit_z: number;
  allow_short: boolean;
}

/** The state after a bar whose indicator is `z`: long below the band, short above it, flat again at the exit. */
export function nextState(z: number, previous: State, { entry_z, exit_z, allow_short }: Band): State {
  const isLow = z <= -entry_z;
  const isHigh = allow_short && z >= entry_z;
  switch (previous) {
    case 0:
      return isLow ? 1 : isHigh ? -1 : 0;
    case 1:
      return isHigh ? -1 : z >= -exit_z ? 0 : 1;
    case -1:
      return isLow ? 1 : z <= exit_z ? 0 : -1;
  }
}
