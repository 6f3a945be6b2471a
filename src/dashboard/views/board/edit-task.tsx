import { useState } from 'preact/hooks';
import type { BoardChoices } from '../../../http/page/tasks.js';
import type { ShownWholeTask } from '../../../tools/shapes/task.js';
import { type Arguments, write } from '../../api.js';
import { ActionForm, DialogButton } from '../../ui/dialog.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { TaskFields, type TaskFieldValues, textOf, toArguments } from './task-fields.js';

/** The button that edits a task, and its form with what the task has now. */
export function EditTask({ task }: { task: ShownWholeTask }) {
  return (
    <DialogButton label="Edit" title="Edit this task">
      {(close) => <Form task={task} onClose={close} />}
    </DialogButton>
  );
}

function Form({ task, onClose }: { task: ShownWholeTask; onClose(): void }) {
  const choices = useRead<BoardChoices>('page/board_choices');
  // As it was when the form was opened, whatever others change meanwhile.
  const [before] = useState(() => valuesOf(task));
  const save = async (form: FormData) => {
    const edit = changesOf(before, form);
    if (Object.keys(edit).length === 0) return 'Nothing was changed.';
    await write('page/edit_task', { task_id: task.id, ...edit });
    const old = Object.fromEntries(Object.keys(edit).map((name) => [name, toArguments(before, isEmpty)[name]]));
    return {
      text: `Task ${task.id} is changed.`,
      // A task takes the project of its goal along, which does not come back with the goal.
      ...('goal_id' in edit ? {} : { undo: () => write('page/edit_task', { task_id: task.id, ...old }) }),
    };
  };
  return (
    <Shown reading={choices}>
      {({ goals }) => (
        <ActionForm label="Save" onSubmit={save} onClose={onClose}>
          <TaskFields goals={goals} values={before} isEdit />
        </ActionForm>
      )}
    </Shown>
  );
}

/** null removes a value; what cannot be without one is sent as it is, and refused. */
const isEmpty = null;

/** What was changed in the form, so that what others have changed meanwhile stays. */
function changesOf(before: TaskFieldValues, form: FormData): Arguments {
  const names = Object.keys(before) as (keyof TaskFieldValues)[];
  const after = Object.fromEntries(names.map((name) => [name, textOf(form, name)])) as Record<
    keyof TaskFieldValues,
    string
  >;
  const changed = toArguments(after, isEmpty);
  const was = toArguments(before, isEmpty);
  return Object.fromEntries(
    Object.entries(changed).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(was[name])),
  );
}

/** A task as the form has it. */
function valuesOf(task: ShownWholeTask): TaskFieldValues {
  return {
    title: task.title,
    description: task.description,
    acceptance: task.acceptance ?? '',
    expected_output: task.expected_output ?? '',
    goal_id: task.goal_id === null ? '' : String(task.goal_id),
    priority: String(task.priority),
    dependencies: task.dependencies.join(', '),
    deadline: localTime(task.deadline),
    not_before: localTime(task.not_before),
    key: task.key ?? '',
    max_attempts: String(task.max_attempts),
    on_dependency_failure: task.on_dependency_failure ?? 'block',
  };
}

/** A time as a field for date and time has it: local, to the minute. */
function localTime(at: string | undefined): string {
  if (at === undefined) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
