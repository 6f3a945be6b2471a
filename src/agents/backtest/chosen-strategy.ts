import { type ArbitrageParams, arbitrage } from './arbitrage.js';
import type { Market } from './market.js';
import { type MeanReversionParams, meanReversion } from './mean-reversion.js';
import { type MomentumParams, momentum } from './momentum.js';
import { type BacktestPayload, defaultParams } from './payload.js';
import type { Strategy } from './strategy.js';
import { valueAt } from './value-at.js';

/** A strategy's name with all its parameters, defaults filled in. */
export type ChosenStrategy =
  | { name: 'momentum'; params: MomentumParams }
  | { name: 'mean_reversion'; params: MeanReversionParams }
  | { name: 'arbitrage'; params: ArbitrageParams };

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

/** The strategy over a market that has its one leg, or its two. */
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
