import type { BarRange, Market } from './market.js';
import { valueAt } from './statistics.js';
import type { State, Target } from './strategies.js';

export interface Account {
  /** In the currency of the prices. */
  initialCapital: number;
  /** Rate on the value of every fill: of each leg, buy and sell. */
  commission: number;
  /** How much worse than the price of the bar a fill is: 0.0005 is 5 basis points. */
  slippage: number;
}

/** One position from its opening to its closing; both legs of a pair are one round trip. */
export interface RoundTrip {
  /** Its first leg. */
  ticker: string;
  entryDate: string;
  exitDate: string;
  direction: 'long' | 'short';
  cashBefore: number;
  cashAfter: number;
}

export interface Fill {
  date: string;
  ticker: string;
  action: 'BUY' | 'SELL';
  /** With slippage. */
  price: number;
  /** Shares, fractional, above 0. */
  quantity: number;
  commission: number;
  /** What it cost more, or brought less, than at the price of the bar. */
  slippage: number;
}

export interface Simulation {
  /** Equity at the close of each bar in the range, in the currency of the prices; the last one after all is sold. */
  equity: number[];
  roundTrips: RoundTrip[];
  fills: Fill[];
  /** Of each bar in the range, whether there was a position after the fills at its open. */
  isHeld: boolean[];
  /** Date of the bar at whose open a position was due and no cash was left. */
  stoppedAt: string | undefined;
}

interface Position {
  state: State;
  shares: number[];
  entryDate: string;
  cashBefore: number;
}

/**
 * Trades `targets`, one for each bar in the range: decided at the close before, filled at that bar's open. A change of
 * state closes the old position, then opens the new one with all cash C: the gross notional is C / (1 + commission), so
 * that notional and commission add up to C. Notionals are at the price of the fill, slippage included. Shares are fractional and stay the same while the state does. Short sales
 * add their proceeds to cash and cost no interest. A position held at the last close is closed there.
 */
export function simulate(market: Market, range: BarRange, targets: readonly Target[], account: Account): Simulation {
  const result: Simulation = { equity: [], roundTrips: [], fills: [], isHeld: [], stoppedAt: undefined };
  let cash = account.initialCapital;
  let position: Position | undefined;

  const trade = (bar: number, price: 'open' | 'close', shares: readonly number[]) => {
    for (const [i, leg] of market.legs.entries()) {
      const quantity = valueAt(shares, i);
      if (quantity === 0) continue;
      const quoted = valueAt(leg[price], bar);
      const paid = fillPrice(quoted, quantity, account);
      const fill: Fill = {
        date: valueAt(market.dates, bar),
        ticker: leg.ticker,
        action: quantity > 0 ? 'BUY' : 'SELL',
        price: paid,
        quantity: Math.abs(quantity),
        commission: account.commission * Math.abs(quantity) * paid,
        slippage: Math.abs(quantity * (paid - quoted)),
      };
      cash -= quantity * fill.price + fill.commission;
      result.fills.push(fill);
    }
  };
  const open = (bar: number, target: Target) => {
    const notional = cash / (1 + account.commission);
    const shares = market.legs.map((leg, i) => {
      const weight = valueAt(target.weights, i);
      return (weight * notional) / fillPrice(valueAt(leg.open, bar), weight, account);
    });
    position = { state: target.state, shares, entryDate: valueAt(market.dates, bar), cashBefore: cash };
    trade(bar, 'open', shares);
  };
  const close = (bar: number, price: 'open' | 'close', { state, shares, entryDate, cashBefore }: Position) => {
    trade(
      bar,
      price,
      shares.map((quantity) => -quantity),
    );
    const direction = state === 1 ? 'long' : 'short';
    const exitDate = valueAt(market.dates, bar);
    result.roundTrips.push({
      ticker: valueAt(market.legs, 0).ticker,
      entryDate,
      exitDate,
      direction,
      cashBefore,
      cashAfter: cash,
    });
    position = undefined;
  };

  for (let bar = range.first; bar <= range.last; bar++) {
    const target = valueAt(targets, bar - range.first);
    if (result.stoppedAt === undefined && target.state !== (position?.state ?? 0)) {
      if (position) close(bar, 'open', position);
      if (target.state !== 0) {
        if (cash > 0) open(bar, target);
        else result.stoppedAt = valueAt(market.dates, bar);
      }
    }
    result.isHeld.push(position !== undefined);
    if (position && bar === range.last) close(bar, 'close', position);
    result.equity.push(cash + worth(position, market, bar));
  }
  return result;
}

/** Buys are filled above the price of the bar, sells below it: price times 1 plus or minus the slippage. */
function fillPrice(quoted: number, quantity: number, { slippage }: Account): number {
  return quoted * (quantity > 0 ? 1 + slippage : 1 - slippage);
}

function worth(position: Position | undefined, market: Market, bar: number): number {
  let value = 0;
  for (const [i, leg] of market.legs.entries()) {
    if (position) value += valueAt(position.shares, i) * valueAt(leg.close, bar);
  }
  return value;
}
