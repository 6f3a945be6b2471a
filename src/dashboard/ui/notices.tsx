import { useEffect, useState } from 'preact/hooks';
import { failureWords } from './failure-words.js';

interface Notice {
  id: number;
  text: string;
  isError: boolean;
}

const listeners = new Set<(notices: readonly Notice[]) => void>();
let notices: readonly Notice[] = [];
let lastId = 0;
const shownMs = 8_000;

function set(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener(next);
}

/** Shows a notice in the corner of the page for some seconds. */
export function notify(text: string, isError = false): void {
  const notice = { id: ++lastId, text, isError };
  set([...notices, notice]);
  setTimeout(() => set(notices.filter(({ id }) => id !== notice.id)), shownMs);
}

/** Runs a button's action and shows its outcome as a notice; without `done`, only a failure. */
export async function act(work: () => Promise<unknown>, done: string | undefined): Promise<boolean> {
  try {
    await work();
    if (done !== undefined) notify(done);
    return true;
  } catch (error) {
    notify(failureWords(error), true);
    return false;
  }
}

export function Notices() {
  const [shown, setShown] = useState(notices);
  useEffect(() => {
    listeners.add(setShown);
    return () => void listeners.delete(setShown);
  }, []);
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown.map(({ id, text, isError }) => (
        <p key={id} class={isError ? 'error' : ''}>
          {text}
        </p>
      ))}
    </div>
  );
}
