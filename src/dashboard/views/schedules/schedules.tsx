import type { ShownScheduleList, ShownScheduling } from '../../../tools/shapes/schedule.js';
import { useMayWrite, write } from '../../api.js';
import { Link, type ViewProps } from '../../location.js';
import { ConfirmButton, DialogButton } from '../../ui/dialog.js';
import { addressOf } from '../../ui/name.js';
import { act, notice } from '../../ui/notices.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { type ListedSchedule, ScheduleForm } from './schedule-form.js';

const options = { subjects: ['schedule', 'job', 'goal', 'relay', 'runtime'], everyMs: 30_000, keepsLast: true };

/** What is submitted at set times, with the next of them and what came of the last. */
export function Schedules({ query }: ViewProps) {
  const before = query.get('before') ?? '';
  const args = { scope: 'all', ...(before ? { cursor: before } : {}) };
  const reading = useRead<ShownScheduleList>('list_schedules', args, options);
  const mayWrite = useMayWrite();
  return (
    <Shown reading={reading}>
      {(read) => (
        <>
          <div class="schedules-head">
            <p class="quiet">Fired by {read.fired_by}.</p>
            {mayWrite && (
              <DialogButton label="New schedule" title="New schedule">
                {(close) => <ScheduleForm onClose={close} />}
              </DialogButton>
            )}
          </div>
          {read.schedules.length === 0 ? (
            <Empty
              what="Nothing is scheduled. Prompts, jobs, goals from a template and relays can be submitted at set times."
              command={'agent-runtime schedule add standup --prompt "Sum up the open tasks" --cron "0 9 * * 1-5"'}
            />
          ) : (
            <ul class="schedules">
              {read.schedules.map((schedule) => (
                <li key={schedule.id}>
                  <ScheduleCard schedule={{ ...read.defaults, ...schedule }} mayWrite={mayWrite} />
                </li>
              ))}
            </ul>
          )}
          <Pages path="/schedules" query={query} next={read.next_cursor} />
          <RawJson value={read} />
        </>
      )}
    </Shown>
  );
}

function ScheduleCard({ schedule, mayWrite }: { schedule: ListedSchedule; mayWrite: boolean }) {
  const { name, kind, cron, timezone, status, fired, last } = schedule;
  return (
    <div class={`card schedule ${last?.outcome === 'failed' ? 'failed' : ''}`}>
      <div class="schedule-head">
        <strong>{name}</strong>
        <Status word={status} />
        <span class="quiet">
          {kind} {cron === undefined ? 'once' : <code>{cron}</code>} {timezone}
        </span>
        {mayWrite && <ScheduleActions schedule={schedule} />}
      </div>
      <NextTimes schedule={schedule} />
      <p class="quiet">
        {fired === 0 ? 'Never fired yet.' : `Fired ${fired === 1 ? 'once' : `${fired} times`}.`}{' '}
        {last && <Last {...last} kind={kind} />}
      </p>
      {last?.error && <p class={last.outcome === 'failed' ? 'bad' : 'quiet'}>{last.error}</p>}
    </div>
  );
}

/** The next times on the clock of the reader. */
function NextTimes({ schedule: { next } }: { schedule: ListedSchedule }) {
  const [first, ...later] = next;
  if (first === undefined) return null;
  return (
    <p>
      Next <Time at={first} />: {clockTime(first)}
      {later.length > 0 && <span class="quiet">, then {later.map(clockTime).join(', ')}</span>}
    </p>
  );
}

const clockTime = (at: string): string =>
  new Date(at).toLocaleString(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });

type LastProps = NonNullable<ListedSchedule['last']> & Pick<ListedSchedule, 'kind'>;

function Last({ due_at, outcome, run, run_status, kind }: LastProps) {
  const address = run === undefined ? undefined : addressOf({ kind: kind === 'prompt' ? 'job' : kind, id: run });
  return (
    <>
      Last <Time at={due_at} />: {outcome}
      {run_status !== undefined && address !== undefined && (
        <>
          , its <Link to={address}>{kind}</Link> is {run_status.replaceAll('_', ' ')}
        </>
      )}
      .
    </>
  );
}

function ScheduleActions({ schedule }: { schedule: ListedSchedule }) {
  const { id, name, kind, status } = schedule;
  const send = (action: string) => write<ShownScheduling>('schedule', { name: id, action });
  const run = () =>
    act(async () => {
      const { made } = await send('run');
      const to = made === undefined ? undefined : addressOf({ kind: kind === 'prompt' ? 'job' : kind, id: made });
      notice({ text: `${name} was run.`, ...(to === undefined ? {} : { link: { to, label: `Its ${kind}` } }) });
    }, undefined);
  const isPaused = status === 'paused';
  return (
    <div class="actions">
      {status !== 'ended' && (
        <button
          type="button"
          aria-label={`${isPaused ? 'Resume' : 'Pause'} ${name}`}
          onClick={() =>
            act(() => send(isPaused ? 'resume' : 'pause'), `${name} is ${isPaused ? 'active' : 'paused'}.`)
          }
        >
          {isPaused ? 'Resume' : 'Pause'}
        </button>
      )}
      <button type="button" aria-label={`Run now: ${name}`} onClick={run}>
        Run now
      </button>
      <DialogButton label="Edit" name={`Edit ${name}`} title={`Edit ${name}`}>
        {(close) => <ScheduleForm schedule={schedule} onClose={close} />}
      </DialogButton>
      <ConfirmButton
        label="Delete"
        question={`Delete ${name}?`}
        consequence="What it has made stays."
        onConfirm={async () => {
          await send('delete');
          return `${name} is deleted.`;
        }}
      />
    </div>
  );
}
