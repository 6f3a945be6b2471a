import { useState } from 'preact/hooks';
import type { BoardChoices } from '../../../http/page/tasks.js';
import type { ShownTask } from '../../../tools/shapes/task.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';

interface AddTaskProps {
  goals: BoardChoices['goals'] | undefined;
  /** The preselected goal. */
  goalId?: string;
}

/** The button that adds a task, and its form. */
export function AddTask({ goals = [], goalId = '' }: AddTaskProps) {
  const [isOpen, setOpen] = useState(false);
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const close = () => setOpen(false);
  return (
    <>
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        Add task
      </button>
      {isOpen && (
        <Dialog title="Add a task" onClose={close}>
          <ActionForm label="Add" onSubmit={createTask} onClose={close}>
            <Fields goals={goals} goalId={goalId} />
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}

function Fields({ goals, goalId }: { goals: BoardChoices['goals']; goalId: string }) {
  return (
    <>
      <label>
        Title
        <input name="title" required maxLength={500} placeholder="What is to be done" />
      </label>
      <label>
        Description
        <textarea name="description" rows={4} maxLength={100_000} />
      </label>
      <label>
        Acceptance criteria: when is it done?
        <textarea name="acceptance" rows={2} maxLength={20_000} />
      </label>
      <div class="pair">
        <label>
          Goal
          <select name="goal">
            <option value="">None</option>
            {goals
              .filter(({ id, status }) => status === 'active' || String(id) === goalId)
              .map(({ id, name }) => (
                <option key={id} value={id} selected={String(id) === goalId}>
                  {name}
                </option>
              ))}
          </select>
        </label>
        <label>
          Priority
          <select name="priority">
            {priorities.map((priority) => (
              <option key={priority} value={priority} selected={priority === usualPriority}>
                {priorityWords(priority)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="pair">
        <label>
          Waits for
          <input name="dependencies" placeholder="ids or keys: 12, auth-api" />
        </label>
        <label>
          Deadline
          <input name="deadline" type="datetime-local" />
        </label>
      </div>
    </>
  );
}

const usualPriority = 5;

export const priorities = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

export function priorityWords(priority: number): string {
  const words: Record<number, string> = { 10: '10, first', 5: '5, usual', 1: '1, last' };
  return words[priority] ?? String(priority);
}

async function createTask(form: FormData): Promise<string> {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const given = (name: string) => (text(name) === '' ? {} : { [name]: text(name) });
  const dependencies = text('dependencies')
    .split(/[\s,]+/)
    .filter(Boolean);
  const task = await write<ShownTask>('create_task', {
    title: text('title'),
    priority: Number(text('priority')),
    ...given('description'),
    ...given('acceptance'),
    ...(text('goal') === '' ? {} : { goal_id: Number(text('goal')) }),
    ...(dependencies.length === 0 ? {} : { dependencies }),
    ...(text('deadline') === '' ? {} : { deadline: new Date(text('deadline')).toISOString() }),
  });
  return `Task ${task.id} is on the board.`;
}
