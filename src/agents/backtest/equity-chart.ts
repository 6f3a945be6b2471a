/** Curves over the same days, each with one value for each date. */
export interface EquityChart {
  title: string;
  dates: readonly string[];
  lines: readonly { name: string; values: readonly number[] }[];
}

const width = 960;
const height = 480;
const plot = { left: 90, top: 56, right: 930, bottom: 430 };
const colours = ['#0b62c4', '#b45309'];
/** Sixteen years of days are drawn bar by bar; longer series are thinned evenly. */
const maxPoints = 4000;

/** Draws the chart as a self-contained SVG document: no scripts, no external fonts or files, all text escaped. */
export function drawEquityChart({ title, dates, lines }: EquityChart): string {
  const ticks = niceTicks(lines.flatMap((line) => line.values));
  const [low, high] = [ticks.at(0) ?? 0, ticks.at(-1) ?? 1];
  const x = (bar: number) => plot.left + ((plot.right - plot.left) * bar) / Math.max(1, dates.length - 1);
  const y = (value: number) => plot.bottom - ((plot.bottom - plot.top) * (value - low)) / (high - low);
  const decimals = Math.max(0, Math.ceil(-Math.log10((high - low) / (ticks.length - 1)) - 1e-9));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${plot.left}" y="24" font-size="16" font-weight="600">${escapeText(title)}</text>`,
    ...ticks.map((tick) => {
      const label = tick.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
      return (
        `<path d="M${plot.left} ${round(y(tick))}H${plot.right}" stroke="#ddd"/>` +
        `<text x="${plot.left - 8}" y="${round(y(tick) + 4)}" text-anchor="end">${escapeText(label)}</text>`
      );
    }),
    ...dateBars(dates.length).map((bar) => {
      const anchor = bar === 0 ? 'start' : bar === dates.length - 1 ? 'end' : 'middle';
      return (
        `<path d="M${round(x(bar))} ${plot.bottom}v5" stroke="#666"/>` +
        `<text x="${round(x(bar))}" y="${plot.bottom + 20}" text-anchor="${anchor}">${escapeText(dates[bar] ?? '')}</text>`
      );
    }),
    `<path d="M${plot.left} ${plot.bottom}H${plot.right}" stroke="#666"/>`,
    ...lines.map(({ name, values }, i) => {
      const points = thin(values.length).map((bar) => `${round(x(bar))},${round(y(values[bar] ?? 0))}`);
      const colour = colours[i % colours.length];
      const legend = plot.left + i * 260;
      return (
        `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>` +
        `<path d="M${legend} 40h24" stroke="${colour}" stroke-width="3"/>` +
        `<text x="${legend + 30}" y="44">${escapeText(name)}</text>`
      );
    }),
    '</svg>',
    '',
  ].join('\n');
}

/** Round numbers, evenly spaced, the first at or below all values and the last at or above them. */
function niceTicks(values: readonly number[]): number[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  // A constant line needs a scale too.
  if (high - low <= Math.abs(high) * 1e-6)
    [low, high] = [low - Math.abs(low) * 0.01 - 1, high + Math.abs(high) * 0.01 + 1];
  const magnitude = 10 ** Math.floor(Math.log10((high - low) / 5));
  const step =
    [1, 2, 5, 10].map((factor) => factor * magnitude).find((size) => (high - low) / size <= 6) ?? 10 * magnitude;
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Which bars get a date below the axis: at most six, evenly spaced. */
function dateBars(bars: number): number[] {
  const labels = Math.min(6, bars);
  return Array.from({ length: labels }, (_, i) => Math.round((i * (bars - 1)) / Math.max(1, labels - 1)));
}

/** Which bars to draw: at most `maxPoints`, evenly spaced, including the first and the last. */
function thin(bars: number): number[] {
  const points = Math.min(bars, maxPoints);
  return Array.from({ length: points }, (_, i) => Math.round((i * (bars - 1)) / Math.max(1, points - 1)));
}

const round = (value: number): number => Math.round(value * 10) / 10;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
