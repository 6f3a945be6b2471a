import { useRef } from 'preact/hooks';
import type { ShownWholeTask } from '../../../tools/shapes/task.js';
import { useMayWrite, write } from '../../api.js';
import { act } from '../../ui/notices.js';
import { stateOf } from '../../ui/state.js';
import { EditTask } from './edit-task.js';
import { movesOf, useMove } from './moves.js';
import { priorities, priorityWords } from './task-words.js';

/** The actions that a task allows in its present state. */
export function TaskActions({ task, dependents }: { task: ShownWholeTask; dependents: number }) {
  const mayWrite = useMayWrite();
  const { begin, dialog } = useMove();
  if (!mayWrite) return null;
  const state = stateOf(task);
  const isOpen = task.status === 'pending' || task.status === 'in_progress';
  const holder = task.status === 'in_progress' ? (task.worker_id ?? task.claimed_by) : undefined;
  const movable = { id: task.id, title: task.title, state, holder, dependents };
  return (
    <div class="actions">
      {isOpen && <Priority task={task} />}
      <EditTask task={task} />
      {movesOf(state).map((move) => (
        <button
          key={move.name}
          type="button"
          class={move.name === 'cancel' || move.name === 'release' ? 'danger' : ''}
          onClick={() => begin(movable, move)}
        >
          {move.label}
        </button>
      ))}
      {dialog}
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
      const before = task.priority;
      if (priority === before) return;
      const setPriority = (value: number) => write('edit_task', { task_id: task.id, priority: value });
      void act(() => setPriority(priority), {
        text: `Task ${task.id} has priority ${priority}.`,
        undo: () => setPriority(before),
      });
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
