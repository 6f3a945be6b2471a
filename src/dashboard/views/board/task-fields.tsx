import type { ComponentChildren } from 'preact';
import type { BoardChoices } from '../../../http/page/tasks.js';
import { type FailurePolicy, failurePolicyWords, priorities, priorityWords } from './task-words.js';

type UsualField = 'title' | 'description' | 'acceptance' | 'goal_id' | 'priority' | 'dependencies' | 'deadline';
type RareField = 'expected_output' | 'not_before' | 'key' | 'max_attempts' | 'on_dependency_failure';

/** The fields of a task as texts, by the argument that takes each. */
export type TaskFieldValues = Record<UsualField, string> & Partial<Record<RareField, string>>;

interface TaskFieldsProps {
  goals: BoardChoices['goals'];
  values: TaskFieldValues;
  /** With what is rarely given at once. */
  isEdit?: boolean;
}

/** The fields of a form that makes or edits a task. */
export function TaskFields({ goals, values, isEdit = false }: TaskFieldsProps) {
  return (
    <>
      <label>
        Title
        <input
          name="title"
          required
          maxLength={500}
          placeholder="What is to be done"
          dir="auto"
          defaultValue={values.title}
        />
      </label>
      <Text name="description" label="Description" rows={4} most={100_000} value={values.description} />
      <Text
        name="acceptance"
        label="Acceptance criteria: when is it done?"
        rows={2}
        most={20_000}
        value={values.acceptance}
      />
      <div class="pair">
        <label>
          Goal
          <select name="goal_id">
            <option value="">None</option>
            {goals
              .filter(({ id, status }) => status === 'active' || String(id) === values.goal_id)
              .map(({ id, name }) => (
                <option key={id} value={id} selected={String(id) === values.goal_id}>
                  {name}
                </option>
              ))}
          </select>
        </label>
        <label>
          Priority
          <select name="priority">
            {priorities.map((priority) => (
              <option key={priority} value={priority} selected={String(priority) === values.priority}>
                {priorityWords(priority)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="pair">
        <label>
          Waits for
          <input name="dependencies" placeholder="ids or keys: 12, auth-api" defaultValue={values.dependencies} />
        </label>
        <label>
          Deadline
          <input name="deadline" type="datetime-local" defaultValue={values.deadline} />
        </label>
      </div>
      {isEdit && <RareFields values={values} />}
    </>
  );
}

function RareFields({ values }: { values: TaskFieldValues }) {
  return (
    <details class="more-fields">
      <summary>More</summary>
      <Text
        name="expected_output"
        label="Expected output"
        rows={2}
        most={20_000}
        value={values.expected_output ?? ''}
      />
      <div class="pair">
        <label>
          Key
          <input name="key" maxLength={200} placeholder="a name that works as an id" defaultValue={values.key} />
        </label>
        <label>
          Not before
          <input name="not_before" type="datetime-local" defaultValue={values.not_before} />
        </label>
      </div>
      <div class="pair">
        <label>
          Attempts at most
          <input name="max_attempts" type="number" min={1} max={100} required defaultValue={values.max_attempts} />
        </label>
        <label>
          If a dependency fails
          <select name="on_dependency_failure">
            {Object.entries(failurePolicyWords).map(([policy, words]) => (
              <option key={policy} value={policy} selected={policy === values.on_dependency_failure}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </div>
    </details>
  );
}

interface TextProps {
  name: string;
  label: ComponentChildren;
  rows: number;
  most: number;
  value: string;
}

const Text = ({ name, label, rows, most, value }: TextProps) => (
  <label>
    {label}
    <textarea name={name} rows={rows} maxLength={most} dir="auto" defaultValue={value} />
  </label>
);

/** A field of a form as trimmed text. A browser ends lines as the network does, which no stored text has. */
export const textOf = (form: FormData, name: string): string =>
  String(form.get(name) ?? '')
    .replaceAll('\r\n', '\n')
    .trim();

/** Fields of a task as arguments of the tools. An empty one is `empty`, or left out where that is undefined. */
export function toArguments(values: TaskFieldValues, empty?: null): Record<string, unknown> {
  const optional = (text: string | undefined, convert: (text: string) => unknown = (same) => same) =>
    text === undefined || text === '' ? empty : convert(text);
  const time = (text: string) => new Date(text).toISOString();
  const given = {
    title: values.title,
    description: empty === null ? values.description.trim() : optional(values.description),
    acceptance: optional(values.acceptance.trim()),
    expected_output: optional(values.expected_output?.trim()),
    goal_id: optional(values.goal_id, Number),
    priority: Number(values.priority),
    dependencies: referencesIn(values.dependencies, empty),
    deadline: optional(values.deadline, time),
    not_before: optional(values.not_before, time),
    key: optional(values.key),
    max_attempts: values.max_attempts === undefined ? undefined : Number(values.max_attempts),
    on_dependency_failure: values.on_dependency_failure as FailurePolicy | undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== undefined && name in values));
}

/** Ids and keys of a list; none are left out where nothing is to be said of them. */
function referencesIn(text: string, empty: null | undefined): (number | string)[] | undefined {
  const references = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((word) => (/^\d+$/.test(word) ? Number(word) : word));
  return references.length === 0 && empty === undefined ? undefined : references;
}
