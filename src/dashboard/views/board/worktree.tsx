import type { ShownWholeTask } from '../../../tools/shapes/task.js';
import type { ShownDifference, ShownWorktree } from '../../../tools/shapes/worktree.js';
import { useMayWrite, write } from '../../api.js';
import { ConfirmButton } from '../../ui/dialog.js';
import { act } from '../../ui/notices.js';
import { Folded, Passage } from '../../ui/passage.js';
import { useRead } from '../../use-read.js';

/** What is done in it changes without an event. */
const options = { subjects: ['task'], everyMs: 30_000 };

/** The git worktree of a task: where it is, what was done in it, and how it ends. */
export function Worktree({ taskId, shown }: { taskId: number; shown: ShownWorktree }) {
  const isThere = shown.status === 'active' || shown.status === 'kept';
  const reading = useRead<ShownWholeTask>(
    'get_task',
    { task_id: taskId, fields: 'brief', diff: true },
    { ...options, isWanted: isThere },
  );
  const { diff, diff_error } = reading.data?.worktree ?? {};
  return (
    <section class="worktree">
      <h3>Worktree</h3>
      <p>
        <code>{shown.branch}</code>
        {shown.base && (
          <>
            {' '}
            from <code>{shown.base}</code>
          </>
        )}
        , {isThere ? <code>{shown.path}</code> : shown.status}
        {shown.status === 'kept' && ' (kept)'}
      </p>
      {diff_error && <p class="note">{diff_error}</p>}
      {isThere && diff && <Difference diff={diff} taskId={taskId} />}
      {isThere && <Ends taskId={taskId} shown={shown} />}
    </section>
  );
}

function Difference({ diff, taskId }: { diff: ShownDifference; taskId: number }) {
  if (diff.files_changed === 0) return <p class="quiet">Nothing was changed in it yet.</p>;
  const { files_changed: count, commits } = diff;
  return (
    <>
      <p>
        {count} {count === 1 ? 'file' : 'files'} changed (+{diff.lines_added} −{diff.lines_removed}), {commits}{' '}
        {commits === 1 ? 'commit' : 'commits'}
        {diff.uncommitted && ', some of it not committed'}
      </p>
      <ul class="neighbours">
        {diff.files.map(({ path, added, removed }) => (
          <li key={path}>
            <code>{path}</code> <span class="quiet">{added === null ? 'binary' : `+${added} −${removed}`}</span>
          </li>
        ))}
      </ul>
      <Folded title={diff.patch_cut ? 'Diff (its beginning)' : 'Diff'}>
        {() => <Passage text={diff.patch} kind="patch" name={`worktree-${taskId}`} />}
      </Folded>
    </>
  );
}

function Ends({ taskId, shown }: { taskId: number; shown: ShownWorktree }) {
  if (!useMayWrite()) return null;
  const finish = (action: string, force?: boolean) => write('finish_worktree', { task_id: taskId, action, force });
  return (
    <div class="actions">
      {shown.base && (
        <ConfirmButton
          label="Merge"
          question={`Merge into ${shown.base}?`}
          consequence="What is not committed becomes a commit with the title of the task. Worktree and branch are removed."
          onConfirm={async () => {
            await finish('merge');
            return `${shown.branch} is merged into ${shown.base}.`;
          }}
        />
      )}
      {shown.status !== 'kept' && (
        <button type="button" onClick={() => act(() => finish('keep'), `${shown.path} stays until you finish it.`)}>
          Keep
        </button>
      )}
      <ConfirmButton
        label="Discard"
        question="Discard the worktree?"
        consequence="Worktree and branch are removed. Its commits stay under a ref, of which the history tells."
        onConfirm={async () => {
          await finish('discard', true);
          return `${shown.branch} is discarded.`;
        }}
      />
    </div>
  );
}
