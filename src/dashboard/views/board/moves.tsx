import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { TaskState } from '../../../http/page/tasks.js';
import type { ShownChangedTask } from '../../../tools/shapes/task.js';
import { write } from '../../api.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { Name } from '../../ui/name.js';
import { act, type NewNotice } from '../../ui/notices.js';

/** What of a task its moves need to know. */
export interface Movable {
  id: number;
  title: string;
  state: TaskState;
  /** Who works on it. */
  holder?: string | undefined;
  /** How many tasks wait for it, where that is known. */
  dependents?: number | undefined;
}

/** A move of a task from one state to another by a person: as a button, in a menu, and between the board's columns. */
export interface Move {
  name: 'claim' | 'complete' | 'fail' | 'release' | 'reopen' | 'cancel';
  label: string;
  from: readonly TaskState[];
  to: TaskState;
  isDestructive?: boolean;
}

const moves: readonly Move[] = [
  { name: 'claim', label: 'Claim', from: ['ready'], to: 'in_progress' },
  { name: 'complete', label: 'Complete', from: ['ready', 'in_progress'], to: 'completed' },
  { name: 'fail', label: 'Fail', from: ['ready', 'in_progress'], to: 'failed' },
  { name: 'release', label: 'Release', from: ['in_progress'], to: 'ready', isDestructive: true },
  { name: 'reopen', label: 'Reopen', from: ['completed', 'failed', 'cancelled'], to: 'ready' },
  {
    name: 'cancel',
    label: 'Cancel task',
    from: ['ready', 'waiting', 'in_progress'],
    to: 'cancelled',
    isDestructive: true,
  },
];

export const movesOf = (state: TaskState): readonly Move[] => moves.filter(({ from }) => from.includes(state));

/** The move that brings a task to another column. */
export const moveTo = (state: TaskState, to: TaskState): Move | undefined =>
  movesOf(state).find((move) => move.to === to);

/** Begins a move: most ask in a dialog first, which is to be drawn. */
export function useMove(): { begin(task: Movable, move: Move): void; dialog: ComponentChildren } {
  const [moving, setMoving] = useState<{ task: Movable; move: Move }>();
  const close = () => setMoving(undefined);
  return {
    begin(task, move) {
      // What was done is kept from a slip; what failed or was cancelled can be cancelled again.
      if (move.name === 'reopen' && task.state !== 'completed') void act(() => reopen(task), reopened(task));
      else setMoving({ task, move });
    },
    dialog: moving && <MoveDialog {...moving} onClose={close} />,
  };
}

const setStatus = (id: number, status: string, more: Record<string, unknown> = {}) =>
  write<ShownChangedTask>('update_task_status', { task_id: id, status, ...more });

const reopen = ({ id }: Movable) => setStatus(id, 'pending');
const linkTo = (id: number) => ({ to: `/board/task/${id}`, label: 'Open it' });

function reopened({ id, state }: Movable): NewNotice {
  const text = `Task ${id} is on the board again.`;
  return state === 'cancelled' ? { text, undo: () => setStatus(id, 'cancelled') } : { text, link: linkTo(id) };
}

interface MoveDialogProps {
  task: Movable;
  move: Move;
  onClose(): void;
}

function MoveDialog({ task, move, onClose }: MoveDialogProps) {
  const form = { task, onClose };
  switch (move.name) {
    case 'claim':
      return <Claim {...form} />;
    case 'complete':
      return <End {...form} status="completed" title="Complete this task" label="Complete" about="Result" />;
    case 'fail':
      return <End {...form} status="failed" title="Mark this task as failed" label="Fail" about="What went wrong" />;
    case 'release':
      return <Release {...form} />;
    case 'reopen':
      return <Reopen {...form} />;
    case 'cancel':
      return <Cancel {...form} />;
  }
}

type FormProps = Pick<MoveDialogProps, 'task' | 'onClose'>;

interface EndProps extends FormProps {
  status: 'completed' | 'failed';
  title: string;
  label: string;
  /** The name of the text. */
  about: string;
}

