import { type ShownWholeTask, wholeTaskOutput } from '../../tools/shapes/task.js';
import type { CommandContext } from '../define-command.js';
import { forShell } from '../for-shell.js';
import { callFor, jobTool } from '../jobs/job-tool.js';
import { type Paint, printable } from '../output.js';
import { oneLine, relativeIso } from '../table.js';
import { readInput } from '../tool/read-input.js';
import { drawWatched } from './watched.js';

/** Prints a task in full, as get_task returns it. */
export async function runTask(
  { task: id, isWatched }: { task: string; isWatched: boolean },
  context: CommandContext,
): Promise<void> {
  await drawWatched(isWatched, context, async (caller, output) => {
    const tool = jobTool('get_task', caller.runtime.config);
    const input = await readInput(tool, { pairs: [`task_id=${id}`, 'fields=full'] });
    const task = await callFor(caller, 'get_task', input, wholeTaskOutput);
    if (context.wantsJson) output.printJson(task);
    else output.print(renderTask(task, caller.runtime.clock.now(), output.paint));
  });
}

/** A task as text; `now` is in ms since 1970. */
export function renderTask(task: ShownWholeTask, now: number, paint: Paint): string {
  const when = (at: string | null | undefined) => (at ? `${relativeIso(at, now)} (${at})` : undefined);
  const ids = (list: readonly number[]) => (list.length === 0 ? undefined : list.join(', '));
  const fields: [name: string, value: string | undefined][] = [
    ['status', task.ready ? `${task.status}, ready` : task.status],
    ['waits', task.waits_because && forShell(task.waits_because)],
    ['key', task.key],
    ['goal', task.goal_id === null ? undefined : String(task.goal_id)],
    ['project', task.project],
    ['priority', String(task.priority)],
    ['depends on', ids(task.dependencies)],
    ['needed by', ids(task.dependents)],
    ['worker', task.worker_id ?? task.claimed_by],
    ['lease ends', when(task.lease_expires_at)],
    ['deadline', when(task.deadline)],
    ['not before', when(task.not_before)],
    ['worktree', task.worktree && `${task.worktree.path} (${task.worktree.branch}, ${task.worktree.status})`],
    ['attempts', `${task.attempts} of ${task.max_attempts}`],
    ['created', when(task.created_at)],
    ['started', when(task.started_at)],
    ['completed', when(task.completed_at)],
    ['error', task.error ?? undefined],
  ];
  const attempts = (task.earlier_attempts ?? []).map(
    ({ outcome, ended_at, by, error }) =>
      `${when(ended_at)}  ${outcome}  ${oneLine([by, error].filter(Boolean).join(': '))}`,
  );
  const notes = (task.notes ?? []).map(
    ({ at, by, note }) => `${when(at)}  ${by === undefined ? '' : `${by}: `}${note}`,
  );
  return [
    `${paint('bold', String(task.id))}  ${paint('bold', oneLine(task.title))}`,
    ...fields.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(10)} ${oneLine(value)}`])),
    ...section('description', task.description === '' ? [] : [task.description]),
    ...section('acceptance', task.acceptance === undefined ? [] : [task.acceptance]),
    ...section('earlier attempts', attempts),
    ...section('notes', notes),
    ...section('result', task.result === null ? [] : [task.result]),
  ].join('\n');
}

function section(title: string, texts: readonly string[]): string[] {
  const lines = texts.flatMap((text) => printable(text).split('\n'));
  return lines.length === 0 ? [] : [`  ${title}`, ...lines.map((line) => `    ${line}`)];
}
