import { expect, it } from 'vitest';
import { drawEquityChart } from '../../../src/agents/backtest/equity-chart.js';
import { addDays } from './random-walk.js';

const days = (bars: number) => Array.from({ length: bars }, (_, i) => addDays('2024-01-01', i));

const points = (svg: string) =>
  [...svg.matchAll(/points="([^"]*)"/g)].map(([, list]) =>
    (list ?? '').split(' ').map((pair) => pair.split(',').map(Number)),
  );

const labels = (svg: string, anchor: string) =>
  [...svg.matchAll(new RegExp(`text-anchor="${anchor}">([^<]*)<`, 'g'))].map(([, label]) => label);

it('draws every bar inside its frame, with round values and real dates', () => {
  const values = [100_000, 101_250, 99_300, 104_800, 103_000];
  const svg = drawEquityChart({ title: 'T', dates: days(5), lines: [{ name: 'Strategy', values }] });
  expect(labels(svg, 'end')).toEqual([
    '99,000',
    '100,000',
    '101,000',
    '102,000',
    '103,000',
    '104,000',
    '105,000',
    '2024-01-05',
  ]);
  expect(labels(svg, 'start')).toEqual(['2024-01-01']);
  const [line = []] = points(svg);
  expect(line.map(([x]) => x)).toEqual([90, 300, 510, 720, 930]);
  // 99,000 is at the bottom (430), 105,000 at the top (56).
  expect(line[0]?.[1]).toBeCloseTo(430 - 374 / 6, 0);
  expect(line[3]?.[1]).toBeCloseTo(56 + (374 * 0.2) / 6, 0);
});

it('escapes text, and refers to no other file', () => {
  const title = `<script>alert("1" & '2')</script>`;
  const svg = drawEquityChart({ title, dates: days(2), lines: [{ name: 'A<B', values: [1, 2] }] });
  expect(svg).not.toContain('<script');
  expect(svg).toContain('&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;');
  expect(svg).toContain('A&lt;B');
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|href|url\(/);
});

it.each([
  ['a line that stands still', [100_000, 100_000]],
  ['a line at zero', [0, 0]],
  ['a debt', [-1000, 500]],
  ['cents', [0.01, 0.0102]],
  ['millions of millions', [1e15, 2e15]],
])('has a scale for %s', (_, values) => {
  const svg = drawEquityChart({ title: 'T', dates: days(2), lines: [{ name: 'Strategy', values }] });
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  const ticks = labels(svg, 'end').slice(0, -1);
  expect(ticks.length).toBeGreaterThan(2);
  expect(new Set(ticks).size).toBe(ticks.length);
  for (const [, y = 0] of points(svg).flat()) expect(y >= 56 && y <= 430).toBe(true);
});

it('thins a series of 50,000 bars, keeping its ends', () => {
  const values = Array.from({ length: 50_000 }, (_, i) => i);
  const dates = values.map(() => '2024-01-01');
  const svg = drawEquityChart({ title: 'T', dates, lines: [{ name: 'Strategy', values }] });
  const [line = []] = points(svg);
  expect(line).toHaveLength(4000);
  expect(line.at(0)?.[0]).toBe(90);
  expect(line.at(-1)?.[0]).toBe(930);
});
