import { useEffect, useState } from 'preact/hooks';
import type { StreamedEvent } from '../http/event-stream.js';

export type LiveState = 'live' | 'paused' | 'connecting';

type ChangeListener = (change: StreamedEvent) => void;
type StateListener = (state: LiveState) => void;

const changeListeners = new Set<ChangeListener>();
const stateListeners = new Set<StateListener>();
let source: EventSource | undefined;
let lastId: string | undefined;
let state: LiveState = 'connecting';

/** Opens the event stream after the last change seen. The browser reconnects by itself and asks for what it missed. */
export function connect(): void {
  source?.close();
  setState('connecting');
  source = new EventSource(lastId === undefined ? '/api/events' : `/api/events?after=${lastId}`);
  source.addEventListener('ready', (event) => {
    lastId = event.lastEventId || lastId;
    setState('live');
  });
  source.addEventListener('message', (event) => {
    lastId = event.lastEventId || lastId;
    const change = JSON.parse(event.data) as StreamedEvent;
    for (const listener of changeListeners) listener(change);
  });
  source.addEventListener('error', () => setState('connecting'));
}

/** Freezes what is shown; `connect` catches up. */
export function pause(): void {
  source?.close();
  source = undefined;
  setState('paused');
}

function setState(next: LiveState): void {
  state = next;
  for (const listener of stateListeners) listener(next);
}

export function useLiveState(): LiveState {
  const [shown, setShown] = useState(state);
  useEffect(() => {
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

/** Calls `listener` for each change while the component is mounted. */
export function useChanges(listener: ChangeListener): void {
  useEffect(() => {
    changeListeners.add(listener);
    return () => void changeListeners.delete(listener);
  }, [listener]);
}
