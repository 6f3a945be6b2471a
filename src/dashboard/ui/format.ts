import type { JobSummary } from '../../http/page/jobs.js';
import type { ShownCost } from '../../tools/shapes/cost.js';

const plain = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** 1,234.5; with as many digits as it takes to tell it from a value that is `step` away. */
export function number(value: number, step = 0.01): string {
  const digits = digitsFor(step);
  return digits <= 2 ? plain.format(value) : value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

const digitsFor = (step: number): number => Math.min(12, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));

/** A whole number with separators: 10,000. */
export const shownCount = (count: number): string => count.toLocaleString('en');

/** 12.3K */
export const short = (value: number): string => compact.format(value);

/** A fraction as a percentage: 12.3 %; with as many digits as it takes to tell it from one that is `step` away. */
export function percent(fraction: number, step = 0.001): string {
  return `${(fraction * 100).toLocaleString('en-US', { maximumFractionDigits: Math.max(1, digitsFor(step * 100)) })} %`;
}

/** 340 ms, 2.4 s, 3 min 20 s, 2 h 5 min. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${plain.format(Math.round(seconds * 10) / 10)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, 'min', Math.floor(seconds % 60), 's');
  return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function joined(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} bytes`;
  if (size < 1024 * 1024) return `${plain.format(Math.round(size / 102.4) / 10)} KB`;
  return `${plain.format(Math.round(size / 104_857.6) / 10)} MB`;
}

/** How long something took, or has taken so far. */
export function spanOf(from: string | null, to: string | null, now: number): string {
  if (from === null) return '–';
  return duration(Math.max(0, (to === null ? now : Date.parse(to)) - Date.parse(from)));
}

/** How long a job took, or has taken so far; empty while it waits, whether for its first attempt or for the next. */
export function spanOfJob(job: Pick<JobSummary, 'status' | 'started_at' | 'completed_at'>, now: number): string {
  const isOver = job.completed_at !== null;
  return isOver || job.status === 'running'
    ? job.started_at
      ? spanOf(job.started_at, job.completed_at, now)
      : ''
    : '';
}

const cents = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
const smallSums = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumSignificantDigits: 2 });

/** What calls of models have cost: $1.20, $0.0042, cost unknown, $1.20 and 3 calls of unknown cost; empty if none was made. */
export function costWords({ cost_usd: usd, unpriced_calls: unpriced = 0 }: ShownCost): string {
  if (usd === undefined) return '';
  if (usd === null) return 'cost unknown';
  const sum = usd === 0 || usd >= 0.1 ? cents.format(usd) : smallSums.format(usd);
  return unpriced === 0
    ? sum
    : `${sum} and ${shownCount(unpriced)} ${unpriced === 1 ? 'call' : 'calls'} of unknown cost`;
}
