import { useRef, useState } from 'preact/hooks';
import type { ShownChangedTask, ShownWholeTask } from '../../../tools/shapes/task.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog } from '../../ui/dialog.js';
import { act } from '../../ui/notices.js';
import { stateOf } from '../../ui/state.js';
import { priorities, priorityWords } from './add-task.js';

/** The actions that a task allows in its present state. */
export function TaskActions({ task, dependents }: { task: ShownWholeTask; dependents: number }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const state = stateOf(task);
  const isEnded = state === 'completed' || state === 'failed' || state === 'cancelled';
  return (
    <div class="actions">
      {!isEnded && <Priority task={task} />}
      {state === 'ready' && <Claim task={task} />}
      {(state === 'ready' || state === 'in_progress') &&
        outcomes.map((outcome) => <End key={outcome.status} task={task} {...outcome} />)}
      {state === 'in_progress' && (
        <ConfirmButton
          label="Release"
          question="Release this task?"
          consequence={`${task.worker_id ?? task.claimed_by} loses its claim: what it still reports is refused, and anyone may take the task.`}
          onConfirm={async () => {
            await write('release_task', { task_id: task.id, force: true });
            return `Task ${task.id} is on the board again.`;
          }}
        />
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <button
          type="button"
          onClick={() =>
            act(() => write('reset_failed_task', { taskId: task.id }), `Task ${task.id} is on the board again.`)
          }
        >
          Reset
        </button>
      )}
      {!isEnded && (
        <ConfirmButton
          label="Cancel task"
          question="Cancel this task?"
          consequence={
            dependents === 0
              ? 'It leaves the board. Reset brings it back.'
              : `It is taken off the board, and the policy of ${dependents} that ${dependents === 1 ? 'waits' : 'wait'} for it decides what becomes of them.`
          }
          onConfirm={async () => {
            await write('update_task_status', { task_id: task.id, status: 'cancelled' });
            return `Task ${task.id} is cancelled.`;
          }}
        />
      )}
    </div>
  );
}

/** A keyboard goes through the priorities one by one: the one that it stays at counts. */
const settleMs = 700;

function Priority({ task }: { task: ShownWholeTask }) {
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const set = (priority: number) => {
    clearTimeout(pending.current);
    pending.current = setTimeout(() => {
      if (priority === task.priority) return;
      void act(() => write('edit_task', { task_id: task.id, priority }), `Task ${task.id} has priority ${priority}.`);
    }, settleMs);
  };
  return (
    <label class="inline">
      Priority
      <select value={task.priority} onChange={(event) => set(Number(event.currentTarget.value))}>
        {priorities.map((priority) => (
          <option key={priority} value={priority}>
            {priorityWords(priority)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Outcome {
  status: 'completed' | 'failed';
  /** The word of the button and the heading of its dialog. */
  label: string;
  question: string;
  /** The argument of the tool that takes the text, and its name here. */
  field: 'result' | 'error';
  about: string;
}

const outcomes: readonly Outcome[] = [
  { status: 'completed', label: 'Complete', question: 'Complete this task', field: 'result', about: 'Result' },
  { status: 'failed', label: 'Fail', question: 'Mark this task as failed', field: 'error', about: 'What went wrong' },
];

/** Ends the task with what came of it. A claim on it is ended first, so that its holder cannot write over it. */
function End({ task, status, label, question, field, about }: Outcome & { task: ShownWholeTask }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const end = async (form: FormData) => {
    const text = String(form.get('text')).trim();
    if (task.status === 'in_progress') await write('release_task', { task_id: task.id, force: true });
    await write('update_task_status', { task_id: task.id, status, ...(text === '' ? {} : { [field]: text }) });
    return `Task ${task.id} is ${status}.`;
  };
  const holder = task.worker_id ?? task.claimed_by;
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {label}
      </button>
      {isOpen && (
        <Dialog title={question} onClose={close}>
          <ActionForm label={label} isDestructive={status === 'failed'} onSubmit={end} onClose={close}>
            {task.status === 'in_progress' && (
              <p class="quiet">{holder} works on it: what it still reports is refused then.</p>
            )}
            <label>
              {about}
              <textarea name="text" rows={6} maxLength={100_000} required={status === 'failed'} />
            </label>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}

const leases: [seconds: number, words: string][] = [
  [3_600, 'an hour'],
  [28_800, '8 hours'],
  [86_400, 'a day'],
  [604_800, 'a week'],
];

/** Claims the task for a person or program without a session; its claim is not renewed. */
function Claim({ task }: { task: ShownWholeTask }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const claim = async (form: FormData) => {
    const worker = String(form.get('worker')).trim();
    const claimed = await write<ShownChangedTask>('update_task_status', {
      task_id: task.id,
      status: 'in_progress',
      worker_id: worker,
      lease_seconds: Number(form.get('lease')),
    });
    return `${worker} has task ${task.id}, with claim_token ${claimed.claim_token}.`;
  };
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Claim
      </button>
      {isOpen && (
        <Dialog title="Claim this task" onClose={close}>
          <ActionForm label="Claim" onSubmit={claim} onClose={close}>
            <p class="quiet">No session will take it while the claim lives. When it lapses, the task is free again.</p>
            <div class="pair">
              <label>
                Who does it
                <input name="worker" required maxLength={200} />
              </label>
              <label>
                For
                <select name="lease">
                  {leases.map(([seconds, words]) => (
                    <option key={seconds} value={seconds}>
                      {words}
                    </option>
                  ))}
                </select>
              </label>
            </div>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
