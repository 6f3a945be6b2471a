import { messageOf } from '../../base/errors.js';
import type { WorktreeRow } from '../../core/worktrees/worktrees.js';
import { finishedWorktreeOutput } from '../../tools/shapes/worktree.js';
import type { Worktrees } from '../../worktrees/worktrees.js';
import type { CommandContext } from '../define-command.js';
import { callFor, jobTool } from '../jobs/job-tool.js';
import { commandName } from '../launch.js';
import { type Column, printTable, relativeIso } from '../table.js';
import { withCaller } from '../tool/with-caller.js';
import { readSettingOf, settingOf, withStored } from '../with-runtime.js';

/** Lists the worktrees on the disk, with what was done in each. */
export async function listWorktrees(_: unknown, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const shown = await withStored(readSettingOf(flags), async ({ worktrees }) => {
    const rows = await worktrees.list();
    return Promise.all(rows.map((row) => show(row, worktrees)));
  });
  if (wantsJson) return output.printJson({ worktrees: shown });
  if (shown.length === 0) return output.print('There are no worktrees.');
  printTable(output, columnsAt(Date.now()), shown);
}

async function show(row: WorktreeRow, worktrees: Worktrees) {
  const work = await workIn(row, worktrees);
  return {
    task_id: row.task_id ?? row.job_id,
    title: row.title,
    status: row.status,
    branch: row.branch,
    base: row.base_branch,
    path: row.path,
    created_at: new Date(row.created_at).toISOString(),
    ...work,
  };
}

/** What was done in a worktree, or why that cannot be said. */
async function workIn(row: WorktreeRow, worktrees: Worktrees): Promise<{ files_changed?: number; problem?: string }> {
  try {
    return { files_changed: (await worktrees.difference(row)).fileCount };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

type Shown = Awaited<ReturnType<typeof show>>;

const columnsAt = (now: number): Column<Shown>[] => [
  { title: 'TASK', value: ({ task_id }) => String(task_id) },
  { title: 'TITLE', value: ({ title }) => title, isText: true },
  {
    title: 'FILES',
    value: ({ files_changed }) => (files_changed === undefined ? '?' : String(files_changed)),
    isNumber: true,
  },
  { title: 'BASE', value: ({ base }) => base ?? '' },
  { title: 'KEPT', value: ({ status }) => (status === 'kept' ? 'yes' : '') },
  { title: 'MADE', value: ({ created_at }) => relativeIso(created_at, now) },
  { title: 'PATH', value: ({ path }) => path },
  { title: 'PROBLEM', value: ({ problem }) => problem ?? '', isText: true },
];

const finish = async (
  action: string,
  { task, isForced }: { task: string; isForced?: boolean },
  { flags, output }: CommandContext,
): Promise<void> => {
  const setting = settingOf(flags);
  jobTool('finish_worktree', setting.config);
  const done = await withCaller(setting, flags, output, (caller) =>
    callFor(caller, 'finish_worktree', { task_id: task, action, force: isForced }, finishedWorktreeOutput),
  );
  if (flags.isJson) return output.printJson(done);
  if (done.status === 'merged')
    output.print(`Merged ${done.branch} into ${done.merged_into} (${done.commit?.slice(0, 10)}).`);
  else if (done.status === 'kept')
    output.print(`${done.path} stays until \`${commandName} worktrees\` merges or discards it.`);
  else
    output.print(
      `Discarded ${done.branch}.${done.kept_as === undefined ? '' : ` Its commits stay under ${done.kept_as}.`}`,
    );
};

export const mergeWorktree = (named: { task: string }, context: CommandContext): Promise<void> =>
  finish('merge', named, context);

export const discardWorktree = (named: { task: string; isForced: boolean }, context: CommandContext): Promise<void> =>
  finish('discard', named, context);

export const keepWorktree = (named: { task: string }, context: CommandContext): Promise<void> =>
  finish('keep', named, context);
