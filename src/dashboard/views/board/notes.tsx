import { useState } from 'preact/hooks';
import type { ActivityPage } from '../../../http/page/activity/activity.js';
import { useMayWrite, write } from '../../api.js';
import { Name } from '../../ui/name.js';
import { act } from '../../ui/notices.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';

/** What people and sessions have noted on a task, the newest first, and the field for another note. */
export function Notes({ taskId }: { taskId: number }) {
  const mayWrite = useMayWrite();
  const args = { kind: 'task', subject_id: String(taskId), type: 'note', limit: 100 };
  const { data } = useRead<ActivityPage>('page/activity', args, { subjects: ['task'] });
  const notes = data?.events ?? [];
  if (notes.length === 0 && !mayWrite) return null;
  return (
    <section>
      <h3>Notes</h3>
      {mayWrite && <AddNote taskId={taskId} />}
      <ol class="notes-list">
        {notes.map(({ id, at, actor, data: said }) => (
          <li key={id}>
            <p>{String(said?.note ?? '')}</p>
            <span class="quiet small">
              {actor && <Name of={actor} />} <Time at={at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function AddNote({ taskId }: { taskId: number }) {
  const [text, setText] = useState('');
  const add = async () => {
    const note = text.trim();
    if (note !== '' && (await act(() => write('page/add_note', { task_id: taskId, note }), undefined))) setText('');
  };
  return (
    <form
      class="add-note"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <textarea
        aria-label="Note"
        rows={2}
        maxLength={4_000}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit" disabled={text.trim() === ''}>
        Add note
      </button>
    </form>
  );
}
