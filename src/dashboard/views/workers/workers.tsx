import type { QueueWorkerList } from '../../../http/page/queue-workers.js';
import type { RunnerList } from '../../../http/page/runners.js';
import type { SessionList } from '../../../http/page/sessions.js';
import type { ShownReserved } from '../../../tools/shapes/reservation.js';
import type { ShownWorker, ShownWorkerList } from '../../../tools/shapes/worker.js';
import { useMayWrite, write } from '../../api.js';
import { ToolForm } from '../../form/tool-form.js';
import { Link, type ViewProps } from '../../location.js';
import { ConfirmButton, DialogButton } from '../../ui/dialog.js';
import { Name } from '../../ui/name.js';
import { Empty, RawJson, Shown } from '../../ui/shown.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { QueueWorkers } from './queue-workers.js';
import { ReservedPaths } from './reserved-paths.js';
import { Runners } from './runners.js';
import { Sessions } from './sessions.js';
import { WorkTimeline } from './work-timeline.js';

/** Heartbeats are not recorded as changes, so their times are read at an interval. */
const pollMs = 10_000;
const options = { subjects: ['slot', 'session', 'task', 'job', 'runtime'], everyMs: pollMs };
const queueOptions = { subjects: ['runner', 'job'], everyMs: pollMs };
const runnerOptions = { subjects: ['job', 'runner', 'runtime'], everyMs: pollMs };
const pathOptions = { subjects: ['path', 'session'], everyMs: pollMs };

/** The worker slots, the reserved paths and the sessions, with what each holds. */
export function Workers({ query }: ViewProps) {
  const mayWrite = useMayWrite();
  const slots = useRead<ShownWorkerList>('get_workers', {}, options);
  const here = useRead<SessionList>('page/sessions', {}, options);
  const reserved = useRead<ShownReserved>('page/reservations', {}, pathOptions);
  const queue = useRead<QueueWorkerList>('page/queue_workers', {}, queueOptions);
  const runners = useRead<RunnerList>('page/runners', {}, runnerOptions);
  const titles = new Map(
    [...(here.data?.sessions ?? []), ...(here.data?.others ?? [])].flatMap(({ tasks }) =>
      tasks.map(({ id, title }) => [id, title]),
    ),
  );
  return (
    <>
      <section>
        <div class="section-head">
          <h2>Slots</h2>
          {mayWrite && (
            <DialogButton label="Claim a slot" title="Claim a slot">
              {(close) => <ClaimSlot onClose={close} />}
            </DialogButton>
          )}
        </div>
        <Shown reading={slots}>
          {({ workers }) => (
            <>
              <ul class="slots">
                {workers.map((slot) => (
                  <li key={slot.slot}>
                    <SlotCard
                      slot={slot}
                      title={slot.task_number === undefined ? undefined : titles.get(slot.task_number)}
                    />
                  </li>
                ))}
              </ul>
              {workers.every(({ active }) => !active) && (
                <p class="quiet">
                  All are free. A session takes one with claim_worker_slot, a shell with{' '}
                  <code>agent-runtime tool claim_worker_slot</code>.
                </p>
              )}
            </>
          )}
        </Shown>
      </section>
      {queue.data && queue.data.workers.length > 0 && (
        <section>
          <h2>Workers of the queue</h2>
          <QueueWorkers {...queue.data} />
        </section>
      )}
      <WorkTimeline query={query} />
      <section>
        <h2>Runners</h2>
        <Shown reading={runners}>{(read) => <Runners {...read} />}</Shown>
      </section>
      <section>
        <h2>Reserved paths</h2>
        <Shown reading={reserved}>{(read) => <ReservedPaths {...read} />}</Shown>
      </section>
      <section>
        <h2>Sessions</h2>
        <Shown reading={here}>
          {(read) =>
            read.sessions.length === 0 && read.others.length === 0 ? (
              <Empty
                what="No session is connected. Each client that starts the server is shown here."
                command="agent-runtime install"
              />
            ) : (
              <Sessions {...read} chosen={query.get('holder')} />
            )
          }
        </Shown>
      </section>
      <RawJson value={{ slots: slots.data, runners: runners.data, reserved: reserved.data, ...here.data }} />
    </>
  );
}

/** A slot under a name of somebody who works without a session: it ends with its lease. */
function ClaimSlot({ onClose }: { onClose(): void }) {
  return (
    <ToolForm<{ slot: number }>
      tool="claim_worker_slot"
      instead={{ worker_id: (own) => ({ ...own, title: 'Name of the worker', description: 'Who works in it.' }) }}
      label="Claim"
      onClose={onClose}
      done={({ slot }) => `Slot ${slot} is claimed.`}
    />
  );
}

function SlotCard({ slot, title }: { slot: ShownWorker; title: string | undefined }) {
  const mayWrite = useMayWrite();
  if (!slot.active) {
    return (
      <div class="slot">
        <span class="slot-number">{slot.slot}</span>
        <span class="quiet">free</span>
      </div>
    );
  }
  return (
    <div class="slot active">
      <span class="slot-number">{slot.slot}</span>
      <div class="slot-inside">
        <strong>{slot.workerId}</strong>
        {slot.taskId === null ? (
          <span class="quiet">no task</span>
        ) : (
          <Link to={`/board/task/${slot.task_number}`}>{title ?? `Task ${slot.taskId}`}</Link>
        )}
        <span class="quiet small">
          seen <Time at={slot.last_heartbeat} /> · {slot.session && <Name of={slot.session} />}
        </span>
      </div>
      {mayWrite && (
        <ConfirmButton
          label="Release"
          question={`Release slot ${slot.slot}?`}
          consequence={`${slot.workerId} loses the slot${slot.taskId === null ? '.' : `, and ${title ?? `task ${slot.taskId}`} is free again: what is still reported on it is refused.`}`}
          onConfirm={async () => {
            await write('release_worker_slot', { slot: slot.slot, force: true });
            return `Slot ${slot.slot} is free.`;
          }}
        />
      )}
    </div>
  );
}
