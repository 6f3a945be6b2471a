import type { PageComparison } from '../../../http/page/comparison.js';
import { filter, Link } from '../../location.js';
import { number, short } from '../../ui/format.js';
import { type Line, LineChart } from '../../ui/line-chart.js';
import { RawJson, Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { JobMark } from './job-status.js';

/** Jobs of a sweep or of a type side by side: the parameters in which they differ, their figures and their curves. */
export function Comparison({ query }: { query: URLSearchParams }) {
  const [sweep, type, where, figure] = ['sweep', 'type', 'where', 'figure'].map((name) => query.get(name) ?? '');
  const conditions = where?.split(',').flatMap((one) => one.trim() || []) ?? [];
  const args = {
    ...(sweep ? { sweep } : {}),
    ...(type ? { type } : {}),
    ...(conditions.length > 0 ? { where: conditions } : {}),
    ...(figure ? { figures: [figure] } : {}),
  };
  const reading = useRead<PageComparison>('page/comparison', args, { subjects: ['job'], keepsLast: true });
  return (
    <>
      <Link to="/jobs" class="back">
        ← Jobs
      </Link>
      <h2>{sweep || `Jobs of type ${type}`}</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Condition name="where" label="Only where" value={where ?? ''} example="learning_rate>=0.01, sharpe>1" />
        <Condition name="figure" label="Ranked by" value={figure ?? ''} example="final_loss" />
      </form>
      <Shown reading={reading}>{(read) => <Compared read={read} />}</Shown>
    </>
  );
}

interface ConditionProps {
  name: string;
  label: string;
  value: string;
  example: string;
}

function Condition({ name, label, value, example }: ConditionProps) {
  return (
    <label>
      {label}{' '}
      <input
        value={value}
        placeholder={example}
        onChange={(event) => filter({ [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
}

function Compared({ read }: { read: PageComparison }) {
  const parameters = [...new Set(read.jobs.flatMap((job) => Object.keys(job.parameters)))];
  const same = Object.entries(read.same).map(([name, value]) => `${name}=${wordOf(value)}`);
  if (read.jobs.length === 0) return <p class="empty">No job matches.</p>;
  return (
    <>
      <Curves read={read} />
      <table class="jobs">
        <thead>
          <tr>
            <th>Status</th>
            <th>Job</th>
            {parameters.map((name) => (
              <th key={name}>{name}</th>
            ))}
            {read.figures.map(({ name, better }) => (
              <th key={name} class="number" title={`${better} is better`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {read.jobs.map((job) => (
            <tr key={job.job_id}>
              <td>
                <JobMark status={job.status} />
              </td>
              <td>
                <Link to={`/jobs/${job.job_id}`}>{job.job_id.slice(0, 8)}</Link>
              </td>
              {parameters.map((name) => (
                <td key={name}>{wordOf(job.parameters[name])}</td>
              ))}
              {read.figures.map(({ name }) => (
                <td key={name} class="number">
                  {job.best?.includes(name) ? (
                    <strong title="The best">{job.figures[name]} ★</strong>
                  ) : (
                    job.figures[name]
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {same.length > 0 && <p class="quiet">The same for all: {same.join(', ')}</p>}
      {read.count < read.total && (
        <p class="quiet">
          The best {read.count} of {read.total}.
        </p>
      )}
      <RawJson value={read} />
    </>
  );
}

function Curves({ read }: { read: PageComparison }) {
  const linesOf = (kind: 'loss' | 'equity'): Line[] =>
    read.curves.flatMap((curve) =>
      curve.kind === kind ? [{ name: curve.job_id.slice(0, 8), points: curve.points }] : [],
    );
  const [losses, equities] = [linesOf('loss'), linesOf('equity')];
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  return (
    <>
      {losses.length > 0 && (
        <LineChart
          title="Training loss of the best"
          axis="Epoch"
          lines={losses}
          showX={(epoch) => String(Math.round(epoch))}
          showY={number}
          fromZero
        />
      )}
      {equities.length > 0 && (
        <LineChart
          title="Equity of the best"
          axis="Day"
          lines={equities}
          showX={day}
          showY={short}
          showExactY={number}
        />
      )}
    </>
  );
}

const wordOf = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
