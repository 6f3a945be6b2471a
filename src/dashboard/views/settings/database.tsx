import { useState } from 'preact/hooks';
import type { MadeBackup, PurgeCounts, Settings } from '../../../http/page/settings.js';
import { write } from '../../api.js';
import { ActionForm, DialogButton } from '../../ui/dialog.js';
import { bytes, shownCount } from '../../ui/format.js';
import { act, notify } from '../../ui/notices.js';
import { Shown } from '../../ui/shown.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';

const mostShown = 20;

/** The database: where it is, its backups, and what can be deleted of it. */
export function DatabaseSettings({ read }: { read: Settings }) {
  const backUp = async () => {
    const { path, size_bytes } = await write<MadeBackup>('page/back_up', {});
    notify(`Backup of ${bytes(size_bytes)}: ${path}`);
  };
  return (
    <>
      <section>
        <h2>Database</h2>
        <p>
          <span class="path">{read.database}</span> <span class="fact">{bytes(read.database_bytes)}</span>
        </p>
        <p class="quiet">
          {read.retention_days === undefined
            ? 'Everything is kept until it is deleted here. AGENT_RUNTIME_RETENTION_DAYS has it done each day.'
            : `What ended ${read.retention_days} days ago is deleted each day.`}
        </p>
        <div class="actions">
          <DialogButton label="Delete what is old" title="Delete what ended long ago" class="danger">
            {(close) => <Purge onClose={close} />}
          </DialogButton>
          <DialogButton label="Delete all tasks" title="Delete every task of every project?" class="danger">
            {(close) => <Clear tasks={read.tasks} onClose={close} />}
          </DialogButton>
        </div>
      </section>
      <section>
        <div class="section-head">
          <h2>Backups</h2>
          <button type="button" onClick={() => act(backUp, undefined)}>
            Back up now
          </button>
        </div>
        <Backups backups={read.backups} />
      </section>
    </>
  );
}

function Backups({ backups }: Pick<Settings, 'backups'>) {
  if (backups.length === 0) return <p class="quiet">None yet.</p>;
  return (
    <>
      <table class="holdings">
        <thead>
          <tr>
            <th>File</th>
            <th>Size</th>
            <th>Made</th>
          </tr>
        </thead>
        <tbody>
          {backups.slice(0, mostShown).map(({ name, path, size_bytes, at }) => (
            <tr key={name}>
              <td class="path">{path}</td>
              <td data-name="Size">{bytes(size_bytes)}</td>
              <td data-name="Made">
                <Time at={at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {backups.length > mostShown && <p class="quiet">and {shownCount(backups.length - mostShown)} older ones</p>}
      <p class="quiet small">`agent-runtime restore FILE` puts one in place of the database.</p>
    </>
  );
}

const kinds: readonly (keyof PurgeCounts)[] = ['goals', 'tasks', 'jobs', 'relays', 'messages', 'sessions', 'runners'];

function Purge({ onClose }: { onClose(): void }) {
  const [days, setDays] = useState(90);
  const reading = useRead<PurgeCounts>('page/purge_preview', { days }, { keepsLast: true });
  const purge = async () => {
    const { backup, ...counts } = await write<PurgeCounts & { backup: string }>('page/purge', { days });
    return `Deleted: ${wordsOf(counts)}. The backup is ${backup}.`;
  };
  return (
    <ActionForm label="Delete" isDestructive onSubmit={purge} onClose={onClose}>
      <label>
        What ended at least so many days ago
        <input
          type="number"
          min={0}
          max={36_500}
          required
          value={days}
          onInput={({ currentTarget }) => currentTarget.checkValidity() && setDays(currentTarget.valueAsNumber)}
        />
      </label>
      <Shown reading={reading}>
        {(counts) => (
          <p class="preview">
            {kinds.some((kind) => counts[kind] > 0) ? `Up to ${wordsOf(counts)}.` : 'Nothing ended so long ago.'}
          </p>
        )}
      </Shown>
      <p class="quiet">
        What open work depends on stays. A backup is made first; files of the deleted jobs are deleted with them.
      </p>
    </ActionForm>
  );
}

const wordsOf = (counts: PurgeCounts): string =>
  kinds
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${shownCount(counts[kind])} ${kind}`)
    .join(', ') || 'nothing';

function Clear({ tasks, onClose }: { tasks: number; onClose(): void }) {
  const clear = async () => {
    const { deleted, backup } = await write<{ deleted: number; backup: string }>('page/clear_board', { confirm: true });
    return `${shownCount(deleted)} tasks are deleted. The backup is ${backup}.`;
  };
  return (
    <ActionForm label="Delete all tasks" isDestructive onSubmit={clear} onClose={onClose}>
      <p>
        {shownCount(tasks)} tasks go, also those that are being worked on, and all slots become free. Goals, jobs and
        the history stay. A backup is made first.
      </p>
      <label>
        Type the number of tasks
        <input required pattern={String(tasks)} inputMode="numeric" autocomplete="off" />
      </label>
    </ActionForm>
  );
}
