import type { ShownGoalRun } from '../../../http/page/goals.js';
import { useMayWrite, write } from '../../api.js';
import { usePollInterval } from '../../live.js';
import { Link } from '../../location.js';
import { ConfirmButton } from '../../ui/dialog.js';
import { spanOf } from '../../ui/format.js';
import { act } from '../../ui/notices.js';
import { Status } from '../../ui/state.js';
import { Time, useNow } from '../../ui/time.js';
import { useRead } from '../../use-read.js';

type Run = NonNullable<ShownGoalRun['run']>;

const progressMs = 3_000;

/** The run that works on a goal, or how the last one ended; nothing for a goal that was never run. */
export function GoalRun({ goalId, isRunning }: { goalId: number; isRunning: boolean }) {
  const everyMs = usePollInterval(progressMs, isRunning);
  const reading = useRead<ShownGoalRun>(
    'page/goal_run',
    { goal_id: goalId },
    { subjects: ['goal', 'job', 'task', 'runtime'], everyMs },
  );
  const run = reading.data?.run;
  if (!run) return null;
  return run.status === 'running' ? <Live run={run} goalId={goalId} /> : <Ended run={run} />;
}

function Live({ run, goalId }: { run: Run; goalId: number }) {
  const now = useNow(1_000);
  const words = run.cancel_requested ? 'stopping' : run.paused ? 'paused' : 'running';
  return (
    <section class="goal-run" aria-label="Run">
      <div class="section-head">
        <h3>
          <Status word={words} /> <Link to={`/jobs/${run.id}`}>the run</Link>
        </h3>
        {!run.cancel_requested && <RunActions run={run} goalId={goalId} />}
      </div>
      <progress max={1} value={run.progress ?? 0} aria-label="Progress of the run" />
      <p class="quiet">
        {run.message ?? 'It begins.'} {run.model}, {run.concurrency} at once, for{' '}
        {spanOf(run.started_at ?? null, null, now)}
      </p>
      {run.jobs.length > 0 && (
        <ul class="run-jobs">
          {run.jobs.map((job) => (
            <li key={job.id}>
              <Link to={`/board/task/${job.task_id}`}>
                <bdi>{job.title}</bdi>
              </Link>{' '}
              <span class="quiet">
                <Link to={`/jobs/${job.id}`}>its job</Link>{' '}
                {job.started_at ? `for ${spanOf(job.started_at, null, now)}` : 'waits for a runner'}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function RunActions({ run, goalId }: { run: Run; goalId: number }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const paused = run.paused === true;
  const set = (next: boolean) => write('page/pause_goal_run', { goal_id: goalId, paused: next });
  return (
    <div class="actions">
      <button
        type="button"
        onClick={() =>
          act(() => set(!paused), {
            text: paused ? 'The run goes on.' : 'The run starts no more tasks; those that it has started go on.',
            undo: () => set(paused),
          })
        }
      >
        {paused ? 'Resume' : 'Pause'}
      </button>
      <ConfirmButton
        label="Stop"
        question="Stop this run?"
        consequence="The jobs that work on tasks of this goal are cancelled, and their tasks are on the board again. Completed tasks stay. The goal can be run again."
        onConfirm={async () => {
          await write('cancel_task', { task_id: run.id });
          return 'The run is stopped.';
        }}
      />
    </div>
  );
}

function Ended({ run }: { run: Run }) {
  return (
    <section class="goal-run" aria-label="Last run">
      <p>
        <Link to={`/jobs/${run.id}`}>The last run</Link> <Status word={run.status} />{' '}
        <span class="quiet">
          <Time at={run.completed_at} />, {run.message}
        </span>
      </p>
      {run.status === 'failed' && run.error && (
        <p class="error-line" dir="auto">
          {run.error}
        </p>
      )}
    </section>
  );
}
