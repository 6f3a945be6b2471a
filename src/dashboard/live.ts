import { useLayoutEffect, useState } from 'preact/hooks';
import type { StreamedEvent } from '../http/event-stream.js';
import { shareStream } from './shared-stream.js';

export type LiveState = 'live' | 'paused' | 'connecting';

type ChangeListener = (change: StreamedEvent) => void;
type StateListener = (state: LiveState) => void;

const changeListeners = new Set<ChangeListener>();
const missedListeners = new Set<() => void>();
const dueListeners = new Set<() => void>();
const stateListeners = new Set<StateListener>();
/** Once a hidden tab is seen again, it may take so long to be live before it says that it is not. */
const patienceMs = 1_500;

/** The last event of which the page knows; at first the newest one when the server sent the page. */
let lastId = document.querySelector<HTMLMetaElement>('meta[name="newest-event"]')?.content || undefined;
let state: LiveState = 'connecting';
let leave: (() => void) | undefined;
let patience: ReturnType<typeof setTimeout> | undefined;
let heardAt: number | undefined;
let isKeptWhileHidden = false;

/** Shows changes as they happen, for as long as the page is seen. */
export function connect(): void {
  setState('connecting');
  document.addEventListener('visibilitychange', onVisibility);
  listen();
}

/** Freezes what is shown; `connect` catches up. */
export function pause(): void {
  document.removeEventListener('visibilitychange', onVisibility);
  rest();
  setState('paused');
}

/** Nobody looks at a hidden page, so it needs no stream; it catches up when it is seen again. */
function onVisibility(): void {
  if (isKeptWhileHidden) return;
  if (document.hidden) {
    rest();
    return;
  }
  patience = setTimeout(() => setState('connecting'), patienceMs);
  listen();
}

/** Whether this tab hears of changes while it is hidden too, because it tells the person of them. */
export function stayLiveWhileHidden(isWanted: boolean): void {
  isKeptWhileHidden = isWanted;
  if (!document.hidden || state === 'paused') return;
  if (isWanted) listen();
  else rest();
}

/** Whether changes are heard of as they happen. */
export const isHeard = (): boolean => state === 'live' && leave !== undefined;

/** When the server was last heard of, in epoch milliseconds. */
export const lastHeardAt = (): number | undefined => heardAt;

function listen(): void {
  leave?.();
  leave = shareStream(() => lastId, {
    up(id) {
      clearTimeout(patience);
      // What came between is told again from the last known event, unless another tab had the stream meanwhile.
      const hasMissed = id !== lastId;
      heardAt = Date.now();
      lastId = id;
      setState('live');
      if (hasMissed) for (const listener of missedListeners) listener();
    },
    change(change, id) {
      lastId = id;
      heardAt = Date.now();
      for (const listener of changeListeners) listener(change);
    },
    down: () => setState('connecting'),
  });
}

function rest(): void {
  clearTimeout(patience);
  leave?.();
  leave = undefined;
}

function setState(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const listener of stateListeners) listener(next);
}

export function useLiveState(): LiveState {
  const [shown, setShown] = useState(state);
  useLayoutEffect(() => {
    setShown(state);
    stateListeners.add(setShown);
    return () => void stateListeners.delete(setShown);
  }, []);
  return shown;
}

/** The interval at which to read what grows without a recorded change (progress, output); none while the page is paused. */
export function usePollInterval(ms: number, isWanted: boolean): number | undefined {
  const isPaused = useLiveState() === 'paused';
  return isWanted && !isPaused ? ms : undefined;
}

/** Calls `listener` for each change, for as long as the page is open. */
export const onChange = (listener: ChangeListener): void => void changeListeners.add(listener);

/** Calls `listener` for each change while the component is mounted. */
export function useChanges(listener: ChangeListener): void {
  useLayoutEffect(() => {
    changeListeners.add(listener);
    return () => void changeListeners.delete(listener);
  }, [listener]);
}

/** Calls `listener` when changes may have been missed. */
export function useMissed(listener: () => void): void {
  useLayoutEffect(() => {
    missedListeners.add(listener);
    return () => void missedListeners.delete(listener);
  }, [listener]);
}

/** Says that the clock alone has changed what is shown: a deadline has passed, or a start has come. */
export function announceDue(): void {
  for (const listener of dueListeners) listener();
}

/** Calls `listener` when the clock alone has changed what is shown. */
export function useDue(listener: () => void): void {
  useLayoutEffect(() => {
    dueListeners.add(listener);
    return () => void dueListeners.delete(listener);
  }, [listener]);
}
