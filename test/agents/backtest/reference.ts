import type { Bar } from './random-walk.js';

/**
 * The backtest once more, written from the rules alone and as plainly as they read: no code of `src/`, no shared
 * structure (whole position intervals rather than a loop over bars), every indicator from scratch at every bar.
 */
export interface ReferenceRequest {
  strategy: 'momentum' | 'mean_reversion' | 'arbitrage';
  a: Bar[];
  b?: Bar[];
  start: string;
  end: string;
  capital: number;
  commission: number;
  lookback?: number;
  threshold?: number;
  window?: number;
  entryZ?: number;
  exitZ?: number;
  allowShort?: boolean;
}

export interface ReferenceTrade {
  entry: string;
  exit: string;
  direction: string;
  pnl: number;
  ret: number;
}

export interface ReferenceResult {
  dates: string[];
  equity: number[];
  trades: ReferenceTrade[];
  metrics: Record<string, number | null>;
  benchmark: Record<string, number | null>;
}

interface Interval {
  state: number;
  /** Bar whose close decided it. */
  decided: number;
  /** Bar of the entry (at its open). */
  from: number;
  /** Bar of the exit (at its open), or past the end when it is held to the last close. */
  to: number;
}

/** Undefined when the range has fewer than 2 bars. */
export function reference(request: ReferenceRequest): ReferenceResult | undefined {
  const { strategy, commission: c, capital } = request;
  const b = request.b;
  const pairs = b
    ? request.a.flatMap((barA) => b.filter((barB) => barB.date === barA.date).map((barB) => [barA, barB]))
    : request.a.map((barA) => [barA]);
  const bars = pairs as Bar[][];
  const inRange = bars.map((_, i) => i).filter((i) => date(i) >= request.start && date(i) <= request.end);
  if (inRange.length < 2) return undefined;
  const s = inRange[0] as number;
  const e = inRange[inRange.length - 1] as number;

  function date(i: number): string {
    return bars[i]?.[0]?.date ?? '?';
  }
  function price(i: number, leg: number, field: 'open' | 'close'): number {
    return bars[i]?.[leg]?.[field] ?? Number.NaN;
  }

  const firstDecision = s === 0 ? 0 : s - 1;
  const states = new Map<number, number>();
  for (let t = firstDecision; t <= e - 1; t++) states.set(t, decide(t, states.get(t - 1) ?? 0));

  function decide(t: number, previous: number): number {
    if (strategy === 'momentum') {
      const lookback = request.lookback ?? 63;
      const threshold = request.threshold ?? 0;
      if (t - lookback < 0) return 0;
      const m = price(t, 0, 'close') / price(t - lookback, 0, 'close') - 1;
      if (m > threshold) return 1;
      return request.allowShort && m < -threshold ? -1 : 0;
    }
    const short = strategy === 'arbitrage' || request.allowShort === true;
    const z = strategy === 'arbitrage' ? pairFit(t)?.z : bollinger(t);
    if (z === undefined) return 0;
    const entry = request.entryZ ?? 2;
    const exit = request.exitZ ?? 0;
    let g = previous;
    if (previous === 0) g = z <= -entry ? 1 : short && z >= entry ? -1 : 0;
    else if (previous === 1) g = short && z >= entry ? -1 : z >= -exit ? 0 : 1;
    else g = z <= -entry ? 1 : z <= exit ? 0 : -1;
    if (strategy === 'arbitrage' && g !== 0 && g !== previous && (pairFit(t)?.beta ?? 0) <= 0) return 0;
    return g;
  }

  function bollinger(t: number): number | undefined {
    const n = request.window ?? 20;
    if (t - n + 1 < 0) return undefined;
    let sum = 0;
    for (let i = t - n + 1; i <= t; i++) sum += price(i, 0, 'close');
    let squares = 0;
    for (let i = t - n + 1; i <= t; i++) squares += (price(i, 0, 'close') - sum / n) * (price(i, 0, 'close') - sum / n);
    const sd = Math.sqrt(squares / n);
    return sd === 0 ? 0 : (price(t, 0, 'close') - sum / n) / sd;
  }

  // Normal equations on logs taken from the first bar of the window.
  function pairFit(t: number): { z: number; beta: number } | undefined {
    const n = request.window ?? 60;
    const start = t - n + 1;
    if (start < 0) return undefined;
    let [sx, sy, sxx, sxy] = [0, 0, 0, 0];
    const x = (i: number) => Math.log(price(i, 1, 'close') / price(start, 1, 'close'));
    const y = (i: number) => Math.log(price(i, 0, 'close') / price(start, 0, 'close'));
    for (let i = start; i <= t; i++) {
      sx += x(i);
      sy += y(i);
      sxx += x(i) * x(i);
      sxy += x(i) * y(i);
    }
    const beta = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    const alpha = (sy - beta * sx) / n;
    let squares = 0;
    for (let i = start; i <= t; i++) squares += (y(i) - alpha - beta * x(i)) ** 2;
    return { z: (y(t) - alpha - beta * x(t)) / Math.sqrt(squares / n), beta };
  }

  const intervals: Interval[] = [];
  for (let t = firstDecision; t <= e - 1; t++) {
    const state = states.get(t) ?? 0;
    const open = intervals[intervals.length - 1];
    if (open && open.to === t + 1 && open.state === state) open.to = t + 2;
    else if (state !== 0) intervals.push({ state, decided: t, from: t + 1, to: t + 2 });
  }

  return { ...run(intervals, b ? 2 : 1), benchmark: run(wholeRange(), 1).metrics };

  function wholeRange(): Interval[] {
    return [{ state: 1, decided: s, from: s, to: e + 1 }];
  }

  function run(held: Interval[], legs: number): Omit<ReferenceResult, 'benchmark'> {
    const cashAt = new Map<number, number>();
    const sharesAt = new Map<number, number[]>();
    const trades: ReferenceTrade[] = [];
    let cash = capital;
    let paid = 0;
    let barsHeld = 0;
    let done = s;
    for (const interval of held) {
      for (; done < interval.from; done++) cashAt.set(done, cash);
      if (cash <= 0) break;
      const before = cash;
      const notional = cash / (1 + c);
      const beta = legs === 2 ? (pairFit(interval.decided)?.beta ?? Number.NaN) : 0;
      const shares = [(interval.state * notional) / (1 + beta) / price(interval.from, 0, 'open')];
      if (legs === 2) shares.push((-interval.state * notional * beta) / (1 + beta) / price(interval.from, 1, 'open'));
      for (const [leg, n] of shares.entries()) {
        cash = cash - n * price(interval.from, leg, 'open') - c * Math.abs(n) * price(interval.from, leg, 'open');
        paid += c * Math.abs(n) * price(interval.from, leg, 'open');
      }
      for (; done < interval.to && done <= e; done++) {
        cashAt.set(done, cash);
        sharesAt.set(done, shares);
        barsHeld++;
      }
      const toTheEnd = interval.to > e;
      const exitBar = toTheEnd ? e : interval.to;
      for (const [leg, n] of shares.entries()) {
        const at = price(exitBar, leg, toTheEnd ? 'close' : 'open');
        cash = cash + n * at - c * Math.abs(n) * at;
        paid += c * Math.abs(n) * at;
      }
      trades.push({
        entry: date(interval.from),
        exit: date(exitBar),
        direction: interval.state > 0 ? 'long' : 'short',
        pnl: cash - before,
        ret: (cash - before) / before,
      });
    }
    for (; done <= e; done++) cashAt.set(done, cash);
    const equity = inRange.map((i) => {
      const shares = i === e ? [] : (sharesAt.get(i) ?? []);
      const base = i === e ? cash : (cashAt.get(i) ?? Number.NaN);
      return shares.reduce((total, n, leg) => total + n * price(i, leg, 'close'), base);
    });
    return { dates: inRange.map(date), equity, trades, metrics: measure(equity, trades, barsHeld, paid) };
  }

  function measure(equity: number[], trades: ReferenceTrade[], barsHeld: number, paid: number) {
    const n = equity.length;
    const final = equity[n - 1] as number;
    const r = equity.map((value, i) => value / (i === 0 ? capital : (equity[i - 1] as number)) - 1);
    const average = r.reduce((x, y) => x + y, 0) / n;
    const sd = Math.sqrt(r.reduce((x, y) => x + (y - average) ** 2, 0) / (n - 1));
    const down = Math.sqrt(r.reduce((x, y) => x + (y < 0 ? y * y : 0), 0) / n);
    const days = Math.round((new Date(date(e)).getTime() - new Date(date(s)).getTime()) / (24 * 3600 * 1000));
    const wins = trades.filter((t) => t.pnl > 0);
    const gains = wins.reduce((x, t) => x + t.pnl, 0);
    const losses = trades.filter((t) => t.pnl < 0).reduce((x, t) => x - t.pnl, 0);
    const growth = (final / capital) ** (365.25 / days) - 1;
    return {
      bars: n,
      final_equity: final,
      total_return: final / capital - 1,
      cagr: Number.isNaN(growth) ? null : growth,
      annual_volatility: sd * Math.sqrt(252),
      sharpe: sd === 0 ? null : (average / sd) * Math.sqrt(252),
      sortino: down === 0 ? null : (average / down) * Math.sqrt(252),
      max_drawdown: Math.min(...equity.map((value, i) => value / Math.max(capital, ...equity.slice(0, i + 1)) - 1)),
      trades: trades.length,
      win_rate: trades.length === 0 ? null : wins.length / trades.length,
      profit_factor: losses === 0 ? null : gains / losses,
      exposure: barsHeld / n,
      commission_paid: paid,
    };
  }
}
