import type { ShownMetrics } from '../../../tools/shapes/metrics.js';
import { Link } from '../../location.js';
import { duration, number, percent } from '../../ui/format.js';
import { Figure } from './figure.js';

/** The window in figures, and by type of job. */
export function Types({ metrics }: { metrics: ShownMetrics }) {
  const { totals, types, errors } = metrics;
  return (
    <>
      <dl class="figures">
        <Figure name="Submitted a minute" value={number(metrics.job_submission_rate)} />
        <Figure name="Completed a minute" value={number(metrics.job_completion_rate)} />
        <Figure name="Average time" value={seconds(metrics.average_execution_time)} />
        <Figure name="Waiting now" value={number(metrics.queue_depth)} />
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
              <th class="number">At work</th>
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
                  {number(type.failed)}
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
            <span key={`${type} ${code}`} class="fact bad">
              {type}: {code} × {number(count)}
            </span>
          ))}
        </p>
      )}
    </>
  );
}

const seconds = (value: number | null): string => (value === null ? '–' : duration(value * 1000));
