import type { TaskCard, TaskLinks } from '../../../http/page/tasks.js';
import type { ShownWholeTask } from '../../../tools/shapes/task.js';
import { Link, queryText } from '../../location.js';
import { usePageTitle } from '../../shell/page-title.js';
import { costWords } from '../../ui/format.js';
import { History } from '../../ui/history.js';
import { Name } from '../../ui/name.js';
import { Passage } from '../../ui/passage.js';
import { RawJson, Shown } from '../../ui/shown.js';
import { StateIcon, StateMark, stateOf, stateWords } from '../../ui/state.js';
import { Particular, Time, When } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { Notes } from './notes.js';
import { TaskActions } from './task-actions.js';
import { Worktree } from './worktree.js';

/** A page that hears of no changes asks for them. */
const options = { subjects: ['task', 'runtime'], unheardMs: 30_000 };

/** One task in full. The reference is its id or its key. */
export function Task({ reference, query }: { reference: string; query: URLSearchParams }) {
  const reading = useRead<ShownWholeTask>('get_task', { task_id: reference, fields: 'full' }, options);
  const back = queryText(query);
  usePageTitle(reading.data?.title);
  return (
    <>
      <Link to={`/board${back}`} class="back">
        ← Board
      </Link>
      <Shown reading={reading}>{(task) => <Sheet task={task} back={back} />}</Shown>
    </>
  );
}

function Sheet({ task, back }: { task: ShownWholeTask; back: string }) {
  const links = useRead<TaskLinks>('page/task_links', { task_id: task.id }, options);
  const { dependencies = [], dependents = [] } = links.data ?? {};
  return (
    <article class="sheet task-sheet">
      <header class="sheet-head">
        <h2>{task.title}</h2>
        <TaskActions task={task} dependents={dependents.length} />
      </header>
      <div class="sheet-body">
        <Particulars task={task} goalName={links.data?.goal_name} jobs={links.data?.jobs ?? []} />
        <div class="sheet-text">
          {task.waits_because && <p class="note">{task.waits_because}</p>}
          <Passage title="Error" text={task.error} isBad />
          <Passage title="Result" text={task.result} />
          <Passage title="Description" text={task.description} />
          <Passage title="Acceptance" text={task.acceptance} />
          <Passage title="Expected output" text={task.expected_output} />
          {task.worktree && <Worktree taskId={task.id} shown={task.worktree} />}
          <Neighbours title="Waits for" tasks={dependencies} back={back} />
          <Neighbours title="Waited for by" tasks={dependents} back={back} />
          <Notes taskId={task.id} />
          <History subject="task" id={task.id} />
          <RawJson value={{ ...task, dependencies, dependents }} />
        </div>
      </div>
    </article>
  );
}

interface ParticularsProps {
  task: ShownWholeTask;
  goalName: string | undefined;
  jobs: TaskLinks['jobs'];
}

function Particulars({ task, goalName, jobs }: ParticularsProps) {
  return (
    <dl class="particulars">
      <Particular name="State">
        <StateMark state={stateOf(task)} />
        {task.skipped && ' (skipped)'}
        {task.overdue && <span class="fact bad">overdue</span>}
      </Particular>
      <Particular name="Id">
        {task.id} {task.key && <code class="key">{task.key}</code>}
      </Particular>
      <Particular name="Priority">{task.priority} of 10</Particular>
      {task.goal_id !== null && (
        <Particular name="Goal">
          <Link to={`/goals/${task.goal_id}`}>{goalName ?? `Goal ${task.goal_id}`}</Link>
        </Particular>
      )}
      {task.project && <Particular name="Project">{task.project}</Particular>}
      {task.claimed_by && (
        <Particular name="Held by">
          <Holder task={task} />
        </Particular>
      )}
      {task.status !== 'in_progress' && task.worker_id && (
        <Particular name="Worked on by">
          <Name of={task.worker_id} />
        </Particular>
      )}
      {jobs.length > 0 && (
        <Particular name="Jobs">
          {jobs.map(({ id, type, status, created_at }) => (
            <div key={id}>
              <Link to={`/jobs/${id}`} title={id}>
                {type}, {status}
              </Link>{' '}
              <span class="quiet">
                <Time at={created_at} />
              </span>
            </div>
          ))}
        </Particular>
      )}
      <Particular name="Attempts">
        {task.attempts} of {task.max_attempts}
      </Particular>
      {task.deadline && <When name="Deadline" at={task.deadline} />}
      {task.not_before && <When name="Not before" at={task.not_before} />}
      {task.on_dependency_failure && <Particular name="If a dependency fails">{task.on_dependency_failure}</Particular>}
      {task.tokens_used && (
        <Particular name="Tokens">
          {task.tokens_used.toLocaleString('en')}
          <div class="quiet">{costWords(task)}</div>
        </Particular>
      )}
      <When name="Created" at={task.created_at} />
      {task.started_at && <When name="Started" at={task.started_at} />}
      {task.completed_at && <When name="Ended" at={task.completed_at} />}
    </dl>
  );
}

/** Who has the task. The claim of a job has no end of its own. */
function Holder({ task: { worker_id, claimed_by, lease_expires_at } }: { task: ShownWholeTask }) {
  if (!claimed_by) return null;
  if (claimed_by.startsWith('job:')) return <Link to={`/jobs/${claimed_by.slice('job:'.length)}`}>its job</Link>;
  return (
    <>
      <Name of={worker_id ?? claimed_by} />
      {worker_id && !claimed_by.startsWith('loose:') && (
        <div class="quiet">
          <Name of={claimed_by} />
        </div>
      )}
      <div class="quiet">
        lease ends <Time at={lease_expires_at} />
      </div>
    </>
  );
}

function Neighbours({ title, tasks, back }: { title: string; tasks: readonly TaskCard[]; back: string }) {
  if (tasks.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="neighbours">
        {tasks.map((task) => (
          <li key={task.id}>
            <StateIcon state={task.state} />
            <span>
              <Link to={`/board/task/${task.id}${back}`}>{task.title}</Link>{' '}
              <span class="quiet">
                #{task.id}, {stateWords[task.state].toLowerCase()}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
