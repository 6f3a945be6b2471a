import type { ComponentChildren } from 'preact';
import type { ShownCosts } from '../../../http/page/costs.js';
import { Link } from '../../location.js';
import { costWords, number } from '../../ui/format.js';
import { LineChart } from '../../ui/line-chart.js';
import { useRead } from '../../use-read.js';
import { type ChartTime, timeOf } from './chart-time.js';
import type { Intervals } from './intervals.js';

type Priced = Pick<ShownCosts['models'][number], 'jobs' | 'usd' | 'unpriced_calls'>;

/** What the jobs that ended have cost: over time, by model and by goal. Nothing until a model was called. */
export function Cost({ intervals, everyMs }: { intervals: Intervals; everyMs: number | undefined }) {
  const { from, to, count } = intervals;
  const args = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), stretches: count };
  const { data } = useRead<ShownCosts>('page/costs', args, { everyMs, keepsLast: true });
  if (!data || data.models.length === 0) return null;
  return (
    <section aria-label="Cost">
      <h2>Cost</h2>
      {data.models.some(({ usd }) => usd !== null) && (
        <div class="charts">
          <CostChart costs={data} intervals={intervals} time={timeOf(intervals)} />
        </div>
      )}
      <Groups title="Model" rows={data.models.map((row) => ({ ...row, name: row.model || 'no model named' }))} />
      <Groups
        title="Goal"
        rows={data.goals.map((row) => ({
          ...row,
          name:
            row.goal_id === null ? (
              <span class="quiet">no goal</span>
            ) : (
              <Link to={`/goals/${row.goal_id}`}>{row.name || `Goal ${row.goal_id}`}</Link>
            ),
        }))}
      />
    </section>
  );
}

interface CostChartProps {
  costs: ShownCosts;
  intervals: Intervals;
  time: ChartTime;
}

/** Intervals of which nothing is known are left out, so that they are not taken for free ones. */
function CostChart({ costs, intervals: { from, length, words }, time }: CostChartProps) {
  const points = costs.stretches.flatMap(({ usd }, place) =>
    usd === null ? [] : [{ x: from + (place + 1) * length, y: usd }],
  );
  const shown = (usd: number) => costWords({ cost_usd: usd });
  return <LineChart {...time} title={`Cost ${words}`} lines={[{ name: 'US dollars', points }]} showY={shown} isBars />;
}

function Groups({ title, rows }: { title: string; rows: (Priced & { name: ComponentChildren })[] }) {
  return (
    <table class="costs">
      <thead>
        <tr>
          <th>{title}</th>
          <th class="number">Jobs</th>
          <th class="number">Cost</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, jobs, usd, unpriced_calls }, place) => (
          <tr key={String(place)}>
            <td>{name}</td>
            <td class="number">{number(jobs)}</td>
            <td class="number">{costWords({ cost_usd: usd, unpriced_calls })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
