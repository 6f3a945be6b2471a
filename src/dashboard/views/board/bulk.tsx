import { useRef, useState } from 'preact/hooks';
import type { BoardChoices, ShownChangedTasks } from '../../../http/page/tasks.js';
import { type Arguments, write } from '../../api.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { shownCount } from '../../ui/format.js';
import type { NewNotice } from '../../ui/notices.js';
import type { Selection } from '../../ui/selection.js';
import { priorities, priorityWords, usualPriority } from './task-words.js';

type Change = ShownChangedTasks['undo'][number]['change'];
type Refused = ShownChangedTasks['refused'];

/** Which tasks a change is for. */
export interface Chosen {
  count: number;
  /** Their ids, or the filter that finds them, as the write takes them. */
  choice: Arguments;
}

const changes: Readonly<Record<Change, { label: string; done: string; consequence: string; isDestructive?: boolean }>> =
  {
    reopen: {
      label: 'Reopen',
      done: 'on the board again',
      consequence:
        'They are put back on the board with all of their attempts, and what waits for them waits again. What a living worker holds is left to it.',
    },
    priority: {
      label: 'Set priority',
      done: 'given another priority',
      consequence: 'Higher ones are handed out first.',
    },
    goal: {
      label: 'Move to a goal',
      done: 'moved',
      consequence: 'They take the project of the goal. Dependencies stay as they are.',
    },
    cancel: {
      label: 'Cancel tasks',
      done: 'cancelled',
      isDestructive: true,
      consequence:
        'They leave the board; what their workers still report is refused. Each task that waits for one of them follows its own policy. They can be reopened, claims do not come back.',
    },
  };

const names = Object.keys(changes) as Change[];
export const tasksWord = (count: number): string => `${shownCount(count)} ${count === 1 ? 'task' : 'tasks'}`;

interface BulkBarProps {
  selection: Selection;
  /** How many tasks the filter has in all. */
  total: number;
  /** The filter as arguments of the write, for all of its tasks. */
  filter: Arguments;
  goals: BoardChoices['goals'];
}

/** What can be done to all selected tasks at once. */
export function BulkBar({ selection, total, filter, goals }: BulkBarProps) {
  const [change, setChange] = useState<Change>();
  const { ids, isAll, selectAll, clear } = selection;
  const count = isAll ? total : ids.size;
  const choice = isAll ? { filter } : { task_ids: [...ids] };
  return (
    <>
      {count > 0 && (
        <section class="bulk" aria-label="Selected tasks">
          <b aria-live="polite">{tasksWord(count)} selected</b>
          {!isAll && count < total && (
            <button type="button" class="small-button" onClick={selectAll}>
              Select all {shownCount(total)}
            </button>
          )}
          <span class="actions">
            {names.map((name) => (
              <button
                key={name}
                type="button"
                class={changes[name].isDestructive ? 'danger' : ''}
                onClick={() => setChange(name)}
              >
                {changes[name].label}
              </button>
            ))}
            <button type="button" onClick={clear}>
              Clear
            </button>
          </span>
        </section>
      )}
      {change && (
        <BulkDialog
          change={change}
          chosen={{ count, choice }}
          goals={goals}
          onClose={() => setChange(undefined)}
          onDone={clear}
        />
      )}
    </>
  );
}

interface BulkDialogProps {
  change: Change;
  chosen: Chosen;
  goals?: BoardChoices['goals'];
  onClose(): void;
  onDone?(): void;
}

/** Asks once for all, and says what was refused. */
export function BulkDialog({ change, chosen, goals = [], onClose, onDone }: BulkDialogProps) {
  const [refused, setRefused] = useState<Refused>();
  // The form closes when it is done; what was refused stays in its place.
  const isKept = useRef(false);
  if (refused) return <RefusedTasks refused={refused} onClose={onClose} />;
  const { label, consequence, isDestructive = false } = changes[change];
  const run = async (form: FormData) => {
    const outcome = await changeAll({ change, ...valuesOf(change, form), ...chosen.choice });
    onDone?.();
    isKept.current = outcome.refused.length > 0;
    if (isKept.current) setRefused(outcome.refused);
    return noticeOf(change, outcome);
  };
  const close = () => {
    if (!isKept.current) onClose();
  };
  return (
    <Dialog title={`${label}: ${tasksWord(chosen.count)}`} onClose={close}>
      <ActionForm label={label} isDestructive={isDestructive} onSubmit={run} onClose={close}>
        <p>{consequence}</p>
        {change === 'priority' && <PriorityField />}
        {change === 'goal' && <GoalField goals={goals} />}
      </ActionForm>
    </Dialog>
  );
}

function noticeOf(change: Change, { done, refused, undo }: Outcome): NewNotice {
  const parts = [`${tasksWord(done)} ${changes[change].done}`, refused.length > 0 && `${refused.length} refused`];
  return {
    text: `${parts.filter(Boolean).join(', ')}.`,
    ...(undo.length === 0
      ? {}
      : {
          undo: async () => {
            for (const step of undo) await write('page/change_tasks', { ...step });
          },
        }),
  };
}

interface Outcome {
  done: number;
  refused: Refused;
  undo: ShownChangedTasks['undo'];
}

/** A filter with many tasks takes several calls. */
async function changeAll(args: Arguments): Promise<Outcome> {
  const outcome: Outcome = { done: 0, refused: [], undo: [] };
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const answer = await write<ShownChangedTasks>('page/change_tasks', { ...args, ...(cursor ? { cursor } : {}) });
    outcome.done += answer.done.length;
    outcome.refused.push(...answer.refused);
    outcome.undo.push(...answer.undo);
    cursor = answer.next_cursor;
  }
  return outcome;
}

function valuesOf(change: Change, form: FormData): Arguments {
  const value = String(form.get('value') ?? '');
  if (change === 'priority') return { priority: Number(value) };
  if (change === 'goal') return { goal_id: value === '' ? null : Number(value) };
  return {};
}

function PriorityField() {
  return (
    <label>
      Priority
      <select name="value">
        {priorities.map((priority) => (
          <option key={priority} value={priority} selected={priority === usualPriority}>
            {priorityWords(priority)}
          </option>
        ))}
      </select>
    </label>
  );
}

function GoalField({ goals }: { goals: BoardChoices['goals'] }) {
  return (
    <label>
      Goal
      <select name="value">
        <option value="">None</option>
        {goals
          .filter(({ status }) => status === 'active')
          .map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
      </select>
    </label>
  );
}

const mostRefused = 50;

/** The tasks that were left as they were, with the reasons. */
function RefusedTasks({ refused, onClose }: { refused: Refused; onClose(): void }) {
  return (
    <Dialog title={`${tasksWord(refused.length)} stayed as they were`} onClose={onClose}>
      <ul class="refused">
        {refused.slice(0, mostRefused).map(({ id, title, message }) => (
          <li key={id}>
            <b dir="auto">{title || `Task ${id}`}</b> <span class="quiet">{message}</span>
          </li>
        ))}
      </ul>
      {refused.length > mostRefused && <p class="quiet">And {shownCount(refused.length - mostRefused)} more.</p>}
      <div class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
