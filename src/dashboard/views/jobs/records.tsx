import { useState } from 'preact/hooks';
import type { JobAttempt, JobLogEntry, WholeJob } from '../../../http/page/jobs.js';
import { usePlace } from '../../location.js';
import { number, percent, spanOf } from '../../ui/format.js';
import { Passage } from '../../ui/passage.js';
import { rangeIn } from '../../ui/range.js';
import { Time, useNow } from '../../ui/time.js';
import { Timeline } from '../../ui/timeline.js';
import { fieldOf } from './charts.js';
import { CompareAttempts } from './compare-attempts.js';

/** The attempts of a job; hidden for a single one without news. */
export function Attempts({ job: { id, attempts } }: { job: WholeJob }) {
  const range = rangeIn(usePlace().query);
  const now = useNow(attempts.some(({ ended_at }) => ended_at === null) ? 1_000 : undefined);
  if (attempts.length === 0 || (attempts.length === 1 && attempts[0]?.error === null)) return null;
  return (
    <section>
      <h3>Attempts</h3>
      {attempts.length > 1 && <Timeline title="Attempts in time" spans={attempts.map(attemptSpan)} range={range} />}
      <ol class="attempts">
        {attempts.map((attempt, index) => (
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
              <CompareAttempts jobId={id} before={attempts[index - 1]} after={attempt} />
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

const levels = ['debug', 'info', 'warn', 'error'];

/** The end of a job's log, newest last, as it was written; from a level on, and with a word, where one asks for it. */
export function Logs({ entries }: { entries: readonly JobLogEntry[] }) {
  const [least, setLeast] = useState('debug');
  const [word, setWord] = useState('');
  if (entries.length === 0) return null;
  const lines = entries.map((entry) => ({ ...entry, words: entry.fields ? wordsOf(entry.fields) : '' }));
  const shown = lines.filter(
    ({ level, message, words }) =>
      levels.indexOf(level) >= levels.indexOf(least) &&
      `${message} ${words}`.toLowerCase().includes(word.toLowerCase()),
  );
  const all =
    entries.length === 500 ? 'the newest 500 lines' : entries.length === 1 ? '1 line' : `${entries.length} lines`;
  return (
    <section>
      <details class="log">
        <summary>
          Log <span class="fact">{all}</span>
        </summary>
        <div class="filters">
          <select aria-label="Level" value={least} onChange={(event) => setLeast(event.currentTarget.value)}>
            <option value="debug">All levels</option>
            <option value="info">Info and above</option>
            <option value="warn">Warnings and errors</option>
            <option value="error">Errors</option>
          </select>
          <input
            type="search"
            aria-label="Find in the log"
            placeholder="Find"
            value={word}
            onInput={(event) => setWord(event.currentTarget.value)}
          />
          <span class="quiet small" role="status">
            {shown.length < entries.length && `${number(shown.length)} of ${number(entries.length)}`}
          </span>
        </div>
        <ol>
          {shown.map(({ id, at, level, message, words }) => (
            <li key={id} class={level}>
              <time dateTime={at}>{at.slice(11, 19)}</time>
              <span>{level}</span>
              <span>
                {message} {words && <span class="quiet">{words}</span>}
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
