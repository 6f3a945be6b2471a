import type { ComponentChildren } from 'preact';
import type { ShownMetrics } from '../../../tools/shapes/metrics.js';
import { Link } from '../../location.js';
import { duration, number } from '../../ui/format.js';
import { Figure } from './figure.js';
import { rateOf } from './intervals.js';

type Tasks = ShownMetrics['tasks'];
type Group = Tasks['workers' | 'goals'][number];

/** The tasks that ended in the window, which is so many milliseconds long: how many, how long they took, how long they had waited, and whose they were. */
export function TaskFigures({ tasks, ms }: { tasks: Tasks; ms: number }) {
  const { completed, failed, cancelled, cycle_seconds, waiting_seconds, workers, goals } = tasks;
  if (completed + failed + cancelled === 0) return null;
  const rate = rateOf(completed, ms);
  return (
    <section aria-label="Tasks">
      <h2>Tasks that ended</h2>
      <dl class="figures">
        <Figure
          name={`Completed, ${number(Math.round(rate.value * 10) / 10)} ${rate.words}`}
          value={number(completed)}
        />
        <Figure name="Failed" value={number(failed)} />
        <Figure name="Start to end, median" value={seconds(cycle_seconds?.median)} />
        <Figure name="90 % within" value={seconds(cycle_seconds?.p90)} />
        <Figure name="Waited before, median" value={seconds(waiting_seconds?.median)} />
        <Figure name="90 % within" value={seconds(waiting_seconds?.p90)} />
      </dl>
      <Groups
        title="Worker"
        rows={workers.map((group) => ({
          group,
          name: <Link to={`/board?worker=${encodeURIComponent(group.worker)}`}>{group.worker}</Link>,
        }))}
      />
      <Groups
        title="Goal"
        rows={goals.map((group) => ({
          group,
          name: <Link to={`/goals/${group.goal_id}`}>{group.name === '' ? `Goal ${group.goal_id}` : group.name}</Link>,
        }))}
      />
    </section>
  );
}

interface Row {
  name: ComponentChildren;
  group: Group;
}

function Groups({ title, rows }: { title: string; rows: Row[] }) {
  if (rows.length === 0) return null;
  return (
    <table class="by-type">
      <thead>
        <tr>
          <th>{title}</th>
          <th class="number">Completed</th>
          <th class="number">Start to end, median</th>
          <th class="number">90 % within</th>
          <th class="number">Waited before, median</th>
          <th class="number">90 % within</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, group }, place) => (
          <tr key={String(place)}>
            <td>{name}</td>
            <td class="number">{number(group.completed)}</td>
            <td class="number">{seconds(group.cycle_seconds.median)}</td>
            <td class="number">{seconds(group.cycle_seconds.p90)}</td>
            <td class="number">{seconds(group.waiting_seconds.median)}</td>
            <td class="number">{seconds(group.waiting_seconds.p90)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const seconds = (value: number | undefined): string => (value === undefined ? '–' : duration(value * 1000));
