import { useLayoutEffect, useState } from 'preact/hooks';
import { Link } from '../location.js';
import { failureWords } from './failure-words.js';

export interface NewNotice {
  text: string;
  /** It stays until it is closed. */
  isError?: boolean;
  /** What was made or changed, and where it is. */
  link?: { to: string; label: string };
  /** Takes the action back; offered for as long as the notice is shown. */
  undo?(): Promise<unknown>;
}

interface Notice extends NewNotice {
  id: number;
}

const listeners = new Set<(notices: readonly Notice[]) => void>();
const timers = new Map<number, ReturnType<typeof setTimeout>>();
let notices: readonly Notice[] = [];
let lastId = 0;
const shownMs = 8_000;
/** Time enough to see that it was the wrong one. */
const undoMs = 15_000;
const mostShown = 5;

function set(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener(next);
}

function close(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  set(notices.filter((one) => one.id !== id));
}

function startTimer({ id, isError, undo }: Notice): void {
  clearTimeout(timers.get(id));
  if (!isError)
    timers.set(
      id,
      setTimeout(() => close(id), undo ? undoMs : shownMs),
    );
}

/** Shows a notice in the corner of the page: for some seconds, an error until it is closed. */
export function notice(shown: NewNotice): void {
  const added: Notice = { ...shown, id: ++lastId };
  // The same error again says nothing more.
  const others = notices.filter(({ text, isError }) => !(isError && added.isError && text === added.text));
  set([...others, added].slice(-mostShown));
  startTimer(added);
}

/** A notice of words alone. */
export const notify = (text: string, isError = false): void => notice({ text, isError });

/** Runs a button's action and shows its outcome as a notice; without `done`, only a failure. */
export async function act(work: () => Promise<unknown>, done: string | NewNotice | undefined): Promise<boolean> {
  try {
    await work();
    if (done !== undefined) notice(typeof done === 'string' ? { text: done } : done);
    return true;
  } catch (error) {
    notify(failureWords(error), true);
    return false;
  }
}

/** The notices, the newest last. They wait for who points at one or has the focus in it. */
export function Notices() {
  const [shown, setShown] = useState(notices);
  useLayoutEffect(() => {
    setShown(notices);
    listeners.add(setShown);
    return () => void listeners.delete(setShown);
  }, []);
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown.map((one) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: its time stops while someone reads it; nothing is done by it.
        <div
          key={one.id}
          class={one.isError ? 'notice error' : 'notice'}
          role={one.isError ? 'alert' : undefined}
          onMouseEnter={() => clearTimeout(timers.get(one.id))}
          onMouseLeave={() => startTimer(one)}
          onFocusIn={() => clearTimeout(timers.get(one.id))}
          onFocusOut={() => startTimer(one)}
        >
          <p>{one.text}</p>
          {one.link && <Link to={one.link.to}>{one.link.label}</Link>}
          {one.undo && <Undo {...one} undo={one.undo} />}
          <button type="button" class="close" aria-label="Close notice" onClick={() => close(one.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}

function Undo({ id, undo }: Pick<Notice, 'id'> & { undo(): Promise<unknown> }) {
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    close(id);
    await act(undo, 'Undone.');
  };
  return (
    <button type="button" class="small-button" disabled={isBusy} onClick={run}>
      Undo
    </button>
  );
}
