import { type Band, nextState } from './band.js';
import { type Regression, regress } from './statistics.js';
import { flat, type Strategy } from './strategy.js';
import { valueAt } from './value-at.js';

export interface ArbitrageParams extends Omit<Band, 'allow_short'> {
  /** Joined bars in the regression, the deciding one included. */
  window: number;
}

/**
 * Pairs trading: ln A is regressed on ln B over the last `window` bars; when the last residual is `entry_z` deviations
 * low, A is bought and B sold in the ratio 1 : beta of the gross notional, and the reverse when it is high. A beta of 0
 * or less opens nothing, but what is held is closed by z alone. (Gatev, Goetzmann, Rouwenhorst 2006, Pairs trading.)
 */
export function arbitrage(closeA: readonly number[], closeB: readonly number[], params: ArbitrageParams): Strategy {
  const { window } = params;
  const band: Band = { ...params, allow_short: true };
  const logA = closeA.map(Math.log);
  const logB = closeB.map(Math.log);
  return {
    warmUp: window - 1,
    decide(t, previous) {
      if (t < window - 1) return flat;
      const fit = regress(logA.slice(t - window + 1, t + 1), logB.slice(t - window + 1, t + 1));
      if (!fit) return flat;
      const state = nextState(lastZ(fit), previous, band);
      if (state === 0 || (state !== previous && fit.beta <= 0)) return flat;
      return { state, weights: [state / (1 + fit.beta), (-state * fit.beta) / (1 + fit.beta)] };
    },
  };
}

/** The last residual over the root of the mean squared residual. */
function lastZ({ residuals }: Regression): number {
  let squares = 0;
  for (const residual of residuals) squares += residual ** 2;
  const deviation = Math.sqrt(squares / residuals.length);
  // Legs that move as one leave residuals of rounding alone (1e-16 of a log); any real price step is above 1e-9.
  return deviation < 1e-13 ? 0 : valueAt(residuals, residuals.length - 1) / deviation;
}
