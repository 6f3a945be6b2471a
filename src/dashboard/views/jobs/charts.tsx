import type { WholeJob } from '../../../http/page/jobs.js';
import { number, percent, short } from '../../ui/format.js';
import { type Line, LineChart } from '../../ui/line-chart.js';

/** Charts of a job: equity against buy and hold, or the curves of a training. */
export function JobCharts({ job }: { job: WholeJob }) {
  if (job.type === 'backtest') return <Equity result={job.result} />;
  if (job.type === 'ml_experiment') return <Training job={job} />;
  return null;
}

function Equity({ result }: { result: unknown }) {
  const strategy = daysOf(result, 'equity_curve');
  if (strategy.length === 0) return null;
  const lines: Line[] = [
    { name: 'Strategy', points: strategy },
    { name: 'Buy and hold', points: daysOf(result, 'benchmark_curve') },
  ];
  return (
    <LineChart
      title="Equity"
      axis="Day"
      lines={lines.filter(({ points }) => points.length > 0)}
      showX={(at) => new Date(at).toISOString().slice(0, 10)}
      showY={short}
      showExactY={number}
    />
  );
}

/** `[[date, value]]` of a result, with the days as times. */
function daysOf(result: unknown, key: string): { x: number; y: number }[] {
  const pairs = fieldOf(result, key);
  if (!Array.isArray(pairs)) return [];
  return pairs.flatMap((pair) => {
    const [day, value] = Array.isArray(pair) ? pair : [];
    const at = Date.parse(String(day));
    return Number.isFinite(at) && typeof value === 'number' ? [{ x: at, y: value }] : [];
  });
}

/** From the result of a finished training, before that from its log. */
function Training({ job }: { job: WholeJob }) {
  const history = fieldOf(job.result, 'history');
  const epochs = Array.isArray(history) ? history : job.logs.map(({ fields }) => fields);
  const curve = (key: string) =>
    epochs.flatMap((epoch) => {
      const [x, y] = [fieldOf(epoch, 'epoch'), fieldOf(epoch, key)];
      return typeof x === 'number' && typeof y === 'number' ? [{ x, y }] : [];
    });
  const [loss, accuracy] = [curve('train_loss'), curve('train_accuracy')];
  if (loss.length === 0) return null;
  const axis = { axis: 'Epoch', showX: (epoch: number) => String(Math.round(epoch)) };
  return (
    <div class="charts">
      <LineChart {...axis} title="Loss" lines={[{ name: 'Training loss', points: loss }]} showY={number} fromZero />
      <LineChart {...axis} title="Accuracy" lines={[{ name: 'Training accuracy', points: accuracy }]} showY={percent} />
    </div>
  );
}

/** A field of JSON that may have none. */
export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
