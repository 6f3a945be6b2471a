import type { Market } from './market.js';
import { type BacktestPayload, defaultParams } from './payload.js';
import { valueAt } from './statistics.js';
import type { Strategy } from './strategies.js';
import {
  type ArbitrageParams,
  arbitrage,
  type MeanReversionParams,
  type MomentumParams,
  meanReversion,
  momentum,
} from './strategies.js';

/** The name of a strategy and all its parameters, defaults filled in. */
export type ChosenStrategy =
  | { name: 'momentum'; params: MomentumParams }
  | { name: 'mean_reversion'; params: MeanReversionParams }
  | { name: 'arbitrage'; params: ArbitrageParams };

/** The strategy that a payload names, with the defaults of `payload.ts` for the parameters that it leaves out. */
export function chooseStrategy({ strategy, params = {} }: BacktestPayload): ChosenStrategy {
  switch (strategy) {
    case 'momentum': {
      const defaults = defaultParams.momentum;
      return {
        name: strategy,
        params: {
          lookback: params.lookback ?? defaults.lookback,
          threshold: params.threshold ?? defaults.threshold,
          allow_short: params.allow_short ?? defaults.allow_short,
        },
      };
    }
    case 'mean_reversion': {
      const defaults = defaultParams.mean_reversion;
      return {
        name: strategy,
        params: { ...bandOf(params, defaults), allow_short: params.allow_short ?? defaults.allow_short },
      };
    }
    case 'arbitrage':
      return { name: strategy, params: bandOf(params, defaultParams.arbitrage) };
  }
}

/** The strategy over its market, which must have one leg, or two for arbitrage. */
export function createStrategy(chosen: ChosenStrategy, { legs }: Market): Strategy {
  const { close } = valueAt(legs, 0);
  switch (chosen.name) {
    case 'momentum':
      return momentum(close, chosen.params);
    case 'mean_reversion':
      return meanReversion(close, chosen.params);
    case 'arbitrage':
      return arbitrage(close, valueAt(legs, 1).close, chosen.params);
  }
}

type Settings = NonNullable<BacktestPayload['params']>;

function bandOf(params: Settings, defaults: { window: number; entry_z: number; exit_z: number }) {
  return {
    window: params.window ?? defaults.window,
    entry_z: params.entry_z ?? defaults.entry_z,
    exit_z: params.exit_z ?? defaults.exit_z,
  };
}
