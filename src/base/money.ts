/** Sums of money are stored and compared as whole millionths of a US dollar, so that they add up exactly. */
export type Micros = number;

/** Rounded up, so that a budget is never passed by rounding. */
export const microsOf = (usd: number): Micros => Math.ceil(Number((usd * 1e6).toFixed(3)));

export const usdOf = (micros: Micros): number => micros / 1e6;

/** As people read it: `$0.0042`, `$1.50`. */
export function dollars(micros: Micros): string {
  const usd = usdOf(micros);
  if (usd === 0 || usd >= 0.1) return `$${usd.toFixed(2)}`;
  return `$${usd.toFixed(6).replace(/0{1,2}$/, '')}`;
}

/** What calls of models have cost. */
export interface Cost {
  /** Of those whose price is known. */
  micros: Micros;
  /** How many calls are not in it, because their price is unknown. */
  unpriced: number;
}

export const noCost: Cost = { micros: 0, unpriced: 0 };

/** What is shown of a cost: null where nothing of it is known, so that it is never taken for 0. */
export function shownCost({ micros, unpriced }: Cost): number | null {
  return micros === 0 && unpriced > 0 ? null : usdOf(micros);
}