/** Ends the task with what came of it, and a claim on it, so that its holder cannot write over it. */
function End({ task, status, title, label, about, onClose }: EndProps) {
  const isFailure = status === 'failed';
  const end = async (form: FormData) => {
    const text = String(form.get('text')).trim();
    await write('page/end_task', { task_id: task.id, status, ...(text === '' ? {} : { text }) });
    return { text: `Task ${task.id} is ${status}.`, link: linkTo(task.id) };
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <ActionForm label={label} isDestructive={isFailure} onSubmit={end} onClose={onClose}>
        <Subject task={task} />
        {task.holder && (
          <p class="quiet">
            <Name of={task.holder} isLinked={false} /> works on it: what it still reports is refused then.
          </p>
        )}
        <label>
          {about}
          <textarea name="text" rows={6} maxLength={100_000} required={isFailure} />
        </label>
      </ActionForm>
    </Dialog>
  );
}

const Subject = ({ task: { id, title } }: { task: Movable }) => (
  <p class="subject">
    <span class="quiet">#{id}</span> {title}
  </p>
);

const leases: readonly [seconds: number, words: string][] = [
  [3_600, 'an hour'],
  [28_800, '8 hours'],
  [86_400, 'a day'],
  [604_800, 'a week'],
];

/** Claims the task for a person or program without a session; its claim is not renewed. */
function Claim({ task, onClose }: FormProps) {
  const claim = async (form: FormData) => {
    const worker = String(form.get('worker')).trim();
    const claimed = await setStatus(task.id, 'in_progress', {
      worker_id: worker,
      lease_seconds: Number(form.get('lease')),
    });
    return {
      text: `${worker} has task ${task.id}, with claim_token ${claimed.claim_token}.`,
      undo: () => write('release_task', { task_id: task.id, force: true }),
    };
  };
  return (
    <Dialog title="Claim this task" onClose={onClose}>
      <ActionForm label="Claim" onSubmit={claim} onClose={onClose}>
        <Subject task={task} />
        <p class="quiet">No session will take it while the claim lives. When it lapses, the task is free again.</p>
        <div class="pair">
          <label>
            Who does it
            <input name="worker" required maxLength={200} />
          </label>
          <label>
            For
            <select name="lease">
              {leases.map(([seconds, words]) => (
                <option key={seconds} value={seconds}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        </div>
      </ActionForm>
    </Dialog>
  );
}

function Release({ task, onClose }: FormProps) {
  const release = async () => {
    await write('release_task', { task_id: task.id, force: true });
    return `Task ${task.id} is on the board again.`;
  };
  return (
    <Question title="Release this task?" label="Release" onConfirm={release} task={task} onClose={onClose}>
      {task.holder ? <Name of={task.holder} isLinked={false} /> : 'Its worker'} loses its claim: what it still reports
      is refused, and anyone may take the task.
    </Question>
  );
}

function Reopen({ task, onClose }: FormProps) {
  const confirm = async () => {
    await reopen(task);
    return reopened(task);
  };
  return (
    <Question title="Reopen this task?" label="Reopen" onConfirm={confirm} task={task} onClose={onClose}>
      It is to be done again. Tasks after it that nobody has begun wait for it; its result stays until there is another.
    </Question>
  );
}

function Cancel({ task, onClose }: FormProps) {
  const { dependents } = task;
  const cancel = async () => {
    await setStatus(task.id, 'cancelled');
    return { text: `Task ${task.id} is cancelled.`, undo: () => reopen(task) };
  };
  return (
    <Question title="Cancel this task?" label="Cancel task" onConfirm={cancel} task={task} onClose={onClose}>
      {dependents === 0
        ? 'It leaves the board. It can be reopened.'
        : dependents === undefined
          ? 'It leaves the board, and the policy of each task that waits for it decides what becomes of that. It can be reopened.'
          : `It is taken off the board, and the policy of ${dependents} that ${dependents === 1 ? 'waits' : 'wait'} for it decides what becomes of them.`}
    </Question>
  );
}

interface QuestionProps extends FormProps {
  title: string;
  label: string;
  onConfirm(): Promise<string | NewNotice>;
  children: ComponentChildren;
}

function Question({ title, label, task, onConfirm, onClose, children }: QuestionProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <ActionForm label={label} isDestructive dismiss="Keep it" onSubmit={onConfirm} onClose={onClose}>
        <Subject task={task} />
        <p>{children}</p>
      </ActionForm>
    </Dialog>
  );
}
