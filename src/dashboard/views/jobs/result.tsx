import { number, percent } from '../../ui/format.js';
import { RawJson } from '../../ui/shown.js';
import type { WholeJob } from './job-line.js';

/** Figures that say most of a result, and how they are written. */
const figures: readonly [key: string, name: string, show: (value: number) => string][] = [
  ['total_return', 'Total return', percent],
  ['sharpe', 'Sharpe', number],
  ['max_drawdown', 'Deepest fall', percent],
  ['trades', 'Trades', number],
  ['win_rate', 'Won', percent],
  ['final_equity', 'Final equity', number],
  ['final_accuracy', 'Test accuracy', percent],
  ['final_loss', 'Test loss', number],
  ['train_size', 'Trained on', number],
  ['test_size', 'Tested on', number],
  ['epochs_run', 'Epochs', number],
];

/** The result of a job that is more than text: its chief figures, and all of it as JSON. */
export function JobResult({ job }: { job: WholeJob }) {
  const { result } = job;
  if (job.type === 'llm' || result === null || result === undefined) return null;
  const told = figures.flatMap(([key, name, show]) => {
    const value = (result as Record<string, unknown>)[key];
    return typeof value === 'number' ? [{ name, value: show(value) }] : [];
  });
  return (
    <section>
      <h3>Result</h3>
      {told.length > 0 && (
        <dl class="figures">
          {told.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      <RawJson value={result} title="All of it" isOpen={told.length === 0} />
    </section>
  );
}
