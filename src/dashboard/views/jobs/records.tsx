import type { JobAttempt, JobLogEntry, WholeJob } from '../../../http/page/jobs.js';
import { usePlace } from '../../location.js';
import { number, percent, spanOf } from '../../ui/format.js';
import { Passage } from '../../ui/passage.js';
import { rangeIn } from '../../ui/range.js';
import { Time, useNow } from '../../ui/time.js';
import { Timeline } from '../../ui/timeline.js';
import { fieldOf } from './charts.js';

/** The attempts of a job; hidden for a single one without news. */
export function Attempts({ attempts }: { attempts: readonly JobAttempt[] }) {
  const range = rangeIn(usePlace().query);
  const now = useNow(attempts.some(({ ended_at }) => ended_at === null) ? 1_000 : undefined);
  if (attempts.length === 0 || (attempts.length === 1 && attempts[0]?.error === null)) return null;
  return (
    <section>
      <h3>Attempts</h3>
      {attempts.length > 1 && <Timeline title="Attempts in time" spans={attempts.map(attemptSpan)} range={range} />}
      <ol class="attempts">
        {attempts.map((attempt) => (
          <li key={attempt.attempt}>
            <span class="number">{attempt.attempt}</span>
            <div>
              <strong>{attempt.outcome}</strong>
              <span class="details">
                {attempt.model && <span>{attempt.model}</span>}
                <span>{spanOf(attempt.started_at, attempt.ended_at, now)}</span>
                {attempt.input_tokens + attempt.output_tokens > 0 && (
                  <span>
                    {number(attempt.input_tokens)} in, {number(attempt.output_tokens)} out
                  </span>
                )}
                <Time at={attempt.started_at} />
              </span>
              {attempt.error && <div class={attempt.outcome === 'cancelled' ? 'quiet' : 'bad'}>{attempt.error}</div>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

const attemptSpan = ({ attempt, outcome: state, started_at: from, ended_at: to, error, model }: JobAttempt) => ({
  lane: `Attempt ${attempt}`,
  title: model ?? `Attempt ${attempt}`,
  state,
  from,
  to,
  error,
});

/** The end of a job's log, newest last, as it was written. */
export function Logs({ entries }: { entries: readonly JobLogEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <section>
      <details class="log">
        <summary>
          Log{' '}
          <span class="fact">
            {entries.length === 500
              ? 'the newest 500 lines'
              : entries.length === 1
                ? '1 line'
                : `${entries.length} lines`}
          </span>
        </summary>
        <ol>
          {entries.map(({ id, at, level, message, fields }) => (
            <li key={id} class={level}>
              <time dateTime={at}>{at.slice(11, 19)}</time>
              <span>{level}</span>
              <span>
                {message} {fields && <span class="quiet">{wordsOf(fields)}</span>}
              </span>
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}

function wordsOf(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

/** The key figures of known results, with their format. */
const figures: readonly [key: string, name: string, show: (value: number) => string][] = [
  ['total_return', 'Total return', percent],
  ['sharpe', 'Sharpe', number],
  ['max_drawdown', 'Max drawdown', percent],
  ['trades', 'Trades', number],
  ['win_rate', 'Win rate', percent],
  ['final_equity', 'Final equity', number],
  ['final_accuracy', 'Test accuracy', percent],
  ['final_loss', 'Test loss', number],
  ['train_size', 'Training rows', number],
  ['test_size', 'Test rows', number],
  ['epochs_run', 'Epochs', number],
];

/** A structured result: its key figures, and all of it as JSON. */
export function JobResult({ job }: { job: WholeJob }) {
  const { result } = job;
  if (job.type === 'llm' || result === null || result === undefined) return null;
  const shownFigures = figures.flatMap(([key, name, show]) => {
    const value = fieldOf(result, key);
    return typeof value === 'number' ? [{ name, value: show(value) }] : [];
  });
  return (
    <section>
      {shownFigures.length > 0 && (
        <dl class="figures">
          {shownFigures.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      <Passage title="Result" text={JSON.stringify(result, null, 2)} name={`job-${job.id}-result`} />
    </section>
  );
}
