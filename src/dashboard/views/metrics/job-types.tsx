import type { ShownMetrics } from '../../../tools/shapes/metrics.js';
import { Link } from '../../location.js';
import { duration, number, percent } from '../../ui/format.js';
import { Figure } from './figure.js';
import { rateOf } from './intervals.js';

/** The window in figures, and by type of job. */
export function Types({ metrics }: { metrics: ShownMetrics }) {
  const { totals, types, errors } = metrics;
  const sum = (figure: (type: (typeof types)[number]) => number) => types.reduce((all, type) => all + figure(type), 0);
  const ms = metrics.window_minutes * 60_000;
  return (
    <>
      <dl class="figures">
        <Count name="Submitted" count={sum(({ submitted }) => submitted)} ms={ms} />
        <Count name="Completed" count={sum(({ completed }) => completed)} ms={ms} />
        <Figure name="Average time" value={seconds(metrics.average_execution_time)} />
        <Figure name="Ready to run" value={number(metrics.queue_depth)} />
        <Figure name="Tokens in all" value={number(totals.llm_input_tokens + totals.llm_output_tokens)} />
        <Figure name="Tool calls in all" value={number(totals.tool_calls)} />
      </dl>
      {types.length > 0 && (
        <table class="by-type">
          <thead>
            <tr>
              <th>Type</th>
              <th class="number">Submitted</th>
              <th class="number">Completed</th>
              <th class="number">Failed</th>
              <th class="number">Average</th>
              <th class="number">p95</th>
              <th class="number">Waiting</th>
              <th class="number">Running</th>
            </tr>
          </thead>
          <tbody>
            {types.map((type) => (
              <tr key={type.type}>
                <td>
                  <Link to={`/jobs?type=${encodeURIComponent(type.type)}`}>{type.type}</Link>
                </td>
                <td class="number">{number(type.submitted)}</td>
                <td class="number">{number(type.completed)}</td>
                <td class={`number${type.failed > 0 ? ' bad' : ''}`}>
                  {type.failed === 0 ? (
                    0
                  ) : (
                    <Link to={`/jobs?type=${encodeURIComponent(type.type)}&status=failed`}>{number(type.failed)}</Link>
                  )}
                  {type.failed > 0 && type.error_rate !== null && ` (${percent(type.error_rate)})`}
                </td>
                <td class="number">{seconds(type.average_seconds)}</td>
                <td class="number">{seconds(type.p95_seconds)}</td>
                <td class="number">{number(type.queued)}</td>
                <td class="number">{number(type.running)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {errors.length > 0 && (
        <p class="facts trend-errors">
          {errors.map(({ type, code, count }) => (
            <Link
              key={`${type} ${code}`}
              to={`/jobs?type=${encodeURIComponent(type)}&error=${encodeURIComponent(code)}`}
              class="fact bad"
            >
              {type}: {code} × {number(count)}
            </Link>
          ))}
        </p>
      )}
    </>
  );
}

/** A count with its rate, in the unit in which that is at least one. */
function Count({ name, count, ms }: { name: string; count: number; ms: number }) {
  const { value, words } = rateOf(count, ms);
  return (
    <Figure
      name={count === 0 ? name : `${name}, ${number(Math.round(value * 10) / 10)} ${words}`}
      value={number(count)}
    />
  );
}

const seconds = (value: number | null): string => (value === null ? '–' : duration(value * 1000));
