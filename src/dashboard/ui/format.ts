const plain = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** 1,234.5 */
export const number = (value: number): string => plain.format(value);

/** A whole number with separators: 10,000. */
export const shownCount = (count: number): string => count.toLocaleString('en');

/** 12.3K */
export const short = (value: number): string => compact.format(value);

/** A fraction as a percentage: 12.3 %. */
export const percent = (fraction: number): string => `${plain.format(Math.round(fraction * 1000) / 10)} %`;

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
