import { useState } from 'preact/hooks';
import type { ShownChangedTask, ShownTask } from '../../../tools/shapes/task.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog } from '../../ui/dialog.js';
import { act } from '../../ui/notices.js';
import { stateOf } from '../../ui/state.js';
import { priorities, priorityWords } from './add-task.js';

/** The actions that a task allows in its present state. */
export function TaskActions({ task, dependents }: { task: ShownTask; dependents: number }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const state = stateOf(task);
  const isEnded = state === 'completed' || state === 'failed' || state === 'cancelled';
  return (
    <div class="actions">
      {!isEnded && <Priority task={task} />}
      {state === 'ready' && <Claim task={task} />}
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

function Priority({ task }: { task: ShownTask }) {
  return (
    <label class="inline">
      Priority
      <select
        value={task.priority}
        onChange={(event) => {
          const priority = Number(event.currentTarget.value);
          void act(
            () => write('edit_task', { task_id: task.id, priority }),
            `Task ${task.id} has priority ${priority}.`,
          );
        }}
      >
        {priorities.map((priority) => (
          <option key={priority} value={priority}>
            {priorityWords(priority)}
          </option>
        ))}
      </select>
    </label>
  );
}

const leases: [seconds: number, words: string][] = [
  [3_600, 'an hour'],
  [28_800, '8 hours'],
  [86_400, 'a day'],
  [604_800, 'a week'],
];

/** Claims the task for a person or program without a session; its claim is not renewed. */
function Claim({ task }: { task: ShownTask }) {
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
