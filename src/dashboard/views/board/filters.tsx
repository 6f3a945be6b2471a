import { useEffect, useRef, useState } from 'preact/hooks';
import type { BoardChoices, TaskSummary } from '../../../http/page/tasks.js';
import type { Arguments } from '../../api.js';
import { filter } from '../../location.js';
import { Choice } from '../../ui/choice.js';
import { shownCount } from '../../ui/format.js';
import { StateIcon, stateWords, taskStates, totalOf } from '../../ui/state.js';

/** The choices change with goals and slots. Reading them after each task would be too often. */
export const choicesRead = { subjects: ['goal', 'slot'] };

/** The address's value for tasks without a project; an empty value means any project. */
const noProject = 'none';
const names = ['goal', 'project', 'worker', 'text', 'overdue', 'state'];

/** Whether any filter is set. */
export const hasFilter = (query: URLSearchParams): boolean => [...names, 'before'].some((name) => query.has(name));

/** The address's filters as arguments of a read. */
export function filterArguments(query: URLSearchParams): Arguments {
  const [goal, project, worker, text] = names.map((name) => query.get(name) ?? '');
  return {
    ...(goal && /^\d+$/.test(goal) ? { goal_id: Number(goal) } : {}),
    ...(project ? { project: project === noProject ? '' : project } : {}),
    ...(worker ? { worker } : {}),
    ...(text ? { text } : {}),
    ...(query.has('overdue') ? { overdue: true } : {}),
  };
}

interface FiltersProps {
  query: URLSearchParams;
  choices: BoardChoices | undefined;
}

/** The board's filters; the address keeps all of them. */
export function Filters({ query, choices }: FiltersProps) {
  const goals = choices?.goals.map(({ id, name }) => ({ value: String(id), words: name })) ?? [];
  const projects = choices?.projects.map((path) => ({ value: path, words: lastOf(path) })) ?? [];
  const workers = choices?.workers.map((worker) => ({ value: worker, words: worker })) ?? [];
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <SearchText text={query.get('text') ?? ''} />
      <Choice name="goal" any="Any goal" query={query} choices={goals} />
      <Choice
        name="project"
        any="Any project"
        query={query}
        choices={[...projects, { value: noProject, words: 'No project' }]}
      />
      <Choice name="worker" any="Any worker" query={query} choices={workers} />
    </form>
  );
}

const lastOf = (path: string): string => path.split(/[\\/]/).filter(Boolean).slice(-2).join('/') || path;

const typingMs = 200;

/** Searches once the typing pauses. */
export function SearchText({ text, placeholder = 'Find tasks…' }: { text: string; placeholder?: string }) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const wanted = useRef(text);
  useEffect(() => {
    // The address was changed from outside: by a link, or by the back button.
    if (text !== wanted.current) setTyped(text);
    wanted.current = text;
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      aria-label="text"
      placeholder={placeholder}
      maxLength={200}
      value={typed}
      onInput={(event) => {
        const value = event.currentTarget.value;
        setTyped(value);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          wanted.current = value;
          filter({ text: value, before: '' });
        }, typingMs);
      }}
    />
  );
}

/** Tabs by state, with the number of tasks in each. */
export function StateTabs({ summary, state }: { summary: TaskSummary; state: string }) {
  return (
    <fieldset class="tabs" aria-label="State">
      <button type="button" aria-pressed={state === ''} onClick={() => filter({ state: '', view: 'list', before: '' })}>
        All <b>{shownCount(totalOf(summary))}</b>
      </button>
      {taskStates.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={state === one}
          onClick={() => filter({ state: one, view: 'list', before: '' })}
        >
          <StateIcon state={one} />
          {stateWords[one]} <b>{shownCount(summary.counts[one])}</b>
        </button>
      ))}
    </fieldset>
  );
}
