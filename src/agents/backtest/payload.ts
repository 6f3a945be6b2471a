import { z } from 'zod';

/** A ticker is a plain file name, so that it can never lead out of the prices directory. */
export const tickerPattern = /^(?!.*\.\.)[A-Za-z0-9.^=_-]{1,20}$/;

export const tickerRule = '1 to 20 of A-Z a-z 0-9 . ^ = _ - without ".."; it names the file prices/TICKER.csv';

export const strategies = ['momentum', 'mean_reversion', 'arbitrage'] as const;

export type StrategyName = (typeof strategies)[number];

/** The parameters of each strategy, with their default values. */
export const defaultParams = {
  momentum: { lookback: 63, threshold: 0, allow_short: false },
  mean_reversion: { window: 20, entry_z: 2, exit_z: 0, allow_short: false },
  arbitrage: { window: 60, entry_z: 2, exit_z: 0 },
} as const satisfies Record<StrategyName, Record<string, number | boolean>>;

const knownParams = strategies.map((name) => `${name} knows ${Object.keys(defaultParams[name]).join(', ')}`).join('; ');

const params = z.strictObject(
  {
    lookback: z.int().min(1).max(5000).optional().describe('momentum: bars to look back; 63 by default'),
    threshold: z
      .number()
      .min(-1)
      .max(10)
      .optional()
      .describe('momentum: return over the lookback above which it is long, as a fraction; 0 by default'),
    window: z
      .int()
      .min(2)
      .max(5000)
      .optional()
      .describe('mean_reversion (20) and arbitrage (60, at least 3): bars in the indicator'),
    entry_z: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('mean_reversion and arbitrage: deviations from the mean at which a position is opened; 2 by default'),
    exit_z: z
      .number()
      .min(-100)
      .max(100)
      .optional()
      .describe('mean_reversion and arbitrage: deviations from the mean at which it is closed; 0 by default'),
    allow_short: z
      .boolean()
      .optional()
      .describe('momentum and mean_reversion: also sell short; false by default. A pair always has a short leg'),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `Unknown parameter: ${issue.keys.join(', ')}. ${knownParams}.` : undefined,
  },
);

const ticker = z.string().regex(tickerPattern, { error: `A ticker must be ${tickerRule}.` });

/** The payload of a backtest job. Fields check types and bounds; the refinement checks what must fit together. */
export const backtestPayload = z
  .strictObject({
    strategy: z
      .enum(strategies)
      .describe('momentum follows a trend, mean_reversion buys dips, arbitrage trades the spread of a pair'),
    ticker: z
      .string()
      .max(50)
      .optional()
      .describe(`Which price file to trade: ${tickerRule}. For arbitrage "A,B" names both legs`),
    tickers: z
      .array(ticker)
      .min(1)
      .max(50)
      .optional()
      .describe(
        'Instead of ticker, for momentum and mean_reversion: a portfolio, each traded with its share of the capital',
      ),
    weights: z
      .array(z.number().positive().max(1))
      .max(50)
      .optional()
      .describe('Shares of the capital in the order of tickers, which add up to 1; equal unless given'),
    pair_ticker: ticker.optional().describe('arbitrage: the second leg, when ticker names only the first'),
    start_date: z.iso.date().default('2023-01-01').describe('First day, YYYY-MM-DD; need not be a trading day'),
    end_date: z.iso.date().default('2023-12-31').describe('Last day, YYYY-MM-DD; need not be a trading day'),
    initial_capital: z
      .number()
      .min(0.01)
      .max(1e15)
      .default(100_000)
      .describe('Cash at the start, in the prices’ currency'),
    commission: z.number().min(0).max(0.5).default(0.001).describe('Rate on the value of every fill: 0.001 is 0.1 %'),
    slippage_bps: z
      .number()
      .min(0)
      .max(1000)
      .optional()
      .describe('How much worse than the price of the bar each fill is, in basis points: 5 is 0.05 %; 0 by default'),
    benchmark_ticker: ticker
      .optional()
      .describe(
        'Buy and hold of this one is the benchmark: alpha, beta and information ratio; of what is traded by default',
      ),
    params: params.optional().describe(`Settings of the strategy: ${knownParams}`),
    adjusted: z.boolean().default(true).describe('Scale prices by the adj close column, where the file has one'),
    plot: z.boolean().default(false).describe('Also save equity.svg: equity against buy and hold'),
  })
  .superRefine((payload, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const tickers = tickersOf(payload);
    if (checkPortfolio(payload, problem)) return;
    for (const name of tickers) {
      const path = name === payload.pair_ticker ? ['pair_ticker'] : ['ticker'];
      if (!tickerPattern.test(name)) problem(path, `${JSON.stringify(name)} is no ticker: it must be ${tickerRule}.`);
    }
    if (payload.strategy === 'arbitrage') {
      if (tickers.length !== 2) {
        problem(['ticker'], `arbitrage needs two tickers, as pair_ticker or as ticker "A,B"; got ${tickers.length}.`);
      } else if (tickers[0] === tickers[1])
        problem(['ticker'], `The two legs of a pair must differ; both are ${tickers[0]}.`);
    } else if (tickers.length !== 1 && payload.tickers === undefined) {
      problem(
        ['ticker'],
        `${payload.strategy} trades one ticker; got ${tickers.length}. Pairs are traded by arbitrage, lists by tickers.`,
      );
    }
    if (payload.start_date > payload.end_date) {
      problem(['end_date'], `end_date ${payload.end_date} is before start_date ${payload.start_date}.`);
    }
    checkParams(payload, problem);
  });

