import type { BoardChoices } from '../../../http/page/tasks.js';
import type { ShownTask } from '../../../tools/shapes/task.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, DialogButton } from '../../ui/dialog.js';
import { TaskFields, textOf, toArguments } from './task-fields.js';
import { usualPriority } from './task-words.js';

interface AddTaskProps {
  goals: BoardChoices['goals'] | undefined;
  /** The preselected goal. */
  goalId?: string;
}

/** The button that adds a task, and its form. */
export function AddTask({ goals = [], goalId = '' }: AddTaskProps) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const values = { ...nothing, goal_id: goalId };
  return (
    <DialogButton label="Add task" title="Add a task" class="primary">
      {(close) => (
        <ActionForm label="Add" onSubmit={createTask} onClose={close}>
          <TaskFields goals={goals} values={values} />
        </ActionForm>
      )}
    </DialogButton>
  );
}

const nothing = {
  title: '',
  description: '',
  acceptance: '',
  goal_id: '',
  priority: String(usualPriority),
  dependencies: '',
  deadline: '',
};

async function createTask(form: FormData) {
  const names = Object.keys(nothing) as (keyof typeof nothing)[];
  const values = Object.fromEntries(names.map((name) => [name, textOf(form, name)])) as typeof nothing;
  const task = await write<ShownTask>('create_task', toArguments(values));
  return { text: `Task ${task.id} is on the board.`, link: { to: `/board/task/${task.id}`, label: 'Open it' } };
}
