import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Arguments, CallFailed, read } from './api.js';
import { type Change, useChanges } from './live.js';

export interface Reading<Result> {
  /** What was read last; kept while it is read again. */
  data: Result | undefined;
  error: CallFailed | undefined;
  reload(): void;
}

export interface ReadOptions {
  /** Subjects whose changes make it worth reading again, such as `task`. */
  subjects?: readonly string[];
  /** Also read again after this many milliseconds: for what grows without a change, as streamed output. */
  everyMs?: number | undefined;
  /** Nothing is read while false. */
  isWanted?: boolean;
}

/** A burst of changes is read once. */
const settleMs = 150;

/** The result of a reading tool, read again whenever a change of one of the subjects is recorded. */
export function useRead<Result>(tool: string, args: Arguments = {}, options: ReadOptions = {}): Reading<Result> {
  const { subjects = [], everyMs, isWanted = true } = options;
  const key = JSON.stringify([tool, args]);
  const [reading, setReading] = useState<{ key: string; data?: Result; error?: CallFailed }>({ key });
  const [round, setRound] = useState(0);
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const reload = useCallback(() => setRound((count) => count + 1), []);

  // The key stands for the tool and its arguments.
  useEffect(() => {
    if (!isWanted) return;
    const abort = new AbortController();
    read<Result>(tool, args, abort.signal).then(
      (data) => setReading({ key, data }),
      (error: unknown) => {
        if (!abort.signal.aborted && error instanceof CallFailed) setReading((last) => ({ ...last, key, error }));
      },
    );
    return () => abort.abort();
  }, [key, round, isWanted]);

  const wanted = subjects.join();
  const onChange = useCallback(
    (change: Change) => {
      if (!wanted.split(',').includes(change.subject)) return;
      pending.current ??= setTimeout(() => {
        pending.current = undefined;
        reload();
      }, settleMs);
    },
    [wanted, reload],
  );
  useChanges(onChange);
  useEffect(() => () => clearTimeout(pending.current), []);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(reload, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);

  // What was read for other arguments is not shown for these.
  const isOurs = reading.key === key;
  return { data: isOurs ? reading.data : undefined, error: isOurs ? reading.error : undefined, reload };
}