export type BacktestPayload = z.output<typeof backtestPayload>;

/** The tickers that a payload names: one, or the two legs of a pair. */
export function tickersOf(payload: {
  ticker?: string | undefined;
  tickers?: readonly string[] | undefined;
  pair_ticker?: string | undefined;
}): string[] {
  const named = payload.tickers ?? payload.ticker?.split(',').map((name) => name.trim()) ?? [];
  return payload.pair_ticker === undefined ? [...named] : [...named, payload.pair_ticker];
}

/** The shares of the capital of a portfolio's tickers; one whole share for what is no portfolio. */
export function weightsOf({ tickers, weights }: Pick<BacktestPayload, 'tickers' | 'weights'>): number[] {
  return weights ?? tickers?.map(() => 1 / tickers.length) ?? [1];
}

type Problem = (path: string[], message: string) => void;

type Portfolio = Pick<BacktestPayload, 'strategy' | 'ticker' | 'tickers' | 'weights' | 'pair_ticker'>;

/** Whether there is a problem with which of its fields are given, so that the others need no look. */
function checkPortfolio({ strategy, ticker, tickers, weights, pair_ticker }: Portfolio, problem: Problem): boolean {
  const problems: [path: string, message: string][] = [];
  if (ticker === undefined && tickers === undefined) {
    problems.push(['ticker', 'Give ticker, or tickers for a portfolio.']);
  } else if (ticker !== undefined && tickers !== undefined) {
    problems.push(['tickers', 'Give ticker or tickers, not both.']);
  } else if (tickers === undefined) {
    if (weights !== undefined) problems.push(['weights', 'weights are for a portfolio: give tickers.']);
  } else if (strategy === 'arbitrage' || pair_ticker !== undefined) {
    problems.push(['tickers', 'A pair is named by ticker "A,B"; a portfolio is for momentum and mean_reversion.']);
  } else {
    const twice = tickers.find((name, place) => tickers.indexOf(name) !== place);
    if (twice !== undefined) problems.push(['tickers', `${twice} is named twice.`]);
    const sum = weights?.reduce((total, weight) => total + weight, 0) ?? 1;
    if (weights && weights.length !== tickers.length) {
      problems.push(['weights', `There are ${weights.length} weights for ${tickers.length} tickers.`]);
    } else if (Math.abs(sum - 1) > 1e-9) problems.push(['weights', `The weights add up to ${sum}, not to 1.`]);
  }
  for (const [path, message] of problems) problem([path], message);
  return problems.length > 0;
}

function checkParams({ strategy, params = {} }: Pick<BacktestPayload, 'strategy' | 'params'>, problem: Problem): void {
  const known = Object.keys(defaultParams[strategy]);
  for (const [name, value] of Object.entries(params)) {
    // A pair always sells short: true changes nothing, false would be ignored and is refused.
    if (strategy === 'arbitrage' && name === 'allow_short' && value === true) continue;
    if (!known.includes(name)) problem(['params', name], `${strategy} has no ${name}; it knows ${known.join(', ')}.`);
  }
  if (strategy === 'arbitrage' && (params.window ?? 3) < 3) {
    problem(['params', 'window'], 'arbitrage needs a window of at least 3: a line through 2 points has no residuals.');
  }
}
