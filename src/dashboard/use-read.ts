import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { StreamedEvent } from '../http/event-stream.js';
import type { Names } from '../http/page/names.js';
import { type Arguments, CallFailed, onWrite, read } from './api.js';
import { isHeard, useChanges, useDue, useLiveState, useMissed } from './live.js';
import { learn } from './names.js';

export interface Reading<Result> {
  /** The last data; kept during the next read. */
  data: Result | undefined;
  error: CallFailed | undefined;
  reload(): void;
}

export interface ReadOptions {
  /** Subjects whose changes cause another read, such as `task`. */
  subjects?: readonly string[];
  /** Also reads at this interval (milliseconds): for what grows without a recorded change, such as streamed output. */
  everyMs?: number | undefined;
  /** Reads at this interval only while it does not hear of changes: hidden, or not connected. */
  unheardMs?: number | undefined;
  /** Changes within so many milliseconds cause one read. */
  settleMs?: number;
  /** No reads while false. */
  isWanted?: boolean;
  /** Keeps the data of earlier arguments until the new ones are answered: for a list that is being filtered. */
  keepsLast?: boolean;
}

const usualSettleMs = 150;

/**
 * The result of a tool that reads, kept current: read again after each change of its subjects, and when the connection
 * is back.
 */
export function useRead<Result extends object>(
  tool: string,
  args: Arguments = {},
  options: ReadOptions = {},
): Reading<Result> {
  const { subjects = [], everyMs, unheardMs, settleMs = usualSettleMs, isWanted = true, keepsLast = false } = options;
  const key = JSON.stringify([tool, args]);
  const [reading, setReading] = useState<{ key: string; tool: string; data?: Result; error?: CallFailed }>({
    key,
    tool,
  });
  const isReading = useRef(false);
  const isBehind = useRef(false);
  const start = useRef(() => {});
  const reload = useCallback(() => start.current(), []);

  // The key stands for the tool and its arguments.
  useEffect(() => {
    if (!isWanted) return;
    let abort = new AbortController();
    let known = reading.key === key && !reading.error ? reading.data : undefined;
    const settle = (outcome: { data?: Result; error?: CallFailed }) => {
      isReading.current = false;
      // For the same answer nothing is drawn anew.
      const isNews = known === undefined || outcome.data !== known;
      known = outcome.data;
      const named = tool.startsWith('page/') ? (outcome.data as { names?: Names } | undefined) : undefined;
      if (isNews && named?.names) learn(named.names);
      if (isNews) setReading((last) => ({ ...(outcome.error && last.key === key ? last : {}), key, tool, ...outcome }));
      if (isBehind.current) reload();
    };
    start.current = () => {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      isReading.current = true;
      isBehind.current = false;
      read<Result>(tool, args, signal, known).then(
        (data) => signal.aborted || settle({ data }),
        (error: unknown) => signal.aborted || settle(error instanceof CallFailed ? { error } : {}),
      );
    };
    reload();
    return () => {
      start.current = () => {};
      isReading.current = false;
      abort.abort();
    };
  }, [key, isWanted]);

  // A read that takes longer than the next change is let finish, or nothing would ever be shown.
  const catchUp = useCallback(() => {
    if (isReading.current) isBehind.current = true;
    else reload();
  }, [reload]);
  useSettledChanges(subjects, catchUp, settleMs);
  useReloads(reload, everyMs ?? unheardMs, everyMs !== undefined);
  useDue(useCallback(() => (subjects.includes('task') ? catchUp() : undefined), [subjects.join(), catchUp]));

  // Data of other arguments is not shown for these, unless the caller wants it kept.
  const isOurs = reading.key === key || (keepsLast && reading.tool === tool);
  return { data: isOurs ? reading.data : undefined, error: isOurs ? reading.error : undefined, reload };
}

/** Calls `onChange` a moment after a change of the subjects; once for all changes within that moment. */
function useSettledChanges(subjects: readonly string[], onChange: () => void, settleMs: number): void {
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const wanted = subjects.join();
  const onEvent = useCallback(
    (event: StreamedEvent) => {
      if (!wanted.split(',').includes(event.subject)) return;
      pending.current ??= setTimeout(() => {
        pending.current = undefined;
        onChange();
      }, settleMs);
    },
    [wanted, onChange, settleMs],
  );
  useChanges(onEvent);
  useEffect(() => () => clearTimeout(pending.current), []);
}

/** Calls `reload` after the page's own writes, at an interval, and when changes may have been missed. */
function useReloads(reload: () => void, everyMs: number | undefined, isAlways: boolean): void {
  // The page's own writes show at once, also while it is paused.
  useEffect(() => onWrite(reload), [reload]);
  const live = useLiveState();
  useEffect(() => {
    if (everyMs === undefined || live === 'paused') return;
    const timer = setInterval(() => {
      if (isAlways || !isHeard()) reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, isAlways, live, reload]);
  useMissed(reload);
}
