import { z } from 'zod';
import type { Json } from '../../base/json.js';
import { comparisonOutput } from '../../tools/shapes/comparison.js';

/** A comparison with the curves of the best jobs. */
export const pageComparison = comparisonOutput.extend({
  curves: z.array(
    z.strictObject({
      job_id: z.string(),
      /** Training loss by epoch, or equity by day (in milliseconds since 1970). */
      kind: z.enum(['loss', 'equity']),
      points: z.array(z.strictObject({ x: z.number(), y: z.number() })),
    }),
  ),
});

export type PageComparison = z.infer<typeof pageComparison>;

/** So many lines can be told apart. */
export const mostCurves = 4;
const mostPoints = 200;

/** The curve of a result, thinned; undefined for one that has none. */
export function curveOf(job_id: string, result: Json): PageComparison['curves'][number] | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  const { history, equity_curve } = result;
  const [kind, rows] = Array.isArray(history) ? (['loss', history] as const) : (['equity', equity_curve] as const);
  if (!Array.isArray(rows)) return undefined;
  const stride = Math.max(1, Math.ceil(rows.length / mostPoints));
  const points = rows.flatMap((row, place) => {
    // The last one stays, as it is where the line ends.
    if (place % stride !== 0 && place !== rows.length - 1) return [];
    const [x, y] = kind === 'loss' ? epochOf(row) : dayOf(row);
    return Number.isFinite(x) && Number.isFinite(y) ? [{ x, y }] : [];
  });
  return points.length === 0 ? undefined : { job_id, kind, points };
}

function epochOf(row: Json): [epoch: number, loss: number] {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return [Number.NaN, Number.NaN];
  return [Number(row.epoch), Number(row.train_loss)];
}

function dayOf(row: Json): [day: number, equity: number] {
  return Array.isArray(row) ? [Date.parse(String(row[0])), Number(row[1])] : [Number.NaN, Number.NaN];
}
