/** One row of a price file. */
export interface Bar {
  date: string;
  open: number;
  high: number;
  low: number;
  close: number;
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A date some days after another. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Weekday bars from 2015-01-01 on: a random walk with gaps at the open. `follow` pulls it along with another series. */
export function randomWalk(seed: number, bars: number, follow?: Bar[]): Bar[] {
  const random = seededRandom(seed);
  const rows: Bar[] = [];
  let date = '2015-01-01';
  let close = 20 + 100 * random();
  let spread = 0;
  while (rows.length < bars) {
    const weekday = new Date(date).getUTCDay();
    if (weekday !== 0 && weekday !== 6) {
      const leader = follow?.[rows.length];
      const open = leader ? leader.open * Math.exp(spread) : close * Math.exp(0.01 * (random() - 0.5));
      spread = 0.9 * spread + 0.02 * (random() - 0.5);
      close = leader ? leader.close * Math.exp(spread) : open * Math.exp(0.05 * (random() - 0.495));
      rows.push({ date, open, high: Math.max(open, close) * 1.01, low: Math.min(open, close) * 0.99, close });
    }
    date = addDays(date, 1);
  }
  return rows;
}

/** Bars as the text of a price file. */
export function toCsv(bars: readonly Bar[]): string {
  const lines = bars.map((bar) => `${bar.date},${bar.open},${bar.high},${bar.low},${bar.close}`);
  return `Date,Open,High,Low,Close\n${lines.join('\n')}\n`;
}
