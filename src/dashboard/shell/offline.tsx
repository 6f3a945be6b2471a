import { useEffect, useState } from 'preact/hooks';
import { connect, lastHeardAt, useLiveState } from '../live.js';
import { duration } from '../ui/format.js';
import { clockTime } from '../ui/moment.js';
import { useNow } from '../ui/time.js';

/** A connection that is back so soon was not worth a word. */
const patienceMs = 3_000;

/** Whether what is shown is old because the server does not answer. */
export function useIsOffline(): boolean {
  const state = useLiveState();
  const [isOffline, setOffline] = useState(false);
  useEffect(() => {
    if (state !== 'connecting') {
      setOffline(false);
      return;
    }
    const timer = setTimeout(() => setOffline(true), patienceMs);
    return () => clearTimeout(timer);
  }, [state]);
  return isOffline;
}

/** Says that the page is stale, since when, and connects again at once when asked to. */
export function OfflineBar() {
  const now = useNow(1_000);
  const since = lastHeardAt();
  return (
    <div class="offline" role="status">
      <p>
        <strong>Not connected.</strong>{' '}
        {since === undefined
          ? 'The server does not answer.'
          : `What is shown is from ${clockTime(since)}, ${duration(Math.floor((now - since) / 1_000) * 1_000)} ago.`}
      </p>
      <button type="button" onClick={connect}>
        Connect now
      </button>
    </div>
  );
}
