import type { Need, NeedKind } from '../../../http/page/attention.js';
import { useMayWrite, write } from '../../api.js';
import { acknowledge, isToRead } from '../../shell/acknowledge.js';
import { needWords } from '../../shell/need-words.js';
import { act } from '../../ui/notices.js';

interface Action {
  label: string;
  run(id: string): Promise<unknown>;
  done: string;
}

const retryJob: Action = {
  label: 'Retry',
  run: (id) => write('retry_task', { task_id: id }),
  done: 'The job runs again.',
};

/** What settles each kind here; the others are settled where they are shown. */
const actions: Partial<Record<NeedKind, Action>> = {
  dead_job: retryJob,
  failed_job: retryJob,
  failed_task: {
    label: 'Reopen',
    run: (id) => write('reset_failed_task', { taskId: id }),
    done: 'The task is on the board again.',
  },
  stale_claim: {
    label: 'Release',
    run: (id) => write('release_task', { task_id: id, force: true }),
    done: 'The task is on the board again.',
  },
  held_breaker: {
    label: 'Reset',
    run: (id) => write('circuit_breaker_reset', { agent_id: id }),
    done: 'The breaker is closed.',
  },
};

/** The action that settles a need, and the one that says that it was seen. */
export function NeedActions({ need: { kind, id, name } }: { need: Need }) {
  if (!useMayWrite()) return null;
  const action = actions[kind];
  return (
    <div class="actions">
      {action && <Small label={action.label} of={name} onClick={() => act(() => action.run(id), action.done)} />}
      <Small label={isToRead(kind) ? 'Mark as read' : 'Dismiss'} of={name} onClick={() => acknowledge(kind, [id])} />
    </div>
  );
}

export function AcknowledgeAll({ kind }: { kind: NeedKind }) {
  if (!useMayWrite()) return null;
  return (
    <Small
      label={isToRead(kind) ? 'Mark all as read' : 'Dismiss all'}
      of={needWords[kind].many.toLowerCase()}
      onClick={() => acknowledge(kind)}
    />
  );
}

/** Many buttons have the same label; a screen reader says what each is about. */
function Small({ label, of, onClick }: { label: string; of: string; onClick(): void }) {
  return (
    <button type="button" class="small-button" aria-label={`${label} ${of}`} onClick={onClick}>
      {label}
    </button>
  );
}
