import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { StreamedEvent } from '../http/event-stream.js';
import type { Names } from '../http/page/names.js';
import { type Arguments, CallFailed, onWrite, read } from './api.js';
import { useChanges, useDue, useLiveState, useMissed } from './live.js';
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
export function useRead<Result>(tool: string, args: Arguments = {}, options: ReadOptions = {}): Reading<Result> {
  const { subjects = [], everyMs, settleMs = usualSettleMs, isWanted = true, keepsLast = false } = options;
  const key = JSON.stringify([tool, args]);
  const [reading, setReading] = useState<{ key: string; tool: string; data?: Result; error?: CallFailed }>({
    key,
    tool,
  });
  const [round, setRound] = useState(0);
  const isReading = useRef(false);
  const isBehind = useRef(false);
  const reload = useCallback(() => setRound((count) => count + 1), []);

  // The key stands for the tool and its arguments.
  useEffect(() => {
    if (!isWanted) return;
    const abort = new AbortController();
    isReading.current = true;
    isBehind.current = false;
    const settle = (outcome: { data?: Result; error?: CallFailed }) => {
      if (abort.signal.aborted) return;
      isReading.current = false;
      const named = tool.startsWith('page/') ? (outcome.data as { names?: Names } | undefined) : undefined;
      if (named?.names) learn(named.names);
      setReading((last) => ({ ...(outcome.error && last.key === key ? last : {}), key, tool, ...outcome }));
      if (isBehind.current) reload();
    };
    read<Result>(tool, args, abort.signal).then(
      (data) => settle({ data }),
      (error: unknown) => settle(error instanceof CallFailed ? { error } : {}),
    );
    return () => {
      isReading.current = false;
      abort.abort();
    };
  }, [key, round, isWanted]);

  // A read that takes longer than the next change is let finish, or nothing would ever be shown.
  const catchUp = useCallback(() => {
    if (isReading.current) isBehind.current = true;
    else reload();
  }, [reload]);
  useSettledChanges(subjects, catchUp, settleMs);
  useReloads(reload, everyMs);
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
function useReloads(reload: () => void, everyMs: number | undefined): void {
  // The page's own writes show at once, also while it is paused.
  useEffect(() => onWrite(reload), [reload]);
  const live = useLiveState();
  useEffect(() => {
    if (everyMs === undefined || live === 'paused') return;
    const timer = setInterval(reload, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, live, reload]);
  useMissed(reload);
}
