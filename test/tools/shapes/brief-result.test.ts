import { describe, expect, it } from 'vitest';
import { briefResult, partsOf } from '../../../src/tools/shapes/brief-result.js';

const series = Array.from({ length: 500 }, (_, index) => [`day ${index}`, index / 3]);
const report = {
  strategy: 'momentum',
  equity_curve: series,
  final_equity: 1234.56789012345,
  benchmark: { sharpe: 0.123456789012 },
};

describe('a result in part', () => {
  it('is whole where it is short', () => {
    expect(briefResult({ b: 1 / 3, a: [1] }, 100)).toEqual({ result: { b: 1 / 3, a: [1] } });
  });

  it('has the figures in few digits, and names the series with their sizes', () => {
    expect(briefResult(report, 1_000)).toEqual({
      result: { strategy: 'momentum', final_equity: 1234.57, benchmark: { sharpe: 0.123457 } },
      leftOut: { equity_curve: `500 items, ${JSON.stringify(series).length} characters` },
    });
  });

  it('stays under its limit whatever the result is', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`figure_${index}`, index]));
    expect(JSON.stringify(briefResult(many, 1_000).result).length).toBeLessThanOrEqual(1_000);
    expect(briefResult(series, 100)).toEqual({ result: null, leftOut: { '': expect.stringMatching(/^500 items/) } });
    expect(briefResult('x'.repeat(1_000), 100).result).toBe('x'.repeat(100));
  });

  it('is the fields that were asked for, and names those that there are for another', () => {
    expect(partsOf(report, ['benchmark.sharpe', 'equity_curve'])).toEqual({
      'benchmark.sharpe': 0.123456789012,
      equity_curve: series,
    });
    expect(() => partsOf(report, ['equity'])).toThrow(
      expect.objectContaining({ code: 'invalid', hint: expect.stringContaining('There are strategy, equity_curve,') }),
    );
    expect(() => partsOf(report, ['constructor'])).toThrow(/has no field "constructor"/);
  });
});
