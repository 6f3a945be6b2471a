/** Long, flat or short; of a pair, +1 is long the first leg and short the second. */
export type State = -1 | 0 | 1;

/** What to hold from the open of the next bar. */
export interface Target {
  readonly state: State;
  /** Signed share of the gross notional of each leg; their magnitudes add up to 1, or to 0 when flat. */
  readonly weights: readonly number[];
}

/** Decides at the close of a bar, from closes up to that bar alone. */
export interface Strategy {
  /** The first bar index at which its indicator is defined, counted from the first row of the file. */
  readonly warmUp: number;
  /** The target decided at the close of bar `t`, when `previous` was the one before. Pure. */
  decide(t: number, previous: State): Target;
}

export const flat: Target = { state: 0, weights: [] };
const long: Target = { state: 1, weights: [1] };
const short: Target = { state: -1, weights: [-1] };

/** The target of a strategy of one leg. */
export function oneLeg(state: State): Target {
  return state === 0 ? flat : state === 1 ? long : short;
}
